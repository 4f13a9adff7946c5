//! Tables → who may log in where by SSH, and who has which capability of an application on which device.
//!
//! Beside [`reach`](super::reach), which is about packets: both need the way of packets as well.

use std::collections::BTreeMap;

use super::ends::Ends;
use crate::ast::{SshAction, Text};
use crate::policy::{SshRule, SshUser};
use crate::tables::flows::{SshFlow, To};
use crate::tables::ip_set::IpRange;
use crate::tables::ssh::owner;
use crate::tables::{NodeSet, Tables, nodes_in};
use crate::tailnet::{NodeId, UserId};

/// What somebody may do besides sending packets.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum What {
    /// Log in by SSH.
    Ssh {
        /// Whether only after a fresh login to the tailnet.
        check: bool,
        /// As whom, in the words of the policy.
        users: Vec<String>,
    },
    /// Use a capability of an application.
    App(Text),
}

/// A device, and what it may do or what may be done on it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Privilege {
    /// The device.
    pub node: NodeId,
    /// What.
    pub what: What,
    /// The rules: positions in the section `ssh` for a login, else in the policy.
    pub rules: Vec<u32>,
}

/// Which devices may do something on one of some ends, in the order of the inventory.
pub fn who_may(tables: &Tables<'_>, dst: &Ends) -> Vec<Privilege> {
    let wanted = devices(tables, dst);
    let mut found = Found::default();
    for flow in tables.ssh_flows() {
        let all = overlaps(flow.to, &wanted);
        let owner = |it| owner(tables.tailnet(), it);
        let own = wanted.iter().filter(|it| flow.reaches_own(*it));
        let own: Vec<UserId> = own.filter_map(owner).collect();
        let from = flow.from.iter();
        let from = from.filter(|it| all || owner(*it).is_some_and(|it| own.contains(&it)));
        found.login(tables, &flow, from);
    }
    for flow in tables.app_flows() {
        let source = |id| tables.source(id).owners(tables.tailnet());
        let mut senders: Vec<NodeId> = Vec::new();
        match &flow.to {
            To::Own(users) => {
                let reached = users.iter().filter(|it| it.1.iter().any(|it| wanted.contains(*it)));
                senders.extend(reached.flat_map(|it| source(it.0).iter().collect::<Vec<_>>()));
            }
            to if leads_to(tables, to, &wanted) => senders.extend(source(flow.source).iter()),
            _ => {}
        }
        for cap in flow.caps {
            found.app(&cap.name.value, flow.rule, senders.iter().copied());
        }
    }
    found.finish(&wanted)
}

/// On which devices some ends may do something, in the order of the inventory.
pub fn what_may(tables: &Tables<'_>, src: &Ends) -> Vec<Privilege> {
    let senders = devices(tables, src);
    let mut found = Found::default();
    for flow in tables.ssh_flows() {
        let from: Vec<NodeId> = flow.from.iter().filter(|it| senders.contains(*it)).collect();
        if from.is_empty() {
            continue;
        }
        let own = from.iter().filter_map(|it| owner(tables.tailnet(), *it));
        let own = own.flat_map(|it| tables.tailnet().nodes_of(it)).copied();
        let own: Vec<NodeId> = own.filter(|it| flow.reaches_own(*it)).collect();
        found.login(tables, &flow, flow.to.iter().chain(own));
    }
    for flow in tables.app_flows() {
        let sends = |id| overlaps(&tables.source(id).owners(tables.tailnet()), &senders);
        let reached: Vec<NodeId> = match &flow.to {
            To::Own(users) => {
                users.iter().filter(|it| sends(it.0)).flat_map(|it| it.1.clone()).collect()
            }
            to if sends(flow.source) => reached(tables, to),
            _ => Vec::new(),
        };
        for cap in flow.caps {
            found.app(&cap.name.value, flow.rule, reached.iter().copied());
        }
    }
    found.finish(&senders)
}

/// Whether a rule of the section `ssh` lets one device log in to another as anybody.
pub fn may_log_in(tables: &Tables<'_>, src: NodeId, dst: NodeId) -> bool {
    let same = owner(tables.tailnet(), src).is_some()
        && owner(tables.tailnet(), src) == owner(tables.tailnet(), dst);
    tables
        .ssh_flows()
        .any(|it| it.from.contains(src) && (it.to.contains(dst) || it.reaches_own(dst) && same))
}

/// The devices of an end, those of its addresses among them.
fn devices(tables: &Tables<'_>, ends: &Ends) -> NodeSet {
    let at = ends.ranges.iter().flat_map(|it| nodes_in(tables.tailnet(), *it));
    NodeSet::new(ends.nodes.iter().copied().chain(at).map(|it| it.0).collect())
}

fn overlaps(one: &NodeSet, other: &NodeSet) -> bool {
    let (small, large) = if one.len() < other.len() { (one, other) } else { (other, one) };
    small.iter().any(|it| large.contains(it))
}

/// The devices on which a part of a grant gives capabilities.
fn reached(tables: &Tables<'_>, to: &To<'_>) -> Vec<NodeId> {
    let within = |ranges: &[IpRange], nodes: &NodeSet| -> Vec<NodeId> {
        let at = ranges.iter().flat_map(|it| nodes_in(tables.tailnet(), *it));
        at.filter(|it| nodes.contains(*it)).collect()
    };
    match to {
        To::Nodes(nodes) | To::Everything(nodes) => nodes.iter().collect(),
        To::Ranges(ranges, nodes) => within(ranges, nodes),
        To::Behind(routers) => routers
            .iter()
            .flat_map(|(router, ranges)| within(ranges, &NodeSet::new(vec![router.0])))
            .collect(),
        To::Internet(_) => Vec::new(),
        To::Own(users) => users.iter().flat_map(|it| it.1.clone()).collect(),
    }
}

fn leads_to(tables: &Tables<'_>, to: &To<'_>, wanted: &NodeSet) -> bool {
    match to {
        To::Nodes(nodes) | To::Everything(nodes) => overlaps(nodes, wanted),
        to => reached(tables, to).iter().any(|it| wanted.contains(*it)),
    }
}

/// What was found, by device.
#[derive(Default)]
struct Found(BTreeMap<(NodeId, What), Vec<u32>>);

impl Found {
    fn login(
        &mut self,
        tables: &Tables<'_>,
        flow: &SshFlow<'_>,
        nodes: impl Iterator<Item = NodeId>,
    ) {
        let Some(rule) = tables.policy().ssh.get(flow.rule as usize) else { return };
        let check = rule.action.value == SshAction::Check;
        let what = What::Ssh { check, users: users(rule) };
        for node in nodes {
            self.0.entry((node, what.clone())).or_default().push(flow.rule);
        }
    }

    fn app(&mut self, name: &Text, rule: Option<u32>, nodes: impl Iterator<Item = NodeId>) {
        for node in nodes {
            self.0.entry((node, What::App(name.clone()))).or_default().extend(rule);
        }
    }

    /// Nobody needs a rule for what they do on the one device that is asked about.
    fn finish(self, asked: &NodeSet) -> Vec<Privilege> {
        let alone = if asked.len() == 1 { asked.iter().next() } else { None };
        let others = self.0.into_iter().filter(|it| Some(it.0.0) != alone);
        let privilege = |((node, what), mut rules): ((NodeId, What), Vec<u32>)| {
            rules.sort_unstable();
            rules.dedup();
            Privilege { node, what, rules }
        };
        others.map(privilege).collect()
    }
}

fn users(rule: &SshRule) -> Vec<String> {
    let text = |it: &SshUser| match it {
        SshUser::Named(name) => name.to_string(),
        SshUser::Nonroot => "autogroup:nonroot".to_owned(),
        SshUser::Localpart(pattern) => format!("localpart:*@{pattern}"),
    };
    rule.users.iter().map(|it| text(&it.value)).collect()
}
