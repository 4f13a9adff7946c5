//! One rule → what it says about each protocol, and its destinations in the control plane's order.
//! Nothing here looks at a tailnet.
//!
//! SOURCE: docs/language.md, "Order and merging".

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::ast::{PortRange, Protocol};
use crate::policy::{Destination, Rule, Section, Target};
use crate::span::Span;

/// A destination of a unit with its ports.
pub(super) type PortsTo = (Target, Span, Arc<[PortRange]>);

/// The units of a rule's network access, without `via`: a protocol and its destinations in order.
pub(super) fn port_units(rule: &Rule) -> Vec<(Option<Protocol>, Vec<PortsTo>)> {
    if rule.section == Section::Acls {
        return vec![(rule.protocol, in_order_of_kind(acl_destinations(&rule.dst)))];
    }
    let to = |ports: &Arc<[PortRange]>| {
        rule.dst.iter().map(|it| (it.target, it.span, Arc::clone(ports))).collect()
    };
    let units = grant_units(rule).into_iter();
    units.map(|(protocol, ports)| (protocol, in_order_of_kind(to(&ports)))).collect()
}

/// The `ip` of a grant by protocol, in the order in which each protocol comes first.
pub(super) fn grant_units(rule: &Rule) -> Vec<(Option<Protocol>, Arc<[PortRange]>)> {
    let mut units: Vec<(Option<Protocol>, Vec<PortRange>)> = Vec::new();
    for spec in &rule.ip {
        match units.iter_mut().find(|(protocol, _)| *protocol == spec.protocol) {
            Some((_, ports)) => ports.push(spec.ports),
            None => units.push((spec.protocol, vec![spec.ports])),
        }
    }
    units.into_iter().map(|(protocol, ports)| (protocol, ports.into())).collect()
}

/// The destinations of an acl; one that occurs again adds its ports to the first occurrence.
pub(super) fn acl_destinations(dst: &[Destination]) -> Vec<PortsTo> {
    let mut destinations: Vec<PortsTo> = Vec::with_capacity(dst.len());
    let mut first: FxHashMap<Target, usize> = FxHashMap::default();
    for it in dst {
        let ports = it.ports.clone().unwrap_or_default();
        let at = *first.entry(it.target).or_insert(destinations.len());
        match destinations.get_mut(at) {
            Some((_, _, known)) => *known = known.iter().chain(ports.iter()).copied().collect(),
            None => destinations.push((it.target, it.span, ports)),
        }
    }
    destinations
}

pub(super) fn in_order_of_kind(destinations: Vec<PortsTo>) -> Vec<PortsTo> {
    by_kind(destinations, |it| it.0)
}

pub(super) fn in_order(destinations: Vec<(Target, Span)>) -> Vec<(Target, Span)> {
    by_kind(destinations, |it| it.0)
}

/// Sorts by kind of selector first, then by place in the file.
///
/// SOURCE: docs/language.md, "Order and merging".
pub(super) fn by_kind<T>(mut items: Vec<T>, target: impl Fn(&T) -> Target) -> Vec<T> {
    items.sort_by_key(|it| match target(it) {
        Target::Any => 0,
        Target::Login(_) => 1,
        Target::Group(_) => 2,
        Target::Host(_) | Target::Literal(_) | Target::Ipset(_) | Target::Service(_) => 3,
        Target::Tag(_) => 4,
        Target::Autogroup(_) | Target::Domain(_) => 5,
    });
    items
}
