//! A place → what is selected there, from the innermost piece to the whole file.

use compiler::cst::SyntaxKind;
use compiler::span::Span;

use super::analysis::Analysis;
use super::pieces;
use super::shape::Shape;
use super::site::{self, Expected};

/// The spans around a place, the smallest first; each holds the one before and is not the same.
pub fn selections(analysis: &Analysis, offset: u32) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut node = analysis.tree().root();
    loop {
        spans.push(node.span());
        // Without its brackets.
        let span = node.span();
        if matches!(node.kind(), SyntaxKind::Object | SyntaxKind::Array)
            && span.start < offset
            && offset < span.end
            && site::is_closed(node)
        {
            spans.push(Span::new(span.start + 1, span.end - 1));
        }
        if node.kind() == SyntaxKind::String && node.inner_span().touches(offset) {
            spans.push(node.inner_span());
        }
        match node
            .children()
            .filter(|it| it.kind() != SyntaxKind::Missing && it.span().touches(offset))
            .last()
        {
            Some(child) => node = child,
            None => break,
        }
    }
    // Between two values that stand side by side the piece may be of the one that was not followed.
    let inside = |it: &Span| spans.last().is_some_and(|outer| outer.to(*it) == *outer);
    let piece = piece(analysis, offset).filter(inside);
    spans.extend(piece);
    spans.reverse();
    spans.dedup();
    spans
}

/// The piece of a string: the name in front of ports.
fn piece(analysis: &Analysis, offset: u32) -> Option<Span> {
    let site = site::at(analysis.tree(), offset)?;
    let (Expected::Value(Shape::Text(slot)), Some(leaf)) = (site.expected, site.leaf) else {
        return None;
    };
    let text = leaf.string()?;
    let pieces = pieces::pieces(slot, &text).into_iter();
    let mut spans = pieces.map(|it| pieces::place(leaf, &text, it.range));
    spans.find(|it| it.touches(offset))
}
