//! W1702: an entry of `nodeAttrs` that gives nothing, or to nobody.

use super::Subject;
use crate::diagnostic::{Diagnostic, code};

pub(super) fn find(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let entries = subject.policy.file.node_attrs.iter();
    let idle = entries.filter_map(|it| {
        let nothing = it.attr.is_empty() && it.app.is_empty() && it.ip_pool.is_empty();
        let why = match (it.target.is_empty(), nothing) {
            (true, _) => "this entry has no target, so nobody gets what it gives",
            (false, true) => "this entry gives nothing",
            (false, false) => return None,
        };
        Some((it.span, why))
    });
    idle.map(|(span, why)| {
        let found = Diagnostic::new(code::W1702, why, span.opening());
        found.help("complete it with `target` and `attr`, or take it out")
    })
    .collect()
}
