//! Who sees whom, and by which sources.
//!
//! Two nodes see each other when a rule of one lets the other, or a host behind it, in. So for every
//! source there are the nodes it covers and the nodes that have a rule with it, each as a set; whom a
//! node sees is the union of a few of these, made on demand. Nothing here is a list of pairs.
//!
//! SOURCE: docs/language.md, "Peers".

use std::collections::BTreeSet;
use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::incidence::Incidence;
use super::node_set::{Bits, NodeSet};
use super::routes::RouteId;
use super::sources::SourceId;
use super::*;
use crate::dialect::Dialect;

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
    pub(super) routes: Vec<Arc<[RouteId]>>,
    /// Which sources cover each node.
    covering: Incidence,
    /// For each source: the routes that a rule without `via` lets it reach.
    pub(super) reached: Vec<Arc<[RouteId]>>,
    /// For each grant with `via`: the nodes with one of its tags and a route of its destinations.
    routers: Vec<NodeSet>,
    /// Which grants with `via` have each node among their sources.
    via_by_owner: Incidence,
    /// Which grants with `via` lead through each node.
    via_by_router: Incidence,
    /// For each grant with `via`: the routes it steers.
    pub(super) steered: Vec<Vec<RouteId>>,
    /// The ways to the internet that rules give their sources.
    pub(super) internet: Vec<Way>,
}

/// A way to the internet.
#[derive(Debug)]
pub(super) struct Way {
    /// Who may take it.
    pub(super) source: SourceId,
    /// The exit nodes it goes through.
    pub(super) exits: NodeSet,
    /// Whether it is one for packets of IPv4, and for those of IPv6.
    pub(super) families: [bool; 2],
}

impl Sight {
    fn new(tables: &Tables<'_>) -> Self {
        let universe = tables.tailnet.nodes().len();
        let sources = tables.sources.all();
        let owners: Vec<NodeSet> = sources.iter().map(|it| it.owners(tables.tailnet)).collect();
        // All that `*` shares is made once: a tailnet may have as many routes as rules with `*`.
        let all_routes: Arc<[RouteId]> = tables.routes.iter().map(|it| it.0).collect();
        let all_routers = tables.routers_of(&all_routes);
        let (mut routes, mut covers) = (Vec::new(), Vec::new());
        for (source, own) in sources.iter().zip(&owners) {
            if source.everybody.is_some() {
                routes.push(Arc::clone(&all_routes));
                covers.push(NodeSet::union([own, &all_routers].into_iter(), universe));
                continue;
            }
            let overlapping: Arc<[RouteId]> = source.routes(&tables.routes).into();
            covers.push(if overlapping.is_empty() {
                own.clone()
            } else {
                NodeSet::union([own, &tables.routers_of(&overlapping)].into_iter(), universe)
            });
            routes.push(overlapping);
        }
        let mut receivers = vec![Vec::new(); sources.len()];
        let exit_nodes = exit_nodes(tables);
        // To headscale any destination lies within the default route of its family, so whoever may
        // reach anything is offered every exit node that they see; each source once.
        let headscale = tables.dialect() == Dialect::Headscale;
        let everywhere = |part: &Part| headscale && part.via.is_none();
        let mut offered: FxHashSet<(SourceId, [bool; 2])> = FxHashSet::default();
        let mut offer = |source: SourceId, families: [bool; 2]| {
            let new = families != [false; 2] && offered.insert((source, families));
            new.then(|| Way { source, exits: exit_nodes.clone(), families })
        };
        let mut internet = Vec::new();
        for part in &tables.parts {
            let Some(unit) = tables.units.get(part.unit as usize) else { continue };
            // `autogroup:self` has a source for each user; see below.
            if part.target == Target::Autogroup(Autogroup::OwnDevices) {
                if everywhere(part) {
                    internet.extend(offer(unit.source, tables.families(part)));
                }
                continue;
            }
            let reach = tables.reach(part);
            if !part.gives_sight {
                continue;
            }
            if let Some(sets) = receivers.get_mut(unit.source.0 as usize) {
                sets.push(reach);
            }
            let to_internet =
                matches!(part.target, Target::Any | Target::Autogroup(Autogroup::Internet));
            if !matches!(unit.payload, Payload::Ports(_)) {
                continue;
            } else if everywhere(part) {
                internet.extend(offer(unit.source, tables.families(part)));
            } else if to_internet {
                let (source, exits) = (unit.source, reach.clone());
                internet.push(Way { source, exits, families: [true; 2] });
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
        let (routers, steered): (Vec<NodeSet>, _) =
            tables.vias.iter().map(|it| tables.steered_by(it)).unzip();
        let via_owners = tables.vias.iter().filter_map(|it| owners.get(it.source.0 as usize));
        let via_by_owner = Incidence::new((0..).zip(via_owners), universe);
        let via_by_router = Incidence::new((0..).zip(&routers), universe);
        let reached = tables.routes_reached(sources.len(), &all_routes);
        Self {
            covers,
            owners,
            receivers,
            routes,
            covering,
            reached,
            routers,
            via_by_owner,
            via_by_router,
            steered,
            internet,
        }
    }
}

/// Every exit node.
fn exit_nodes(tables: &Tables<'_>) -> NodeSet {
    let is_exit = |it: &&NodeId| {
        tables.tailnet.node(**it).is_some_and(|it| it.exit_routes().next().is_some())
    };
    let exits = tables.tailnet.routers().iter().filter(is_exit).map(|it| it.0).collect();
    NodeSet::new(exits, tables.tailnet.nodes().len())
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

    /// Of which families a destination has addresses: IPv4, IPv6.
    fn families(&self, part: &Part) -> [bool; 2] {
        if let Some(net) = self.policy.net(part.target) {
            return [net.addr().is_ipv4(), net.addr().is_ipv6()];
        }
        let nodes = match part.target {
            Target::Any | Target::Autogroup(Autogroup::Internet) => return [true; 2],
            Target::Autogroup(Autogroup::OwnDevices) => Some(self.reach(part)),
            _ => self.members(part),
        };
        let mut families = [false; 2];
        for node in nodes.into_iter().flat_map(NodeSet::iter).filter_map(|it| self.tailnet.node(it))
        {
            families = [families[0] || node.ipv4.is_some(), families[1] || node.ipv6.is_some()];
            if families == [true; 2] {
                break;
            }
        }
        families
    }

    /// The approved advertisers of routes.
    fn routers_of(&self, routes: &[RouteId]) -> NodeSet {
        let routes = routes.iter().filter_map(|id| self.routes.get(*id));
        let routers = routes.flat_map(|it| &it.advertisers).map(|it| it.0).collect();
        NodeSet::new(routers, self.tailnet.nodes().len())
    }

    /// For each source that `autogroup:self` has at some node: the nodes with a rule that lets it in.
    fn own_receivers(&self) -> Vec<(SourceId, NodeSet)> {
        let mut receivers: FxHashMap<SourceId, Vec<u32>> = FxHashMap::default();
        let mut order = Vec::new();
        let mut seen: FxHashSet<ReachId> = FxHashSet::default();
        for part in &self.parts {
            let Some(unit) = self.units.get(part.unit as usize) else { continue };
            let reach = self.reach(part);
            let own = part.target == Target::Autogroup(Autogroup::OwnDevices);
            if !own || !seen.insert(part.reach) {
                continue;
            }
            for id in reach.iter() {
                let source = self.tailnet.node(id).and_then(|it| self.source_at(part, unit, it));
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

    /// For each source the routes that a rule without `via` has as a destination, whole or in part.
    fn routes_reached(&self, sources: usize, all: &Arc<[RouteId]>) -> Vec<Arc<[RouteId]>> {
        let mut reached = vec![BTreeSet::new(); sources];
        let mut reaching_all = FxHashSet::default();
        for part in self.parts.iter().filter(|it| it.via.is_none() && it.gives_sight) {
            let Some(unit) = self.units.get(part.unit as usize) else { continue };
            let mut add = |id: RouteId, source: SourceId| {
                if let Some(routes) = reached.get_mut(source.0 as usize) {
                    routes.insert(id);
                }
            };
            let packets = matches!(unit.payload, Payload::Ports(_));
            let delivered = |id: RouteId| {
                let routers = self.routes.get(id).into_iter().flat_map(|it| &it.advertisers);
                routers.into_iter().any(|it| self.reach(part).contains(*it))
            };
            match part.target {
                Target::Any if packets => _ = reaching_all.insert(unit.source),
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
                        let Some(source) = self.source_at(part, unit, node) else { continue };
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
        let routes = |(source, routes): (u32, BTreeSet<RouteId>)| {
            let all = Some(all).filter(|_| reaching_all.contains(&SourceId(source)));
            all.cloned().unwrap_or_else(|| routes.into_iter().collect())
        };
        (0..).zip(reached).map(routes).collect()
    }

    /// The sources in a node's table.
    pub(super) fn sources_at(&self, id: NodeId) -> Vec<SourceId> {
        let Some(node) = self.tailnet.node(id) else { return Vec::new() };
        let mut sources = Vec::new();
        for (_, part) in self.parts_at(id).into_iter().filter(|it| it.1.gives_sight) {
            let Some(unit) = self.units.get(part.unit as usize) else { continue };
            sources.extend(self.source_at(part, unit, node));
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
        for via in self.vias_from(id) {
            sight.routers.get(via.0 as usize).into_iter().for_each(|it| seen.add(it));
        }
        let through = sight.via_by_router.of(id, |it| sight.routers.get(it as usize));
        for via in through.into_iter().filter_map(|it| self.vias.get(it as usize)) {
            sight.owners.get(via.source.0 as usize).into_iter().for_each(|it| seen.add(it));
        }
        seen.remove(id.0);
        seen
    }

    /// The grants with `via` that have a node among their sources.
    pub(super) fn vias_from(&self, id: NodeId) -> Vec<ViaId> {
        let sight = self.sight();
        let owners = |it: u32| sight.owners.get(self.vias.get(it as usize)?.source.0 as usize);
        sight.via_by_owner.of(id, owners).into_iter().map(ViaId).collect()
    }
}
