//! Text and edits → text: what fixes and renames do, every byte outside the edits stays; and where two texts differ.

use super::{SyntaxKind, SyntaxTree};
use crate::diagnostic::Edit;
use crate::span::Span;

/// Where two texts are other ones: how many bytes they share from the start, and where in the first begins
/// what they share to the end.
pub fn difference(old: &str, new: &str) -> (usize, usize) {
    let same = |it: &(u8, u8)| it.0 == it.1;
    let head = old.bytes().zip(new.bytes()).take_while(same).count();
    let rest = old.len().min(new.len()) - head;
    let ends = old.bytes().rev().zip(new.bytes().rev());
    let behind = ends.take(rest).take_while(same).count();
    (head, old.len() - behind)
}

/// Why edits cannot be applied together.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// Two of them change the same text, or insert at the same place.
    #[error("two edits change the same text")]
    Overlap {
        /// The one that stands first.
        first: Span,
        /// The one that reaches into it.
        second: Span,
    },
    /// One of them does not lie within the text, or cuts a character in two.
    #[error("an edit lies outside of the text")]
    Outside(Span),
}

/// Whether what an edit writes can stand where it does: between quotes nothing that would have to be
/// written with a backslash.
pub fn fits(tree: &SyntaxTree, edit: &Edit) -> bool {
    let node = tree.node_at(edit.span.start);
    let inside = node.inner_span();
    let quoted = node.kind() == SyntaxKind::String
        && inside.start <= edit.span.start
        && edit.span.end <= inside.end;
    !quoted || !edit.text.contains(|it: char| matches!(it, '"' | '\\') || it.is_control())
}

/// Applies edits, in whatever order they come.
///
/// Errors: [`EditError`], and then nothing is applied. Edits may touch, as long as not both of them
/// are empty: of two insertions at one place nobody can say which is first.
pub fn apply(text: &str, edits: &[Edit]) -> Result<String, EditError> {
    let mut sorted: Vec<&Edit> = edits.iter().collect();
    sorted.sort_by_key(|it| (it.span.start, it.span.end));
    for (first, second) in sorted.iter().zip(sorted.iter().skip(1)) {
        let (first, second) = (first.span, second.span);
        if second.start < first.end || first.is_empty() && first == second {
            return Err(EditError::Overlap { first, second });
        }
    }
    let added: usize = sorted.iter().map(|it| it.text.len()).sum();
    let mut edited = String::with_capacity(text.len() + added);
    let mut done = 0;
    for edit in sorted {
        let range = edit.span.range();
        if range.start > range.end || text.get(range.clone()).is_none() {
            return Err(EditError::Outside(edit.span));
        }
        edited.push_str(text.get(done..range.start).unwrap_or_default());
        edited.push_str(&edit.text);
        done = range.end;
    }
    edited.push_str(text.get(done..).unwrap_or_default());
    Ok(edited)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(start: u32, end: u32, text: &str) -> Edit {
        Edit { span: Span::new(start, end), text: text.to_owned() }
    }

    #[test]
    fn order_does_not_matter() {
        let [a, b, c] = [edit(0, 1, "A"), edit(1, 1, "-"), edit(2, 4, "")];
        assert_eq!(apply("abcde", &[c.clone(), a.clone(), b.clone()]), Ok("A-be".to_owned()));
        assert_eq!(apply("abcde", &[a, b, c]), Ok("A-be".to_owned()));
    }

    #[test]
    fn overlaps_are_refused() {
        assert!(matches!(
            apply("abc", &[edit(0, 2, "x"), edit(1, 3, "y")]),
            Err(EditError::Overlap { .. })
        ));
        assert!(matches!(
            apply("abc", &[edit(1, 1, "x"), edit(1, 1, "y")]),
            Err(EditError::Overlap { .. })
        ));
    }

    #[test]
    fn places_outside_of_the_text_are_refused() {
        assert!(matches!(apply("ü", &[edit(1, 2, "x")]), Err(EditError::Outside(_))));
        assert!(matches!(apply("abc", &[edit(4, 5, "x")]), Err(EditError::Outside(_))));
    }
}
