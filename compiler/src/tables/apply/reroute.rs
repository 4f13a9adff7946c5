//! Which subnet routes are other ones after a change, and what is the same in all others.

use std::sync::Arc;

use super::super::routes::{Route, RouteId};
use super::*;

/// What a change did to subnet routes.
pub(super) enum Rerouting {
    /// Nothing.
    None,
    /// Routes changed, in which no node's address lies, now or before: so a router stands for
    /// strangers only, and nothing is other than before but what is said of these routes.
    Apart(Rerouted),
    /// Routes changed, or addresses inside them.
    Entangled,
}

/// Routes after a change of some of them.
pub(super) struct Rerouted {
    /// What the id of each route before is now; `None` where it is gone.
    renamed: Vec<Option<RouteId>>,
    /// The routes of today that are new, or that other routers advertise than before.
    pub(super) changed: Vec<RouteId>,
}

impl Rerouting {
    pub(super) fn is_any(&self) -> bool {
        !matches!(self, Rerouting::None)
    }
}

impl Rerouted {
    /// A list of routes under their ids of today; of the changed ones these are in it.
    pub(super) fn list(
        &self,
        before: &[RouteId],
        of_changed: impl Iterator<Item = RouteId>,
    ) -> Arc<[RouteId]> {
        let renamed = before.iter().filter_map(|it| *self.renamed.get(it.0 as usize)?);
        let kept = renamed.filter(|it| self.changed.binary_search(it).is_err());
        let mut list: Vec<RouteId> = kept.chain(of_changed).collect();
        list.sort_unstable();
        list.into()
    }
}

impl Tables<'_> {
    /// Brings the routes up to date.
    pub(super) fn reroute(&mut self, before: &Moment, nodes: &[NodeId]) -> Rerouting {
        if !self.is_rerouted(before, nodes) {
            return Rerouting::None;
        }
        let new = Routes::new(&self.tailnet, self.policy.file.dialect);
        let old = std::mem::replace(&mut self.routes, new);
        if old.any_around() || self.routes.any_around() {
            return Rerouting::Entangled;
        }
        let now = nodes.iter().filter_map(|it| self.tailnet.node(*it));
        let all = before.nodes.iter().map(|it| &it.node).chain(now);
        let nets = all.flat_map(Node::subnet_routes);
        let mut changed: Vec<RouteId> = nets.filter_map(|it| self.routes.find(it)).collect();
        changed.sort_unstable();
        changed.dedup();
        let today = |it: &Route| self.routes.find(it.net);
        Rerouting::Apart(Rerouted { renamed: old.all().iter().map(today).collect(), changed })
    }

    /// Whether routes, or addresses inside routes, are other ones than before.
    fn is_rerouted(&self, before: &Moment, nodes: &[NodeId]) -> bool {
        let routes = |node: &Node| node.subnet_routes().next().is_some();
        let inside = |address: IpAddr| {
            let range = IpRange::of(address);
            self.routes.overlapping(range).next().is_some()
        };
        let now = nodes.iter().filter_map(|it| self.tailnet.node(*it));
        let mut all = before.nodes.iter().map(|it| &it.node).chain(now);
        all.any(|it| routes(it) || it.addresses().any(inside))
    }
}
