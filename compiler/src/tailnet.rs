//! The facts a policy is compiled against: users, nodes, their addresses and routes.
//!
//! Facts only, and indices to find them by; what a policy makes of them is not known here. Each
//! reader below turns one format people have into a [`Tailnet`].

mod reader;
mod shape;
mod native;
mod status;
mod devices;
mod headscale;
mod draft;
mod owners;
mod json;
pub(crate) mod locate;
pub mod problem;
mod groups;
mod name_table;
mod index;
mod change;
mod write;
mod redact;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use ipnet::IpNet;

use crate::time::Timestamp;

pub use change::{Change, Refused};
pub use index::{Age, Tailnet};
#[cfg(feature = "configuration")]
pub(crate) use reader::json5_offset;
pub use reader::{Inventory, MAX_BYTES, read};
pub use redact::redact;
pub use write::write;

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
#[derive(Clone, Debug, PartialEq)]
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
    pub created: Option<Timestamp>,
    /// What else is known; few questions need it.
    pub details: Option<Box<Details>>,
}

/// Facts about a node that tables do not need.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Details {
    /// `nodekey:…`
    pub node_key: Option<Box<str>>,
    /// `tlpub:…`
    pub lock_key: Option<Box<str>>,
    /// Its endorsement under Tailnet Lock, as the inventory writes it.
    pub key_signature: Option<Box<str>>,
    /// When its key ends.
    pub key_expiry: Option<Timestamp>,
    /// `linux`, `macOS` …, as reported.
    pub os: Option<Box<str>>,
    /// Posture attributes by name; an absent one is unknown. Sorted by name.
    pub attributes: Vec<(Box<str>, Fact)>,
    /// `address:port` pairs where it was last seen.
    pub endpoints: Vec<Box<str>>,
    /// Whether it is connected.
    pub online: Option<bool>,
    /// The relay through which alone it was reached, by its code: `fra`.
    pub relay: Option<Box<str>>,
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
    /// Whether devices get certificates for HTTPS, where it is known.
    pub https_enabled: Option<bool>,
}

/// Everything an inventory says, before it is indexed.
#[derive(Clone, Debug, Default, PartialEq)]
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

impl Role {
    /// Every role, the mightiest first.
    pub const ALL: [Role; 7] = [
        Role::Owner,
        Role::Admin,
        Role::NetworkAdmin,
        Role::ItAdmin,
        Role::BillingAdmin,
        Role::Auditor,
        Role::Member,
    ];

    /// As it is written: `network-admin`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::NetworkAdmin => "network-admin",
            Self::ItAdmin => "it-admin",
            Self::BillingAdmin => "billing-admin",
            Self::Auditor => "auditor",
            Self::Member => "member",
        }
    }
}

impl User {
    /// Whether they left the tailnet: they keep their place, and have no name, login or role.
    pub fn has_left(&self) -> bool {
        self.login.is_empty()
    }
}

impl Facts {
    /// The same without the gaps of those who left, and so with other ids.
    pub fn without_gaps(&self) -> Facts {
        let mut user_ids = Vec::with_capacity(self.users.len());
        let mut users = Vec::with_capacity(self.users.len());
        for user in &self.users {
            user_ids.push(UserId(users.len() as u32));
            users.extend(Some(user).filter(|it| !it.has_left()).cloned());
        }
        let owner = |owner: &Owner| match owner {
            Owner::User(id) => {
                user_ids.get(id.0 as usize).copied().map_or(Owner::Nobody, Owner::User)
            }
            other => other.clone(),
        };
        let nodes = self.nodes.iter().filter(|it| !it.has_left());
        let nodes = nodes.map(|it| Node { owner: owner(&it.owner), ..it.clone() }).collect();
        let (services, domains) = (self.services.clone(), self.domains.clone());
        Facts { users, nodes, services, domains, settings: self.settings.clone() }
    }
}

impl Node {
    /// Whether a route makes its node an exit node rather than a subnet router.
    pub fn is_exit_route(route: &IpNet) -> bool {
        route.prefix_len() == 0
    }

    /// Whether it left the tailnet: it keeps its place, so that all others keep their ids, and has no
    /// name, address, owner or route.
    pub fn has_left(&self) -> bool {
        self.name.is_empty()
    }

    /// What is left of a node that left.
    fn gap() -> Self {
        Node {
            name: "".into(),
            ipv4: None,
            ipv6: None,
            owner: Owner::Nobody,
            routes: Box::default(),
            advertised: Box::default(),
            created: None,
            details: None,
        }
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
