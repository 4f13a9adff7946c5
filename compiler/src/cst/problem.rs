//! What can be wrong with a text before anything of it is understood: families E00xx and E01xx.

use crate::diagnostic::{Diagnostic, code};
use crate::span::Span;

/// One thing wrong with a text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Problem {
    /// Nothing but white space and comments.
    Empty,
}

impl Problem {
    /// The report a person reads.
    pub fn report(&self) -> Diagnostic {
        match self {
            Problem::Empty => Diagnostic::new(code::E0005, "the file is empty", Span::at(0)),
        }
    }
}
