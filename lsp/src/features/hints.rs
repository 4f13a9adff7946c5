//! What stands behind a name or a number, said beside it: services of ports, sizes, addresses.

use std::collections::BTreeMap;

use compiler::ast::{Autogroup, Selector, selector};
use compiler::span::Span;
use compiler::tables::flows::named_by;

use super::analysis::Analysis;
use super::hover::target;
use super::pieces::{self, Meaning};
use super::shape::{Named, Slot};
use super::site;
use super::words::{count, service_at};

/// Something that is said beside a text and is no part of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Hint {
    /// Behind which byte.
    pub offset: u32,
    /// What is said.
    pub label: String,
}

/// The hints within `range`, in the order of the text.
pub fn hints(analysis: &Analysis, range: Span) -> Vec<Hint> {
    let mut known: BTreeMap<String, Option<String>> = BTreeMap::new();
    let mut hints = Vec::new();
    for leaf in site::leaves(analysis.tree()) {
        let span = leaf.node.span();
        if span.end < range.start || range.end < span.start {
            continue;
        }
        let (Some(slot), Some(text)) = (leaf.slot, leaf.node.string()) else { continue };
        let mut labels = Vec::new();
        for piece in pieces::pieces(slot, &text) {
            let written = text.get(piece.range.clone()).unwrap_or_default();
            match piece.meaning {
                Meaning::Ports => labels.extend(service(written)),
                Meaning::Name(Named::Group | Named::Tag | Named::Host | Named::Ipset)
                | Meaning::Autogroup(_)
                    if is_counted(slot) =>
                {
                    let label =
                        known.entry(written.to_owned()).or_insert_with(|| size(analysis, written));
                    labels.extend(label.clone());
                }
                _ => {}
            }
        }
        // Behind the closing quote: within a string a hint could be taken for a part of it.
        if !labels.is_empty() {
            hints.push(Hint { offset: span.end, label: labels.join(", ") });
        }
    }
    hints
}

/// Whether a selector is one end of a rule: elsewhere its size is beside the point.
const fn is_counted(slot: Slot) -> bool {
    matches!(slot, Slot::Selector(_) | Slot::Destination)
}

/// The name of the service, where it is one port.
fn service(ports: &str) -> Option<String> {
    let port: u16 = ports.parse().ok()?;
    service_at(port).map(|it| it.name.to_owned())
}

/// How much a selector stands for.
fn size(analysis: &Analysis, written: &str) -> Option<String> {
    let selector = selector::read(written).ok()?.selector;
    let policy = analysis.policy();
    let devices = |target| {
        let tailnet = analysis.tailnet()?;
        Some(count(named_by(policy, tailnet, target).len(), "device"))
    };
    match &selector {
        Selector::Host(name) => {
            let host = policy.hosts.iter().find(|it| it.name.value == *name)?;
            Some(Selector::Literal(host.net).to_string())
        }
        Selector::Ipset(name) => {
            let set = policy.ipsets.iter().find(|it| it.name.value == *name)?;
            Some(count(set.steps.len(), "step"))
        }
        Selector::Group(name) => {
            let group = policy.groups.iter().find(|it| it.name.value == *name && !it.synced)?;
            let members = count(group.members.len(), "member");
            let devices = target(analysis, &selector).and_then(devices);
            Some(devices.map_or(members.clone(), |it| format!("{members}, {it}")))
        }
        Selector::Autogroup(
            Autogroup::OwnDevices
            | Autogroup::Internet
            | Autogroup::DangerAll
            | Autogroup::Shared
            | Autogroup::Nonroot,
        ) => None,
        Selector::Tag(_) | Selector::Autogroup(_) => target(analysis, &selector).and_then(devices),
        _ => None,
    }
}
