//! What can be done about findings: their fixes, all safe fixes at once, and a comment that allows one.

use compiler::diagnostic::{Diagnostic, Edit, Fix, Severity, code};
use compiler::fix::{self, Reach};
use compiler::span::Span;

use super::analysis::Analysis;

/// Something that an editor may do to the text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Action {
    /// What it does, as an order.
    pub title: String,
    /// What sort of action it is.
    pub kind: ActionKind,
    /// The finding it mends, by its position in [`Analysis::diagnostics`].
    pub mends: Option<usize>,
    /// Whether it is the one to take where there are several.
    pub preferred: bool,
    /// The edits that together make it; they do not overlap and are in the order of the text.
    pub edits: Vec<Edit>,
}

/// What sort of action it is.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ActionKind {
    /// Mends a finding.
    Fix,
    /// Applies all safe fixes.
    FixAll,
}

/// What can be done about the findings that touch `range`.
pub fn actions(analysis: &Analysis, range: Span) -> Vec<Action> {
    let touching = |it: &Diagnostic| it.span.start <= range.end && range.start <= it.span.end;
    let found = analysis.diagnostics().iter().enumerate().filter(|(_, it)| touching(it));
    let mut actions = Vec::new();
    for (at, finding) in found {
        let only = finding.fixes.len() == 1;
        for fix in &finding.fixes {
            let mut edits = fix.edits.clone();
            if finding.code == code::W0411 {
                edits = everywhere(analysis, finding, fix);
            }
            let edits = with_line_ends(analysis.text(), edits);
            let preferred = fix.safe || only && finding.severity == Severity::Error;
            let (title, kind) = (fix.title.clone(), ActionKind::Fix);
            actions.push(Action { title, kind, mends: Some(at), preferred, edits });
        }
    }
    actions
}

/// The same fix wherever the same is found: a file has one spelling of a word, or is refused.
fn everywhere(analysis: &Analysis, finding: &Diagnostic, fix: &Fix) -> Vec<Edit> {
    let same = analysis.diagnostics().iter().filter(|it| it.code == finding.code);
    let fixes = same.flat_map(|it| &it.fixes).filter(|it| it.title == fix.title);
    fixes.flat_map(|it| it.edits.iter().cloned()).collect()
}

/// What applying all safe fixes is called.
pub const FIX_ALL: &str = "apply all safe fixes";

/// Whether there is something to mend with a safe fix.
pub fn can_fix(analysis: &Analysis) -> bool {
    analysis.diagnostics().iter().any(|it| it.fixes.iter().any(|fix| fix.safe))
}

/// All safe fixes at once, as `aclc check --fix` makes them; `None` where there is nothing to mend.
pub fn fix_all(analysis: &Analysis) -> Option<Action> {
    if !can_fix(analysis) {
        return None;
    }
    let fixed = fix::fix(analysis.text(), &analysis.settings().options(), Reach::Safe);
    let edits = super::changes::between(analysis.text(), fixed.text());
    (!edits.is_empty()).then(|| Action {
        title: FIX_ALL.to_owned(),
        kind: ActionKind::FixAll,
        mends: None,
        preferred: false,
        edits,
    })
}

/// Line ends that are inserted are those of the text.
fn with_line_ends(text: &str, mut edits: Vec<Edit>) -> Vec<Edit> {
    let first = text.split_inclusive('\n').next().unwrap_or_default();
    if first.ends_with("\r\n") {
        for edit in &mut edits {
            edit.text = edit.text.replace("\r\n", "\n").replace('\n', "\r\n");
        }
    }
    edits
}
