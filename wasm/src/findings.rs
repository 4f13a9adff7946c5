//! Findings as objects: the members of `aclc check --format json`, with places in UTF-16 units.

use compiler::diagnostic::{Diagnostic, Severity, answer};
use compiler::{Checked, Dialect};
use serde::Serialize;

use crate::editor::Replacement;
use crate::places::{Place, Units};

/// Everything that is found.
#[derive(Debug, Serialize)]
pub(crate) struct Findings {
    /// In the policy, by place.
    pub(crate) policy: Vec<Finding>,
    /// In the inventory, by place.
    pub(crate) nodes: Vec<Finding>,
    pub(crate) summary: Summary,
}

/// How much there is.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Summary {
    pub(crate) errors: usize,
    pub(crate) warnings: usize,
    pub(crate) notes: usize,
    pub(crate) devices: usize,
    pub(crate) rules: usize,
    /// Whether tables can be made.
    pub(crate) compiled: bool,
    /// Whether the control plane takes the file; nothing where facts decide that were not given.
    pub(crate) accepted: Option<bool>,
    /// The message with which its API would refuse it.
    pub(crate) api: Option<String>,
}

/// One finding.
#[derive(Debug, Serialize)]
pub(crate) struct Finding {
    code: String,
    severity: &'static str,
    message: String,
    place: Place,
    help: Option<String>,
    label: Option<String>,
    related: Vec<Related>,
    fixes: Vec<Fix>,
    api: Option<String>,
}

#[derive(Debug, Serialize)]
struct Related {
    message: String,
    place: Place,
}

/// One way to mend something.
#[derive(Debug, Serialize)]
pub(crate) struct Fix {
    title: String,
    safe: bool,
    edits: Vec<Replacement>,
}

/// At most so many findings are shown of one text: an editor draws each.
const MAX_SHOWN: usize = 1000;

/// Findings in one text.
pub(crate) fn of(diagnostics: &[Diagnostic], text: &str, units: &Units) -> Vec<Finding> {
    diagnostics.iter().take(MAX_SHOWN).map(|it| finding(it, text, units)).collect()
}

fn finding(it: &Diagnostic, text: &str, units: &Units) -> Finding {
    let place = |span| units.place(text, span);
    let related = it.related.iter();
    Finding {
        code: it.code.to_string(),
        severity: it.severity.name(),
        message: it.message.clone(),
        place: place(it.span),
        help: it.help.clone(),
        label: it.label.clone(),
        related: related
            .map(|it| Related { message: it.text.clone(), place: place(it.span) })
            .collect(),
        fixes: it.fixes.iter().map(|it| Fix::of(it, units)).collect(),
        api: it.refusal.as_ref().and_then(|it| it.message.clone()),
    }
}

impl Fix {
    pub(crate) fn of(fix: &compiler::diagnostic::Fix, units: &Units) -> Self {
        let edits = fix.edits.iter().map(|it| Replacement::of(it, units));
        Self { title: fix.title.clone(), safe: fix.safe, edits: edits.collect() }
    }
}

impl Summary {
    /// Counts findings, and asks what the control plane would say of the policy.
    pub(crate) fn of(checked: &Checked, dialect: Dialect) -> Self {
        let (accepted, api) = match answer(dialect, &checked.diagnostics) {
            Some(refusal) => (Some(false), refusal.message),
            None if checked.undecided => (None, None),
            None => (Some(true), None),
        };
        Self { accepted, api, ..Self::default() }.and(&checked.diagnostics)
    }

    /// The same with more findings.
    pub(crate) fn and(mut self, diagnostics: &[Diagnostic]) -> Self {
        for it in diagnostics {
            match it.severity {
                Severity::Error => self.errors += 1,
                Severity::Warning => self.warnings += 1,
                Severity::Note => self.notes += 1,
            }
        }
        self
    }
}
