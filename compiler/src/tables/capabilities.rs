//! What a node may do by itself: its capability map. Every node has some capabilities, its role and
//! the tailnet's settings add to them, and so does each entry of `nodeAttrs` that names it.
//!
//! SOURCE: docs/language.md, "Node attributes".

use std::borrow::Cow;
use std::collections::BTreeMap;

use rustc_hash::FxHashSet;

use super::incidence::Incidence;
use super::resolver::Resolver;
use super::routes::nodes_in;
use super::*;
use crate::ast::{APP_CONNECTORS, Text};
use crate::dialect::Dialect;
use crate::policy::NodeAttr;
use crate::tailnet::Role;

/// What the control plane gives every node. It is its own choice and no policy's, so it stands here
/// as one list to be replaced when it changes.
const BASELINE: [&str; 7] = [
    "https://tailscale.com/cap/file-sharing",
    "https://tailscale.com/cap/ssh",
    "https://tailscale.com/cap/tailnet-lock",
    "probe-udp-lifetime",
    "ssh-behavior-v1",
    "ssh-env-vars",
    "store-appc-routes",
];

const IS_OWNER: &str = "https://tailscale.com/cap/is-owner";
const IS_ADMIN: &str = "https://tailscale.com/cap/is-admin";
const RANDOMIZE_CLIENT_PORT: &str = "randomize-client-port";

/// The attribute that takes a node's IPv4 address away.
const DISABLE_IPV4: &str = "disable-ipv4";

/// The attribute that lets a node offer ports to the internet, what comes with it, and what warns
/// that it can not yet: the tailnet has no certificates.
const FUNNEL: &str = "funnel";
const FUNNEL_PORTS: &str = "https://tailscale.com/cap/funnel-ports?ports=443,8443,10000";
const FUNNEL_WITHOUT_HTTPS: &str = "https://tailscale.com/cap/warn-funnel-no-https";

/// What the entries of `nodeAttrs` give to which nodes.
#[derive(Debug)]
pub(super) struct Given {
    /// The nodes of each entry, as a position among the sets.
    entries: Vec<u32>,
    sets: Vec<NodeSet>,
    /// Which entries name each node; made when more than one node is asked for.
    delivery: OnceLock<Incidence>,
    /// The nodes without their IPv4 address; `None` where all nodes are.
    only_ipv6: Option<NodeSet>,
}

impl Given {
    /// Resolves the targets of every entry.
    pub(super) fn new(resolver: &Resolver<'_>) -> Self {
        let policy = resolver.policy;
        let mut known: FxHashMap<Vec<Target>, u32> = FxHashMap::default();
        let mut parts: FxHashMap<Target, NodeSet> = FxHashMap::default();
        let mut sets = Vec::new();
        let mut entries = Vec::with_capacity(policy.node_attrs.len());
        for entry in &policy.node_attrs {
            let targets = entry.target.iter().map(|it| it.value).collect();
            let set = *known.entry(targets).or_insert_with_key(|targets| {
                for target in targets {
                    parts.entry(*target).or_insert_with(|| named(resolver, *target));
                }
                let parts = targets.iter().filter_map(|it| parts.get(it));
                sets.push(NodeSet::union(parts));
                sets.len() as u32 - 1
            });
            entries.push(set);
        }
        let disabling =
            policy.node_attrs.iter().zip(&entries).filter(|(entry, _)| disables_ipv4(entry));
        let disabled = disabling.filter_map(|(_, set)| sets.get(*set as usize));
        let only_ipv6 = NodeSet::union(disabled.collect::<Vec<_>>().into_iter());
        let only_ipv6 = (!policy.file.settings.disable_ipv4).then_some(only_ipv6);
        Self { entries, sets, delivery: OnceLock::new(), only_ipv6 }
    }

    /// Brings every entry up to date for one node, which these selectors name by identity.
    pub(super) fn renew(
        &mut self,
        policy: &Policy,
        tailnet: &Tailnet,
        id: NodeId,
        names: &FxHashSet<Target>,
    ) {
        let Some(node) = tailnet.node(id) else { return };
        let is_named = |target: Target| match (target, policy.net(target)) {
            (Target::Any, _) => !node.has_left(),
            (_, Some(net)) => node.addresses().any(|it| net.contains(&it)),
            _ => names.contains(&target),
        };
        let mut disabled = false;
        for ((entry, set), number) in policy.node_attrs.iter().zip(&self.entries).zip(0..) {
            let member = entry.target.iter().any(|it| is_named(it.value));
            disabled |= member && disables_ipv4(entry);
            if let Some(nodes) = self.sets.get_mut(*set as usize) {
                nodes.set(id, member);
            }
            if let Some(delivery) = self.delivery.get_mut() {
                delivery.change(number, id, member);
            }
        }
        if let Some(only_ipv6) = &mut self.only_ipv6 {
            only_ipv6.set(id, disabled);
        }
    }

    fn set(&self, entry: u32) -> Option<&NodeSet> {
        self.sets.get(*self.entries.get(entry as usize)? as usize)
    }

    pub(super) fn prepare(&self, universe: usize) {
        self.delivery.get_or_init(|| {
            let count = self.entries.len() as u32;
            Incidence::new((0..count).filter_map(|it| Some((it, self.set(it)?))), universe)
        });
    }

    /// The positions of the entries that name a node, in the order of the file.
    fn to(&self, node: NodeId) -> Vec<u32> {
        match self.delivery.get() {
            Some(delivery) => delivery.of(node, |it| self.set(it)),
            None => {
                let all = 0..self.entries.len() as u32;
                all.filter(|it| self.set(*it).is_some_and(|it| it.contains(node))).collect()
            }
        }
    }

    pub(super) fn heap_bytes(&self) -> usize {
        let sets = self.sets.iter().map(NodeSet::heap_bytes).sum::<usize>();
        let delivery = self.delivery.get().map_or(0, Incidence::heap_bytes);
        let only_ipv6 = self.only_ipv6.as_ref().map_or(0, NodeSet::heap_bytes);
        size_of_val(&*self.entries) + sets + delivery + only_ipv6
    }
}

fn disables_ipv4(entry: &NodeAttr) -> bool {
    entry.attr.iter().any(|it| &*it.value == DISABLE_IPV4)
}

/// The nodes that a target names: by identity, or because one of their addresses is inside.
fn named(resolver: &Resolver<'_>, target: Target) -> NodeSet {
    match (target, resolver.policy.net(target)) {
        (Target::Any, _) => NodeSet::all(resolver.tailnet),
        (_, Some(net)) => {
            let inside = nodes_in(resolver.tailnet, net.into());
            NodeSet::new(inside.map(|it| it.0).collect())
        }
        _ => NodeSet::new(resolver.members.list(target)),
    }
}

/// The capabilities of a node by name, each with its value as JSON.
pub type CapMap<'a> = BTreeMap<Cow<'a, str>, Cow<'a, str>>;

impl<'a> Tables<'a> {
    /// The capability map of a node. An entry of `nodeAttrs` can only add to it.
    pub fn cap_map(&self, id: NodeId) -> CapMap<'a> {
        let mut caps = CapMap::new();
        let Some(node) = self.tailnet.node(id) else { return caps };
        let headscale = self.dialect() == Dialect::Headscale;
        if headscale {
            caps.extend(headscale::BASELINE.map(|(name, value)| (name.into(), value.into())));
        }
        let mut add = |name: &'a str| {
            caps.entry(name.into()).or_insert("null".into());
        };
        if !headscale {
            BASELINE.iter().for_each(|it| add(it));
        }
        let role = match node.owner {
            Owner::User(user) => self.tailnet.user(user).and_then(|it| it.role),
            _ => None,
        };
        // Tagged nodes bear the mark of the owner, for reasons of the control plane's own.
        if !headscale && (role == Some(Role::Owner) || matches!(node.owner, Owner::Tags(_))) {
            add(IS_OWNER);
        }
        if !headscale && matches!(role, Some(Role::Owner | Role::Admin)) {
            add(IS_ADMIN);
        }
        if self.policy.file.settings.randomize_client_port {
            add(RANDOMIZE_CLIENT_PORT);
        }
        let entries = self.given().to(id);
        let entries = entries.iter().filter_map(|it| self.policy.node_attrs.get(*it as usize));
        let entries: Vec<&'a NodeAttr> = entries.collect();
        for attr in entries.iter().flat_map(|it| &it.attr) {
            add(&attr.value);
            if &*attr.value == FUNNEL {
                add(FUNNEL_PORTS);
                if self.tailnet.settings().https_enabled != Some(true) {
                    add(FUNNEL_WITHOUT_HTTPS);
                }
            }
        }
        for entry in entries {
            for cap in entry.app.iter().filter(|it| &*it.name.value != APP_CONNECTORS) {
                add_values(&mut caps, &cap.name.value, &cap.values);
            }
            let mine = |it: &Text| **it == *"*" || carries(node, it);
            for connector in entry.connectors.iter().filter(|it| it.on.iter().any(mine)) {
                add_values(&mut caps, APP_CONNECTORS, &format!("[{}]", connector.json));
            }
        }
        let settings = self.tailnet.settings();
        if let Some(on) = settings.devices_auto_updates_on {
            caps.insert("default-auto-update".into(), format!("[{on}]").into());
        }
        if let Some(name) = settings.display_name.as_ref().filter(|_| !headscale) {
            let value = format!("[{}]", super::wire::quoted(name));
            caps.insert("tailnet-display-name".into(), value.into());
        }
        caps
    }

    /// The addresses by which other nodes know a node.
    ///
    /// SOURCE: docs/language.md, "Peers": a policy may leave out those of IPv4.
    pub fn known_addresses(&self, id: NodeId) -> impl Iterator<Item = IpAddr> + '_ {
        let only_ipv6 = self.is_only_ipv6(id);
        let addresses = self.tailnet.node(id).into_iter().flat_map(Node::addresses);
        addresses.filter(move |it| it.is_ipv6() || !only_ipv6)
    }

    /// Whether the viewers of a node are told that it can be an exit node.
    pub(super) fn is_suggested(&self, id: NodeId) -> bool {
        let entries = self.given().to(id).into_iter();
        let mut entries = entries.filter_map(|it| self.policy.node_attrs.get(it as usize));
        self.dialect() == Dialect::Tailscale
            || entries.any(|it| it.attr.iter().any(|it| &*it.value == headscale::SUGGEST_EXIT_NODE))
    }

    /// Whether a node sees its peers without their IPv4 address.
    pub(super) fn sees_only_ipv6(&self, id: NodeId) -> bool {
        self.dialect() == Dialect::Tailscale && self.is_only_ipv6(id)
    }

    /// Whether a policy takes the IPv4 address of a node away.
    pub fn is_only_ipv6(&self, id: NodeId) -> bool {
        self.given().only_ipv6.as_ref().is_none_or(|it| it.contains(id))
    }
}

fn carries(node: &Node, tag: &str) -> bool {
    matches!(&node.owner, Owner::Tags(tags) if tags.iter().any(|it| **it == *tag))
}

/// Adds the values of a capability to those that the node has of it; null is no value.
fn add_values<'a>(caps: &mut CapMap<'a>, name: &'a str, values: &str) {
    let known = caps.entry(name.into()).or_insert("null".into());
    let inner =
        |list: &str| list.strip_prefix('[').and_then(|it| it.strip_suffix(']')).map(str::to_owned);
    *known = match (inner(known), inner(values)) {
        (Some(before), Some(more)) if !before.is_empty() && !more.is_empty() => {
            format!("[{before},{more}]").into()
        }
        (Some(before), None) => format!("[{before}]").into(),
        (Some(before), Some(more)) => format!("[{before}{more}]").into(),
        (None, _) => values.to_owned().into(),
    };
}
