//! W1003: sections of rules that are there and empty, so that nothing reaches anything.

use super::Subject;
use crate::diagnostic::{Diagnostic, code};

pub(super) fn find(subject: &Subject<'_>) -> Vec<Diagnostic> {
    if subject.policy.rules.as_ref().is_none_or(|it| !it.is_empty()) {
        return Vec::new();
    }
    let name = if subject.policy.file.grants.is_some() { "grants" } else { "acls" };
    let found = Diagnostic::new(
        code::W1003,
        format!("`{name}` is empty, so no device may reach any other"),
        subject.section(name),
    );
    vec![found.help("add a rule; SSH rules and node attributes open nothing by themselves")]
}
