//! Two texts → the lines that differ, with a few lines around them.

/// Lines shown before and after a difference.
const CONTEXT: usize = 2;

/// Beyond this many pairs of lines the differing part is shown as a whole: finding the shortest
/// difference takes a table of that size.
const MAX_PAIRS: usize = 4_000_000;

/// The lines that differ: `-` was expected, `+` is there now. Empty where nothing differs.
pub fn diff(expected: &str, actual: &str) -> String {
    if expected == actual {
        return String::new();
    }
    let (old, new): (Vec<&str>, Vec<&str>) = (lines(expected), lines(actual));
    let steps = steps(&old, &new);
    let mut text = String::new();
    let mut skipped = false;
    for (index, (mark, line)) in steps.iter().enumerate() {
        let around =
            steps.iter().skip(index.saturating_sub(CONTEXT)).take(index.min(CONTEXT) + CONTEXT + 1);
        if around.into_iter().all(|(mark, _)| *mark == ' ') {
            skipped = true;
            continue;
        }
        if std::mem::take(&mut skipped) {
            text.push_str("  …\n");
        }
        text.extend([&mark.to_string(), " ", *line, "\n"]);
    }
    text
}

/// The lines of a text; what follows the last line end is a line of its own and says so.
fn lines(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.split('\n').collect();
    match lines.pop() {
        Some("") | None => {}
        Some(rest) => lines.extend([rest, "(no line end)"]),
    }
    lines
}

/// The shortest way from `old` to `new`: kept lines, lines taken away, lines added.
fn steps<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<(char, &'a str)> {
    let same = |(a, b): &(&&str, &&str)| a == b;
    let head = old.iter().zip(new).take_while(same).count();
    let rest = old.len().min(new.len()) - head;
    let tail = old.iter().rev().zip(new.iter().rev()).take(rest).take_while(same).count();
    let kept =
        |from: usize, count: usize| old.iter().skip(from).take(count).map(|line| (' ', *line));
    let part = |all: &[&'a str]| -> Vec<&'a str> {
        all.iter().take(all.len() - tail).skip(head).copied().collect()
    };
    let (old_part, new_part) = (part(old), part(new));
    let mut steps: Vec<_> = kept(0, head).collect();
    steps.extend(middle(&old_part, &new_part));
    steps.extend(kept(old.len() - tail, tail));
    steps
}

/// The steps between two parts that have neither their first nor their last line in common.
fn middle<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<(char, &'a str)> {
    if old.len().saturating_mul(new.len()) > MAX_PAIRS {
        let gone = old.iter().map(|line| ('-', *line));
        return gone.chain(new.iter().map(|line| ('+', *line))).collect();
    }
    // `common[i][j]`: how many lines `old[i..]` and `new[j..]` share, in order.
    let width = new.len() + 1;
    let mut common = vec![0u32; (old.len() + 1) * width];
    let at = |table: &[u32], i: usize, j: usize| table.get(i * width + j).copied().unwrap_or(0);
    for (i, a) in old.iter().enumerate().rev() {
        for (j, b) in new.iter().enumerate().rev() {
            let best = if a == b {
                at(&common, i + 1, j + 1) + 1
            } else {
                at(&common, i + 1, j).max(at(&common, i, j + 1))
            };
            if let Some(slot) = common.get_mut(i * width + j) {
                *slot = best;
            }
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut steps = Vec::new();
    loop {
        match (old.get(i), new.get(j)) {
            (None, None) => return steps,
            (Some(a), Some(b)) if a == b => {
                steps.push((' ', *a));
                (i, j) = (i + 1, j + 1);
            }
            (Some(a), b) if b.is_none() || at(&common, i + 1, j) >= at(&common, i, j + 1) => {
                steps.push(('-', *a));
                i += 1;
            }
            (_, Some(b)) => {
                steps.push(('+', *b));
                j += 1;
            }
            (Some(_), None) => return steps,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::diff;

    #[test]
    fn shows_what_differs_with_two_lines_around_it() {
        let old = "a\nb\nc\nd\ne\nf\n";
        assert_eq!(diff(old, "a\nb\nc\nd\nE\nf\n"), "  …\n  c\n  d\n- e\n+ E\n  f\n");
        assert_eq!(diff(old, old), "");
    }

    #[test]
    fn keeps_common_lines_between_two_changes() {
        assert_eq!(diff("a\nb\nc\n", "x\nb\ny\n"), "- a\n+ x\n  b\n- c\n+ y\n");
        assert_eq!(diff("", "a\n"), "+ a\n");
        assert_eq!(diff("a\na\n", "a\n"), "  a\n- a\n");
    }

    #[test]
    fn a_missing_line_end_is_a_difference() {
        assert_eq!(diff("a\n", "a"), "  a\n+ (no line end)\n");
    }
}
