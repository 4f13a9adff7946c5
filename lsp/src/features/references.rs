//! A name → every place where it is written, in all sections and in comments.

use compiler::span::Span;

use super::analysis::Analysis;

/// A place with a name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Reference {
    /// The name alone.
    pub span: Span,
    /// Whether it is defined here.
    pub definition: bool,
}

/// All places of the name at `offset`, in the order of the text, its definition among them.
pub fn references(analysis: &Analysis, offset: u32) -> Vec<Reference> {
    let names = analysis.names();
    let Some(here) = names.at(offset) else { return Vec::new() };
    let places = names.places(here.name);
    places.map(|it| Reference { span: it.span, definition: it.definition }).collect()
}
