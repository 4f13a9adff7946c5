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
use crate::tables::{INTERNET, NodeSet, SourceId, Tables, nodes_in};
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

/// Of which families something is: IPv4, IPv6. No packet leads from one to the other.
type Families = [bool; 2];

const NONE: Families = [false, false];

fn family(range: IpRange) -> Families {
    let v4 = matches!(range, IpRange::V4(..));
    [v4, !v4]
}

fn or(one: Families, other: Families) -> Families {
    [one[0] || other[0], one[1] || other[1]]
}

fn meet(one: Families, other: Families) -> bool {
    one[0] && other[0] || one[1] && other[1]
}

fn of_node(node: &Node) -> Families {
    [node.ipv4.is_some(), node.ipv6.is_some()]
}

/// Who can reach any of some ends: devices in the order of the inventory, then addresses.
pub fn who_can(tables: &Tables<'_>, dst: &Ends, asked: Asked) -> Vec<Reach> {
    let tailnet = tables.tailnet();
    let wanted = dst.addresses(tables);
    let mut by_source: BTreeMap<SourceId, Vec<(Hit, Families)>> = BTreeMap::new();
    for flow in tables.flows() {
        let Some(hit) = hit(&flow, asked) else { continue };
        match &flow.to {
            To::Own(users) => {
                for (source, nodes) in users {
                    let reached =
                        nodes.iter().fold(NONE, |all, it| or(all, owned(tables, *it, &wanted)));
                    if reached != NONE {
                        by_source.entry(*source).or_default().push((hit.clone(), reached));
                    }
                }
            }
            to => {
                let reached = reached(tables, to, dst);
                if reached != NONE {
                    by_source.entry(flow.source).or_default().push((hit, reached));
                }
            }
        }
    }
    let mut found = Collected::default();
    for (source, hits) in by_source {
        let source = tables.source(source);
        let of = |families: Families| -> Vec<Hit> {
            hits.iter().filter(|it| meet(it.1, families)).map(|it| it.0.clone()).collect()
        };
        for id in source.nodes.iter() {
            let families = tailnet.node(id).map_or(NONE, of_node);
            found.node(id, &of(families));
        }
        let everybody = source.everybody.iter().flat_map(|it| it.addresses().ranges());
        let extra: Vec<IpRange> = source.extra.iter().flat_map(|it| it.ranges()).collect();
        for range in extra.iter().copied().chain(everybody) {
            let hits = of(family(range));
            nodes_in(tables.tailnet(), range).for_each(|id| found.node(id, &hits));
        }
        let routes = source.everybody.iter().flat_map(|_| tables.routes().all().iter());
        for range in extra.into_iter().chain(routes.map(|it| it.net.into())) {
            if !is_device(tables, range) {
                found.range(range, &of(family(range)));
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
    let tailnet = tables.tailnet();
    let from = src.addresses(tables);
    let mut known: FxHashMap<SourceId, Families> = FxHashMap::default();
    let mut held = |id: SourceId| *known.entry(id).or_insert_with(|| held_by(tables, id, &from));
    let mut found = Collected::default();
    for flow in tables.flows() {
        let Some(hit) = hit(&flow, asked) else { continue };
        let hits = std::slice::from_ref(&hit);
        let add = |found: &mut Collected, id: NodeId, families: Families| {
            if tailnet.node(id).is_some_and(|it| meet(of_node(it), families)) {
                found.node(id, hits);
            }
        };
        if let To::Own(users) = &flow.to {
            for (source, nodes) in users {
                let families = held(*source);
                nodes.iter().for_each(|it| add(&mut found, *it, families));
            }
            continue;
        }
        let families = held(flow.source);
        if families == NONE {
            continue;
        }
        let add_range = |found: &mut Collected, range: IpRange| {
            if meet(family(range), families) {
                found.range(range, hits);
            }
        };
        match flow.to {
            To::Own(_) => {}
            To::Nodes(nodes) => nodes.iter().for_each(|it| add(&mut found, it, families)),
            To::Everything(nodes) => {
                nodes.iter().for_each(|it| add(&mut found, it, families));
                for route in tables.routes().all() {
                    if routed(tables, nodes, route.net.into()) {
                        add_range(&mut found, route.net.into());
                    }
                }
                if has_exit(tables, nodes) {
                    found.internet(hits);
                }
            }
            To::Behind(routers) => {
                for (router, ranges) in routers {
                    let only = NodeSet::new(vec![router.0]);
                    for range in ranges.into_iter().filter(|it| meet(family(*it), families)) {
                        if nodes_in(tables.tailnet(), range).any(|it| it == router) {
                            found.node(router, hits);
                        }
                        if !is_device(tables, range) && routed(tables, &only, range) {
                            found.range(range, hits);
                        }
                    }
                }
            }
            To::Ranges(ranges, nodes) => {
                for range in ranges.into_iter().filter(|it| meet(family(*it), families)) {
                    nodes_in(tables.tailnet(), range)
                        .filter(|it| nodes.contains(*it))
                        .for_each(|it| found.node(it, hits));
                    if !is_device(tables, range) && routed(tables, nodes, range) {
                        found.range(range, hits);
                    }
                }
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

/// Of which families some addresses are that a source holds.
fn held_by(tables: &Tables<'_>, id: SourceId, addresses: &IpSet) -> Families {
    let source = tables.source(id);
    let mut families = NONE;
    for range in addresses.ranges() {
        let extra = source.extra.iter().flat_map(|it| it.ranges());
        let everybody = source.everybody.iter().flat_map(|it| it.addresses().ranges());
        let held = extra.chain(everybody).any(|it| it.overlaps(range))
            || nodes_in(tables.tailnet(), range).any(|it| source.nodes.contains(it));
        if held {
            families = or(families, family(range));
        }
    }
    families
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

/// Of which families the ends are that a flow leads to.
fn reached(tables: &Tables<'_>, to: &To<'_>, dst: &Ends) -> Families {
    let mut families = NONE;
    let tailnet = tables.tailnet();
    let public = |range: IpRange, exits: &NodeSet| is_public(range) && has_exit(tables, exits);
    for id in &dst.nodes {
        let Some(node) = tailnet.node(*id) else { continue };
        let of = match to {
            To::Nodes(nodes) | To::Everything(nodes) if nodes.contains(*id) => of_node(node),
            To::Ranges(ranges, nodes) if nodes.contains(*id) => held(node, ranges),
            To::Behind(routers) => {
                let own = routers.iter().filter(|it| it.0 == *id);
                own.fold(NONE, |all, it| or(all, held(node, &it.1)))
            }
            _ => NONE,
        };
        families = or(families, of);
    }
    for range in &dst.ranges {
        let owned =
            |nodes: &NodeSet| nodes_in(tables.tailnet(), *range).any(|it| nodes.contains(it));
        let leads = match to {
            To::Nodes(nodes) => owned(nodes),
            To::Everything(nodes) => {
                owned(nodes) || routed(tables, nodes, *range) || public(*range, nodes)
            }
            To::Ranges(ranges, nodes) => meets(tables, ranges, nodes, *range),
            To::Behind(routers) => routers.iter().any(|(router, ranges)| {
                let only = NodeSet::new(vec![router.0]);
                meets(tables, ranges, &only, *range)
            }),
            To::Internet(exits) => public(*range, exits),
            To::Own(_) => false,
        };
        if leads {
            families = or(families, family(*range));
        }
    }
    families
}

/// Of which families the addresses of a device are that some ranges hold.
fn held(node: &Node, ranges: &[IpRange]) -> Families {
    let own = node.addresses().filter(|it| ranges.iter().any(|range| range.contains(*it)));
    own.fold(NONE, |all, it| or(all, family(IpRange::of(it))))
}

/// Whether some nodes have or route an address that is both in a range and in some ranges.
fn meets(tables: &Tables<'_>, ranges: &[IpRange], nodes: &NodeSet, range: IpRange) -> bool {
    ranges.iter().filter_map(|it| it.and(range)).any(|both| {
        nodes_in(tables.tailnet(), both).any(|it| nodes.contains(it)) || routed(tables, nodes, both)
    })
}

/// Of which families the addresses of a device are that are among some.
fn owned(tables: &Tables<'_>, id: NodeId, addresses: &IpSet) -> Families {
    let node = tables.tailnet().node(id);
    let own = node.into_iter().flat_map(Node::addresses).filter(|it| addresses.contains(*it));
    own.fold(NONE, |all, it| or(all, family(IpRange::of(it))))
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
        if hits.is_empty() {
            return;
        }
        self.nodes.entry(id).or_default().add(hits);
    }

    fn range(&mut self, range: IpRange, hits: &[Hit]) {
        if hits.is_empty() {
            return;
        }
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
