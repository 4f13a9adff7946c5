//! W1110: an IP set that has no address left after its last step.

use super::Subject;
use crate::diagnostic::{Diagnostic, code};
use crate::tables::ipsets;

pub(super) fn find(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let policy = subject.policy;
    let sets = ipsets(policy);
    let empty =
        sets.iter().zip(&policy.ipsets).filter(|it| it.0.ranges().next().is_none()).map(|it| it.1);
    let used = empty.filter(|it| subject.uses().of(&it.name.value).any().is_some());
    used.map(|set| {
        let name = &set.name.value;
        let message = if set.steps.is_empty() {
            format!("`{name}` is empty")
        } else {
            format!("nothing is left of `{name}` after its last step")
        };
        let found = Diagnostic::new(code::W1110, message, set.name.span);
        found.help("steps are taken in order: `remove` takes away what was added before it")
    })
    .collect()
}
