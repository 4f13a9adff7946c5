//! W1103: hosts that nothing uses.

use super::Subject;
use super::uses::unused;
use crate::diagnostic::{Diagnostic, code};

pub(super) fn find(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let names = subject.policy.file.hosts.iter().map(|it| &it.name);
    unused(subject.uses(), names, code::W1103, "host").into_iter().collect()
}
