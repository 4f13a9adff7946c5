//! [`Tables`] → the boxes of access between the devices of a tailnet, over a [`Space`].

use std::collections::BTreeSet;
use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::{Space, source_ranges};
use crate::analysis::access::{OWN_NAME, carried, lets_in};
use crate::analysis::atom_set::{AtomId, AtomSet};
use crate::analysis::region::{Layer, Login, Pairs, Protocols, Region};
use crate::ast::{PortRange, SshAction, Text};
use crate::policy::ssh::local_part;
use crate::policy::{SshRule, SshUser};
use crate::tables::flows::To;
use crate::tables::ip_set::{IpRange, IpSet};
use crate::tables::ssh::owner;
use crate::tables::{INTERNET, NodeSet, SourceId, Tables};
use crate::tailnet::{Node, NodeId};

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
    /// The places of sets of nodes, without or with those behind their routes.
    destinations: FxHashMap<(*const NodeSet, bool), Rc<AtomSet>>,
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
        let (sources, destinations) = (FxHashMap::default(), FxHashMap::default());
        Self { space, tables, sources, destinations, local, routed }
    }

    /// The boxes of all rules, in their order.
    pub fn all(&mut self, sets: &mut Shared) -> Vec<Region> {
        let mut regions = Vec::new();
        for flow in self.tables.flows() {
            for pairs in self.pairs(flow.source, flow.to, sets) {
                regions.extend(flow.ports.iter().map(|ports| Region {
                    protocols: carried(flow.protocol, *ports),
                    ports: *ports,
                    ..whole(Layer::Network, pairs.clone(), flow.rule)
                }));
            }
        }
        regions
    }

    /// The boxes of the capabilities that grants give.
    pub fn apps(&mut self, sets: &mut Shared) -> Vec<Region> {
        let mut regions = Vec::new();
        for flow in self.tables.app_flows() {
            for pairs in self.pairs(flow.source, flow.to, sets) {
                for cap in flow.caps {
                    let layer = Layer::App(cap.name.value.clone(), (*cap.values).into());
                    regions.push(whole(layer, pairs.clone(), flow.rule));
                }
            }
        }
        regions
    }

    /// The boxes of logins by SSH as each of these users of hosts; the rules of these boxes are
    /// positions in the section `ssh`.
    pub fn ssh(&mut self, users: &BTreeSet<Text>, sets: &mut Shared) -> Vec<Region> {
        let (mut checked, mut accepted) = (Vec::new(), Vec::new());
        let tables = self.tables;
        for flow in tables.ssh_flows() {
            let Some(rule) = tables.policy().ssh.get(flow.rule as usize) else { continue };
            let (login, list) = match rule.action.value {
                SshAction::Check => (Login::Check, &mut checked),
                SshAction::Accept => (Login::Accept, &mut accepted),
            };
            for user in users.iter().filter(|it| lets_in(rule, it)) {
                let from = flow.from.iter().filter(|it| self.may_be(rule, user, *it));
                let from: Vec<NodeId> = from.collect();
                let mut pairs =
                    vec![(self.places(from.iter().copied()), self.places(flow.to.iter()))];
                if flow.own || flow.spreads {
                    let mut users: Vec<_> =
                        from.iter().filter_map(|it| owner(tables.tailnet(), *it)).collect();
                    users.sort_unstable();
                    users.dedup();
                    for user in users {
                        let own = |it: &&NodeId| owner(tables.tailnet(), **it) == Some(user);
                        let from = self.places(from.iter().filter(own).copied());
                        let to = tables.tailnet().nodes_of(user).iter().copied();
                        let to = to.filter(|it| flow.reaches_own(*it));
                        pairs.push((from, self.places(to)));
                    }
                }
                let layer = Layer::Ssh(user.clone(), login);
                for pairs in self.by_family(pairs, sets) {
                    list.push(whole(layer.clone(), pairs, Some(flow.rule)));
                }
            }
        }
        // A check stands before every accept, so it wins where both would let in.
        let as_accepted = |it: &Region| match &it.layer {
            Layer::Ssh(user, _) => {
                Region { layer: Layer::Ssh(user.clone(), Login::Accept), ..it.clone() }
            }
            _ => it.clone(),
        };
        let before: Vec<Region> = checked.iter().map(as_accepted).collect();
        checked.extend(crate::analysis::diff::left_over(&accepted, &before));
        checked
    }

    /// Whether somebody at a device may log in as a user whom a rule lets in: one's own name is that
    /// of a login in the right domain.
    fn may_be(&self, rule: &SshRule, user: &str, from: NodeId) -> bool {
        if *user != *OWN_NAME || rule.users.iter().any(|it| it.value == SshUser::Nonroot) {
            return true;
        }
        let tailnet = self.tables.tailnet();
        let login = owner(tailnet, from).and_then(|it| tailnet.user(it));
        let name = |it| login.and_then(|user| local_part(&user.login, it, self.tables.dialect()));
        rule.localparts().any(|it| name(it).is_some())
    }

    /// Who reaches whom by one part of a rule.
    fn pairs(&mut self, source: SourceId, to: To<'_>, sets: &mut Shared) -> Vec<Pairs> {
        let tables = self.tables;
        let mut pairs = Vec::new();
        match to {
            To::Own(users) => {
                for (source, nodes) in users {
                    pairs.push((self.source(source), self.places(nodes.into_iter())));
                }
            }
            To::Nodes(nodes) | To::Everything(nodes) => {
                let everything = matches!(to, To::Everything(_));
                let key = (std::ptr::from_ref(nodes), everything);
                let known = self.destinations.get(&key).map(Rc::clone);
                let dst = known.unwrap_or_else(|| Rc::new(self.nodes(nodes, everything)));
                self.destinations.insert(key, Rc::clone(&dst));
                pairs.push((self.source(source), dst));
            }
            To::Ranges(ranges, _) => {
                let dst = self.ranges(&ranges).and(&self.local);
                pairs.push((self.source(source), Rc::new(dst)));
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
                pairs.push((self.source(source), Rc::new(dst)));
            }
            To::Internet(exits) => {
                if !exits.is_empty() {
                    let dst = self.internet();
                    pairs.push((self.source(source), Rc::new(dst)));
                }
            }
        }
        self.by_family(pairs, sets)
    }

    /// No packet leads from one family of addresses to the other.
    fn by_family(&self, pairs: Vec<(Rc<AtomSet>, Rc<AtomSet>)>, sets: &mut Shared) -> Vec<Pairs> {
        let v4 = self.space.v4();
        let apart = |(src, dst): (Rc<AtomSet>, Rc<AtomSet>)| {
            [(src.and(v4), dst.and(v4)), (src.minus(v4), dst.minus(v4))]
        };
        let pairs = pairs.into_iter().flat_map(apart);
        let pairs = pairs.filter(|(src, dst)| !src.is_empty() && !dst.is_empty());
        pairs.map(|(src, dst)| Pairs::Product(sets.share(src), sets.share(dst))).collect()
    }

    fn places(&self, nodes: impl Iterator<Item = NodeId>) -> Rc<AtomSet> {
        Rc::new(self.space.of_nodes(self.tables, nodes))
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

/// A box of every protocol that has no ports; postures are judged already, by the facts.
fn whole(layer: Layer, pairs: Pairs, rule: Option<u32>) -> Region {
    Region {
        layer,
        pairs,
        postures: Rc::new(AtomSet::of(1, AtomId(0))),
        protocols: Protocols::of(6),
        via: [].into(),
        ports: PortRange::ALL,
        rule,
    }
}
