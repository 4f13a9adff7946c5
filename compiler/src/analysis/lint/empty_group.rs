//! W1106: a group without members in a rule.

use super::Subject;
use crate::diagnostic::{Diagnostic, code};

pub(super) fn find(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let empty = subject.policy.file.groups.iter().filter(|it| it.value.is_empty());
    empty
        .filter_map(|group| {
            let used = subject.uses().of(&group.name.value);
            let name = &group.name.value;
            let effect = match (used.src, used.dst) {
                (Some(_), _) => "so a rule for it lets nobody in",
                _ => "so a rule to it opens nothing",
            };
            let message = format!("`{name}` has no members, {effect}");
            let found = Diagnostic::new(code::W1106, message, group.name.span);
            Some(
                found
                    .related(used.in_rule()?, "used here")
                    .help("add its members, or take the rule out"),
            )
        })
        .collect()
}
