//! Which nodes a part of a rule reaches: what is said of them, and who they are.
//!
//! What is said follows from the policy alone and never changes; who they are is made of it for all
//! nodes at once, and brought up to date for single nodes when the tailnet changes. Both ways must
//! agree, which `tests/laws_apply.rs` checks.
//!
//! SOURCE: docs/language.md, "Destinations" and "Capabilities" and "Routes".

use rustc_hash::FxHashSet;

use super::node_set::NodeSet;
use super::posture::qualifies;
use super::resolver::Resolver;
use super::routes::nodes_in;
use super::sources::KeyId;
use super::*;
use crate::policy::PostureId;

/// A set of nodes that parts reach, by its position in [`Tables::reaches`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct ReachId(pub(super) u32);

/// What is said of the nodes that a part reaches.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) enum Scope {
    /// There are none.
    Nobody,
    /// All are.
    Everyone,
    /// They have an approved default route.
    ExitNodes,
    /// They have an approved default route, and are not of these.
    ExitNodesBeyond(ReachId),
    /// A selector names them by identity.
    Members(Target),
    /// They are these, or routers behind which one of these lies.
    Around(ReachId),
    /// They have one of a selector's addresses, or lead to it.
    Addresses(Target),
    /// They are of these, and certainly meet one of the postures.
    Meeting(ReachId, Box<[PostureId]>),
    /// They have one of the tags, and lead to the selector's addresses: a grant with `via`.
    Routers(Box<[ReachId]>, Target),
    /// They are devices of the callers among people: `autogroup:self`.
    Own(Own),
}

/// How `autogroup:self` is meant.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Own {
    /// The callers.
    pub(super) source: KeyId,
    /// Whether a posture leaves out some of a user's devices.
    pub(super) restricted: bool,
    pub(super) direction: Direction,
}

/// Which way something goes between a user's devices.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Direction {
    /// As the rule says.
    Granted,
    /// Back.
    Companion,
}

/// Nodes that parts reach.
#[derive(Debug)]
pub(super) struct Reach {
    pub(super) scope: Scope,
    pub(super) nodes: NodeSet,
}

/// The nodes of a scope, all at once; those of `autogroup:self` are not made here.
pub(super) fn all_in_scope(scope: &Scope, reaches: &[Reach], resolver: &Resolver<'_>) -> NodeSet {
    let Resolver { policy, tailnet, .. } = *resolver;
    let set = |id: &ReachId| reaches.get(id.0 as usize).map(|it| &it.nodes);
    let is_exit = |id: NodeId| tailnet.node(id).is_some_and(|it| it.exit_routes().next().is_some());
    match scope {
        Scope::Nobody | Scope::Own(_) => NodeSet::default(),
        Scope::Everyone => NodeSet::all(tailnet),
        Scope::ExitNodes => {
            let exits = tailnet.routers().iter().filter(|it| is_exit(**it));
            NodeSet::new(exits.map(|it| it.0).collect())
        }
        Scope::ExitNodesBeyond(nodes) => {
            let exits = tailnet.routers().iter().filter(|it| is_exit(**it));
            let beyond = exits.filter(|it| !set(nodes).is_some_and(|set| set.contains(**it)));
            NodeSet::new(beyond.map(|it| it.0).collect())
        }
        Scope::Members(target) => resolver.members.of(*target),
        Scope::Around(members) => {
            let members = set(members).cloned().unwrap_or_default();
            resolver.routes.with_routers(&members).unwrap_or(members)
        }
        Scope::Addresses(target) => {
            let mut nodes = Vec::new();
            for range in resolver.book.ranges(*target) {
                resolver.routes.reached_by(tailnet, range, &mut nodes);
            }
            NodeSet::new(nodes)
        }
        Scope::Meeting(nodes, postures) => {
            let qualified = resolver.qualified.get(policy, tailnet, postures);
            let nodes = set(nodes).into_iter().flat_map(NodeSet::iter);
            let nodes = nodes.filter(|it| qualified.certain.contains(*it));
            NodeSet::new(nodes.map(|it| it.0).collect())
        }
        Scope::Routers(tags, target) => {
            let tagged = NodeSet::union(tags.iter().filter_map(set));
            if *target == INTERNET_TARGET {
                let exits = tagged.iter().filter(|it| is_exit(*it));
                return NodeSet::new(exits.map(|it| it.0).collect());
            }
            let mut nodes = Vec::new();
            let ranges = resolver.book.ranges(*target);
            ranges.iter().for_each(|it| resolver.routes.routers(*it, &mut nodes));
            nodes.retain(|it| tagged.contains(NodeId(*it)));
            NodeSet::new(nodes)
        }
    }
}

impl Tables<'_> {
    /// Whether a node is in a scope that is not of `autogroup:self`; `names` are the selectors that
    /// name the node by identity.
    pub(super) fn is_in_scope(&self, scope: &Scope, id: NodeId, names: &FxHashSet<Target>) -> bool {
        let Some(node) = self.tailnet.node(id) else { return false };
        let among = |it: &ReachId| self.nodes_of(*it).contains(id);
        let is_exit = || node.exit_routes().next().is_some();
        let leads_to = |target: Target| {
            let ranges = self.book.ranges(target);
            node.subnet_routes().any(|net| ranges.iter().any(|it| it.overlaps(net.into())))
        };
        match scope {
            Scope::Nobody | Scope::Own(_) => false,
            Scope::Everyone => !node.has_left(),
            Scope::ExitNodes => is_exit(),
            Scope::ExitNodesBeyond(nodes) => is_exit() && !among(nodes),
            Scope::Members(target) => names.contains(target),
            Scope::Around(members) => {
                let members = self.nodes_of(*members);
                let behind = |net: ipnet::IpNet| {
                    nodes_in(&self.tailnet, net.into()).any(|it| members.contains(it))
                };
                members.contains(id) || node.subnet_routes().any(behind)
            }
            Scope::Addresses(target) => {
                node.addresses().any(|it| self.book.contains(*target, it)) || leads_to(*target)
            }
            Scope::Meeting(nodes, postures) => {
                among(nodes) && qualifies(self.policy, postures, node)
            }
            Scope::Routers(tags, target) => {
                let leads = if *target == INTERNET_TARGET { is_exit() } else { leads_to(*target) };
                leads && tags.iter().any(among)
            }
        }
    }

    pub(super) fn nodes_of(&self, reach: ReachId) -> &NodeSet {
        static NOBODY: OnceLock<NodeSet> = OnceLock::new();
        let reach = self.reaches.get(reach.0 as usize).map(|it| &it.nodes);
        reach.unwrap_or_else(|| NOBODY.get_or_init(NodeSet::default))
    }
}
