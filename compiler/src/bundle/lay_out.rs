//! A joined text → the same in the layout of the formatter, its pieces moved along.
//!
//! The formatter keeps every value and comment in its order, so the nodes of both trees pair up.

use super::join::Joined;
use super::source_map::{Piece, SourceMap};
use crate::cst::{self, SyntaxKind, SyntaxTree};
use crate::span::Span;

/// Lays a text out. One that the formatter refuses stays as it is: whoever checks it says why.
pub(super) fn lay_out(joined: Joined) -> (String, SourceMap) {
    let Joined { text, pieces } = joined;
    let map = SourceMap::new(pieces);
    let Some(formatted) = cst::format(&text) else { return (text, map) };
    let (before, after) = (cst::parse(&text).tree, cst::parse(&formatted).tree);
    let (old, new) = (spots(&before), spots(&after));
    // A layout that loses something is a fault of ours, which must not become one of the map.
    if old.len() != new.len() {
        return (text, map);
    }
    let mut moved: Vec<Piece> = Vec::new();
    for (old, new) in old.into_iter().zip(new) {
        let Some((fragment, from)) = map.copied(old) else { continue };
        let piece = Piece { bundle: new, fragment, from };
        match moved.last_mut().filter(|it| continues(it, &piece)) {
            Some(last) => {
                last.bundle.end = piece.bundle.end;
                last.from.end = piece.from.end;
            }
            None => moved.push(piece),
        }
    }
    (formatted, SourceMap::new(moved))
}

/// Whether a piece follows another at the same distance in both texts.
fn continues(last: &Piece, piece: &Piece) -> bool {
    let distance = |it: &Piece| i64::from(it.bundle.start) - i64::from(it.from.start);
    last.fragment == piece.fragment
        && last.bundle.len() == last.from.len()
        && piece.bundle.len() == piece.from.len()
        && last.from.end <= piece.from.start
        && distance(last) == distance(piece)
}

/// What the formatter keeps: brackets, values and comments, in the order of the text.
fn spots(tree: &SyntaxTree) -> Vec<Span> {
    let mut spots = Vec::new();
    for node in tree.nodes() {
        let Span { start, end } = node.span();
        match node.kind() {
            SyntaxKind::Object | SyntaxKind::Array => {
                spots.extend([Span::new(start, start + 1), Span::new(end.saturating_sub(1), end)]);
            }
            SyntaxKind::String | SyntaxKind::Scalar | SyntaxKind::Comment => {
                spots.push(node.span())
            }
            _ => {}
        }
    }
    spots.sort_by_key(|it| it.start);
    spots
}
