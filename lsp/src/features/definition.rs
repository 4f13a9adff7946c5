//! A name → the place that defines it.

use compiler::span::Span;

use super::analysis::Analysis;

/// A way from one place to another.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Definition {
    /// The name that was asked about.
    pub from: Span,
    /// The name where it is defined.
    pub to: Span,
    /// The whole definition.
    pub whole: Span,
}

/// Where the name at `offset` is defined; `None` where there is no name, or nothing defines it.
pub fn definition(analysis: &Analysis, offset: u32) -> Option<Definition> {
    let names = analysis.names();
    let here = names.at(offset)?;
    let there = names.definition(here.name)?;
    let inner = analysis.tree().node_at(there.span.start);
    let mut whole = inner.span();
    // The member around it, from the root down.
    let mut node = analysis.tree().root();
    while let Some(child) = node.children().find(|it| it.span().touches(there.span.start)) {
        if child.kind() == compiler::cst::SyntaxKind::Member {
            whole = child.span();
        }
        node = child;
    }
    Some(Definition { from: here.span, to: there.span, whole })
}
