//! What each piece of a policy is, for colours that know the language.

use compiler::span::Span;

use super::analysis::Analysis;
use super::pieces::{self, Meaning};
use super::site;

/// A piece and what it is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Token {
    /// Where; it lies in one line.
    pub span: Span,
    /// What it is.
    pub meaning: Meaning,
    /// Whether the name of a field is one that the language has.
    pub known: bool,
}

/// The pieces that touch `range`, in the order of the text; none overlaps another.
pub fn tokens(analysis: &Analysis, range: Span) -> Vec<Token> {
    let mut tokens = Vec::new();
    for leaf in site::leaves(analysis.tree()) {
        let span = leaf.node.span();
        if span.end < range.start || range.end < span.start {
            continue;
        }
        let Some(text) = leaf.node.string() else { continue };
        let pieces = match leaf.slot {
            Some(slot) => pieces::pieces(slot, &text),
            None => pieces::foreign(&text),
        };
        let escaped = text.len() != leaf.node.inner_span().len() as usize;
        for piece in pieces {
            let known = match &piece.meaning {
                Meaning::Field(form) => {
                    form.field(text.get(piece.range.clone()).unwrap_or_default()).is_some()
                }
                _ => true,
            };
            let span = pieces::place(leaf.node, &text, piece.range);
            if !span.is_empty() {
                tokens.push(Token { span, meaning: piece.meaning, known });
            }
            // With escapes, every piece is the whole string.
            if escaped {
                break;
            }
        }
    }
    tokens
}
