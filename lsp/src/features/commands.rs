//! Questions whose answer is a text of its own: tables, who reaches something, what an edit changes,
//! whether an assertion holds.

mod diff;
mod run_test;
mod tables;
mod who_can;

use compiler::analysis::subject::Unknown;
use compiler::diagnostic::Severity;
use compiler::span::Span;

use super::analysis::Analysis;
use super::pieces;
use super::shape::Shape;
use super::site::{self, Expected};

pub use diff::diff;
pub use run_test::run_test;
pub use tables::tables;
pub use who_can::who_can;

/// A text that answers a question.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answer {
    /// What it is about.
    pub title: String,
    /// The language of the text, as editors call it: `json`, `markdown`.
    pub language: &'static str,
    /// The text.
    pub text: String,
}

impl Answer {
    fn markdown(title: String, text: String) -> Self {
        Self { title, language: "markdown", text }
    }
}

/// Why a question has no answer: a sentence for a person.
pub type Unanswered = String;

/// A name that is none.
fn unknown(unknown: Unknown) -> Unanswered {
    match &unknown.similar {
        Some(similar) => format!("{unknown}; did you mean `{similar}`?"),
        None => {
            format!("{unknown}; devices are called as in the inventory, all else as in the policy")
        }
    }
}

/// What tables need and there is not.
fn without_tables(analysis: &Analysis) -> Unanswered {
    match analysis.tailnet() {
        None => "no inventory is known: name it as `nodes` in the settings or in `aclc.toml`, or put `nodes.json` \
                 beside the policy"
            .to_owned(),
        Some(_) => refused("the policy", analysis),
    }
}

/// Why a text with errors gives no answer: the first of them, and its place.
fn refused(what: &str, analysis: &Analysis) -> Unanswered {
    let errors = || analysis.diagnostics().iter().filter(|it| it.severity == Severity::Error);
    let Some(first) = errors().min_by_key(|it| it.span.start) else {
        return format!("{what} has errors");
    };
    let place = analysis.lines().line_column(analysis.text(), first.span.start);
    let more = match errors().count() {
        0 | 1 => String::new(),
        all => format!(" (the first of {all} errors)"),
    };
    format!(
        "{what} has an error in line {}, column {}: {}{more}",
        place.line, place.column, first.message
    )
}

/// The text of a selector at `offset`, and the ports behind it.
fn selector_at(analysis: &Analysis, offset: u32) -> Option<(String, Option<String>)> {
    let site = site::at(analysis.tree(), offset)?;
    let leaf = site.leaf?;
    let text = leaf.string()?;
    let slot = match site.expected {
        Expected::Name(slot) | Expected::Value(Shape::Text(slot)) => slot,
        Expected::Value(_) => return None,
    };
    use pieces::Meaning;
    let mut selector = None;
    let mut ports = None;
    for piece in pieces::pieces(slot, &text) {
        let written = text.get(piece.range).unwrap_or_default().to_owned();
        match piece.meaning {
            Meaning::Name(super::shape::Named::Posture)
            | Meaning::Definition(super::shape::Named::Posture) => {}
            Meaning::Name(_)
            | Meaning::Definition(_)
            | Meaning::Autogroup(_)
            | Meaning::Any
            | Meaning::Domain
            | Meaning::Address => selector = Some(written),
            Meaning::Ports => ports = Some(written),
            _ => {}
        }
    }
    selector.map(|it| (it, ports))
}

/// The rule around `offset`: its place, and its destinations as far as they are written.
fn rule_at(analysis: &Analysis, offset: u32) -> Option<(Span, Vec<Span>)> {
    let mut rules = analysis.policy().rules.iter().flatten();
    let around = rules.find(|it| it.span.touches(offset))?;
    Some((around.span, around.dst.iter().map(|it| it.span).collect()))
}
