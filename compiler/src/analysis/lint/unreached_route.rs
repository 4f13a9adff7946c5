//! W1307: an approved route to a network that no rule lets anybody reach.
//! W1308: the same, where a rule names the tag of the router as if that were the network.

use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};

use super::Subject;
use super::devices::Devices;
use super::words::names;
use crate::diagnostic::{Diagnostic, code};
use crate::policy::Target;
use crate::span::Span;
use crate::tables::ip_set::IpSet;
use crate::tailnet::Owner;

pub(super) fn find(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let Some(devices) = subject.devices() else { return Vec::new() };
    if subject.policy.rules.is_none() {
        return Vec::new();
    }
    let mut allowed = IpSet::default();
    // The first rule for each tag.
    let mut tags: FxHashMap<&str, Span> = FxHashMap::default();
    // An IP set may be large, and many rules name it.
    let mut seen = FxHashSet::default();
    for dst in subject.rules().iter().flat_map(|it| &it.dst) {
        if !seen.insert(dst.target) {
            continue;
        }
        match dst.target {
            Target::Any => return Vec::new(),
            Target::Tag(id) => {
                if let Some(tag) = subject.policy.tags.get(id.0 as usize) {
                    tags.entry(&tag.name.value).or_insert(dst.span);
                }
            }
            Target::Literal(_) | Target::Host(_) | Target::Ipset(_) | Target::Service(_) => {
                devices.tables.addresses(dst.target).into_iter().for_each(|it| allowed.add(it));
            }
            _ => {}
        }
    }
    let routes = devices.tables.routes().all().iter();
    let lost = routes.filter(|it| !allowed.overlaps(it.net.into()));
    let mut by_tag: BTreeMap<Span, Vec<String>> = BTreeMap::new();
    let mut plain: Vec<String> = Vec::new();
    for route in lost {
        let named = route.primary().and_then(|it| tag_of(devices, it, &tags));
        match named {
            Some(span) => by_tag.entry(span).or_default().push(route.net.to_string()),
            None => plain.push(route.net.to_string()),
        }
    }
    let mut found: Vec<Diagnostic> =
        by_tag.into_iter().map(|(span, nets)| behind_tag(subject, span, &nets)).collect();
    if !plain.is_empty() {
        found.push(behind_nothing(subject, &plain));
    }
    found
}

fn tag_of(
    devices: &Devices<'_>,
    router: crate::tailnet::NodeId,
    tags: &FxHashMap<&str, Span>,
) -> Option<Span> {
    match &devices.tailnet.node(router)?.owner {
        Owner::Tags(own) => own.iter().find_map(|it| tags.get(&**it)).copied(),
        _ => None,
    }
}

fn behind_tag(subject: &Subject<'_>, span: Span, nets: &[String]) -> Diagnostic {
    let written = span.of(subject.tree.text());
    let message =
        format!("`{written}` is the router itself: no rule covers {} behind it", names(nets));
    let found = Diagnostic::new(code::W1308, message, span);
    found.help("name the network too, by its prefix or a host; approving a route lets nobody in")
}

fn behind_nothing(subject: &Subject<'_>, nets: &[String]) -> Diagnostic {
    let message = format!("no rule lets anybody reach {}, whose routes are approved", names(nets));
    let found = Diagnostic::new(code::W1307, message, subject.rules_section());
    found.help("name the network as a destination; approving a route lets nobody in")
}
