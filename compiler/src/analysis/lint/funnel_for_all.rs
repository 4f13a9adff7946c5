//! W1701: every device may publish to the internet.

use super::Subject;
use crate::ast::{Autogroup, Selector};
use crate::diagnostic::{Diagnostic, code};

pub(super) fn find(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let all = |it: &&crate::span::Spanned<Selector>| {
        matches!(it.value, Selector::Any | Selector::Autogroup(Autogroup::Tagged))
    };
    let entries = subject.policy.file.node_attrs.iter();
    let open = entries.filter_map(|it| {
        let funnel = it.attr.iter().find(|it| &*it.value == "funnel")?;
        Some((funnel, it.target.iter().find(all)?))
    });
    open.map(|(funnel, target)| {
        let whose = &target.value;
        let message =
            format!("every device of `{whose}` may open itself to the whole internet by Funnel");
        let found = Diagnostic::new(code::W1701, message, target.span);
        found
            .related(funnel.span, "the attribute")
            .help("name the tag of the devices that publish something")
    })
    .collect()
}
