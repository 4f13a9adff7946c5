//! A [`Change`] of the tailnet → the same tables, changed in place, and whose differ from before.
//!
//! What the policy says never changes with the tailnet; what changes is who it speaks of. So every set
//! is kept beside what it stands for (a scope, a list of selectors), and only the nodes that the change
//! concerns are asked again: one bit in each set. Three things reach further and are followed: two
//! sources may become equal or cease to be (`sets`), a user's devices are a source for each other
//! ([`super::own_devices`]), and a router stands for what lies behind it (`reroute`). Where a node lies
//! behind another, who sees whom is made anew with every change of a route, or of an address inside one.
//!
//! The answer is the same as that of tables made afresh, which `tests/laws_apply.rs` checks.

mod reroute;
mod sets;
mod sight;
mod ssh_tables;

use rustc_hash::FxHashSet;

use super::node_set::{Bits, NodeSet};
use super::sources::{KeyId, SourceId};
use super::*;
use crate::ast::Text;
use crate::dialect::Dialect;
use crate::tailnet::{Change, Facts, Refused};
use reroute::Rerouting;

/// What a change did.
#[derive(Clone, Debug)]
pub struct Applied {
    /// The nodes that are no longer what they were; the one that joined or left is among them.
    pub nodes: Vec<NodeId>,
    /// Which selectors stand for other nodes than before.
    pub sets: Vec<SetChange>,
    /// Whose tables differ.
    pub touched: Touched,
}

/// A node that a user, group, tag or autogroup of the policy stands for now, or no longer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SetChange {
    /// The selector.
    pub set: Target,
    /// The node.
    pub node: NodeId,
    /// Whether it is in the set now; before it was the other way round.
    pub joined: bool,
}

/// Whose tables a change touches: filter rules, SSH rules, capabilities or what is told of peers.
///
/// Every node whose table differs is among them. Most changes touch no other; a node that moves, or a
/// change behind a router, may touch a few whose tables come out the same.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Touched {
    /// These nodes.
    These(NodeSet),
    /// Perhaps every node: a change behind more routers, or of a user with more nodes, than are worth
    /// following; any change where headscale is the control plane.
    All,
}

impl Touched {
    /// Whether a node's table may differ.
    pub fn contains(&self, id: NodeId) -> bool {
        match self {
            Touched::These(nodes) => nodes.contains(id),
            Touched::All => true,
        }
    }
}

/// A change behind more routers than this touches all nodes: whom each of them sees is a bitmap.
const MAX_ROUTERS: usize = 64;

/// A change of a user with more nodes than this is not followed node by node.
const MAX_NODES: usize = 250;

/// How things stand before a change, or after it, as far as the change concerns them.
struct Moment {
    nodes: Vec<Standing>,
    /// The routers with a route of one of the nodes, or with one of the nodes behind them.
    routers: Vec<NodeId>,
    /// Whom these see; `None` where they are too many.
    seen_by_routers: Option<Bits>,
}

/// How a node stands.
struct Standing {
    id: NodeId,
    node: Node,
    /// Its user's login.
    login: Option<Text>,
    /// The selectors that name it by identity.
    names: FxHashSet<Target>,
    /// Whether peers are told nothing of its IPv4 address.
    only_ipv6: bool,
    /// Whom it sees.
    visible: Bits,
}

/// A node, and the selectors that name it by identity.
type Named = (NodeId, FxHashSet<Target>);

impl Moment {
    fn names(&self) -> Vec<Named> {
        self.nodes.iter().map(|it| (it.id, it.names.clone())).collect()
    }
}

impl Tables<'_> {
    /// Applies a change to the tailnet and to the tables.
    ///
    /// Cost: what the change touches, and for each different source and destination of the policy a
    /// look at one node. The first change also makes what the later ones need, and copies a tailnet
    /// that was lent. A change for headscale, or of a user with very many nodes, lowers everything anew.
    /// The section `ssh` is lowered anew, but only when it is next asked for.
    ///
    /// Errors: see [`Refused`]; nothing has changed then.
    ///
    /// ```
    /// use compiler::tables::{Tables, wire};
    /// use compiler::tailnet::{Change, Owner, read};
    ///
    /// let nodes = r#"{"nodes": [{"name": "db", "tags": ["tag:db"], "ipv4": "100.64.0.1"},
    ///                           {"name": "web", "tags": ["tag:web"], "ipv4": "100.64.0.2"}]}"#;
    /// let tailnet = read(nodes).tailnet.ok_or("a tailnet")?;
    /// let policy = r#"{"tagOwners": {"tag:db": [], "tag:web": []},
    ///                  "grants": [{"src": ["tag:web"], "dst": ["tag:db"], "ip": ["5432"]}]}"#;
    /// let checked = compiler::check(policy, Some(&tailnet));
    /// let mut tables = Tables::new(checked.valid().ok_or("no error")?, tailnet);
    ///
    /// let web = tables.tailnet().node_named("web").ok_or("a node")?;
    /// let mut node = tables.tailnet().node(web).ok_or("a node")?.clone();
    /// node.owner = Owner::Tags(["tag:db".into()].into());
    /// let applied = tables.apply(Change::Becomes(web, Box::new(node)))?;
    ///
    /// let db = tables.tailnet().node_named("db").ok_or("a node")?;
    /// assert!(applied.touched.contains(db));
    /// assert!(tables.table(db).rules.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn apply(&mut self, change: Change) -> Result<Applied, Refused> {
        let concerned = self.tailnet.concerned(&change)?;
        // headscale offers exit nodes and picks routers by what the whole tailnet is.
        if concerned.len() > MAX_NODES || self.dialect() == Dialect::Headscale {
            return self.apply_anew(change, &concerned);
        }
        let before = self.moment(&concerned);
        let nodes = self.tailnet.to_mut().apply(change)?;
        self.forget_texts(&before, &nodes);

        let rerouting = self.reroute(&before, &nodes);
        let mut touched = Bits::new(self.tailnet.nodes().len());
        let mut affected = nodes.clone();
        affected.extend(before.routers.iter().copied().chain(self.routers_near(&nodes)));
        affected.sort_unstable();
        affected.dedup();

        let old_owners = self.via_owners();
        let mut change = self.change_reaches(&affected);
        self.change_keys(&before, &nodes, &rerouting, &mut change);
        self.change_own_devices(&before, &nodes, &mut change);
        self.change_delivery(&change);
        self.change_attributes(&nodes);
        self.change_positions(&change, &mut touched);
        match rerouting {
            Rerouting::Entangled => self.sight = OnceLock::new(),
            _ => self.change_sight(&nodes, &change, &old_owners, &rerouting),
        }

        let after = self.moment(&nodes);
        nodes.iter().for_each(|it| touched.insert(it.0));
        self.touch_parts(&change, &mut touched);
        touch_viewers(&before, &after, &mut touched);
        self.touch_ssh_tables(&before, &after, &mut touched);
        self.ssh = OnceLock::new();
        self.approval = OnceLock::new();
        let touched = match (before.seen_by_routers.as_ref(), after.seen_by_routers.as_ref()) {
            (Some(before), Some(after)) => {
                touched.add_bits(before);
                touched.add_bits(after);
                affected.iter().for_each(|it| touched.insert(it.0));
                Touched::These(touched.into_set())
            }
            _ => Touched::All,
        };
        let sets = set_changes(&before.names(), &after.names());
        Ok(Applied { nodes, sets, touched })
    }

    /// The same by lowering everything anew.
    fn apply_anew(&mut self, change: Change, concerned: &[NodeId]) -> Result<Applied, Refused> {
        let before: Vec<_> = concerned.iter().map(|it| (*it, self.names(*it))).collect();
        let nodes = self.tailnet.to_mut().apply(change)?;
        let nobody = Cow::Owned(Tailnet::new(Facts::default()));
        let tailnet = std::mem::replace(&mut self.tailnet, nobody);
        *self = from_policy::lower(self.policy, tailnet);
        let after: Vec<_> = nodes.iter().map(|it| (*it, self.names(*it))).collect();
        let sets = set_changes(&before, &after);
        Ok(Applied { nodes, sets, touched: Touched::All })
    }

    fn identities(&self) -> &Identities {
        self.identities.get_or_init(|| Identities::new(self.policy))
    }

    fn names(&self, id: NodeId) -> FxHashSet<Target> {
        let node = self.tailnet.node(id);
        node.map(|it| self.identities().of(self.policy, &self.tailnet, it)).unwrap_or_default()
    }

    fn moment(&self, nodes: &[NodeId]) -> Moment {
        let standing = |id: NodeId| {
            let node = self.tailnet.node(id)?.clone();
            let user = match node.owner {
                Owner::User(user) => self.tailnet.user(user),
                _ => None,
            };
            let login = user.map(|it| Arc::clone(&it.login));
            let (names, visible) = (self.names(id), self.visible(id));
            let only_ipv6 = self.is_only_ipv6(id);
            Some(Standing { id, node, login, names, only_ipv6, visible })
        };
        let routers = self.routers_near(nodes);
        let seen_by_routers = (routers.len() <= MAX_ROUTERS).then(|| {
            let mut seen = Bits::new(self.tailnet.nodes().len());
            routers.iter().for_each(|it| seen.add_bits(&self.visible(*it)));
            seen
        });
        let nodes = nodes.iter().filter_map(|it| standing(*it)).collect();
        Moment { nodes, routers, seen_by_routers }
    }

    /// The routers with a route that one of the nodes has, or behind which one of them lies.
    fn routers_near(&self, nodes: &[NodeId]) -> Vec<NodeId> {
        let mut routers = Vec::new();
        for id in nodes {
            let own = self.tailnet.node(*id).into_iter().flat_map(Node::subnet_routes);
            let own = own.filter_map(|it| self.routes.find(it));
            let around = self.routes.around(*id).iter().map(|it| it.1);
            let routes = own.chain(around).filter_map(|it| self.routes.get(it));
            routers.extend(routes.flat_map(|it| it.advertisers.iter().copied()));
        }
        routers.sort_unstable();
        routers.dedup();
        routers
    }

    /// Brings up to date what `nodeAttrs` gives to the nodes.
    fn change_attributes(&mut self, nodes: &[NodeId]) {
        let Tables { policy, tailnet, identities, given, .. } = self;
        let (Some(given), Some(identities)) = (given.get_mut(), identities.get()) else { return };
        for id in nodes {
            let Some(node) = tailnet.node(*id) else { continue };
            let names = identities.whatever_addresses(policy, tailnet, node);
            given.renew(policy, tailnet, *id, &names);
        }
    }

    /// Gives up what is told of the nodes as peers, as text, and makes room for one that joined.
    fn forget_texts(&mut self, before: &Moment, nodes: &[NodeId]) {
        let Some(texts) = self.peer_texts.get_mut() else { return };
        texts.resize_with(self.tailnet.nodes().len(), OnceLock::new);
        for id in before.nodes.iter().map(|it| &it.id).chain(nodes) {
            if let Some(text) = texts.get_mut(id.0 as usize) {
                *text = OnceLock::new();
            }
        }
    }
}

/// Whoever sees a node that looks another way than before, or sees one of the nodes no longer, or now.
fn touch_viewers(before: &Moment, after: &Moment, touched: &mut Bits) {
    for new in &after.nodes {
        match before.nodes.iter().find(|it| it.id == new.id) {
            None => touched.add_bits(&new.visible),
            Some(old) if looks_the_same(old, new) => {
                touched.add_difference(&old.visible, &new.visible);
            }
            Some(old) => {
                touched.add_bits(&old.visible);
                touched.add_bits(&new.visible);
            }
        }
    }
}

/// Whether peers are told the same of a node. What they are told of one with routes hangs on the
/// rules as well.
fn looks_the_same(old: &Standing, new: &Standing) -> bool {
    old.node.name == new.node.name
        && old.node.addresses().eq(new.node.addresses())
        && old.only_ipv6 == new.only_ipv6
        && old.node.routes.is_empty()
        && new.node.routes.is_empty()
}

/// Which selectors name one of the nodes now and did not before, or the other way round; in the order
/// of the nodes.
fn set_changes(before: &[Named], after: &[Named]) -> Vec<SetChange> {
    let nobody = FxHashSet::default();
    let mut changes = Vec::new();
    // The nodes are the same in both, but for one that joined, which is the last.
    for (at, (node, new)) in after.iter().enumerate() {
        let old = before.get(at).map_or(&nobody, |it| &it.1);
        let change = |set: &Target, joined| SetChange { set: *set, node: *node, joined };
        let mut of_node: Vec<SetChange> = old.difference(new).map(|it| change(it, false)).collect();
        of_node.extend(new.difference(old).map(|it| change(it, true)));
        of_node.sort_by_key(|it| it.set);
        changes.extend(of_node);
    }
    changes
}
