//! What can be wrong with a configuration: family E0804 to E0808.

use thiserror::Error;

use crate::diagnostic::{Code, Diagnostic, Edit, code};
use crate::span::{Span, Spanned};

/// One thing wrong with a configuration.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum Problem {
    /// The text is not TOML, or not JSON5.
    #[error("{what}")]
    Syntax {
        /// Where reading stopped.
        span: Span,
        /// What the reader of the format says, on one line.
        what: String,
    },
    /// No such setting.
    #[error("unknown setting `{}`", name.value)]
    UnknownSetting {
        /// As written.
        name: Spanned<String>,
        /// A setting that looks alike.
        similar: Option<String>,
    },
    /// A setting has a value that says nothing.
    #[error("`{setting}` takes {expected}")]
    WrongValue {
        /// The value.
        span: Span,
        /// Whose value it is.
        setting: String,
        /// What stands there otherwise.
        expected: String,
    },
    /// The level of a code that does not exist.
    #[error("unknown code `{}`", name.value)]
    UnknownCode {
        /// As written.
        name: Spanned<String>,
        /// A code that looks alike.
        similar: Option<Code>,
    },
    /// The level of an error.
    #[error("`{}` is an error, and errors have no level of choice", code.value.name())]
    LevelOfError {
        /// The code, where it is written.
        code: Spanned<Code>,
    },
}

impl Problem {
    /// The text that the reader of the format could not take, if that is the problem.
    pub(super) fn unread(&self) -> Option<Span> {
        match self {
            Problem::Syntax { span, .. } => Some(*span),
            _ => None,
        }
    }

    /// The report a person reads.
    pub fn report(&self) -> Diagnostic {
        match self {
            Problem::Syntax { span, .. } => Diagnostic::new(code::E0804, self, *span)
                .help("settings look like `target = \"headscale\"`; docs/commands.md lists them"),
            Problem::UnknownSetting { name, similar } => {
                let finding = Diagnostic::new(code::W0805, self, name.span);
                match similar {
                    Some(similar) => finding.help(format!("did you mean `{similar}`?")).fix(
                        format!("replace `{}` by `{similar}`", name.value),
                        false,
                        Edit { span: name.span, text: similar.clone() },
                    ),
                    None => finding.help(
                        "the settings are `target`, `nodes`, `baseline`, `fail-level` and `levels`",
                    ),
                }
            }
            Problem::WrongValue { span, .. } => Diagnostic::new(code::E0806, self, *span),
            Problem::UnknownCode { name, similar } => {
                let finding = Diagnostic::new(code::W0807, self, name.span);
                match similar {
                    Some(code) => finding.help(format!("did you mean `{}`?", code.name())),
                    None => finding.help("`aclc explain` lists all codes"),
                }
            }
            Problem::LevelOfError { code } => Diagnostic::new(code::W0808, self, code.span).help(
                "mend what it finds; only warnings and notes can be made graver, lighter or silent",
            ),
        }
    }
}
