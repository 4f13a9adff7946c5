//! `autogroup:self`: each user's own devices as a source, once for all rules.
//!
//! What is granted goes from the callers among a user's devices to all of them; its companion goes
//! from all of them back to the callers.
//!
//! SOURCE: docs/language.md, "`autogroup:self`".

use std::hash::Hash;

use rustc_hash::FxHashMap;

use super::node_set::NodeSet;
use super::reach::{Direction, Own, ReachId};
use super::sources::{Source, SourceId, Sources};
use crate::tailnet::{NodeId, Owner, Tailnet, UserId};

/// The source that `autogroup:self` has for each user.
#[derive(Debug, Default)]
pub(super) struct OwnSources {
    /// All devices of a user.
    whole: FxHashMap<UserId, SourceId>,
    /// The same where some are left out.
    restricted: FxHashMap<(ReachId, UserId), SourceId>,
}

/// What `autogroup:self` says of one user.
struct OwnOf {
    /// The devices that get the rule.
    reached: Vec<NodeId>,
    /// Whom the rule lets in.
    callers: NodeSet,
    /// Whether these are all devices of the user.
    whole: bool,
}

impl Own {
    /// Whether a node is a caller.
    fn calls(self, tailnet: &Tailnet, source: &Source, id: NodeId) -> bool {
        // Where the source is more than nodes, such as `*`, all people are meant.
        let open = !self.restricted && is_open(source);
        let person = || tailnet.node(id).is_some_and(|it| matches!(it.owner, Owner::User(_)));
        source.nodes.contains(id) || open && person()
    }

    fn of(self, tailnet: &Tailnet, source: &Source, user: UserId) -> Option<OwnOf> {
        let addressed =
            |id: &NodeId| tailnet.node(*id).is_some_and(|it| it.addresses().next().is_some());
        let devices: Vec<NodeId> =
            tailnet.nodes_of(user).iter().copied().filter(addressed).collect();
        let callers: Vec<NodeId> =
            devices.iter().copied().filter(|it| self.calls(tailnet, source, *it)).collect();
        if callers.is_empty() {
            return None;
        }
        let count = devices.len();
        let (callers, reached) = match self.direction {
            Direction::Granted => (callers, devices),
            Direction::Companion => (devices, callers),
        };
        let whole = callers.len() == count;
        let callers = NodeSet::new(callers.into_iter().map(|it| it.0).collect());
        Some(OwnOf { reached, callers, whole })
    }

    /// The users with a device among the callers.
    fn users(self, tailnet: &Tailnet, source: &Source) -> Vec<UserId> {
        if !self.restricted && is_open(source) {
            return (0..tailnet.users().len() as u32).map(UserId).collect();
        }
        let owners = source.nodes.iter().filter_map(|id| match tailnet.node(id)?.owner {
            Owner::User(user) => Some(user),
            _ => None,
        });
        let mut users: Vec<UserId> = owners.collect();
        users.sort_unstable();
        users.dedup();
        users
    }
}

/// Whether a source is more than a set of nodes.
pub(super) fn is_open(source: &Source) -> bool {
    source.everybody.is_some() || !source.extra.is_empty()
}

impl OwnSources {
    /// The source at a device of a user.
    pub(super) fn at(&self, reach: ReachId, user: UserId) -> Option<SourceId> {
        let restricted = self.restricted.get(&(reach, user)).copied();
        restricted.or_else(|| self.whole.get(&user).copied())
    }

    /// The nodes that `autogroup:self` reaches, and a source for each user among them.
    pub(super) fn enter(
        &mut self,
        (reach, own): (ReachId, Own),
        tailnet: &Tailnet,
        sources: &mut Sources,
    ) -> NodeSet {
        let callers = sources.get(sources.now(own.source)).clone();
        let mut reached = Vec::new();
        for user in own.users(tailnet, &callers) {
            let Some(of) = own.of(tailnet, &callers, user) else { continue };
            reached.extend(of.reached.iter().map(|it| it.0));
            self.put((reach, user), of, sources);
        }
        NodeSet::new(reached)
    }

    fn put(&mut self, (reach, user): (ReachId, UserId), of: OwnOf, sources: &mut Sources) {
        if !of.whole {
            self.restricted.insert((reach, user), sources.intern(devices(of.callers)));
        } else {
            self.whole.entry(user).or_insert_with(|| sources.intern(devices(of.callers)));
        }
    }

    /// Brings what is said of one user up to date. The answer: the devices that each scope reaches.
    pub(super) fn renew(
        &mut self,
        user: UserId,
        owns: &[(ReachId, Own)],
        tailnet: &Tailnet,
        sources: &mut Sources,
    ) -> Vec<(ReachId, Vec<NodeId>)> {
        let mut reached = Vec::with_capacity(owns.len());
        let mut all = None;
        for (reach, own) in owns {
            let callers = sources.get(sources.now(own.source));
            let of = own.of(tailnet, callers, user);
            let (some, nodes) = match of {
                Some(OwnOf { reached, callers, whole: true }) => {
                    all = Some(callers);
                    (None, reached)
                }
                Some(OwnOf { reached, callers, whole: false }) => (Some(callers), reached),
                None => (None, Vec::new()),
            };
            reached.push((*reach, nodes));
            let key = (*reach, user);
            settle(&mut self.restricted, key, some, sources);
        }
        settle(&mut self.whole, user, all, sources);
        reached
    }
}

fn devices(nodes: NodeSet) -> Source {
    Source { nodes, ..Source::default() }
}

/// Puts a set of devices in the place of the one that is known, or takes that away.
fn settle<K: Copy + Eq + Hash>(
    known: &mut FxHashMap<K, SourceId>,
    key: K,
    nodes: Option<NodeSet>,
    sources: &mut Sources,
) {
    let old = known.get(&key).copied();
    let new = match (old, nodes) {
        (Some(old), Some(nodes)) => Some(sources.replace(old, devices(nodes))),
        (None, Some(nodes)) => Some(sources.intern(devices(nodes))),
        (Some(old), None) => {
            sources.release(old);
            None
        }
        (None, None) => None,
    };
    match new {
        Some(id) => _ = known.insert(key, id),
        None => _ = known.remove(&key),
    }
}
