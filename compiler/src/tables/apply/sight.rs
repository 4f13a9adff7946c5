//! Who sees whom after a change.

use std::sync::Arc;

use ipnet::IpNet;

use super::super::routes::RouteId;
use super::super::sight::{RoutesReached, Sight};
use super::reroute::Rerouted;
use super::sets::Changed;
use super::*;

impl Tables<'_> {
    /// For each grant with `via`: the nodes that own one of its source's addresses.
    pub(super) fn via_owners(&self) -> Vec<NodeSet> {
        let sight = self.sight();
        let owners = |it: &ViaGrant| sight.row(self.sources.now(it.source));
        self.vias
            .iter()
            .map(|it| owners(it).map(|it| it.owners.clone()).unwrap_or_default())
            .collect()
    }

    /// Makes the rows of sources anew that other rules have than before, and brings all others up to
    /// date for the nodes concerned, and for the routes. No node lies behind one of these, so a row
    /// covers a node exactly where that owns one of its addresses or leads to one.
    pub(super) fn change_sight(
        &mut self,
        nodes: &[NodeId],
        changed: &Changed,
        old_owners: &[NodeSet],
        rerouting: &Rerouting,
    ) {
        let mut moved = changed.log.moved.clone();
        let rerouted = match rerouting {
            Rerouting::Apart(rerouted) => {
                // A source with another list of addresses leads to other routes.
                moved.extend(&changed.log.altered);
                moved.sort_unstable();
                moved.dedup();
                Some(rerouted)
            }
            _ => None,
        };
        let renewed = self.rows(&moved);
        let mut concerned = nodes.to_vec();
        concerned.extend(&changed.nodes);
        concerned.sort_unstable();
        concerned.dedup();
        let at: Vec<_> = concerned.iter().map(|it| (*it, self.sources_at(*it))).collect();
        let mut ids: Vec<SourceId> = self.sources.keys.iter().map(|it| it.now).collect();
        ids.extend(&changed.log.altered);
        ids.extend(at.iter().flat_map(|it| &it.1));
        ids.sort_unstable();
        ids.dedup();
        ids.retain(|it| moved.binary_search(it).is_err());

        let Some(mut sight) = self.sight.take() else { return };
        if let Some(rerouted) = rerouted {
            self.reroute_sight(&mut sight, &ids, rerouted);
        }
        let own_routes: Vec<Vec<RouteId>> = nodes.iter().map(|it| self.own_routes(*it)).collect();
        let Tables { sources, tailnet, vias, .. } = &*self;
        sight.rows.resize_with(sources.bound(), Default::default);
        for (id, new) in moved.iter().zip(renewed) {
            let Some(row) = sight.rows.get_mut(id.0 as usize) else { continue };
            sight.covering.replace(id.0, &row.covers, &new.covers);
            *row = new;
        }
        for id in ids {
            let Some(row) = sight.rows.get_mut(id.0 as usize) else { continue };
            let source = sources.get(id);
            for (node, at) in &at {
                row.receivers.set(*node, at.binary_search(&id).is_ok());
            }
            for (node, own) in nodes.iter().zip(&own_routes) {
                let owner = source.is_owned_by(tailnet, *node);
                row.owners.set(*node, owner);
                let covers = owner || own.iter().any(|it| row.routes.binary_search(it).is_ok());
                if row.covers.set(*node, covers) {
                    sight.covering.change(id.0, *node, covers);
                }
            }
        }
        for ((via, number), old) in vias.iter().zip(0..).zip(old_owners) {
            if let Some(row) = sight.rows.get(sources.now(via.source).0 as usize) {
                sight.via_by_owner.replace(number, old, &row.owners);
            }
        }
        self.sight = sight.into();
    }

    /// The subnet routes that a node advertises.
    fn own_routes(&self, id: NodeId) -> Vec<RouteId> {
        let own = self.tailnet.node(id).into_iter().flat_map(Node::subnet_routes);
        own.filter_map(|it| self.routes.find(it)).collect()
    }

    /// Brings the routes of some sources' rows up to date, and those of grants with `via`.
    fn reroute_sight(&self, sight: &mut Sight, ids: &[SourceId], rerouted: &Rerouted) {
        let all: Arc<[RouteId]> = self.routes.iter().map(|it| it.0).collect();
        let nets = |it: &RouteId| Some((*it, self.routes.get(*it)?.net));
        let changed: Vec<(RouteId, IpNet)> = rerouted.changed.iter().filter_map(nets).collect();
        let reached = self.routes_reached(ids, Some(&rerouted.changed));
        for (id, reached) in ids.iter().zip(reached) {
            let Some(row) = sight.rows.get_mut(id.0 as usize) else { continue };
            let source = self.sources.get(*id);
            row.routes = if source.everybody.is_some() {
                Arc::clone(&all)
            } else {
                let leads = changed.iter().filter(|it| source.leads_to(it.1));
                rerouted.list(&row.routes, leads.map(|it| it.0))
            };
            row.reached = match reached {
                RoutesReached::All => Arc::clone(&all),
                RoutesReached::These(routes) => rerouted.list(&row.reached, routes.into_iter()),
            };
        }
        sight.reroute_vias(self);
    }
}
