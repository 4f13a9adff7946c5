//! W1202: tagged devices that no rule speaks of, neither as a source nor as a destination.

use rustc_hash::FxHashMap;

use super::Subject;
use super::words::names;
use crate::diagnostic::{Diagnostic, code};
use crate::tailnet::{NodeId, Owner};

/// One report for each tag, where it is defined.
pub(super) fn find(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let Some(devices) = subject.devices() else { return Vec::new() };
    let mut by_tag: FxHashMap<&str, Vec<&str>> = FxHashMap::default();
    let silent = |it: &NodeId| !devices.reached.contains(*it) && !devices.callers.contains(*it);
    for id in devices.tailnet.tagged_nodes().iter().filter(|it| silent(it)) {
        let Some(node) = devices.tailnet.node(*id) else { continue };
        if let Owner::Tags(tags) = &node.owner
            && let Some(tag) = tags.first()
        {
            by_tag.entry(tag).or_default().push(&node.name);
        }
    }
    let tags = subject.policy.tags.iter();
    tags.filter_map(|tag| {
        let silent = by_tag.get(&*tag.name.value)?;
        let message = match silent.as_slice() {
            [one] => {
                format!("no rule speaks of `{one}`: nothing reaches it, and it reaches nothing")
            }
            many => format!(
                "no rule speaks of {}: nothing reaches them, and they reach nothing",
                names(many)
            ),
        };
        let found = Diagnostic::new(code::W1202, message, tag.name.span);
        let label = if silent.len() == 1 { "the tag it carries" } else { "the tag they carry" };
        Some(found.label(label).help(format!("name `{}` in a rule", tag.name.value)))
    })
    .collect()
}
