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
    /// For each source.
    pub(super) rows: Vec<Row>,
    /// Which sources cover each node.
    pub(super) covering: Incidence,
    /// For each grant with `via`: the nodes with one of its tags and a route of its destinations.
    routers: Vec<NodeSet>,
    /// Which grants with `via` have each node among their sources.
    pub(super) via_by_owner: Incidence,
    /// Which grants with `via` lead through each node.
    via_by_router: Incidence,
    /// For each grant with `via`: the routes it steers.
    pub(super) steered: Vec<Vec<RouteId>>,
    /// The ways to the internet that rules give their sources.
    pub(super) internet: Vec<Way>,
    /// Every exit node.
    pub(super) exit_nodes: NodeSet,
}

/// A way to the internet.
#[derive(Debug)]
pub(super) struct Way {
    /// Who may take it.
    pub(super) source: KeyId,
    /// The part whose nodes it goes through; `None` where it is any exit node.
    pub(super) part: Option<PartId>,
    /// Whether it is one for packets of IPv4, and for those of IPv6.
    pub(super) families: [bool; 2],
}

/// What makes nodes see each other because of one source.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    /// The nodes that have one of its addresses, or a host behind them has.
    pub(super) covers: NodeSet,
    /// The nodes that have one of its addresses themselves.
    pub(super) owners: NodeSet,
    /// The nodes with a rule that lets it in.
    pub(super) receivers: NodeSet,
    /// The routes that share an address with it.
    pub(super) routes: Arc<[RouteId]>,
    /// The routes that a rule without `via` lets it reach.
    pub(super) reached: Arc<[RouteId]>,
}

/// The routes that rules let a source reach.
pub(super) enum RoutesReached {
    /// All there are.
    All,
    /// These.
    These(BTreeSet<RouteId>),
}

impl Sight {
    fn new(tables: &Tables<'_>) -> Self {
        let universe = tables.tailnet.nodes().len();
        let ids = (0..tables.sources.bound() as u32).map(SourceId);
        let rows: Vec<Row> = tables.rows(&ids.collect::<Vec<_>>());
        let covering = Incidence::new((0..).zip(rows.iter().map(|it| &it.covers)), universe);
        let (routers, steered): (Vec<NodeSet>, _) =
            tables.vias.iter().map(|it| tables.steered_by(it)).unzip();
        let via_owners = tables
            .vias
            .iter()
            .filter_map(|it| Some(&rows.get(tables.sources.now(it.source).0 as usize)?.owners));
        let via_by_owner = Incidence::new((0..).zip(via_owners), universe);
        let via_by_router = Incidence::new((0..).zip(&routers), universe);
        let (internet, exit_nodes) = (ways(tables), exit_nodes(tables));
        Self { rows, covering, routers, via_by_owner, via_by_router, steered, internet, exit_nodes }
    }

    /// Brings up to date whom grants with `via` lead through, and where to.
    pub(super) fn reroute_vias(&mut self, tables: &Tables<'_>) {
        let (routers, steered): (Vec<NodeSet>, _) =
            tables.vias.iter().map(|it| tables.steered_by(it)).unzip();
        for ((number, old), new) in (0..).zip(&self.routers).zip(&routers) {
            self.via_by_router.replace(number, old, new);
        }
        (self.routers, self.steered) = (routers, steered);
    }

    pub(super) fn row(&self, source: SourceId) -> Option<&Row> {
        self.rows.get(source.0 as usize)
    }
}

/// The ways to the internet that rules give their sources.
fn ways(tables: &Tables<'_>) -> Vec<Way> {
    let headscale = tables.dialect() == Dialect::Headscale;
    let mut offered: FxHashSet<(KeyId, [bool; 2])> = FxHashSet::default();
    let mut ways = Vec::new();
    for (id, part) in (0..).map(PartId).zip(&tables.parts).filter(|it| it.1.gives_sight) {
        let Some(unit) = tables.units.get(part.unit as usize) else { continue };
        let source = unit.source;
        let packets = matches!(unit.payload, Payload::Ports(_));
        if headscale && part.via.is_none() && (packets || part.target == OWN_DEVICES) {
            // To headscale any destination lies within the default route of its family, so whoever may
            // reach anything is offered every exit node that they see; each source once.
            let families = tables.families(part);
            if families != [false; 2] && offered.insert((source, families)) {
                ways.push(Way { source, part: None, families });
            }
        } else if packets && matches!(part.target, Target::Any | INTERNET_TARGET) {
            ways.push(Way { source, part: Some(id), families: [true; 2] });
        }
    }
    ways
}

/// Every exit node.
fn exit_nodes(tables: &Tables<'_>) -> NodeSet {
    let is_exit = |it: &&NodeId| {
        tables.tailnet.node(**it).is_some_and(|it| it.exit_routes().next().is_some())
    };
    let exits = tables.tailnet.routers().iter().filter(is_exit).map(|it| it.0).collect();
    NodeSet::new(exits)
}

impl Tables<'_> {
    pub(super) fn sight(&self) -> &Sight {
        self.sight.get_or_init(|| Sight::new(self))
    }

    /// The rows of some sources, which are sorted.
    pub(super) fn rows(&self, wanted: &[SourceId]) -> Vec<Row> {
        // All that `*` shares is made once: a tailnet may have as many routes as rules with `*`.
        let all_routes: Arc<[RouteId]> = self.routes.iter().map(|it| it.0).collect();
        let all_routers = self.routers_of(&all_routes);
        let mut rows = Vec::with_capacity(wanted.len());
        for source in wanted.iter().map(|it| self.sources.get(*it)) {
            let owners = source.owners(&self.tailnet);
            let (routes, routers) = if source.everybody.is_some() {
                (Arc::clone(&all_routes), all_routers.clone())
            } else {
                let overlapping: Arc<[RouteId]> = source.routes(&self.routes).into();
                let routers = self.routers_of(&overlapping);
                (overlapping, routers)
            };
            let covers = NodeSet::union([&owners, &routers].into_iter());
            rows.push(Row { covers, owners, routes, ..Row::default() });
        }
        for (row, receivers) in rows.iter_mut().zip(self.receivers_of(wanted)) {
            row.receivers = receivers;
        }
        for (row, reached) in rows.iter_mut().zip(self.routes_reached(wanted, None)) {
            row.reached = match reached {
                RoutesReached::All => Arc::clone(&all_routes),
                RoutesReached::These(routes) => routes.into_iter().collect(),
            };
        }
        rows
    }

    /// Of which families a destination has addresses: IPv4, IPv6.
    fn families(&self, part: &Part) -> [bool; 2] {
        if let Some(net) = self.policy.net(part.target) {
            return [net.addr().is_ipv4(), net.addr().is_ipv6()];
        }
        let nodes = match part.target {
            Target::Any | INTERNET_TARGET => return [true; 2],
            OWN_DEVICES => self.reach(part),
            _ => self.nodes_of(part.members),
        };
        let mut families = [false; 2];
        for node in nodes.iter().filter_map(|it| self.tailnet.node(it)) {
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
        NodeSet::new(routes.flat_map(|it| &it.advertisers).map(|it| it.0).collect())
    }

    /// For each of some sources: the nodes with a rule that lets it in.
    fn receivers_of(&self, wanted: &[SourceId]) -> Vec<NodeSet> {
        let mut sets: Vec<Vec<&NodeSet>> = vec![Vec::new(); wanted.len()];
        let mut own_parts = Vec::new();
        let mut seen: FxHashSet<ReachId> = FxHashSet::default();
        for part in &self.parts {
            let Some(unit) = self.units.get(part.unit as usize) else { continue };
            // `autogroup:self` has a source for each user.
            if part.target == OWN_DEVICES {
                own_parts.extend(Some((part, unit)).filter(|_| seen.insert(part.reach)));
                continue;
            }
            if !part.gives_sight {
                continue;
            }
            let at = wanted.binary_search(&self.sources.now(unit.source));
            if let Some(sets) = at.ok().and_then(|it| sets.get_mut(it)) {
                sets.push(self.reach(part));
            }
        }
        let own: Vec<NodeSet> =
            wanted.iter().map(|it| self.own_receivers(*it, &own_parts)).collect();
        let all = sets.into_iter().zip(&own);
        all.map(|(sets, own)| NodeSet::union(sets.into_iter().chain([own]))).collect()
    }

    /// The nodes with a rule that lets a source in because it is their user's own devices.
    fn own_receivers(&self, source: SourceId, own_parts: &[(&Part, &Unit<'_>)]) -> NodeSet {
        let has_source = |id: NodeId| {
            let node = self.tailnet.node(id);
            own_parts.iter().any(|(part, unit)| {
                let own = node.and_then(|it| self.source_at(part, unit, it));
                own == Some(source) && self.reach(part).contains(id)
            })
        };
        let nodes = self.own_devices(source).iter().copied().filter(|it| has_source(*it));
        NodeSet::new(nodes.map(|it| it.0).collect())
    }

    /// The devices of the user whose own devices a source may be.
    pub(super) fn own_devices(&self, source: SourceId) -> &[NodeId] {
        let first = self.sources.get(source).nodes.iter().next();
        match first.and_then(|it| self.tailnet.node(it)).map(|it| &it.owner) {
            Some(Owner::User(user)) => self.tailnet.nodes_of(*user),
            _ => &[],
        }
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
        let tagged = advertisers.filter(|it| self.is_tagged(via, **it)).map(|it| it.0).collect();
        (NodeSet::new(tagged), routes)
    }

    /// Whether a node has one of the tags of a grant with `via`.
    pub(super) fn is_tagged(&self, via: &ViaGrant, id: NodeId) -> bool {
        via.tags.iter().any(|it| self.nodes_of(*it).contains(id))
    }

    /// For each of some sources the routes that a rule without `via` has as a destination, whole or
    /// in part; where no node's address lies inside a route, one may ask about few routes only.
    pub(super) fn routes_reached(
        &self,
        wanted: &[SourceId],
        few: Option<&[RouteId]>,
    ) -> Vec<RoutesReached> {
        let mut reached = vec![BTreeSet::new(); wanted.len()];
        let overlapping = |range: IpRange| -> Vec<RouteId> {
            let net = |id: &RouteId| self.routes.get(*id).map(|it| IpRange::from(it.net));
            let inside = |id: &RouteId| net(id).is_some_and(|it| it.overlaps(range));
            match few {
                None => self.routes.overlapping(range).collect(),
                Some(few) => few.iter().copied().filter(inside).collect(),
            }
        };
        let mut reaching_all = FxHashSet::default();
        for part in self.parts.iter().filter(|it| it.via.is_none() && it.gives_sight) {
            let Some(unit) = self.units.get(part.unit as usize) else { continue };
            let source = self.sources.now(unit.source);
            let own = part.target == OWN_DEVICES;
            if !own && wanted.binary_search(&source).is_err() {
                continue;
            }
            let mut add = |id: RouteId, source: SourceId| {
                let at = wanted.binary_search(&source);
                if let Some(routes) = at.ok().and_then(|it| reached.get_mut(it)) {
                    routes.insert(id);
                }
            };
            let packets = matches!(unit.payload, Payload::Ports(_));
            let delivered = |id: RouteId| {
                let routers = self.routes.get(id).into_iter().flat_map(|it| &it.advertisers);
                routers.into_iter().any(|it| self.reach(part).contains(*it))
            };
            match part.target {
                Target::Any if packets => _ = reaching_all.insert(source),
                // Only an exit node has the rule; it may be the router of public addresses as well.
                INTERNET_TARGET => {
                    let public = INTERNET.iter().flat_map(|it| it.ranges());
                    let routes = public.flat_map(overlapping);
                    routes.filter(|it| delivered(*it)).for_each(|id| add(id, source));
                }
                // A posture may leave out the router from what comes back to it.
                Target::Literal(_) | Target::Host(_) | Target::Ipset(_) | Target::Service(_) => {
                    let ranges = self.book.ranges(part.target).into_iter();
                    let routes = ranges.flat_map(overlapping);
                    routes.filter(|it| packets || delivered(*it)).for_each(|id| add(id, source));
                }
                _ if !self.routes.any_around() => {}
                _ => {
                    // A node inside somebody's route. A capability reaches it only where it is its
                    // own router, and so does `autogroup:self`.
                    let own_only = !packets || own;
                    let nodes =
                        if own_only { self.reach(part) } else { self.nodes_of(part.members) };
                    for id in nodes.iter() {
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
        let routes = |(source, routes)| match reaching_all.contains(source) {
            true => RoutesReached::All,
            false => RoutesReached::These(routes),
        };
        wanted.iter().zip(reached).map(routes).collect()
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
        let numbers = sight.covering.of(id, |it| Some(&sight.rows.get(it as usize)?.covers));
        numbers.into_iter().map(SourceId).collect()
    }

    pub(super) fn visible_by(&self, id: NodeId, at: &[SourceId], covering: &[SourceId]) -> Bits {
        let sight = self.sight();
        let mut seen = Bits::new(self.tailnet.nodes().len());
        at.iter().filter_map(|it| sight.row(*it)).for_each(|it| seen.add(&it.covers));
        covering.iter().filter_map(|it| sight.row(*it)).for_each(|it| seen.add(&it.receivers));
        for via in self.vias_from(id) {
            sight.routers.get(via.0 as usize).into_iter().for_each(|it| seen.add(it));
        }
        let through = sight.via_by_router.of(id, |it| sight.routers.get(it as usize));
        for via in through.into_iter().filter_map(|it| self.vias.get(it as usize)) {
            sight.row(self.sources.now(via.source)).into_iter().for_each(|it| seen.add(&it.owners));
        }
        seen.remove(id.0);
        seen
    }

    /// The grants with `via` that have a node among their sources.
    pub(super) fn vias_from(&self, id: NodeId) -> Vec<ViaId> {
        let sight = self.sight();
        let owners = |it: u32| {
            let source = self.vias.get(it as usize)?.source;
            Some(&sight.row(self.sources.now(source))?.owners)
        };
        sight.via_by_owner.of(id, owners).into_iter().map(ViaId).collect()
    }
}
