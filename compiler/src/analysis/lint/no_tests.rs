//! W1601: many rules and no `tests`.

use super::Subject;
use super::words::count;
use crate::diagnostic::{Diagnostic, code};

/// From so many rules on nobody oversees what a change does.
const MANY: usize = 10;

pub(super) fn find(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let rules = subject.rules().len();
    if rules < MANY || !subject.policy.file.tests.is_empty() {
        return Vec::new();
    }
    let message = format!("{} and no `tests`", count(rules, "rule"));
    let found = Diagnostic::new(code::W1601, message, subject.rules_section());
    vec![found.help("write down who must get through and who must not; the file is then refused when a change breaks that")]
}
