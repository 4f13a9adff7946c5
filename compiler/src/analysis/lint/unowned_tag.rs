//! W1204: devices that carry a tag which the policy does not define.

use rustc_hash::FxHashSet;

use super::Subject;
use super::words::names;
use crate::diagnostic::{Diagnostic, code};
use crate::tailnet::Owner;

pub(super) fn find(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let Some(devices) = subject.devices() else { return Vec::new() };
    let defined: FxHashSet<&str> = subject.policy.tags.iter().map(|it| &*it.name.value).collect();
    let mut tags: Vec<&str> = Vec::new();
    let mut told = FxHashSet::default();
    let mut carriers: Vec<&str> = Vec::new();
    for id in devices.tailnet.tagged_nodes() {
        let Some(node) = devices.tailnet.node(*id) else { continue };
        let Owner::Tags(own) = &node.owner else { continue };
        let unknown: Vec<&str> =
            own.iter().map(|it| &**it).filter(|it| !defined.contains(it)).collect();
        if !unknown.is_empty() {
            carriers.push(&node.name);
        }
        tags.extend(unknown.into_iter().filter(|it| told.insert(*it)));
    }
    if tags.is_empty() {
        return Vec::new();
    }
    let verb = if carriers.len() == 1 { "carries" } else { "carry" };
    let message =
        format!("{} {verb} {}, which `tagOwners` does not define", names(&carriers), names(&tags));
    let found = Diagnostic::new(code::W1204, message, subject.section("tagOwners"));
    vec![found.help("define the tag, so that rules may name it, or take it off the device")]
}
