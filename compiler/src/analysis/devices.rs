//! Tables → the boxes of network access between the devices of one or two tailnets.
//!
//! Here the atoms are the addresses of devices, by the device's name and family, so that two
//! inventories can be compared; and the stretches of all other addresses between the places where
//! some route, source or destination begins or ends.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::access::carried;
use super::atom_set::{AtomId, AtomSet};
use super::region::{Layer, Pairs, Region};
use crate::tables::flows::To;
use crate::tables::ip_set::{IpRange, IpSet};
use crate::tables::{Addresses, INTERNET, NodeSet, Source, SourceId, Tables};
use crate::tailnet::{Node, NodeId};

/// One address of a device, or a stretch of addresses that no device has.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Place {
    /// The IPv4 address of a device, by the device's name.
    V4(Arc<str>),
    /// Its IPv6 address.
    V6(Arc<str>),
    /// Other addresses.
    Range(IpRange),
}

/// All places of some tables.
#[derive(Debug)]
pub struct Space {
    places: Vec<Place>,
    ids: FxHashMap<Place, AtomId>,
    /// The stretches by their first address: of IPv4, then of IPv6.
    stretches: [BTreeMap<u128, AtomId>; 2],
    v4: AtomSet,
}

impl Space {
    /// The places that these tables tell apart.
    pub fn of<'t>(all: &[&Tables<'t>]) -> Self {
        let mut names: BTreeSet<Place> = BTreeSet::new();
        let mut ranges: BTreeSet<IpRange> = BTreeSet::new();
        for tables in all {
            for node in tables.tailnet().nodes() {
                names.extend(node.addresses().map(|it| place(node, it)));
                ranges.extend(node.subnet_routes().map(IpRange::from));
                if node.exit_routes().next().is_some() {
                    ranges.extend(INTERNET.iter().flat_map(|it| it.ranges()));
                }
            }
            for flow in tables.flows() {
                let source = tables.source(flow.source);
                ranges.extend(source_ranges(source));
                match flow.to {
                    To::Ranges(own, _) => ranges.extend(own),
                    To::Behind(own) => ranges.extend(own.into_iter().flat_map(|it| it.1)),
                    _ => {}
                }
            }
        }
        let mut places: Vec<Place> = names.into_iter().collect();
        places.extend(super::universe::stretches(&ranges).into_iter().map(Place::Range));
        let ids: FxHashMap<Place, AtomId> = places.iter().cloned().zip((0..).map(AtomId)).collect();
        let mut space = Self {
            ids,
            stretches: [BTreeMap::new(), BTreeMap::new()],
            v4: AtomSet::new(places.len()),
            places: Vec::new(),
        };
        for (place, id) in places.iter().zip((0..).map(AtomId)) {
            let v4 = match place {
                Place::V4(_) | Place::Range(IpRange::V4(..)) => true,
                Place::V6(_) | Place::Range(IpRange::V6(..)) => false,
            };
            if v4 {
                space.v4.insert(id);
            }
            if let Place::Range(range) = place {
                let (family, first, _) = super::universe::bounds(*range);
                space.stretches.get_mut(family).map(|it| it.insert(first, id));
            }
        }
        space.places = places;
        space
    }

    /// How many places there are.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// A place by its id.
    pub fn place(&self, id: AtomId) -> Option<&Place> {
        self.places.get(id.0 as usize)
    }

    /// Every place of IPv4.
    pub fn v4(&self) -> &AtomSet {
        &self.v4
    }

    /// The places of some nodes of a tailnet.
    fn of_nodes(&self, tables: &Tables<'_>, nodes: impl Iterator<Item = NodeId>) -> AtomSet {
        let mut set = AtomSet::new(self.len());
        for node in nodes.filter_map(|it| tables.tailnet().node(it)) {
            for address in node.addresses() {
                self.ids.get(&place(node, address)).into_iter().for_each(|it| set.insert(*it));
            }
        }
        set
    }

    /// The places of the addresses in a range, as a tailnet has them.
    fn add_range(&self, tables: &Tables<'_>, range: IpRange, set: &mut AtomSet) {
        let (family, first, last) = super::universe::bounds(range);
        let family = self.stretches.get(family);
        family.into_iter().flat_map(|it| it.range(first..=last)).for_each(|it| set.insert(*it.1));
        let (v4, v6) = match range {
            IpRange::V4(first, last) => (tables.tailnet().ipv4_between(first, last), &[][..]),
            IpRange::V6(first, last) => (&[][..], tables.tailnet().ipv6_between(first, last)),
        };
        let owners = v4.iter().map(|it| (it.1, true)).chain(v6.iter().map(|it| (it.1, false)));
        for (id, is_v4) in owners {
            let Some(node) = tables.tailnet().node(id) else { continue };
            let name = Arc::clone(&node.name);
            let place = if is_v4 { Place::V4(name) } else { Place::V6(name) };
            self.ids.get(&place).into_iter().for_each(|it| set.insert(*it));
        }
    }
}

fn place(node: &Node, address: IpAddr) -> Place {
    let name = Arc::clone(&node.name);
    if address.is_ipv4() { Place::V4(name) } else { Place::V6(name) }
}

/// What a source has besides nodes.
fn source_ranges(source: &Source) -> impl Iterator<Item = IpRange> + '_ {
    let everybody = source.everybody.iter().flat_map(|it| it.entries());
    everybody.chain(&source.extra).copied().flat_map(Addresses::ranges)
}

/// One copy of equal sets, so that two of them are compared once.
#[derive(Debug, Default)]
pub struct Shared(FxHashMap<AtomSet, Rc<AtomSet>>);

impl Shared {
    fn share(&mut self, set: AtomSet) -> Rc<AtomSet> {
        if let Some(known) = self.0.get(&set) {
            return Rc::clone(known);
        }
        let shared = Rc::new(set.clone());
        self.0.insert(set, Rc::clone(&shared));
        shared
    }
}

/// Lowers the tables of one tailnet to boxes over a space.
#[derive(Debug)]
pub struct Lowering<'a, 't> {
    space: &'a Space,
    tables: &'a Tables<'t>,
    sources: FxHashMap<SourceId, Rc<AtomSet>>,
    /// What all nodes have or route together, and what is behind routes alone.
    local: AtomSet,
    routed: AtomSet,
}

impl<'a, 't> Lowering<'a, 't> {
    /// Prepares for one tailnet.
    pub fn new(space: &'a Space, tables: &'a Tables<'t>) -> Self {
        let mut routed = AtomSet::new(space.len());
        for route in tables.routes().all() {
            space.add_range(tables, route.net.into(), &mut routed);
        }
        let own = space.of_nodes(tables, tables.tailnet().node_ids());
        // The way to a device's own address leads to it, whatever routes lie around.
        let routed = routed.minus(&own);
        let local = own.or(&routed);
        Self { space, tables, sources: FxHashMap::default(), local, routed }
    }

    /// The boxes of all rules, in their order.
    pub fn all(&mut self, sets: &mut Shared) -> Vec<Region> {
        let tables = self.tables;
        let always = Rc::new(AtomSet::of(1, AtomId(0)));
        let mut destinations: FxHashMap<(*const NodeSet, bool), Rc<AtomSet>> = FxHashMap::default();
        let mut regions = Vec::new();
        for flow in tables.flows() {
            let mut pairs = Vec::new();
            match flow.to {
                To::Own(users) => {
                    for (source, nodes) in users {
                        let dst = self.space.of_nodes(tables, nodes.into_iter());
                        pairs.push((self.source(source), Rc::new(dst)));
                    }
                }
                To::Nodes(nodes) | To::Everything(nodes) => {
                    let everything = matches!(flow.to, To::Everything(_));
                    let key = (std::ptr::from_ref(nodes), everything);
                    let known = destinations.get(&key).map(Rc::clone);
                    let dst = known.unwrap_or_else(|| Rc::new(self.nodes(nodes, everything)));
                    destinations.insert(key, Rc::clone(&dst));
                    pairs.push((self.source(flow.source), dst));
                }
                To::Ranges(ranges, _) => {
                    let dst = self.ranges(&ranges).and(&self.local);
                    pairs.push((self.source(flow.source), Rc::new(dst)));
                }
                To::Behind(routers) => {
                    let mut dst = AtomSet::new(self.space.len());
                    for (router, ranges) in routers {
                        let mut routed = AtomSet::new(self.space.len());
                        let node = tables.tailnet().node(router);
                        for net in node.into_iter().flat_map(Node::subnet_routes) {
                            self.space.add_range(tables, net.into(), &mut routed);
                        }
                        // A router lets in what is for itself as well, if its own address is meant.
                        let own = self.space.of_nodes(tables, std::iter::once(router));
                        let routed = routed.and(&self.routed).or(&own);
                        dst.add(&routed.and(&self.ranges(&ranges)));
                    }
                    pairs.push((self.source(flow.source), Rc::new(dst)));
                }
                To::Internet(exits) => {
                    if !exits.is_empty() {
                        let dst = self.internet();
                        pairs.push((self.source(flow.source), Rc::new(dst)));
                    }
                }
            }
            // No packet leads from one family to the other.
            let v4 = &self.space.v4;
            let apart = |(src, dst): (Rc<AtomSet>, Rc<AtomSet>)| {
                [(src.and(v4), dst.and(v4)), (src.minus(v4), dst.minus(v4))]
            };
            let pairs = pairs.into_iter().flat_map(apart);
            let pairs = pairs.filter(|(src, dst)| !src.is_empty() && !dst.is_empty());
            let pairs: Vec<_> =
                pairs.map(|(src, dst)| (sets.share(src), sets.share(dst))).collect();
            for (src, dst) in pairs {
                for ports in flow.ports {
                    regions.push(Region {
                        layer: Layer::Network,
                        pairs: Pairs::Product(Rc::clone(&src), Rc::clone(&dst)),
                        postures: Rc::clone(&always),
                        protocols: carried(flow.protocol, *ports),
                        via: [].into(),
                        ports: *ports,
                        rule: flow.rule,
                    });
                }
            }
        }
        regions
    }

    fn source(&mut self, id: SourceId) -> Rc<AtomSet> {
        if let Some(known) = self.sources.get(&id) {
            return Rc::clone(known);
        }
        let source = self.tables.source(id);
        let mut set = self.space.of_nodes(self.tables, source.nodes.iter());
        let mut ranges = IpSet::default();
        source_ranges(source).for_each(|it| ranges.add(it));
        ranges.ranges().for_each(|it| self.space.add_range(self.tables, it, &mut set));
        let set = Rc::new(set);
        self.sources.insert(id, Rc::clone(&set));
        set
    }

    /// The places of some nodes, with those behind their routes where that is asked for.
    fn nodes(&self, nodes: &NodeSet, with_routes: bool) -> AtomSet {
        let mut set = self.space.of_nodes(self.tables, nodes.iter());
        if with_routes {
            let nodes = nodes.iter().filter_map(|it| self.tables.tailnet().node(it));
            let mut exits = false;
            for node in nodes {
                for net in node.subnet_routes() {
                    self.space.add_range(self.tables, net.into(), &mut set);
                }
                exits |= node.exit_routes().next().is_some();
            }
            if exits {
                set.add(&self.internet());
            }
        }
        set
    }

    fn ranges(&self, ranges: &[IpRange]) -> AtomSet {
        let mut set = AtomSet::new(self.space.len());
        ranges.iter().for_each(|it| self.space.add_range(self.tables, *it, &mut set));
        set
    }

    fn internet(&self) -> AtomSet {
        let ranges: Vec<IpRange> = INTERNET.iter().flat_map(|it| it.ranges()).collect();
        self.ranges(&ranges)
    }
}
