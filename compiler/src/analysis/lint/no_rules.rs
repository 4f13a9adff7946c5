//! W1002: a file without `acls` and `grants`, which allows everything.

use super::Subject;
use crate::diagnostic::{Diagnostic, code};

pub(super) fn find(subject: &Subject<'_>) -> Vec<Diagnostic> {
    if subject.policy.rules.is_some() {
        return Vec::new();
    }
    let found = Diagnostic::new(
        code::W1002,
        "this file has neither `grants` nor `acls`, so any device may reach any other on every port",
        subject.start(),
    );
    vec![found.help(
        "add `\"grants\": [ … ]` with what is needed; an empty list there lets nobody in, a missing one everybody",
    )]
}
