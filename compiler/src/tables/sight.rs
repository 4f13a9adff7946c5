//! Who sees whom, and by which sources.
//!
//! Two nodes see each other when a rule of one lets the other, or a host behind it, in. So for every
//! source there are the nodes it covers and the nodes that have a rule with it, each as a set; whom a
//! node sees is the union of a few of these, made on demand. Nothing here is a list of pairs.
//!
//! SOURCE: docs/language.md, "Peers".

use std::collections::BTreeSet;

use rustc_hash::FxHashSet;

use super::incidence::Incidence;
use super::node_set::{Bits, NodeSet};
use super::routes::RouteId;
use super::sources::SourceId;
use super::*;

/// What makes nodes see each other, prepared for all nodes of a tailnet.
#[derive(Debug)]
pub(super) struct Sight {
    /// For each source: the nodes that have one of its addresses, or a host behind them has.
    pub(super) covers: Vec<NodeSet>,
    /// For each source: the nodes that have one of its addresses themselves.
    pub(super) owners: Vec<NodeSet>,
    /// For each source: the nodes with a rule that lets it in.
    pub(super) receivers: Vec<NodeSet>,
    /// For each source: the routes that share an address with it.
    pub(super) routes: Vec<Vec<RouteId>>,
    /// Which sources cover each node.
    pub(super) covering: Incidence,
    /// For each route: the sources that a rule without `via` lets reach it.
    pub(super) reaching: Vec<Vec<SourceId>>,
    /// For each grant with `via`: the nodes with one of its tags and a route of its destinations.
    pub(super) routers: Vec<NodeSet>,
    /// For each grant with `via`: the routes it steers.
    pub(super) steered: Vec<Vec<RouteId>>,
    /// The sources that some rule lets reach the internet, and the exit nodes it goes through.
    pub(super) internet: Vec<(SourceId, NodeSet)>,
}

impl Sight {
    fn new(tables: &Tables<'_>) -> Self {
        let universe = tables.tailnet.nodes().len();
        let sources = tables.sources.all();
        let owners: Vec<NodeSet> = sources.iter().map(|it| it.owners(tables.tailnet)).collect();
        let routes: Vec<Vec<RouteId>> =
            sources.iter().map(|it| it.routes(&tables.routes)).collect();
        let covers: Vec<NodeSet> =
            owners.iter().zip(&routes).map(|(own, routes)| tables.covered(own, routes)).collect();
        let mut receivers = vec![Vec::new(); sources.len()];
        let mut internet = Vec::new();
        for part in &tables.parts {
            let Some(unit) = tables.units.get(part.unit as usize) else { continue };
            // `autogroup:self` has a source for each user; see below.
            if part.target == Target::Autogroup(Autogroup::OwnDevices) {
                continue;
            }
            let reach = tables.reach(part);
            if let Some(sets) = receivers.get_mut(unit.source.0 as usize) {
                sets.push(reach);
            }
            let to_internet =
                matches!(part.target, Target::Any | Target::Autogroup(Autogroup::Internet));
            if to_internet && matches!(unit.payload, Payload::Ports(_)) {
                internet.push((unit.source, reach.clone()));
            }
        }
        let own: Vec<(SourceId, NodeSet)> = tables.own_receivers();
        for (source, nodes) in &own {
            if let Some(sets) = receivers.get_mut(source.0 as usize) {
                sets.push(nodes);
            }
        }
        let receivers = receivers.into_iter().map(|sets| union(sets, universe)).collect();
        let covering = Incidence::new((0..).zip(&covers), universe);
        let (routers, steered) = tables.vias.iter().map(|it| tables.steered_by(it)).unzip();
        let reaching = tables.sources_reaching_routes();
        Self { covers, owners, receivers, routes, covering, reaching, routers, steered, internet }
    }
}

fn union(sets: Vec<&NodeSet>, universe: usize) -> NodeSet {
    match sets.as_slice() {
        [one] => (*one).clone(),
        _ => NodeSet::union(sets.into_iter(), universe),
    }
}

impl Tables<'_> {
    pub(super) fn sight(&self) -> &Sight {
        self.sight.get_or_init(|| Sight::new(self))
    }

    /// The nodes of a set, and the routers of these routes.
    fn covered(&self, own: &NodeSet, routes: &[RouteId]) -> NodeSet {
        if routes.is_empty() {
            return own.clone();
        }
        let universe = self.tailnet.nodes().len();
        let routers =
            routes.iter().filter_map(|id| self.routes.get(*id)).flat_map(|it| &it.advertisers);
        let routers = NodeSet::new(routers.map(|it| it.0).collect(), universe);
        NodeSet::union([own, &routers].into_iter(), universe)
    }

    /// For each source that `autogroup:self` has at some node: the nodes with a rule that lets it in.
    fn own_receivers(&self) -> Vec<(SourceId, NodeSet)> {
        let mut receivers: FxHashMap<SourceId, Vec<u32>> = FxHashMap::default();
        let mut order = Vec::new();
        let mut seen: FxHashSet<&NodeSet> = FxHashSet::default();
        for (at, part) in (0..).map(PartId).zip(&self.parts) {
            let Some(unit) = self.units.get(part.unit as usize) else { continue };
            let reach = self.reach(part);
            // Where no posture tells rules apart, the same devices give the same answer again.
            let mut known = || self.own_where_restricted.is_empty() && !seen.insert(reach);
            if part.target != Target::Autogroup(Autogroup::OwnDevices) || known() {
                continue;
            }
            for id in reach.iter() {
                let source =
                    self.tailnet.node(id).and_then(|it| self.source_at(at, part, unit, it));
                let Some(source) = source else { continue };
                let nodes = receivers.entry(source).or_insert_with(|| {
                    order.push(source);
                    Vec::new()
                });
                nodes.push(id.0);
            }
        }
        let universe = self.tailnet.nodes().len();
        let set = |id: SourceId| Some((id, NodeSet::new(receivers.remove(&id)?, universe)));
        order.into_iter().filter_map(set).collect()
    }

    /// For a grant with `via`: its routers, and the routes it steers.
    fn steered_by(&self, via: &ViaGrant) -> (NodeSet, Vec<RouteId>) {
        let ranges = via.destinations.iter().flat_map(|it| match it {
            ViaTarget::Internet => &[][..],
            ViaTarget::Ranges(ranges) => ranges,
        });
        let mut routes: Vec<RouteId> = ranges.flat_map(|it| self.routes.overlapping(*it)).collect();
        routes.sort_unstable();
        routes.dedup();
        let advertisers =
            routes.iter().filter_map(|id| self.routes.get(*id)).flat_map(|it| &it.advertisers);
        let tagged = advertisers.filter(|it| via.tagged.contains(**it)).map(|it| it.0).collect();
        (NodeSet::new(tagged, self.tailnet.nodes().len()), routes)
    }

    /// For each route the sources of rules without `via` that have it, or a part of it, as a destination.
    fn sources_reaching_routes(&self) -> Vec<Vec<SourceId>> {
        let mut reaching = vec![BTreeSet::new(); self.routes.all().len()];
        let parts = (0..).map(PartId).zip(&self.parts);
        for (at, part) in parts.filter(|(_, part)| part.via.is_none()) {
            let Some(unit) = self.units.get(part.unit as usize) else { continue };
            let mut add = |id: RouteId, source: SourceId| {
                if let Some(sources) = reaching.get_mut(id.0 as usize) {
                    sources.insert(source);
                }
            };
            let packets = matches!(unit.payload, Payload::Ports(_));
            let delivered = |id: RouteId| {
                let routers = self.routes.get(id).into_iter().flat_map(|it| &it.advertisers);
                routers.into_iter().any(|it| self.reach(part).contains(*it))
            };
            match part.target {
                Target::Any if packets => {
                    self.routes.iter().for_each(|(id, _)| add(id, unit.source))
                }
                // Only an exit node has the rule; it may be the router of public addresses as well.
                Target::Autogroup(Autogroup::Internet) => {
                    let public = INTERNET.iter().flat_map(|it| it.ranges());
                    let routes = public.flat_map(|it| self.routes.overlapping(it));
                    routes.filter(|it| delivered(*it)).for_each(|id| add(id, unit.source));
                }
                // A posture may leave out the router from what comes back to it.
                Target::Literal(_) | Target::Host(_) | Target::Ipset(_) | Target::Service(_) => {
                    let ranges = self.book.ranges(part.target).into_iter();
                    let routes = ranges.flat_map(|it| self.routes.overlapping(it));
                    routes
                        .filter(|it| packets || delivered(*it))
                        .for_each(|id| add(id, unit.source));
                }
                _ if !self.routes.any_around() => {}
                target => {
                    // A node inside somebody's route. A capability reaches it only where it is its
                    // own router, and so does `autogroup:self`.
                    let own_only = !packets || target == Target::Autogroup(Autogroup::OwnDevices);
                    let nodes = if own_only { Some(self.reach(part)) } else { self.members(part) };
                    for id in nodes.into_iter().flat_map(NodeSet::iter) {
                        let Some(node) = self.tailnet.node(id) else { continue };
                        let Some(source) = self.source_at(at, part, unit, node) else { continue };
                        for (_, route) in self.routes.around(id) {
                            let own = self
                                .routes
                                .get(*route)
                                .is_some_and(|it| it.advertisers.contains(&id));
                            if own || !own_only {
                                add(*route, source);
                            }
                        }
                    }
                }
            }
        }
        reaching.into_iter().map(|it| it.into_iter().collect()).collect()
    }

    /// The sources in a node's table.
    pub(super) fn sources_at(&self, id: NodeId) -> Vec<SourceId> {
        let Some(node) = self.tailnet.node(id) else { return Vec::new() };
        let mut sources = Vec::new();
        for (at, part) in self.parts_at(id) {
            let Some(unit) = self.units.get(part.unit as usize) else { continue };
            sources.extend(self.source_at(at, part, unit, node));
        }
        sources.sort_unstable();
        sources.dedup();
        sources
    }

    /// The nodes that a node sees, which are those that see it.
    pub fn visible(&self, id: NodeId) -> Bits {
        self.visible_by(id, &self.sources_at(id), &self.sources_covering(id))
    }

    pub(super) fn sources_covering(&self, id: NodeId) -> Vec<SourceId> {
        let sight = self.sight();
        let numbers = sight.covering.of(id, |it| sight.covers.get(it as usize));
        numbers.into_iter().map(SourceId).collect()
    }

    pub(super) fn visible_by(&self, id: NodeId, at: &[SourceId], covering: &[SourceId]) -> Bits {
        let sight = self.sight();
        let mut seen = Bits::new(self.tailnet.nodes().len());
        at.iter().filter_map(|it| sight.covers.get(it.0 as usize)).for_each(|it| seen.add(it));
        covering
            .iter()
            .filter_map(|it| sight.receivers.get(it.0 as usize))
            .for_each(|it| seen.add(it));
        for (via, routers) in self.vias.iter().zip(&sight.routers) {
            let Some(owners) = sight.owners.get(via.source.0 as usize) else { continue };
            if owners.contains(id) {
                seen.add(routers);
            }
            if routers.contains(id) {
                seen.add(owners);
            }
        }
        seen.remove(id.0);
        seen
    }
}
