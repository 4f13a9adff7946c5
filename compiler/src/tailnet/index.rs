//! Facts → [`Tailnet`]: what finds nodes and users fast.
//!
//! Made for a million nodes: every index is a few flat lists of numbers. Names are looked up in a
//! table of ids without copies of the names; the nodes of all tags and of all users each lie in
//! one list, cut by a second list of starts. A change moves entries of these lists, and makes none of
//! them anew.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::groups::Groups;
use super::name_table::NameTable;
use super::{Facts, Node, NodeId, Owner, Service, Settings, User, UserId};
use crate::time::Timestamp;

/// Facts, and what finds them fast: by name, user, tag, address and age.
#[derive(Clone, Debug)]
pub struct Tailnet {
    pub(super) facts: Facts,
    pub(super) by_name: NameTable,
    pub(super) by_login: FxHashMap<Arc<str>, UserId>,
    pub(super) tags: FxHashMap<Arc<str>, u32>,
    pub(super) by_tag: Groups,
    /// The untagged nodes of each user.
    pub(super) by_user: Groups,
    /// Sorted by address.
    pub(super) ipv4: Vec<(u32, NodeId)>,
    /// Sorted by address.
    pub(super) ipv6: Vec<(u128, NodeId)>,
    pub(super) kinds: Kinds,
}

/// The nodes of each kind, so that asking for one does not go through all nodes again.
#[derive(Clone, Debug, Default)]
pub(super) struct Kinds {
    pub(super) untagged: Vec<NodeId>,
    pub(super) tagged: Vec<NodeId>,
    pub(super) routers: Vec<NodeId>,
    pub(super) without_address: Vec<NodeId>,
}

impl Kinds {
    fn new(nodes: &[Node]) -> Self {
        let mut kinds = Self::default();
        for (node, id) in nodes.iter().zip((0..).map(NodeId)) {
            match node.owner {
                Owner::User(_) => kinds.untagged.push(id),
                Owner::Tags(_) => kinds.tagged.push(id),
                Owner::Nobody => {}
            }
            if !node.routes.is_empty() {
                kinds.routers.push(id);
            }
            if node.addresses().next().is_none() && !node.has_left() {
                kinds.without_address.push(id);
            }
        }
        kinds
    }
}

/// Pairs of nodes that share what must be one node's own: the one found, and the later one.
#[derive(Debug, Default)]
pub(super) struct Clashes {
    /// Two nodes of one name.
    pub(super) names: Vec<(NodeId, NodeId)>,
    /// Two nodes with one address.
    pub(super) addresses: Vec<(NodeId, NodeId, IpAddr)>,
}

impl Tailnet {
    /// Indexes the facts. Of two nodes with one name or address the first is found; readers have
    /// reported the second.
    pub fn new(facts: Facts) -> Self {
        Self::with_clashes(facts).0
    }

    /// Indexes the facts, and tells which nodes stand in each other's way.
    pub(super) fn with_clashes(facts: Facts) -> (Self, Clashes) {
        let mut clashes = Clashes::default();
        let by_name = NameTable::new(&facts.nodes, &mut clashes.names);
        let mut by_login = FxHashMap::default();
        by_login.reserve(facts.users.len());
        for (user, id) in facts.users.iter().zip(0..).filter(|(user, _)| !user.has_left()) {
            by_login.entry(Arc::clone(&user.login)).or_insert(UserId(id));
        }
        let (tags, by_tag) = tag_groups(&facts.nodes);
        let owned =
            facts.nodes.iter().zip((0..).map(NodeId)).filter_map(|(node, id)| match &node.owner {
                Owner::User(user) => Some((user.0, id)),
                _ => None,
            });
        let by_user = Groups::new(facts.users.len(), &owned.collect::<Vec<_>>());
        let (mut ipv4, mut ipv6) =
            (Vec::with_capacity(facts.nodes.len()), Vec::with_capacity(facts.nodes.len()));
        for (node, id) in facts.nodes.iter().zip((0..).map(NodeId)) {
            ipv4.extend(node.ipv4.map(|it| (u32::from(it), id)));
            ipv6.extend(node.ipv6.map(|it| (u128::from(it), id)));
        }
        ipv4.sort_unstable();
        ipv6.sort_unstable();
        shared(&ipv4, |it| IpAddr::V4(it.into()), &mut clashes);
        shared(&ipv6, |it| IpAddr::V6(it.into()), &mut clashes);
        let kinds = Kinds::new(&facts.nodes);
        (Self { facts, by_name, by_login, tags, by_tag, by_user, ipv4, ipv6, kinds }, clashes)
    }

    /// Everything the inventory said, as changed since; see [`Node::has_left`].
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// All nodes, in the order of the inventory.
    pub fn nodes(&self) -> &[Node] {
        &self.facts.nodes
    }

    /// The ids of all nodes.
    pub fn node_ids(&self) -> impl ExactSizeIterator<Item = NodeId> + use<> {
        (0..self.facts.nodes.len() as u32).map(NodeId)
    }

    /// All users, in the order of the inventory, which is that of their rank.
    pub fn users(&self) -> &[User] {
        &self.facts.users
    }

    /// All services.
    pub fn services(&self) -> &[Service] {
        &self.facts.services
    }

    /// The login domains that belong to the tailnet, where the inventory says.
    pub fn domains(&self) -> Option<&[Box<str>]> {
        self.facts.domains.as_deref()
    }

    /// Settings of the whole tailnet.
    pub fn settings(&self) -> &Settings {
        &self.facts.settings
    }

    /// A node by its id; `None` for an id of another tailnet.
    pub fn node(&self, id: NodeId) -> Option<&Node> {
        self.facts.nodes.get(id.0 as usize)
    }

    /// A user by their id; `None` for an id of another tailnet.
    pub fn user(&self, id: UserId) -> Option<&User> {
        self.facts.users.get(id.0 as usize)
    }

    /// The node with this name.
    pub fn node_named(&self, name: &str) -> Option<NodeId> {
        self.by_name.get(name, &self.facts.nodes)
    }

    /// The user with this login.
    pub fn user_with_login(&self, login: &str) -> Option<UserId> {
        self.by_login.get(login).copied()
    }

    /// The untagged nodes of a user, in the order of the inventory.
    pub fn nodes_of(&self, user: UserId) -> &[NodeId] {
        self.by_user.get(user.0)
    }

    /// The nodes that carry a tag (with its `tag:`), in the order of the inventory.
    pub fn tagged(&self, tag: &str) -> &[NodeId] {
        self.tags.get(tag).map_or(&[], |it| self.by_tag.get(*it))
    }

    /// The nodes of people, in the order of the inventory.
    pub fn untagged_nodes(&self) -> &[NodeId] {
        &self.kinds.untagged
    }

    /// The nodes with at least one tag, in the order of the inventory.
    pub fn tagged_nodes(&self) -> &[NodeId] {
        &self.kinds.tagged
    }

    /// The nodes with an approved route, in the order of the inventory.
    pub fn routers(&self) -> &[NodeId] {
        &self.kinds.routers
    }

    /// The nodes that have no address, in the order of the inventory.
    pub fn nodes_without_address(&self) -> &[NodeId] {
        &self.kinds.without_address
    }

    /// The nodes whose IPv4 address lies in `first..=last`, by address.
    pub fn ipv4_between(&self, first: u32, last: u32) -> &[(u32, NodeId)] {
        between(&self.ipv4, &first, &last)
    }

    /// The nodes whose IPv6 address lies in `first..=last`, by address.
    pub fn ipv6_between(&self, first: u128, last: u128) -> &[(u128, NodeId)] {
        between(&self.ipv6, &first, &last)
    }

    /// The node that has this address.
    pub fn node_at(&self, address: IpAddr) -> Option<NodeId> {
        match address {
            IpAddr::V4(it) => self.ipv4_between(it.into(), it.into()).first().map(|it| it.1),
            IpAddr::V6(it) => self.ipv6_between(it.into(), it.into()).first().map(|it| it.1),
        }
    }

    /// What orders nodes by age.
    pub fn age(&self, id: NodeId) -> Age {
        let created = self.node(id).and_then(|it| it.created);
        Age(created.is_none(), created, id)
    }
}

impl<'a> From<&'a Tailnet> for Cow<'a, Tailnet> {
    fn from(lent: &'a Tailnet) -> Self {
        Cow::Borrowed(lent)
    }
}

impl From<Tailnet> for Cow<'_, Tailnet> {
    fn from(given: Tailnet) -> Self {
        Cow::Owned(given)
    }
}

/// The age of a node; the eldest is the least. The time of joining decides, and where that is not
/// known, the order of the inventory does; those nodes come last.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Age(bool, Option<Timestamp>, NodeId);

/// The part of a sorted list whose keys lie in `first..=last`.
fn between<'a, K: Ord, V>(sorted: &'a [(K, V)], first: &K, last: &K) -> &'a [(K, V)] {
    let start = sorted.partition_point(|(key, _)| key < first);
    let end = sorted.partition_point(|(key, _)| key <= last);
    sorted.get(start..end).unwrap_or(&[])
}

/// Neighbours in a sorted list that have one key: a clash of the later with the first of them.
fn shared<K: Copy + PartialEq>(
    sorted: &[(K, NodeId)],
    address: impl Fn(K) -> IpAddr,
    clashes: &mut Clashes,
) {
    let mut first: Option<(K, NodeId)> = None;
    for &(key, id) in sorted {
        match first {
            Some((known, owner)) if known == key => {
                clashes.addresses.push((owner, id, address(key)))
            }
            _ => first = Some((key, id)),
        }
    }
}

/// A number for each tag, and the nodes of each.
fn tag_groups(nodes: &[Node]) -> (FxHashMap<Arc<str>, u32>, Groups) {
    let mut tags: FxHashMap<Arc<str>, u32> = FxHashMap::default();
    let mut carried = Vec::new();
    // The last node of each tag, so that a tag given twice counts once.
    let mut last: Vec<NodeId> = Vec::new();
    for (node, id) in nodes.iter().zip((0..).map(NodeId)) {
        let Owner::Tags(own) = &node.owner else { continue };
        for tag in own {
            let number = match tags.get(tag) {
                Some(number) => *number,
                None => {
                    let number = tags.len() as u32;
                    tags.insert(Arc::clone(tag), number);
                    number
                }
            };
            match last.get_mut(number as usize) {
                Some(node) if *node == id => continue,
                Some(node) => *node = id,
                None => last.push(id),
            }
            carried.push((number, id));
        }
    }
    let groups = Groups::new(tags.len(), &carried);
    (tags, groups)
}
