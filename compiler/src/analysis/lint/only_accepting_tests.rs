//! W1603: tests that say what must work, and none that says what must stay closed.

use super::Subject;
use crate::diagnostic::{Diagnostic, code};

/// Where everything is open nothing can be denied, which is its own finding.
pub(super) fn find(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let tests = &subject.policy.file.tests;
    let denying = tests.iter().any(|it| !it.deny.is_empty());
    if tests.is_empty() || denying || !subject.access().open.is_empty() {
        return Vec::new();
    }
    let message = "no test says what must stay closed";
    let found = Diagnostic::new(code::W1603, message, subject.section("tests"));
    vec![found.help("add a `deny` for each thing that would be bad news: a rule that is too wide breaks no `accept`")]
}
