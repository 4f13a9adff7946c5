//! What a node is told of its peers: their addresses, the routes and exits they carry for it, and the
//! capabilities they have towards it.
//!
//! SOURCE: docs/language.md, "Routes" and "Peers".

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;

use super::node_set::Bits;
use super::routes::{Route, RouteId};
use super::sources::SourceId;
use super::*;

/// A peer as one viewer sees it.
#[derive(Clone, Debug)]
pub struct Peer {
    /// Which node.
    pub node: NodeId,
    /// The subnet routes it carries for the viewer, sorted by their text.
    pub primary_routes: Vec<IpNet>,
    /// The default routes by which it offers the viewer a way to the internet.
    pub exit_routes: Vec<IpNet>,
}

impl Tables<'_> {
    /// Every peer of a node, in the order of the inventory.
    pub fn peers(&self, id: NodeId) -> Vec<Peer> {
        let (at, covering) = (self.sources_at(id), self.sources_covering(id));
        let visible = self.visible_by(id, &at, &covering);
        let mut carried: FxHashMap<NodeId, Vec<IpNet>> = FxHashMap::default();
        for (route_id, carrier) in self.carriers(id, &at, &covering, &visible) {
            if let Some(route) = self.routes.get(route_id) {
                carried.entry(carrier).or_default().push(route.net);
            }
        }
        let exits = self.exits(id);
        let peer = |node: NodeId| {
            let mut primary_routes = carried.remove(&node).unwrap_or_default();
            primary_routes.sort_by_cached_key(|it| it.to_string());
            let mut exit_routes = Vec::new();
            let routes = self.tailnet.node(node).into_iter().flat_map(Node::exit_routes);
            let [ipv4, ipv6] = exits.each_ref().map(|it| it.contains(node));
            exit_routes.extend(routes.filter(|it| if it.addr().is_ipv4() { ipv4 } else { ipv6 }));
            exit_routes.sort_by_key(|it| it.addr());
            Peer { node, primary_routes, exit_routes }
        };
        visible.iter().map(peer).collect()
    }

    /// Which peer carries each subnet route for a viewer who has access to it.
    fn carriers(
        &self,
        viewer: NodeId,
        at: &[SourceId],
        covering: &[SourceId],
        visible: &Bits,
    ) -> Vec<(RouteId, NodeId)> {
        let sight = self.sight();
        let talking = self.sources_without_via(viewer, at);
        let talking = talking.iter().filter_map(|it| sight.row(*it)).map(|it| &it.routes);
        let reached = covering.iter().filter_map(|it| sight.row(*it)).map(|it| &it.reached);
        let mut direct: BTreeSet<RouteId> =
            talking.chain(reached).flat_map(|it| it.iter().copied()).collect();
        let own = self.tailnet.node(viewer).into_iter().flat_map(Node::subnet_routes);
        for id in own.filter_map(|it| self.routes.find(it)) {
            // A standby router sees the primary.
            if self.routes.get(id).and_then(Route::primary).is_some_and(|it| visible.contains(it)) {
                direct.insert(id);
            }
        }
        let primary =
            |id: &RouteId| self.routes.get(*id).and_then(Route::primary).map(|it| (*id, it));
        let steered = self.steered(viewer, &direct);
        let carriers = direct.iter().filter_map(primary).chain(steered);
        // The viewer itself is not among those it sees.
        carriers.filter(|(_, it)| visible.contains(*it)).collect()
    }

    /// The routers that grants with `via` choose for a viewer, for routes that no other rule gives:
    /// of each route the eldest advertiser with one of their tags.
    fn steered(&self, viewer: NodeId, direct: &BTreeSet<RouteId>) -> BTreeMap<RouteId, NodeId> {
        let sight = self.sight();
        let mut chosen: BTreeMap<RouteId, NodeId> = BTreeMap::new();
        for via in self.vias_from(viewer) {
            let (Some(grant), Some(routes)) =
                (self.vias.get(via.0 as usize), sight.steered.get(via.0 as usize))
            else {
                continue;
            };
            for id in routes.iter().filter(|it| !direct.contains(it)) {
                let Some(route) = self.routes.get(*id) else { continue };
                // The primary carries the route itself, whoever else may.
                if route.primary() == Some(viewer) {
                    continue;
                }
                let tagged = route.advertisers.iter().find(|it| self.is_tagged(grant, **it));
                if let Some(router) = tagged {
                    let best = chosen.entry(*id).or_insert(*router);
                    if self.tailnet.age(*router) < self.tailnet.age(*best) {
                        *best = *router;
                    }
                }
            }
        }
        chosen
    }

    /// The sources of a node's rules that are not there by a grant with `via`.
    fn sources_without_via(&self, id: NodeId, at: &[SourceId]) -> Vec<SourceId> {
        if self.vias.is_empty() {
            return at.to_vec();
        }
        let Some(node) = self.tailnet.node(id) else { return Vec::new() };
        let plain = |part: &Part| part.via.is_none() && part.gives_sight;
        let parts = self.parts_at(id).into_iter().filter(|(_, part)| plain(part));
        let sources = parts.filter_map(|(_, part)| {
            let unit = self.units.get(part.unit as usize)?;
            self.source_at(part, unit, node)
        });
        sources.collect()
    }

    /// The exit nodes through which a viewer may reach the internet: by IPv4, by IPv6.
    fn exits(&self, viewer: NodeId) -> [Bits; 2] {
        let sight = self.sight();
        let none = || Bits::new(self.tailnet.nodes().len());
        let mut exits = [none(), none()];
        for way in &sight.internet {
            let row = sight.row(self.sources.now(way.source));
            if !row.is_some_and(|it| it.owners.contains(viewer)) {
                continue;
            }
            let open = exits.iter_mut().zip(way.families).filter(|it| it.1);
            let part = way.part.and_then(|it| self.parts.get(it.0 as usize));
            let through = part.map_or(&sight.exit_nodes, |it| self.reach(it));
            open.for_each(|(exits, _)| exits.add(through));
        }
        exits
    }

    /// The capabilities that a node sees for each address of its peers: the address, and the lines of
    /// its table that give it some, in order.
    ///
    /// SOURCE: docs/language.md, "Capabilities".
    pub fn whois<'t>(
        &self,
        table: &'t FilterTable<'t>,
        peers: &[Peer],
    ) -> Vec<(IpAddr, Vec<&'t CapGrant<'t>>)> {
        let Some(node) = self.tailnet.node(table.node) else { return Vec::new() };
        let mut answers = Vec::new();
        for address in
            peers.iter().filter_map(|it| self.tailnet.node(it.node)).flat_map(|it| it.addresses())
        {
            let own = node.addresses().find(|it| it.is_ipv4() == address.is_ipv4());
            let meant = |grant: &&CapGrant<'_>| {
                own.is_some_and(|own| grant.dsts.iter().any(|it| it.contains(own)))
            };
            let mut given: Vec<&CapGrant<'_>> = Vec::new();
            for rule in &table.rules {
                if let Access::Caps(grants) = &rule.access
                    && self.source(rule.source).contains(&self.tailnet, address)
                {
                    given.extend(grants.iter().filter(meant));
                }
            }
            if !given.is_empty() {
                answers.push((address, given));
            }
        }
        answers
    }
}
