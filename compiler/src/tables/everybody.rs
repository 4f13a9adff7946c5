//! What `*` stands for as a source: the addresses of nodes and every approved subnet route.
//!
//! A tailnet may have as many routes as rules with `*`, so the list is made once and shared.

use std::hash::{Hash, Hasher};
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;

use super::address::{Addresses, NODES_V4, NODES_V6};
use super::ip_set::IpSet;
use super::node_set::NodeSet;
use super::routes::{Routes, nodes_in};
use crate::tailnet::{NodeId, Tailnet};

/// The list that `*` stands for.
///
/// INVARIANT: there is one for all sources of a tailnet, so two of them are always equal; interning
/// sources relies on it.
#[derive(Clone, Debug, Default)]
pub struct Everybody {
    list: Arc<List>,
    owners: NodeSet,
}

#[derive(Debug, Default)]
struct List {
    /// Sorted.
    entries: Box<[Addresses]>,
    addresses: IpSet,
}

impl Everybody {
    /// Collects the list. A route of one address that a node owns is left to [`Self::owned`]: as
    /// text it is the same as the node, which a source may name as well.
    pub(super) fn new(tailnet: &Tailnet, routes: &Routes) -> Self {
        let nets = routes.all().iter().map(|it| it.net);
        let list = List::new(nets.filter(|it| !is_owned(tailnet, Addresses::Net(*it))));
        let owners = list.addresses.ranges().flat_map(|it| nodes_in(tailnet, it)).map(|it| it.0);
        let owners = NodeSet::new(owners.collect());
        Self { list: Arc::new(list), owners }
    }

    /// The same after other routes were approved, none of which has an address of a node in it, now or
    /// before: whose addresses are listed is as it was.
    pub(super) fn with_routes(&self, routes: &Routes) -> Self {
        let list = List::new(routes.all().iter().map(|it| it.net));
        Self { list: Arc::new(list), owners: self.owners.clone() }
    }

    /// The routes that the shared list leaves out: each is the address of a node.
    pub(super) fn owned<'a>(
        tailnet: &'a Tailnet,
        routes: &'a Routes,
    ) -> impl Iterator<Item = Addresses> + 'a {
        let nets = routes.all().iter().map(|it| Addresses::Net(it.net));
        nets.filter(|it| is_owned(tailnet, *it))
    }

    /// The same, with the nodes that have one of the addresses brought up to date for some nodes.
    pub(super) fn with_owners(mut self, tailnet: &Tailnet, nodes: &[NodeId]) -> Self {
        let listed = |it: IpAddr| self.list.addresses.contains(it);
        for id in nodes {
            let owner = tailnet.node(*id).is_some_and(|it| it.addresses().any(listed));
            self.owners.set(*id, owner);
        }
        self
    }

    /// The entries, sorted.
    pub fn entries(&self) -> &[Addresses] {
        &self.list.entries
    }

    /// The addresses of all entries.
    pub fn addresses(&self) -> &IpSet {
        &self.list.addresses
    }

    /// The nodes that have one of the addresses themselves.
    pub fn owners(&self) -> &NodeSet {
        &self.owners
    }
}

impl List {
    fn new(routes: impl Iterator<Item = IpNet>) -> Self {
        let mut entries: Vec<Addresses> = NODES_V4.to_vec();
        entries.push(NODES_V6);
        entries.extend(routes.map(Addresses::Net));
        entries.sort_unstable();
        let mut addresses = IpSet::default();
        entries.iter().flat_map(|it| it.ranges()).for_each(|it| addresses.add(it));
        Self { entries: entries.into(), addresses }
    }
}

fn is_owned(tailnet: &Tailnet, addresses: Addresses) -> bool {
    addresses.single().is_some_and(|it| tailnet.node_at(it).is_some())
}

impl PartialEq for Everybody {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Everybody {}

impl Hash for Everybody {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}
