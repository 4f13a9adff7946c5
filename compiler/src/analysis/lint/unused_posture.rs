//! W1105: postures that nothing uses.

use super::Subject;
use super::uses::unused;
use crate::diagnostic::{Diagnostic, code};

pub(super) fn find(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let names = subject.policy.file.postures.iter().map(|it| &it.name);
    unused(subject.uses(), names, code::W1105, "posture").into_iter().collect()
}
