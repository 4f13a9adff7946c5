//! Which advertised routes and exit nodes `autoApprovers` would approve without asking.
//!
//! Tables do not use this: what is approved is a fact of the inventory, because approval happens when
//! a route is first advertised and no later edit of the policy takes it back. It answers what becomes
//! of a route that nobody has approved yet, and which approved one the policy would not approve again.
//!
//! SOURCE: docs/language.md, "Routes".

use ipnet::IpNet;
use rustc_hash::FxHashMap;

use super::members::Members;
use super::node_set::NodeSet;
use super::*;
use crate::span::Spanned;

/// A route that a node advertises.
#[derive(Clone, Debug)]
pub struct Approval {
    /// The route; a default route offers an exit node.
    pub route: IpNet,
    /// Whether the inventory says that it is approved.
    pub approved: bool,
    /// The approvers of the policy that the node matches, the nearest prefix first; none: it is not
    /// approved unasked.
    pub by: Vec<Approver>,
}

/// An entry of `autoApprovers` that approves a route.
#[derive(Clone, Copy, Debug)]
pub struct Approver {
    /// The key of `routes`; `None` for `exitNode`.
    pub within: Option<IpNet>,
    /// Whose routes are approved, and where that is written.
    pub who: Spanned<Target>,
}

/// The section `autoApprovers`, with what finds an entry.
#[derive(Debug)]
pub(super) struct AutoApproval {
    exit_node: Vec<Spanned<Target>>,
    /// A prefix may stand in several members that differ in host bits.
    routes: FxHashMap<IpNet, Vec<Spanned<Target>>>,
    nodes: FxHashMap<Target, NodeSet>,
}

impl AutoApproval {
    fn new(policy: &Policy, tailnet: &Tailnet) -> Self {
        let written = &policy.auto_approvers;
        let members = Members::new(policy, tailnet);
        let mut routes: FxHashMap<IpNet, Vec<Spanned<Target>>> = FxHashMap::default();
        for (within, who) in &written.routes {
            routes.entry(within.value).or_default().extend(who.iter().copied());
        }
        let named = routes.values().flatten().chain(&written.exit_node);
        let mut nodes = FxHashMap::default();
        for who in named {
            let set = || NodeSet::new(members.list(who.value));
            nodes.entry(who.value).or_insert_with(set);
        }
        Self { exit_node: written.exit_node.clone(), routes, nodes }
    }

    /// The entries for a route, the nearest prefix first, whoever advertises it.
    fn entries(&self, route: IpNet) -> Vec<Approver> {
        if Node::is_exit_route(&route) {
            return self.exit_node.iter().map(|who| Approver { within: None, who: *who }).collect();
        }
        let mut entries = Vec::new();
        let mut around = Some(route);
        while let Some(within) = around {
            let who = self.routes.get(&within).into_iter().flatten();
            entries.extend(who.map(|who| Approver { within: Some(within), who: *who }));
            around = within.supernet();
        }
        entries
    }
}

impl Tables<'_> {
    /// What becomes of each route that a node advertises, in the order of the inventory.
    ///
    /// `0.0.0.0/0` under `routes` approves subnets only: an exit node is approved by `exitNode`.
    pub fn approvals(&self, id: NodeId) -> Vec<Approval> {
        let Some(node) = self.tailnet.node(id).filter(|it| !it.advertised.is_empty()) else {
            return Vec::new();
        };
        let auto = self.approval.get_or_init(|| AutoApproval::new(self.policy, &self.tailnet));
        let matches =
            |it: &Approver| auto.nodes.get(&it.who.value).is_some_and(|nodes| nodes.contains(id));
        let approval = |route: &IpNet| Approval {
            route: *route,
            approved: node.routes.contains(route),
            by: auto.entries(*route).into_iter().filter(matches).collect(),
        };
        node.advertised.iter().map(approval).collect()
    }
}
