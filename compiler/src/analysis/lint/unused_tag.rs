//! W1102: tags with owners that nothing uses.

use super::Subject;
use super::uses::unused;
use crate::diagnostic::{Diagnostic, code};
use crate::policy::Target;
use crate::span::Spanned;

/// Where there is an inventory, a tag that some device carries is another lint's matter. Where
/// everything is open no rule needs to name a tag, and a tag that only other tags own is applied by a
/// program, which needs it whether or not a rule does.
pub(super) fn find(subject: &Subject<'_>) -> Vec<Diagnostic> {
    if subject.policy.rules.is_none() || !subject.access().open.is_empty() {
        return Vec::new();
    }
    let tailnet = subject.options.tailnet;
    let carried = |name: &str| tailnet.is_some_and(|it| !it.tagged(name).is_empty());
    let by_program = |owners: &[Spanned<Target>]| {
        !owners.is_empty() && owners.iter().all(|it| matches!(it.value, Target::Tag(_)))
    };
    let tags = subject.policy.tags.iter().filter(|it| !by_program(&it.owners));
    let tags = tags.map(|it| &it.name).filter(|it| !carried(&it.value));
    unused(subject.uses(), tags, code::W1102, "tag").into_iter().collect()
}
