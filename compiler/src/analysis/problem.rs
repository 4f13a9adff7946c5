//! What can be wrong with invariants: family E09xx.

use crate::ast::invariant::{Claim, Malformed};
use crate::diagnostic::{Diagnostic, code};
use crate::span::Span;

use super::prove::UnknownName;

/// One thing wrong with an invariant, or with the policy it speaks of.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Problem {
    /// A text that is no invariant.
    #[error("{0}")]
    Malformed(Malformed),
    /// A name that the policy does not define: about it anything could be claimed.
    #[error("{}", .0.value)]
    UnknownName(UnknownName),
    /// It speaks of nobody.
    #[error("this invariant speaks of nobody, so it holds whatever the policy says")]
    Vacuous(Span),
    /// It does not hold.
    #[error("{sentence}")]
    Broken {
        /// The invariant.
        span: Span,
        /// What is claimed.
        claim: Claim,
        /// The flow that shows it.
        sentence: String,
        /// The rule that lets it in, where it stands in the same text.
        rule: Option<Span>,
        /// The same as a line of another text: `policy.hujson:12`.
        line: Option<String>,
    },
}

impl Problem {
    /// The report a person reads.
    pub fn report(&self) -> Diagnostic {
        match self {
            Problem::Malformed(it) => Diagnostic::new(code::E0901, self, it.span()).help(it.help()),
            Problem::UnknownName(it) => {
                Diagnostic::new(code::E0902, self, it.span).help(it.value.help())
            }
            Problem::Vacuous(span) => Diagnostic::new(code::W0903, self, *span)
                .help("fill the group or the list of addresses it names, or remove the invariant"),
            Problem::Broken { span, claim, rule, line, .. } => {
                let finding = Diagnostic::new(code::E0904, self, *span).label(match claim {
                    Claim::Never => "must never be",
                    Claim::Only => "must be for nobody else",
                    Claim::Always => "must always be",
                });
                let finding = match rule {
                    Some(rule) => finding.related(*rule, "this rule lets it in"),
                    None => finding,
                };
                finding.help(match (claim, line) {
                    (Claim::Always, _) => {
                        "add a rule that lets it in, or correct the invariant".to_owned()
                    }
                    (_, Some(line)) => {
                        format!(
                            "the rule at {line} lets it in: narrow it, or correct the invariant"
                        )
                    }
                    (_, None) => {
                        "narrow the rule that lets it in, or correct the invariant".to_owned()
                    }
                })
            }
        }
    }
}
