//! Two texts → the edits that turn one into the other, line by line, so that marks and cursors of an
//! editor stay where nothing changes.

use compiler::diagnostic::Edit;
use compiler::span::Span;

/// At most so many lines are compared with each other; beyond, what lies between the first and the
/// last difference is one edit.
const MAX_STEPS: usize = 4_000_000;

/// The edits from `old` to `new`, in the order of the text.
pub fn between(old: &str, new: &str) -> Vec<Edit> {
    let (before, after): (Vec<&str>, Vec<&str>) =
        (old.split_inclusive('\n').collect(), new.split_inclusive('\n').collect());
    let same = |a: &&&str, b: &&&str| a == b;
    let head = before.iter().zip(&after).take_while(|(a, b)| same(a, b)).count();
    let ends = before.iter().skip(head).rev().zip(after.iter().skip(head).rev());
    let tail = ends.take_while(|(a, b)| same(a, b)).count();
    let a = before.get(head..before.len() - tail).unwrap_or_default();
    let b = after.get(head..after.len() - tail).unwrap_or_default();
    let start: usize = before.iter().take(head).map(|it| it.len()).sum();
    let mut edits = Edits { edits: Vec::new(), at: start as u32 };
    if a.len().saturating_mul(b.len()) > MAX_STEPS {
        edits.change(a, b);
    } else {
        edits.aligned(a, b);
    }
    edits.edits
}

struct Edits {
    edits: Vec<Edit>,
    /// Where the next line of the old text begins.
    at: u32,
}

impl Edits {
    fn change(&mut self, old: &[&str], new: &[&str]) {
        if old.is_empty() && new.is_empty() {
            return;
        }
        let length: usize = old.iter().map(|it| it.len()).sum();
        let end = self.at + length as u32;
        let (old, new) = (old.concat(), new.concat());
        let same = old.chars().zip(new.chars()).take_while(|(a, b)| a == b);
        let head: usize = same.map(|it| it.0.len_utf8()).sum();
        let rest = |it: &str| it.get(head..).unwrap_or_default().to_owned();
        let (rest_old, rest_new) = (rest(&old), rest(&new));
        let same = rest_old.chars().rev().zip(rest_new.chars().rev()).take_while(|(a, b)| a == b);
        let tail: usize = same.map(|it| it.0.len_utf8()).sum();
        let span = Span::new(self.at + head as u32, end - tail as u32);
        let text = rest_new.get(..rest_new.len() - tail).unwrap_or_default().to_owned();
        self.edits.push(Edit { span, text });
        self.at = end;
    }

    /// The longest common subsequence of lines stays.
    fn aligned(&mut self, old: &[&str], new: &[&str]) {
        let width = new.len() + 1;
        let mut lengths = vec![0u32; (old.len() + 1) * width];
        let at = |i: usize, j: usize| i * width + j;
        let read = |lengths: &[u32], i: usize, j: usize| {
            lengths.get(at(i, j)).copied().unwrap_or_default()
        };
        for (i, a) in old.iter().enumerate().rev() {
            for (j, b) in new.iter().enumerate().rev() {
                let value = if a == b {
                    read(&lengths, i + 1, j + 1) + 1
                } else {
                    read(&lengths, i + 1, j).max(read(&lengths, i, j + 1))
                };
                if let Some(slot) = lengths.get_mut(at(i, j)) {
                    *slot = value;
                }
            }
        }
        let (mut i, mut j) = (0, 0);
        let (mut gone, mut come) = (Vec::new(), Vec::new());
        while let (Some(a), Some(b)) = (old.get(i), new.get(j)) {
            if a == b {
                self.change(&std::mem::take(&mut gone), &std::mem::take(&mut come));
                self.at += a.len() as u32;
                (i, j) = (i + 1, j + 1);
            } else if read(&lengths, i + 1, j) >= read(&lengths, i, j + 1) {
                gone.push(*a);
                i += 1;
            } else {
                come.push(*b);
                j += 1;
            }
        }
        gone.extend(old.iter().skip(i));
        come.extend(new.iter().skip(j));
        self.change(&gone, &come);
    }
}

#[cfg(test)]
mod tests {
    use compiler::cst::edit::apply;

    use super::*;

    #[test]
    fn the_edits_make_the_new_text() {
        let cases = [
            ("", ""),
            ("", "a\n"),
            ("a\n", ""),
            ("a\nb\nc\n", "a\nx\nc\n"),
            ("a\nb\nc\n", "b\nc\nd"),
            ("grüße\n\n", "größe\n"),
            ("a\nb\na\nb\n", "b\na\nb\na\n"),
        ];
        for (old, new) in cases {
            assert_eq!(apply(old, &between(old, new)).as_deref(), Ok(new), "{old:?} {new:?}");
        }
    }

    #[test]
    fn a_change_is_as_small_as_its_line() {
        let edits = between("a\n  port 80\nc\n", "a\n  port 443\nc\n");
        assert_eq!(edits, [Edit { span: Span::new(9, 11), text: "443".to_owned() }]);
    }
}
