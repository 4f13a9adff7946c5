//! Takes an entry out of a list, and what separates it from the entry before.

use crate::cst::SyntaxTree;
use crate::diagnostic::Edit;
use crate::span::Span;

/// The edit that removes what stands at `span`, given the entry before it in the same list. Both are
/// spans of objects, or of the characters between quotes.
///
/// `None` where a comment stands between the two: it may speak of either.
pub(super) fn entry(tree: &SyntaxTree, before: Span, span: Span) -> Option<Edit> {
    let text = tree.text();
    let end = |span: Span| {
        let quoted = Span::new(span.end, span.end + 1).of(text) == "\"";
        span.end + u32::from(quoted)
    };
    let gap = Span::new(end(before), end(span));
    let between = Span::new(gap.start, span.start).of(text);
    if before.end > span.start || between.contains("//") || between.contains("/*") {
        return None;
    }
    Some(Edit { span: gap, text: String::new() })
}
