//! W1509: `enforceRecorder` without a recorder.

use super::Subject;
use crate::diagnostic::{Diagnostic, code};

pub(super) fn find(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let rules = subject.policy.file.ssh.iter();
    let without = rules.filter(|it| it.enforce_recorder && it.recorder.is_empty());
    without
        .map(|it| {
            let message = "`enforceRecorder` without a `recorder` records nothing and stops nobody";
            let found = Diagnostic::new(code::W1509, message, it.span.opening());
            found.help("name the tag of the nodes that record: `\"recorder\": [\"tag:…\"]`")
        })
        .collect()
}
