//! A tailnet → the same tailnet under neutral names, to be shown to strangers.
//!
//! Kept is what policies can tell apart: who has which role, which nodes are whose, equal tags,
//! the order of addresses and which route lies inside which. Everything that says whose tailnet
//! it is gets a number instead: users, logins and their domains, nodes, tags (a tag is often the
//! name of a product), services, keys, addresses, endpoints, custom attributes. Signatures over
//! keys are left out, because over other keys they mean nothing.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use rustc_hash::FxHashMap;

use super::{Details, Fact, Node, Owner, Service, Settings, Tailnet, User};

/// The same tailnet under neutral names.
pub fn redact(tailnet: &Tailnet) -> Tailnet {
    let facts = &tailnet.facts().without_gaps();
    let mut names = Names::new(facts.nodes.iter(), &facts.services);
    let domains = facts
        .domains
        .as_ref()
        .map(|known| known.iter().map(|it| names.domain(it).into()).collect());
    let users =
        facts.users.iter().zip(1..).map(|(user, number)| names.user(user, number)).collect();
    let nodes =
        facts.nodes.iter().zip(1..).map(|(node, number)| names.node(node, number)).collect();
    let services = facts
        .services
        .iter()
        .zip(1..)
        .map(|(service, number)| names.service(service, number))
        .collect();
    let settings = Settings {
        display_name: facts.settings.display_name.as_ref().map(|_| "tailnet".into()),
        devices_auto_updates_on: facts.settings.devices_auto_updates_on,
        https_enabled: facts.settings.https_enabled,
    };
    Tailnet::new(super::Facts { users, nodes, services, domains, settings })
}

/// New names for old ones; an old one always gets the same new one.
struct Names {
    addresses: BTreeMap<IpAddr, IpAddr>,
    routes: FxHashMap<IpNet, IpNet>,
    domains: FxHashMap<Box<str>, usize>,
    tags: FxHashMap<Arc<str>, Arc<str>>,
    keys: FxHashMap<Box<str>, usize>,
    hosts: FxHashMap<IpAddr, u32>,
    attributes: FxHashMap<Box<str>, usize>,
    texts: FxHashMap<Box<str>, usize>,
}

/// The number of a text, from 1, in the order of first use.
fn number(numbers: &mut FxHashMap<Box<str>, usize>, text: &str) -> usize {
    let next = numbers.len() + 1;
    *numbers.entry(text.into()).or_insert(next)
}

impl Names {
    fn new<'a>(nodes: impl Iterator<Item = &'a Node> + Clone, services: &[Service]) -> Self {
        let served = services.iter().flat_map(|it| it.addresses.iter().copied());
        Self {
            addresses: addresses(nodes.clone().flat_map(Node::addresses).chain(served)),
            routes: routes(nodes.flat_map(|it| it.advertised.iter().chain(&it.routes)).copied()),
            domains: FxHashMap::default(),
            tags: FxHashMap::default(),
            keys: FxHashMap::default(),
            hosts: FxHashMap::default(),
            attributes: FxHashMap::default(),
            texts: FxHashMap::default(),
        }
    }

    /// `example.com`, `example2.com` …; how a person signs in is no secret and stays.
    fn domain(&mut self, domain: &str) -> String {
        if matches!(domain, "github" | "passkey") {
            return domain.to_owned();
        }
        match number(&mut self.domains, domain) {
            1 => "example.com".to_owned(),
            number => format!("example{number}.com"),
        }
    }

    fn user(&mut self, user: &User, number: u32) -> User {
        let name: Arc<str> = format!("user{number}").into();
        let login = match user.login.rsplit_once('@') {
            Some((_, domain)) => format!("{name}@{}", self.domain(domain)).into(),
            None => Arc::clone(&name),
        };
        let name = if user.name == user.login { Arc::clone(&login) } else { name };
        User { name, login, role: user.role }
    }

    fn tag(&mut self, tag: &Arc<str>) -> Arc<str> {
        let next = self.tags.len() + 1;
        Arc::clone(
            self.tags.entry(Arc::clone(tag)).or_insert_with(|| format!("tag:t{next}").into()),
        )
    }

    fn node(&mut self, node: &Node, number: u32) -> Node {
        let ipv4 = node.ipv4.and_then(|it| match self.addresses.get(&IpAddr::V4(it)) {
            Some(IpAddr::V4(new)) => Some(*new),
            _ => None,
        });
        let ipv6 = node.ipv6.and_then(|it| match self.addresses.get(&IpAddr::V6(it)) {
            Some(IpAddr::V6(new)) => Some(*new),
            _ => None,
        });
        let owner = match &node.owner {
            Owner::Tags(tags) => Owner::Tags(tags.iter().map(|it| self.tag(it)).collect()),
            other => other.clone(),
        };
        Node {
            name: format!("node{number}").into(),
            ipv4,
            ipv6,
            owner,
            routes: node.routes.iter().filter_map(|it| self.routes.get(it).copied()).collect(),
            advertised: node
                .advertised
                .iter()
                .filter_map(|it| self.routes.get(it).copied())
                .collect(),
            created: node.created,
            details: node.details.as_deref().and_then(|it| self.details(it).boxed()),
        }
    }

    fn service(&mut self, service: &Service, number: u32) -> Service {
        let addresses =
            service.addresses.iter().filter_map(|it| self.addresses.get(it).copied()).collect();
        Service { name: format!("svc:s{number}").into(), addresses }
    }

    fn details(&mut self, details: &Details) -> Details {
        let mut attributes: Vec<(Box<str>, Fact)> = Vec::with_capacity(details.attributes.len());
        for (name, fact) in &details.attributes {
            attributes.push(self.attribute(name, fact));
        }
        attributes.sort_by(|(one, _), (other, _)| one.cmp(other));
        Details {
            node_key: details.node_key.as_deref().map(|it| self.key("nodekey", it)),
            lock_key: details.lock_key.as_deref().map(|it| self.key("tlpub", it)),
            key_signature: None,
            key_expiry: details.key_expiry,
            os: details.os.clone(),
            attributes,
            endpoints: details.endpoints.iter().filter_map(|it| self.endpoint(it)).collect(),
            online: details.online,
            // Codes of one's own relays may say where somebody is.
            relay: None,
            authorized: details.authorized,
        }
    }

    /// Tailscale's own attributes (`node:os`) tell nothing of the tailnet; all others may.
    fn attribute(&mut self, name: &str, fact: &Fact) -> (Box<str>, Fact) {
        if name.starts_with("node:") {
            return (name.into(), fact.clone());
        }
        let family = name.split_once(':').map_or("custom", |(family, _)| family);
        let name = format!("{family}:a{}", number(&mut self.attributes, name)).into();
        let fact = match fact {
            Fact::Text(text) => Fact::Text(format!("text{}", number(&mut self.texts, text)).into()),
            other => other.clone(),
        };
        (name, fact)
    }

    fn key(&mut self, prefix: &str, key: &str) -> Box<str> {
        format!("{prefix}:{:064x}", number(&mut self.keys, key)).into()
    }

    /// An address in a range kept for documentation or tests, the port as it was.
    fn endpoint(&mut self, endpoint: &str) -> Option<Box<str>> {
        let socket: SocketAddr = endpoint.parse().ok()?;
        let next = self.hosts.len() as u32 + 1;
        let host = *self.hosts.entry(socket.ip()).or_insert(next);
        let address = match socket {
            // 198.18.0.0/15 is for measurements, and larger than the ranges for documentation.
            SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::from(0xc612_0000 | (host & 0x1_ffff))),
            SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::from((0x2001_0db8 << 96) | u128::from(host))),
        };
        Some(SocketAddr::new(address, socket.port()).to_string().into())
    }
}

/// New addresses inside Tailscale's ranges, in the order of the old ones.
fn addresses(old: impl Iterator<Item = IpAddr>) -> BTreeMap<IpAddr, IpAddr> {
    const FIRST_V4: u32 = 0x6440_0001;
    const FIRST_V6: u128 = (0xfd7a_115c_a1e0 << 80) | 1;
    let mut new: BTreeMap<IpAddr, IpAddr> = old.map(|it| (it, it)).collect();
    let (mut ipv4, mut ipv6) = (0_u32, 0_u128);
    for address in new.values_mut() {
        match address {
            IpAddr::V4(it) => {
                *it = FIRST_V4.wrapping_add(ipv4).into();
                ipv4 += 1;
            }
            IpAddr::V6(it) => {
                *it = (FIRST_V6 + ipv6).into();
                ipv6 += 1;
            }
        }
    }
    new
}

/// New routes of the same sizes, packed from 10.0.0.0 and fd00:: on, each within the new route of
/// the one that held it. The very large ones (exit routes among them) say nothing and stay.
fn routes(old: impl Iterator<Item = IpNet>) -> FxHashMap<IpNet, IpNet> {
    // Larger ones before those within them.
    let mut sorted: Vec<IpNet> = old.collect();
    sorted.sort_by_key(|it| (it.network(), it.prefix_len()));
    sorted.dedup();
    let mut new = FxHashMap::default();
    let mut open: Vec<Open> = Vec::new();
    let (mut free_v4, mut free_v6) = (0x0a00_0000_u128, 0xfd00_u128 << 112);
    for route in sorted {
        let (bits, keep) = if route.addr().is_ipv4() { (32, 8) } else { (128, 16) };
        if route.prefix_len() < keep {
            new.insert(route, route);
            continue;
        }
        while open.last().is_some_and(|it| !it.old.contains(&route)) {
            open.pop();
        }
        let free = match open.last_mut() {
            Some(outer) => &mut outer.free,
            None if bits == 32 => &mut free_v4,
            None => &mut free_v6,
        };
        let size = 1_u128.checked_shl(bits - u32::from(route.prefix_len())).unwrap_or(u128::MAX);
        let start = free.checked_next_multiple_of(size).unwrap_or(*free);
        *free = start.saturating_add(size);
        let renamed = if bits == 32 {
            u32::try_from(start)
                .ok()
                .and_then(|it| Ipv4Net::new(it.into(), route.prefix_len()).ok())
                .map(IpNet::V4)
        } else {
            Ipv6Net::new(start.into(), route.prefix_len()).ok().map(IpNet::V6)
        };
        // Beyond the end of all addresses there is nothing to rename to.
        new.insert(route, renamed.unwrap_or(route));
        open.push(Open { old: route, free: start });
    }
    new
}

/// A route that may hold the next ones.
struct Open {
    old: IpNet,
    /// The first address in its new place that no route within it has yet.
    free: u128,
}
