//! Which sets of nodes, and which sources, are other ones after a change.

use rustc_hash::{FxHashMap, FxHashSet};

use super::super::own_devices::is_open;
use super::super::posture::qualifies;
use super::super::reach::Own;
use super::super::resolver::Resolver;
use super::super::sources::{Log, SourceKey};
use super::*;

/// What a change did to sets and sources.
#[derive(Default)]
pub(super) struct Changed {
    /// The nodes that a scope took in or lost.
    pub(super) reaches: FxHashMap<ReachId, Vec<(NodeId, bool)>>,
    /// The nodes among these.
    pub(super) nodes: Vec<NodeId>,
    /// Whether the first node came into a scope or the last one left it.
    emptied: bool,
    /// The lists of selectors that stand for other addresses than before.
    pub(super) keys: FxHashSet<KeyId>,
    /// Whether one of them is now more than nodes, or no longer.
    opened: bool,
    /// The sources that changed.
    pub(super) log: Log,
    /// The users whose devices are another source than before.
    own: Vec<UserId>,
}

impl Changed {
    fn reach(&mut self, reach: ReachId, id: NodeId, member: bool) {
        self.reaches.entry(reach).or_default().push((id, member));
        self.nodes.push(id);
    }
}

impl Tables<'_> {
    /// Brings every scope up to date for some nodes, but those of `autogroup:self`. A scope may speak
    /// of the ones before it.
    pub(super) fn change_reaches(&mut self, affected: &[NodeId]) -> Changed {
        let mut changed = Changed::default();
        let names: Vec<_> = affected.iter().map(|it| self.names(*it)).collect();
        for at in 0..self.reaches.len() {
            let was_empty = self.nodes_of(ReachId(at as u32)).is_empty();
            for (id, names) in affected.iter().zip(&names) {
                let Some(reach) = self.reaches.get(at) else { continue };
                if matches!(reach.scope, Scope::Own(_)) {
                    continue;
                }
                let member = self.is_in_scope(&reach.scope, *id, names);
                if self.reaches.get_mut(at).is_some_and(|it| it.nodes.set(*id, member)) {
                    changed.reach(ReachId(at as u32), *id, member);
                }
            }
            changed.emptied |= was_empty != self.nodes_of(ReachId(at as u32)).is_empty();
        }
        changed
    }

    /// Brings every source of a rule up to date.
    pub(super) fn change_keys(
        &mut self,
        before: &Moment,
        nodes: &[NodeId],
        rerouting: &Rerouting,
        changed: &mut Changed,
    ) {
        let rerouted = rerouting.is_any();
        let names: Vec<_> = nodes.iter().map(|it| self.names(*it)).collect();
        let Tables { policy, tailnet, routes, book, sources, .. } = self;
        let mut resolver = Resolver::new(policy, tailnet, routes, book);
        if let Rerouting::Apart(_) = rerouting {
            let everybody = sources.everybody().map(|it| it.with_routes(routes));
            resolver = resolver.knowing(everybody.map(|it| it.with_owners(tailnet, nodes)));
        }
        let relisted = renew_everybody(sources, &resolver, nodes, rerouted);
        let old = before.nodes.iter().flat_map(|it| it.node.addresses());
        let now = nodes.iter().filter_map(|it| tailnet.node(*it)).flat_map(Node::addresses);
        let addresses: Vec<IpAddr> = old.chain(now).collect();
        let moved = |id: NodeId| {
            let old = before.nodes.iter().find(|it| it.id == id);
            let now = tailnet.node(id);
            !old.into_iter()
                .flat_map(|it| it.node.addresses())
                .eq(now.into_iter().flat_map(Node::addresses))
        };
        let moved: Vec<NodeId> = nodes.iter().copied().filter(|it| moved(*it)).collect();
        for at in 0..sources.keys.len() {
            let Some(key) = sources.keys.get(at) else { continue };
            let (id, known) = (key.now, sources.get(key.now));
            let new = if is_addressed(key, book, &addresses, rerouted) {
                resolver.source(key.targets.iter().copied(), &key.postures)
            } else {
                let mut new = known.clone();
                for (node, names) in nodes.iter().zip(&names) {
                    new.nodes.set(*node, is_named(key, policy, tailnet, *node, names));
                }
                new
            };
            changed.opened |= is_open(&new) != is_open(known);
            let relisted = relisted && new.everybody.is_some();
            let retold = relisted || moved.iter().any(|it| new.nodes.contains(*it));
            if new == *known && !retold {
                continue;
            }
            changed.keys.insert(KeyId(at as u32));
            let now = sources.replace(id, new);
            if retold {
                sources.forget_text(now);
            }
            if let Some(key) = sources.keys.get_mut(at) {
                key.now = now;
            }
        }
        if rerouted && sources.everybody().is_some() {
            sources.set_everybody(resolver.everybody());
        }
    }

    /// Brings `autogroup:self` up to date for the users whose devices changed.
    pub(super) fn change_own_devices(
        &mut self,
        before: &Moment,
        nodes: &[NodeId],
        changed: &mut Changed,
    ) {
        changed.log = self.sources.take_log();
        let own = |(id, reach): (u32, &Reach)| match reach.scope {
            Scope::Own(own) => Some((ReachId(id), own)),
            _ => None,
        };
        let owns: Vec<(ReachId, Own)> = (0..).zip(&self.reaches).filter_map(own).collect();
        if owns.is_empty() {
            return;
        }
        let now = nodes.iter().filter_map(|it| self.tailnet.node(*it));
        let all = before.nodes.iter().map(|it| &it.node).chain(now);
        let mut users: Vec<UserId> = all
            .filter_map(|it| match it.owner {
                Owner::User(user) => Some(user),
                _ => None,
            })
            .collect();
        if changed.opened {
            users = (0..self.tailnet.users().len() as u32).map(UserId).collect();
        }
        users.sort_unstable();
        users.dedup();
        for id in nodes {
            let user = self.tailnet.node(*id).map(|it| &it.owner);
            if !matches!(user, Some(Owner::User(_))) {
                owns.iter().for_each(|(reach, _)| self.set_reach(*reach, *id, false, changed));
            }
        }
        for user in users {
            let Tables { tailnet, sources, own_sources, .. } = self;
            let reached = own_sources.renew(user, &owns, tailnet, sources);
            for (reach, reached) in reached {
                for id in self.tailnet.nodes_of(user).to_vec() {
                    self.set_reach(reach, id, reached.contains(&id), changed);
                }
            }
            let log = self.sources.take_log();
            let moved = nodes.iter().any(|it| self.tailnet.nodes_of(user).contains(it));
            if moved || !log.altered.is_empty() || !log.moved.is_empty() {
                for id in owns.iter().filter_map(|(reach, _)| self.own_sources.at(*reach, user)) {
                    self.sources.forget_text(id);
                }
                changed.own.push(user);
            }
            changed.log.add(log);
        }
    }

    fn set_reach(&mut self, reach: ReachId, id: NodeId, member: bool, changed: &mut Changed) {
        let known = self.reaches.get_mut(reach.0 as usize);
        if known.is_some_and(|it| it.nodes.set(id, member)) {
            changed.reach(reach, id, member);
        }
    }

    /// Brings the lists of parts for each node up to date, where they are made.
    pub(super) fn change_delivery(&mut self, changed: &Changed) {
        let Some(delivery) = self.delivery.get_mut() else { return };
        for (id, part) in (0..).zip(&self.parts) {
            for (node, member) in changed.reaches.get(&part.reach).into_iter().flatten() {
                delivery.change(id, *node, *member);
            }
        }
    }

    /// Brings the positions of lines up to date, and touches the tables in which one stands elsewhere.
    pub(super) fn change_positions(&mut self, changed: &Changed, touched: &mut Bits) {
        if changed.log.moved.is_empty() && !changed.emptied {
            return;
        }
        let new = self.first_positions();
        let old = std::mem::replace(&mut self.positions, new);
        let new = &self.positions;
        let gone_or_other = old.iter().filter(|(key, at)| new.get(key) != Some(at));
        let added = new.iter().filter(|(key, _)| !old.contains_key(key));
        let elsewhere: FxHashSet<_> = gone_or_other.chain(added).map(|it| *it.0).collect();
        for part in &self.parts {
            let Some(unit) = self.units.get(part.unit as usize) else { continue };
            if let Payload::Ports(protocol) = unit.payload
                && elsewhere.contains(&(self.sources.now(unit.source), protocol))
            {
                touched.add(self.nodes_of(part.reach));
            }
        }
        let sources: FxHashSet<SourceId> = elsewhere.iter().map(|it| it.0).collect();
        let devices = sources.iter().flat_map(|it| self.own_devices(*it));
        devices.for_each(|it| touched.insert(it.0));
    }

    /// Touches the tables that a part reaches now and did not before, or the other way round, and
    /// those with a line whose source is another.
    pub(super) fn touch_parts(&self, changed: &Changed, touched: &mut Bits) {
        changed.nodes.iter().for_each(|it| touched.insert(it.0));
        for part in self.parts.iter().filter(|it| it.target != OWN_DEVICES) {
            let unit = self.units.get(part.unit as usize);
            if unit.is_some_and(|it| changed.keys.contains(&it.source)) {
                touched.add(self.nodes_of(part.reach));
            }
        }
        let devices = changed.own.iter().flat_map(|it| self.tailnet.nodes_of(*it));
        devices.for_each(|it| touched.insert(it.0));
    }
}

/// Whether a source must be resolved anew, because addresses in its list belong to other nodes, or
/// because routes are among them.
fn is_addressed(
    key: &SourceKey,
    book: &AddressBook<'_>,
    addresses: &[IpAddr],
    rerouted: bool,
) -> bool {
    key.targets.iter().any(|target| match target {
        Target::Any => rerouted,
        Target::Autogroup(Autogroup::DangerAll) => !key.postures.is_empty(),
        Target::Literal(_) | Target::Host(_) | Target::Ipset(_) | Target::Service(_) => {
            rerouted || addresses.iter().any(|it| book.contains(*target, *it))
        }
        _ => false,
    })
}

/// Whether a source has a node because a selector names it by identity.
fn is_named(
    key: &SourceKey,
    policy: &Policy,
    tailnet: &Tailnet,
    id: NodeId,
    names: &FxHashSet<Target>,
) -> bool {
    let Some(node) = tailnet.node(id) else { return false };
    let has = |target: Target| key.targets.contains(&target);
    if has(Target::Autogroup(Autogroup::DangerAll)) {
        return false;
    }
    // Where a posture is asked for, `*` is every node that meets it.
    let named = key.targets.iter().any(|it| names.contains(it));
    let named = named || has(Target::Any) && !key.postures.is_empty() && !node.has_left();
    named && (key.postures.is_empty() || qualifies(policy, &key.postures, node))
}

/// Brings what `*` stands for up to date. The answer: whether it is another list of addresses.
fn renew_everybody(
    sources: &mut Sources,
    resolver: &Resolver<'_>,
    nodes: &[NodeId],
    rerouted: bool,
) -> bool {
    let Some(everybody) = sources.everybody().cloned() else { return false };
    if rerouted {
        return everybody.entries() != resolver.everybody().entries();
    }
    sources.set_everybody(&everybody.with_owners(resolver.tailnet, nodes));
    false
}
