//! The facts a policy is compiled against: users, nodes, their addresses and routes.
//!
//! Facts only, and indices to find them by; what a policy makes of them is not known here. Each
//! reader below turns one format people have into a [`Tailnet`].

pub mod problem;
mod reader;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use ipnet::IpNet;
use rustc_hash::FxHashMap;

pub use reader::{Inventory, read};

/// A node by its position in the inventory.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct NodeId(pub u32);

/// A user by their position in the inventory, which is also their rank.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct UserId(pub u32);

/// What a user may do in the admin console.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Role {
    /// `owner`
    Owner,
    /// `admin`
    Admin,
    /// `network-admin`
    NetworkAdmin,
    /// `it-admin`
    ItAdmin,
    /// `billing-admin`
    BillingAdmin,
    /// `auditor`
    Auditor,
    /// `member`
    Member,
}

/// A person with a login.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct User {
    /// The short name.
    pub name: Arc<str>,
    /// The login that policies use: an e-mail address, `name@github`, `name@passkey`.
    pub login: Arc<str>,
    /// The role; `None` where the inventory does not say: a member for certain, the rest unknown.
    pub role: Option<Role>,
}

/// Whose a node is: a user's, or its tags'.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Owner {
    /// An untagged node of this user.
    User(UserId),
    /// A tagged node; the tags with their `tag:`, at least one. It has no user.
    Tags(Box<[Arc<str>]>),
    /// Neither is known: no selector but `*` and addresses matches it.
    Nobody,
}

/// What is known of one attribute of a device.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// It is known not to be set.
    NotSet,
    /// True or false.
    Bool(bool),
    /// A number.
    Number(f64),
    /// A text, a version among them.
    Text(Box<str>),
}

/// A device.
#[derive(Clone, Debug)]
pub struct Node {
    /// The key of its table; no two nodes share one.
    pub name: Arc<str>,
    /// Its address in `100.64.0.0/10`.
    pub ipv4: Option<Ipv4Addr>,
    /// Its address in `fd7a:115c:a1e0::/48`.
    pub ipv6: Option<Ipv6Addr>,
    /// A user or tags.
    pub owner: Owner,
    /// Routes it advertises *and* somebody approved, host bits cleared, without repeats, in the
    /// order of the inventory; `0.0.0.0/0` and `::/0` make it an exit node.
    pub routes: Box<[IpNet]>,
    /// Routes it advertises, approved or not.
    pub advertised: Box<[IpNet]>,
    /// When it joined; decides elections. Where it is missing, the order of the inventory does.
    pub created: Option<jiff::Timestamp>,
    /// What else is known; few questions need it.
    pub details: Option<Box<Details>>,
}

/// Facts about a node that tables do not need.
#[derive(Clone, Debug, Default)]
pub struct Details {
    /// `nodekey:…`
    pub node_key: Option<Box<str>>,
    /// `tlpub:…`
    pub lock_key: Option<Box<str>>,
    /// Its endorsement under Tailnet Lock, as the inventory writes it.
    pub key_signature: Option<Box<str>>,
    /// When its key ends.
    pub key_expiry: Option<jiff::Timestamp>,
    /// `linux`, `macOS` …, as reported.
    pub os: Option<Box<str>>,
    /// Posture attributes by name; an absent one is unknown. Sorted by name.
    pub attributes: Vec<(Box<str>, Fact)>,
    /// `address:port` pairs where it was last seen.
    pub endpoints: Vec<Box<str>>,
    /// Whether it is connected.
    pub online: Option<bool>,
    /// Whether an admin let it in.
    pub authorized: Option<bool>,
}

/// A named virtual address in front of some nodes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Service {
    /// `svc:…`
    pub name: Arc<str>,
    /// One IPv4 and one IPv6 address, usually.
    pub addresses: Vec<IpAddr>,
}

/// What the whole tailnet has set.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Settings {
    /// The name shown to people, where it is known.
    pub display_name: Option<Box<str>>,
    /// Whether new devices update themselves, where it is known.
    pub devices_auto_updates_on: Option<bool>,
}

/// Everything an inventory says, before it is indexed.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// In the order of their rank.
    pub users: Vec<User>,
    /// In the order of the inventory.
    pub nodes: Vec<Node>,
    /// In the order of the inventory.
    pub services: Vec<Service>,
    /// Login domains that belong to the tailnet; `None` where the inventory does not say.
    pub domains: Option<Vec<Box<str>>>,
    /// Settings of the whole tailnet.
    pub settings: Settings,
}

/// Facts, and what finds them fast: by name, user, tag, address and age.
#[derive(Clone, Debug)]
pub struct Tailnet {
    facts: Facts,
    by_name: FxHashMap<Arc<str>, NodeId>,
    by_login: FxHashMap<Arc<str>, UserId>,
    by_tag: FxHashMap<Arc<str>, Vec<NodeId>>,
    /// The untagged nodes of each user.
    by_user: Vec<Vec<NodeId>>,
    /// Sorted by address.
    ipv4: Vec<(u32, NodeId)>,
    /// Sorted by address.
    ipv6: Vec<(u128, NodeId)>,
    /// The rank of each node by `created`, then by the order of the inventory.
    age: Vec<u32>,
}

impl Tailnet {
    /// Indexes the facts. Of two nodes with one name or address the first is found; readers have
    /// reported the second.
    pub fn new(facts: Facts) -> Self {
        let mut by_name = FxHashMap::default();
        let mut by_login = FxHashMap::default();
        let mut by_tag: FxHashMap<Arc<str>, Vec<NodeId>> = FxHashMap::default();
        let mut by_user = vec![Vec::new(); facts.users.len()];
        let (mut ipv4, mut ipv6) = (Vec::new(), Vec::new());
        for (user, id) in facts.users.iter().zip(0..) {
            by_login.entry(Arc::clone(&user.login)).or_insert(UserId(id));
        }
        by_name.reserve(facts.nodes.len());
        for (node, id) in facts.nodes.iter().zip((0..).map(NodeId)) {
            by_name.entry(Arc::clone(&node.name)).or_insert(id);
            ipv4.extend(node.ipv4.map(|it| (u32::from(it), id)));
            ipv6.extend(node.ipv6.map(|it| (u128::from(it), id)));
            match &node.owner {
                Owner::User(user) => {
                    if let Some(nodes) = by_user.get_mut(user.0 as usize) {
                        nodes.push(id);
                    }
                }
                Owner::Tags(tags) => {
                    for tag in tags {
                        let nodes = by_tag.entry(Arc::clone(tag)).or_default();
                        if nodes.last() != Some(&id) {
                            nodes.push(id);
                        }
                    }
                }
                Owner::Nobody => {}
            }
        }
        ipv4.sort_unstable();
        ipv6.sort_unstable();
        let mut oldest_first: Vec<u32> = (0..facts.nodes.len() as u32).collect();
        oldest_first.sort_by_key(|id| facts.nodes.get(*id as usize).map(|it| (it.created.is_none(), it.created)));
        let mut age = vec![0; facts.nodes.len()];
        for (rank, id) in (0..).zip(oldest_first) {
            if let Some(slot) = age.get_mut(id as usize) {
                *slot = rank;
            }
        }
        Self { facts, by_name, by_login, by_tag, by_user, ipv4, ipv6, age }
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
        self.by_name.get(name).copied()
    }

    /// The user with this login.
    pub fn user_with_login(&self, login: &str) -> Option<UserId> {
        self.by_login.get(login).copied()
    }

    /// The untagged nodes of a user, in the order of the inventory.
    pub fn nodes_of(&self, user: UserId) -> &[NodeId] {
        self.by_user.get(user.0 as usize).map_or(&[], Vec::as_slice)
    }

    /// The nodes that carry a tag (with its `tag:`), in the order of the inventory.
    pub fn tagged(&self, tag: &str) -> &[NodeId] {
        self.by_tag.get(tag).map_or(&[], Vec::as_slice)
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

    /// The rank of a node by age: 0 is the one that joined first.
    pub fn age(&self, id: NodeId) -> u32 {
        self.age.get(id.0 as usize).copied().unwrap_or(u32::MAX)
    }
}

/// The part of a sorted list whose keys lie in `first..=last`.
fn between<'a, K: Ord, V>(sorted: &'a [(K, V)], first: &K, last: &K) -> &'a [(K, V)] {
    let start = sorted.partition_point(|(key, _)| key < first);
    let end = sorted.partition_point(|(key, _)| key <= last);
    sorted.get(start..end).unwrap_or(&[])
}

impl Node {
    /// Whether a route makes its node an exit node rather than a subnet router.
    pub fn is_exit_route(route: &IpNet) -> bool {
        route.prefix_len() == 0
    }

    /// Its approved routes that are not exit routes.
    pub fn subnet_routes(&self) -> impl Iterator<Item = IpNet> {
        self.routes.iter().copied().filter(|it| !Self::is_exit_route(it))
    }

    /// Its approved exit routes.
    pub fn exit_routes(&self) -> impl Iterator<Item = IpNet> {
        self.routes.iter().copied().filter(Self::is_exit_route)
    }

    /// Its own addresses, IPv4 first.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.ipv4.map(IpAddr::V4).into_iter().chain(self.ipv6.map(IpAddr::V6))
    }
}
