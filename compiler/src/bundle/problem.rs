//! What keeps fragments from being one policy: E0810 to E0816.

use thiserror::Error;

use crate::diagnostic::{Diagnostic, code};
use crate::span::Span;

/// One thing that keeps fragments from being one policy. Places are those of the fragment, or of the
/// contracts where they are what is wrong.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum Problem {
    /// Two fragments define a name.
    #[error("`{name}` is defined in two fragments: here and at {first}")]
    DefinedTwice {
        /// The name.
        name: String,
        /// The later of both.
        span: Span,
        /// The earlier: file, line and column.
        first: String,
    },
    /// Two fragments have a setting, or a section that cannot be joined.
    #[error("`{setting}` is set in two fragments: here and at {first}")]
    SettingTwice {
        /// The name of the member.
        setting: String,
        /// The later of both.
        span: Span,
        /// The earlier: file, line and column.
        first: String,
    },
    /// The contracts say what no contract can.
    #[error("{what}")]
    Malformed {
        /// Where.
        span: Span,
        /// What is wrong, as a sentence.
        what: String,
        /// What to do.
        help: String,
    },
    /// There are contracts, and none speaks of the fragment.
    #[error("no contract speaks of `{file}`")]
    NoContract {
        /// The bracket that opens the fragment.
        span: Span,
        /// The fragment.
        file: String,
    },
    /// A contract does not let the fragment use a section.
    #[error("`{file}` may not have the section `{section}`")]
    Section {
        /// The name of the section.
        span: Span,
        /// The fragment.
        file: String,
        /// The section, spelled as Tailscale does.
        section: &'static str,
        /// Which contract says so, and what it allows.
        help: String,
    },
    /// A contract does not let the fragment define a name.
    #[error("`{file}` may not define `{name}`")]
    Definition {
        /// The name where it is defined.
        span: Span,
        /// The fragment.
        file: String,
        /// The name.
        name: String,
        /// Which contract says so, and what it allows.
        help: String,
    },
    /// A contract does not let the fragment give access to a destination.
    #[error("`{file}` may not grant access to `{destination}`")]
    Destination {
        /// The destination in the rule.
        span: Span,
        /// The fragment.
        file: String,
        /// The destination.
        destination: String,
        /// Which contract says so, and what it allows.
        help: String,
    },
}

impl Problem {
    /// The report a person reads.
    pub fn report(&self) -> Diagnostic {
        match self {
            Problem::DefinedTwice { span, .. } => Diagnostic::new(code::E0810, self, *span)
                .label("defined again")
                .help("keep one of the two, or rename one"),
            Problem::SettingTwice { span, .. } => Diagnostic::new(code::E0811, self, *span)
                .label("set again")
                .help("a setting holds for the whole tailnet: keep it in one fragment"),
            Problem::Malformed { span, help, .. } => {
                Diagnostic::new(code::E0812, self, *span).help(help)
            }
            Problem::NoContract { span, file } => Diagnostic::new(code::E0813, self, *span).help(
                format!("add a `[[contract]]` with `files = [\"{file}\"]`, or the file to the `files` of one"),
            ),
            Problem::Section { span, help, .. } => {
                Diagnostic::new(code::E0814, self, *span).label("against the contract").help(help)
            }
            Problem::Definition { span, help, .. } => {
                Diagnostic::new(code::E0815, self, *span).label("against the contract").help(help)
            }
            Problem::Destination { span, help, .. } => {
                Diagnostic::new(code::E0816, self, *span).label("against the contract").help(help)
            }
        }
    }
}
