//! Subnet routes: who advertises each, who is primary, and which of them some addresses overlap.
//!
//! Routes are prefixes, so two of them are nested or apart. The routes that overlap a range either
//! begin inside it, which is a slice of a sorted list, or contain its first address, which is at
//! most one look-up for each prefix length in use. Nothing here is addresses × routes.

use std::net::IpAddr;

use ipnet::IpNet;
use rustc_hash::FxHashMap;

use super::ip_set::IpRange;
use super::node_set::NodeSet;
use crate::dialect::Dialect;
use crate::tailnet::{Node, NodeId, Tailnet};

/// A distinct approved subnet route, by its position in [`Routes::all`].
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct RouteId(pub(crate) u32);

/// An approved subnet route and the nodes that advertise it.
#[derive(Clone, Debug)]
pub struct Route {
    /// The prefix; never a default route.
    pub net: IpNet,
    /// Its approved advertisers, the primary first: of those that may carry it the eldest.
    pub advertisers: Box<[NodeId]>,
}

impl Route {
    /// The advertiser that carries the traffic.
    ///
    /// SOURCE: docs/language.md, "Routes": the one that joined first.
    pub fn primary(&self) -> Option<NodeId> {
        self.advertisers.first().copied()
    }
}

/// Every subnet route of a tailnet.
#[derive(Clone, Debug, Default)]
pub struct Routes {
    /// Sorted by family, first address and length; that is also the order of the text form's numbers.
    all: Vec<Route>,
    /// The lengths in use, of each family.
    lengths: [Vec<u8>; 2],
    by_net: FxHashMap<IpNet, RouteId>,
    /// For each node address that lies inside a route: the node and the route.
    inside: FxHashMap<NodeId, Vec<(IpAddr, RouteId)>>,
}

impl Routes {
    /// Collects the routes of all nodes, and who carries each.
    pub fn new(tailnet: &Tailnet, dialect: Dialect) -> Self {
        let mut advertised: FxHashMap<IpNet, Vec<NodeId>> = FxHashMap::default();
        let mut nets = Vec::new();
        for id in tailnet.routers().iter().copied() {
            for net in tailnet.node(id).into_iter().flat_map(Node::subnet_routes) {
                let advertisers = advertised.entry(net).or_insert_with(|| {
                    nets.push(net);
                    Vec::new()
                });
                advertisers.push(id);
            }
        }
        nets.sort_by_key(|net| (net.addr(), net.prefix_len()));
        let mut routes = Routes::default();
        for net in nets {
            let mut advertisers = advertised.remove(&net).unwrap_or_default();
            // headscale passes over a router that is not connected.
            let away = |id: NodeId| {
                let details = tailnet.node(id).and_then(|it| it.details.as_deref());
                dialect == Dialect::Headscale && details.and_then(|it| it.online) == Some(false)
            };
            advertisers.sort_by_key(|id| (away(*id), tailnet.age(*id)));
            routes.by_net.insert(net, RouteId(routes.all.len() as u32));
            routes.all.push(Route { net, advertisers: advertisers.into() });
            let lengths = match net {
                IpNet::V4(_) => &mut routes.lengths[0],
                IpNet::V6(_) => &mut routes.lengths[1],
            };
            if !lengths.contains(&net.prefix_len()) {
                lengths.push(net.prefix_len());
            }
        }
        routes.find_addresses_inside(tailnet);
        routes
    }

    fn find_addresses_inside(&mut self, tailnet: &Tailnet) {
        for (route, id) in self.all.iter().zip((0..).map(RouteId)) {
            let nodes: Vec<NodeId> = nodes_in(tailnet, route.net.into()).collect();
            for node in nodes {
                let addresses = tailnet.node(node).into_iter().flat_map(|it| it.addresses());
                let inside = addresses.filter(|it| route.net.contains(it)).map(|it| (it, id));
                self.inside.entry(node).or_default().extend(inside);
            }
        }
    }

    /// Every distinct route, in order.
    pub fn all(&self) -> &[Route] {
        &self.all
    }

    /// Every distinct route with its id.
    pub fn iter(&self) -> impl Iterator<Item = (RouteId, &Route)> {
        (0..).map(RouteId).zip(&self.all)
    }

    /// A route by its id.
    pub fn get(&self, id: RouteId) -> Option<&Route> {
        self.all.get(id.0 as usize)
    }

    /// The id of a prefix that is a route.
    pub fn find(&self, net: IpNet) -> Option<RouteId> {
        self.by_net.get(&net).copied()
    }

    /// The routes that share an address with a range.
    pub fn overlapping(&self, range: IpRange) -> impl Iterator<Item = RouteId> + '_ {
        let first = range.first();
        let start = self.all.partition_point(|it| it.net.addr() < first);
        let end = self.all.partition_point(|it| it.net.addr() <= range.last());
        let beginning_inside = (start as u32..end.max(start) as u32).map(RouteId);
        let lengths = if first.is_ipv4() { &self.lengths[0] } else { &self.lengths[1] };
        let around = lengths.iter().filter_map(move |length| {
            let net = IpNet::new(first, *length).ok()?.trunc();
            // One that begins at the first address has been counted above.
            self.find(net).filter(|_| net.addr() != first)
        });
        beginning_inside.chain(around)
    }

    /// The addresses of a node that lie inside a route of somebody, and that route.
    pub fn around(&self, node: NodeId) -> &[(IpAddr, RouteId)] {
        self.inside.get(&node).map_or(&[], Vec::as_slice)
    }

    /// Whether any node's address lies inside a route.
    pub fn any_around(&self) -> bool {
        !self.inside.is_empty()
    }

    /// Adds to `nodes` every node that a packet for these addresses may be meant for: the nodes that
    /// have one of them, and the routers behind which one of them lies.
    pub fn reached_by(&self, tailnet: &Tailnet, range: IpRange, nodes: &mut Vec<u32>) {
        nodes.extend(nodes_in(tailnet, range).map(|it| it.0));
        self.routers(range, nodes);
    }

    /// Adds to `nodes` the routers behind which one of these addresses lies.
    pub fn routers(&self, range: IpRange, nodes: &mut Vec<u32>) {
        for route in self.overlapping(range).filter_map(|id| self.get(id)) {
            nodes.extend(route.advertisers.iter().map(|it| it.0));
        }
    }

    /// The nodes of a set, and the routers behind which one of their addresses lies; `None` where
    /// that adds nobody, as in nearly every tailnet.
    pub fn with_routers(&self, set: &NodeSet) -> Option<NodeSet> {
        if !self.any_around() {
            return None;
        }
        let around =
            set.iter().flat_map(|node| self.around(node)).filter_map(|(_, id)| self.get(*id));
        let routers: Vec<u32> =
            around.flat_map(|it| it.advertisers.iter().map(|it| it.0)).collect();
        if routers.is_empty() {
            return None;
        }
        Some(NodeSet::union([set, &NodeSet::new(routers)].into_iter()))
    }
}

/// The nodes that have an address in a range.
pub(crate) fn nodes_in(tailnet: &Tailnet, range: IpRange) -> impl Iterator<Item = NodeId> + '_ {
    let (v4, v6) = match range {
        IpRange::V4(first, last) => (tailnet.ipv4_between(first, last), &[][..]),
        IpRange::V6(first, last) => (&[][..], tailnet.ipv6_between(first, last)),
    };
    v4.iter().map(|it| it.1).chain(v6.iter().map(|it| it.1))
}
