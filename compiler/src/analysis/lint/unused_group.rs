//! W1101: groups that nothing uses.

use super::Subject;
use super::uses::unused;
use crate::diagnostic::{Diagnostic, code};

pub(super) fn find(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let groups = subject.policy.file.groups.iter().map(|it| &it.name);
    unused(subject.uses(), groups, code::W1101, "group").into_iter().collect()
}
