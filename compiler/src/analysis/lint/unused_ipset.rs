//! W1104: IP sets that nothing uses.

use super::Subject;
use super::uses::unused;
use crate::diagnostic::{Diagnostic, code};

pub(super) fn find(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let names = subject.policy.file.ipsets.iter().map(|it| &it.name);
    unused(subject.uses(), names, code::W1104, "IP set").into_iter().collect()
}
