//! W1602: tests that cannot fail, because everything is open.

use super::Subject;
use crate::diagnostic::{Diagnostic, code};

pub(super) fn find(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let file = &subject.policy.file;
    let open = subject.access().open.first().and_then(|it| subject.rules().get(*it as usize));
    let accepting = file.tests.iter().any(|it| !it.accept.is_empty());
    // Where everything is open, one denial would have failed already.
    let (Some(rule), true) = (open, accepting) else { return Vec::new() };
    if file.tests.iter().any(|it| !it.deny.is_empty()) {
        return Vec::new();
    }
    let message = "these tests cannot fail: one rule lets everything through";
    let found = Diagnostic::new(code::W1602, message, subject.section("tests"));
    vec![
        found
            .related(rule.span.opening(), "this rule")
            .help("take that rule out, then the tests say something about the others"),
    ]
}
