//! Tables → who can reach a destination, and what a source can reach: exact for the devices of an
//! inventory, as packets would be delivered.
//!
//! Access is collected by source as rules share them, and only what is shown is taken apart into
//! devices.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::ends::{Ends, range_text};
use super::flow_text::joined;
use crate::ast::{PortRange, Protocol};
use crate::tables::flows::{Flow, To};
use crate::tables::ip_set::{IpRange, IpSet};
use crate::tables::{INTERNET, NodeSet, SourceId, Tables};
use crate::tailnet::{Node, NodeId, Owner};

/// What is carried, and to which ports; `None` asks for everything.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked {
    /// The protocol; `None` is TCP or UDP where ports are asked for, else any.
    pub protocol: Option<Protocol>,
    /// The ports.
    pub ports: Option<PortRange>,
}

/// Access of or to one device, or one stretch of addresses.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reach {
    /// The device; `None` for addresses that no device has.
    pub node: Option<NodeId>,
    /// The addresses, where it is no device.
    pub range: Option<String>,
    /// What is carried to which ports: `None` is the default protocols.
    pub access: Vec<(Option<Protocol>, Vec<PortRange>)>,
    /// The rules, by their position in the policy.
    pub rules: Vec<u32>,
}

/// What of one flow answers a question.
#[derive(Clone, Debug)]
struct Hit {
    protocol: Option<Protocol>,
    ports: Vec<PortRange>,
    rule: Option<u32>,
}

/// Who can reach any of some ends: devices in the order of the inventory, then addresses.
pub fn who_can(tables: &Tables<'_>, dst: &Ends, asked: Asked) -> Vec<Reach> {
    let wanted = dst.addresses(tables);
    let mut by_source: BTreeMap<SourceId, Vec<Hit>> = BTreeMap::new();
    for flow in tables.flows() {
        let Some(hit) = hit(&flow, asked) else { continue };
        match &flow.to {
            To::Own(users) => {
                for (source, nodes) in users {
                    if nodes.iter().any(|it| dst.nodes.contains(it) || owns(tables, *it, &wanted)) {
                        by_source.entry(*source).or_default().push(hit.clone());
                    }
                }
            }
            to if reaches(tables, to, &wanted, dst) => {
                by_source.entry(flow.source).or_default().push(hit);
            }
            _ => {}
        }
    }
    let mut found = Collected::default();
    for (source, hits) in by_source {
        let source = tables.source(source);
        for id in source.owners(tables.tailnet()).iter() {
            found.node(id, &hits);
        }
        let entries = source.extra.iter().flat_map(|it| it.ranges());
        let routes = source.everybody.iter().flat_map(|_| tables.routes().all().iter());
        for range in entries.chain(routes.map(|it| it.net.into())) {
            if !is_device(tables, range) {
                found.range(range, &hits);
            }
        }
    }
    // Nobody reaches themselves through the tailnet.
    if let [only] = dst.nodes.as_slice()
        && dst.ranges.is_empty()
    {
        found.nodes.remove(only);
    }
    found.finish()
}

/// What any of some ends can reach: devices in the order of the inventory, then addresses.
pub fn what_can(tables: &Tables<'_>, src: &Ends, asked: Asked) -> Vec<Reach> {
    let from = src.addresses(tables);
    let mut holding: FxHashMap<SourceId, bool> = FxHashMap::default();
    let mut holds = |id: SourceId| {
        *holding.entry(id).or_insert_with(|| {
            let source = tables.source(id);
            let tailnet = tables.tailnet();
            src.nodes.iter().any(|it| source.nodes.contains(*it))
                || from.ranges().any(|range| {
                    let extra = source.extra.iter().flat_map(|it| it.ranges());
                    let everybody = source.everybody.iter().flat_map(|it| it.addresses().ranges());
                    extra.chain(everybody).any(|it| it.overlaps(range))
                        || owners_in(tables, range).any(|it| source.nodes.contains(it))
                })
                || src
                    .nodes
                    .iter()
                    .filter_map(|it| tailnet.node(*it))
                    .any(|node| node.addresses().any(|it| source.contains(tailnet, it)))
        })
    };
    let mut found = Collected::default();
    for flow in tables.flows() {
        let Some(hit) = hit(&flow, asked) else { continue };
        let hits = std::slice::from_ref(&hit);
        if let To::Own(users) = &flow.to {
            for (_, nodes) in users.iter().filter(|it| holds(it.0)) {
                nodes.iter().for_each(|it| found.node(*it, hits));
            }
            continue;
        }
        if !holds(flow.source) {
            continue;
        }
        match flow.to {
            To::Own(_) => {}
            To::Nodes(nodes) => nodes.iter().for_each(|it| found.node(it, hits)),
            To::Everything(nodes) => {
                nodes.iter().for_each(|it| found.node(it, hits));
                for route in tables.routes().all() {
                    found.range(route.net.into(), hits);
                }
                if has_exit(tables, nodes) {
                    found.internet(hits);
                }
            }
            To::Ranges(ranges, nodes) => {
                for range in ranges {
                    owners_in(tables, range)
                        .filter(|it| nodes.contains(*it))
                        .for_each(|it| found.node(it, hits));
                    if routed(tables, nodes, range) {
                        found.range(range, hits);
                    }
                }
            }
            To::Behind(ranges, nodes) => {
                let behind = ranges.into_iter().filter(|it| routed(tables, nodes, *it));
                behind.for_each(|it| found.range(it, hits));
            }
            To::Internet(exits) if !exits.is_empty() => found.internet(hits),
            To::Internet(_) => {}
        }
    }
    if let [only] = src.nodes.as_slice()
        && src.ranges.is_empty()
    {
        found.nodes.remove(only);
    }
    found.finish()
}

/// What a flow carries of what is asked for; `None` where that is nothing.
fn hit(flow: &Flow<'_>, asked: Asked) -> Option<Hit> {
    let protocol = match (asked.protocol, flow.protocol) {
        (Some(wanted), None) if matches!(wanted, 1 | 6 | 17 | 58) => Some(wanted),
        (Some(wanted), Some(own)) if wanted == own => Some(own),
        (None, own) if asked.ports.is_none() || own.is_none_or(|it| matches!(it, 6 | 17)) => own,
        _ => return None,
    };
    let ports: Vec<PortRange> = match asked.ports {
        None => flow.ports.to_vec(),
        Some(wanted) => {
            let both = flow.ports.iter().map(|it| PortRange {
                first: it.first.max(wanted.first),
                last: it.last.min(wanted.last),
            });
            both.filter(|it| it.first <= it.last).collect()
        }
    };
    (!ports.is_empty()).then_some(Hit { protocol, ports, rule: flow.rule })
}

/// Whether a flow leads to one of some ends.
fn reaches(tables: &Tables<'_>, to: &To<'_>, wanted: &IpSet, dst: &Ends) -> bool {
    let any_node = |nodes: &NodeSet| {
        dst.nodes.iter().any(|it| nodes.contains(*it))
            || dst.ranges.iter().any(|it| owners_in(tables, *it).any(|it| nodes.contains(it)))
    };
    let overlap = |ranges: &[IpRange]| {
        wanted.ranges().any(|range| ranges.iter().any(|it| it.overlaps(range)))
    };
    match to {
        To::Nodes(nodes) => any_node(nodes),
        To::Everything(nodes) => {
            any_node(nodes)
                || dst.ranges.iter().any(|it| routed(tables, nodes, *it))
                || dst.ranges.iter().any(|it| is_public(*it)) && has_exit(tables, nodes)
        }
        To::Ranges(ranges, nodes) => {
            overlap(ranges)
                && (any_node(nodes)
                    || ranges.iter().any(|it| {
                        wanted.ranges().any(|range| range.overlaps(*it))
                            && routed(tables, nodes, *it)
                    }))
        }
        To::Behind(ranges, nodes) => {
            overlap(ranges) && dst.ranges.iter().any(|it| routed(tables, nodes, *it))
        }
        To::Internet(exits) => !exits.is_empty() && dst.ranges.iter().any(|it| is_public(*it)),
        To::Own(_) => false,
    }
}

fn owns(tables: &Tables<'_>, id: NodeId, addresses: &IpSet) -> bool {
    let node = tables.tailnet().node(id);
    node.is_some_and(|it| it.addresses().any(|address| addresses.contains(address)))
}

/// Whether a range is one address, and a device's.
fn is_device(tables: &Tables<'_>, range: IpRange) -> bool {
    range.first() == range.last() && tables.tailnet().node_at(range.first()).is_some()
}

fn is_public(range: IpRange) -> bool {
    INTERNET.iter().flat_map(|it| it.ranges()).any(|it| it.overlaps(range))
}

fn has_exit(tables: &Tables<'_>, nodes: &NodeSet) -> bool {
    let tailnet = tables.tailnet();
    tailnet.routers().iter().any(|id| {
        let node = tailnet.node(*id);
        nodes.contains(*id) && node.is_some_and(|it| it.exit_routes().next().is_some())
    })
}

/// Whether one of some nodes routes an address of a range.
fn routed(tables: &Tables<'_>, nodes: &NodeSet, range: IpRange) -> bool {
    let mut routes = tables.routes().overlapping(range).filter_map(|it| tables.routes().get(it));
    routes.any(|it| it.advertisers.iter().any(|it| nodes.contains(*it)))
}

fn owners_in<'t>(tables: &'t Tables<'_>, range: IpRange) -> impl Iterator<Item = NodeId> + 't {
    let (v4, v6) = match range {
        IpRange::V4(first, last) => (tables.tailnet().ipv4_between(first, last), &[][..]),
        IpRange::V6(first, last) => (&[][..], tables.tailnet().ipv6_between(first, last)),
    };
    v4.iter().map(|it| it.1).chain(v6.iter().map(|it| it.1))
}

/// What was found, by device and by stretch of addresses.
#[derive(Default)]
struct Collected {
    nodes: BTreeMap<NodeId, Gathered>,
    ranges: BTreeMap<IpRange, Gathered>,
    /// The internet, which is one thing to people.
    internet: Option<Gathered>,
}

#[derive(Default)]
struct Gathered {
    access: BTreeMap<Option<Protocol>, Vec<PortRange>>,
    rules: Vec<u32>,
}

impl Gathered {
    fn add(&mut self, hits: &[Hit]) {
        for hit in hits {
            self.access.entry(hit.protocol).or_default().extend(&hit.ports);
            self.rules.extend(hit.rule);
        }
    }

    fn finish(mut self, node: Option<NodeId>, range: Option<String>) -> Reach {
        self.rules.sort_unstable();
        self.rules.dedup();
        let access = self.access.into_iter().map(|(protocol, ports)| (protocol, joined(ports)));
        Reach { node, range, access: access.collect(), rules: self.rules }
    }
}

impl Collected {
    fn node(&mut self, id: NodeId, hits: &[Hit]) {
        self.nodes.entry(id).or_default().add(hits);
    }

    fn range(&mut self, range: IpRange, hits: &[Hit]) {
        self.ranges.entry(range).or_default().add(hits);
    }

    fn internet(&mut self, hits: &[Hit]) {
        self.internet.get_or_insert_default().add(hits);
    }

    fn finish(self) -> Vec<Reach> {
        let nodes = self.nodes.into_iter().map(|(id, it)| it.finish(Some(id), None));
        let ranges =
            self.ranges.into_iter().map(|(range, it)| it.finish(None, Some(range_text(range))));
        let internet = self.internet.map(|it| it.finish(None, Some("the internet".to_owned())));
        nodes.chain(ranges).chain(internet).collect()
    }
}

/// Whose a device is: the login of its user, or its tags.
pub fn owner(tables: &Tables<'_>, node: &Node) -> Result<String, Vec<String>> {
    match &node.owner {
        Owner::User(id) => {
            Ok(tables.tailnet().user(*id).map_or_else(String::new, |it| it.login.to_string()))
        }
        Owner::Tags(tags) => Err(tags.iter().map(ToString::to_string).collect()),
        Owner::Nobody => Err(Vec::new()),
    }
}
