//! `Valid<Policy>` + [`Tailnet`] → [`Tables`]: the stream of units, and which nodes each part of it reaches.
//!
//! A *unit* is what one rule says about one protocol, or its capabilities; a *part* of it is one
//! destination. All parts of all units stand in one list, in the order in which the control plane
//! takes them, so a part's number is also its position. Each part has the set of nodes that it
//! reaches; rules go to nodes, nodes never meet in pairs.
//!
//! SOURCE: docs/language.md, "Order and merging" and "Capabilities" and "`autogroup:self`".

use std::sync::{Arc, OnceLock};

use rustc_hash::{FxHashMap, FxHashSet};

use super::node_set::NodeSet;
use super::sources::{Resolver, Source, SourceId, Sources};
use super::units::*;
use super::*;
use crate::ast::{Autogroup, PortRange};
use crate::dialect::Dialect;
use crate::policy::{PostureId, Rule, Target, Valid};
use crate::span::Span;
use crate::tailnet::{NodeId, Owner, Tailnet, UserId};

const OWN_DEVICES: Target = Target::Autogroup(Autogroup::OwnDevices);
const INTERNET_TARGET: Target = Target::Autogroup(Autogroup::Internet);

/// The empty set that stands first among all.
const NOBODY: ReachId = ReachId(0);

/// The capabilities that come with a rule in the opposite direction, in the order they are sent.
///
/// SOURCE: docs/language.md, "Capabilities".
const COMPANIONS: [(&str, &str); 2] = [
    ("tailscale.com/cap/drive", "tailscale.com/cap/drive-sharer"),
    ("tailscale.com/cap/relay", "tailscale.com/cap/relay-target"),
];

/// Lowers a policy. See [`Tables::new`].
pub(super) fn lower<'a>(policy: Valid<'a>, tailnet: &'a Tailnet) -> Tables<'a> {
    let policy = policy.policy();
    let mut lowering = Lowering {
        resolver: Resolver::new(policy, tailnet),
        sources: Sources::new(),
        source_ids: FxHashMap::default(),
        reaches: vec![NodeSet::default()],
        reach_ids: FxHashMap::default(),
        units: Vec::new(),
        parts: Vec::new(),
        vias: Vec::new(),
        own_sources: vec![None; tailnet.users().len()],
        own_where_restricted: FxHashMap::default(),
        own_reaches: FxHashMap::default(),
    };
    match &policy.rules {
        None => lowering.allow_all(),
        Some(rules) => {
            for (rule, index) in rules.iter().zip(0..) {
                lowering.rule(rule, index);
            }
        }
    }
    let ssh = ssh::lower(&lowering.resolver);
    let capabilities = Given::new(&lowering.resolver);
    let mut tables = Tables {
        policy,
        tailnet,
        book: lowering.resolver.book,
        routes: lowering.resolver.routes,
        sources: lowering.sources,
        reaches: lowering.reaches,
        units: lowering.units,
        parts: lowering.parts,
        vias: lowering.vias,
        ssh,
        given: capabilities,
        own_sources: lowering.own_sources,
        own_where_restricted: lowering.own_where_restricted,
        positions: FxHashMap::default(),
        delivery: OnceLock::new(),
        sight: OnceLock::new(),
        peer_texts: OnceLock::new(),
    };
    tables.sources.seal();
    tables.positions = tables.first_positions();
    tables
}

/// What lowering has made so far.
struct Lowering<'a> {
    resolver: Resolver<'a>,
    sources: Sources,
    /// The same list of selectors and postures is the same source.
    source_ids: FxHashMap<(Vec<Target>, Vec<PostureId>), SourceId>,
    reaches: Vec<NodeSet>,
    reach_ids: FxHashMap<Target, (ReachId, ReachId)>,
    units: Vec<Unit<'a>>,
    parts: Vec<Part>,
    vias: Vec<ViaGrant>,
    own_sources: Vec<Option<SourceId>>,
    own_where_restricted: FxHashMap<(ReachId, UserId), SourceId>,
    /// The devices of people in a source, by whether a posture restricts it and by direction.
    own_reaches: FxHashMap<(SourceId, bool, Direction), ReachId>,
}

impl<'a> Lowering<'a> {
    fn tailnet(&self) -> &'a Tailnet {
        self.resolver.tailnet
    }

    fn dialect(&self) -> Dialect {
        self.resolver.policy.file.dialect
    }

    fn universe(&self) -> usize {
        self.tailnet().nodes().len()
    }

    /// A file with neither section lets everybody in everywhere.
    fn allow_all(&mut self) {
        let anybody = match self.dialect() {
            Dialect::Tailscale => Target::Any,
            Dialect::Headscale => Target::Autogroup(Autogroup::DangerAll),
        };
        let source = self.source(&[anybody], &[]);
        let unit = self.unit(None, source, Payload::Ports(None));
        self.part(unit, Target::Any, Span::default(), [PortRange::ALL].into());
    }

    fn rule(&mut self, rule: &'a Rule, index: u32) {
        if rule.src.is_empty() || rule.dst.is_empty() {
            return;
        }
        let src: Vec<Target> = rule.src.iter().map(|it| it.value).collect();
        let source = self.source(&src, &rule.postures);
        // Without ports such a grant is nothing to headscale.
        let nothing = rule.ip.is_empty() && self.dialect() == Dialect::Headscale;
        if !rule.via.is_empty() && nothing {
            return;
        }
        if !rule.via.is_empty() {
            return self.via_rule(rule, index, source);
        }
        for (protocol, destinations) in port_units(rule) {
            // Without callers `autogroup:self` has none either.
            if self.sources.get(source).is_empty() {
                continue;
            }
            let unit = self.unit(Some(index), source, Payload::Ports(protocol));
            for (target, span, ports) in destinations {
                self.part(unit, target, span, ports);
                self.own_devices(target, &rule.postures, source, Direction::Granted);
            }
        }
        if !rule.app.is_empty() {
            self.capabilities(rule, index, source);
        }
    }

    /// One unit for what a grant's `app` gives, and one for each companion of it.
    fn capabilities(&mut self, rule: &'a Rule, index: u32, source: SourceId) {
        let unit = self.unit(Some(index), source, Payload::Caps(&rule.app));
        let destinations = in_order(rule.dst.iter().map(|it| (it.target, it.span)).collect());
        for (target, span) in &destinations {
            self.part(unit, *target, *span, [].into());
            self.own_devices(*target, &rule.postures, source, Direction::Granted);
        }
        for (cap, companion) in COMPANIONS {
            if !rule.app.iter().any(|it| &*it.name.value == cap) {
                continue;
            }
            let others: Vec<Target> =
                destinations.iter().map(|it| it.0).filter(|it| *it != OWN_DEVICES).collect();
            let reverse = self.source(&others, &[]);
            let unit = self.unit(Some(index), reverse, Payload::Companion(companion));
            if !self.sources.get(reverse).is_empty() {
                for (target, span) in
                    in_order(rule.src.iter().map(|it| (it.value, it.span)).collect())
                {
                    self.part(unit, everybody_as_any(target), span, [].into());
                    self.leave_out(&rule.postures);
                }
            }
            if let Some((target, span)) = destinations.iter().find(|it| it.0 == OWN_DEVICES) {
                self.part(unit, *target, *span, [].into());
                self.own_devices(*target, &rule.postures, source, Direction::Companion);
            }
        }
    }

    /// Keeps of the last part only those nodes that meet one of the postures.
    fn leave_out(&mut self, postures: &[PostureId]) {
        let Some(part) = self.parts.last().filter(|_| !postures.is_empty()) else { return };
        let resolver = &self.resolver;
        let qualified = resolver.qualified.get(resolver.policy, resolver.tailnet, postures);
        let nodes = self.reaches.get(part.reach.0 as usize).map(|it| it.iter());
        let nodes = nodes.into_iter().flatten().filter(|it| qualified.certain.contains(*it));
        let nodes = nodes.map(|it| it.0).collect();
        let reach = self.keep(NodeSet::new(nodes, self.universe()));
        if let Some(part) = self.parts.last_mut() {
            part.reach = reach;
        }
    }

    /// A grant through routers: its ports go to routers with one of the tags and an overlapping
    /// route, its capabilities nowhere; who sees whom and who carries which route it shapes as well.
    fn via_rule(&mut self, rule: &'a Rule, index: u32, source: SourceId) {
        let tagged: Vec<_> =
            rule.via.iter().map(|it| self.resolver.members.of(Target::Tag(it.value))).collect();
        let tags = NodeSet::union(tagged.iter().map(|it| &**it), self.universe());
        let mut routers = Vec::new();
        let mut destinations = Vec::new();
        for dst in &rule.dst {
            let (nodes, to) = if dst.target == INTERNET_TARGET {
                let exits =
                    tags.iter().filter(|it| self.is_exit_node(*it)).map(|it| it.0).collect();
                (exits, Some(ViaTarget::Internet))
            } else {
                let mut nodes = Vec::new();
                let ranges = self.resolver.book.ranges(dst.target);
                ranges.iter().for_each(|it| self.resolver.routes.routers(*it, &mut nodes));
                nodes.retain(|it| tags.contains(NodeId(*it)));
                (nodes, Some(ViaTarget::Ranges(ranges.into())).filter(|it| !it.is_empty()))
            };
            routers.push((dst.target, dst.span, NodeSet::new(nodes, self.universe())));
            destinations.extend(to);
        }
        let grant = ViaId(self.vias.len() as u32);
        self.vias.push(ViaGrant { source, tagged: tags, destinations });
        if self.sources.get(source).is_empty() {
            return;
        }
        for (protocol, ports) in grant_units(rule) {
            let unit = self.unit(Some(index), source, Payload::Ports(protocol));
            let routers: Vec<_> = routers
                .iter()
                .map(|(target, span, nodes)| ((*target, *span), nodes.clone()))
                .collect();
            for ((target, span), nodes) in by_kind(routers, |it| it.0.0) {
                let reach = self.keep(nodes);
                let ports = Arc::clone(&ports);
                let via = Some(grant);
                self.parts.push(Part {
                    unit,
                    target,
                    span,
                    ports,
                    reach,
                    members: NOBODY,
                    via,
                    gives_sight: true,
                    lends_position: false,
                });
            }
        }
    }

    fn is_exit_node(&self, id: NodeId) -> bool {
        self.tailnet().node(id).is_some_and(|it| it.exit_routes().next().is_some())
    }

    /// For `autogroup:self`: each user's own devices become a source, once for all rules. What is
    /// granted goes from the callers among them to all, and its companion from all to the callers.
    fn own_devices(
        &mut self,
        target: Target,
        postures: &[PostureId],
        source: SourceId,
        direction: Direction,
    ) {
        if target != OWN_DEVICES {
            return;
        }
        let key = (source, !postures.is_empty(), direction);
        let reach = match self.own_reaches.get(&key) {
            Some(reach) => *reach,
            None => {
                let reach = self.own_reach(source, !postures.is_empty(), direction);
                self.own_reaches.insert(key, reach);
                reach
            }
        };
        if let Some(part) = self.parts.last_mut() {
            part.reach = reach;
        }
    }

    fn own_reach(&mut self, source: SourceId, restricted: bool, direction: Direction) -> ReachId {
        let reach = self.keep(NodeSet::default());
        let mut users: FxHashSet<UserId> = FxHashSet::default();
        let tailnet = self.tailnet();
        let people = if restricted {
            self.sources.get(source).nodes.clone()
        } else {
            self.own_sources_of(source)
        };
        let owners = people.iter().filter_map(|id| match tailnet.node(id)?.owner {
            Owner::User(user) => Some(user),
            _ => None,
        });
        let owners: Vec<UserId> = owners.filter(|it| users.insert(*it)).collect();
        let silent = tailnet.nodes_without_address();
        let mut reached = Vec::new();
        for user in owners {
            let addressed = |id: &&NodeId| silent.binary_search(id).is_err();
            let devices: Vec<u32> =
                tailnet.nodes_of(user).iter().filter(addressed).map(|it| it.0).collect();
            let callers: Vec<u32> =
                devices.iter().copied().filter(|it| people.contains(NodeId(*it))).collect();
            let count = devices.len();
            let (callers, devices) = match direction {
                Direction::Granted => (callers, devices),
                Direction::Companion => (devices, callers),
            };
            reached.extend(devices);
            let all = callers.len() == count;
            if all && self.own_sources.get(user.0 as usize).is_some_and(Option::is_some) {
                continue;
            }
            let nodes = NodeSet::new(callers, self.universe());
            let own = self.sources.intern(Source { nodes, ..Source::default() });
            if !all {
                self.own_where_restricted.insert((reach, user), own);
            } else if let Some(slot) = self.own_sources.get_mut(user.0 as usize) {
                *slot = Some(own);
            }
        }
        let reached = NodeSet::new(reached, self.universe());
        if let Some(slot) = self.reaches.get_mut(reach.0 as usize) {
            *slot = reached;
        }
        reach
    }

    /// The nodes of people in a source; `*` means all of them.
    fn own_sources_of(&self, source: SourceId) -> NodeSet {
        let source = self.sources.get(source);
        if source.extra.is_empty() && source.everybody.is_none() {
            return source.nodes.clone();
        }
        let member = self.resolver.members.of(Target::Autogroup(Autogroup::Member));
        NodeSet::union([&source.nodes, &*member].into_iter(), self.universe())
    }

    fn source(&mut self, targets: &[Target], postures: &[PostureId]) -> SourceId {
        let key = (targets.to_vec(), postures.to_vec());
        if let Some(id) = self.source_ids.get(&key) {
            return *id;
        }
        let source = self.resolver.source(targets.iter().copied(), postures);
        let id = self.sources.intern(source);
        self.source_ids.insert(key, id);
        id
    }

    fn unit(&mut self, rule: Option<u32>, source: SourceId, payload: Payload<'a>) -> u32 {
        self.units.push(Unit { rule, source, payload });
        self.units.len() as u32 - 1
    }

    fn part(&mut self, unit: u32, target: Target, span: Span, ports: Arc<[PortRange]>) {
        let (members, mut reach) = self.reach(target);
        let payload = self.units.get(unit as usize).map(|it| it.payload);
        // Capabilities go to nodes that are meant themselves, not to routers in front of them.
        if members != NOBODY && !matches!(payload, Some(Payload::Ports(_))) {
            reach = members;
        }
        let lends_position = target != OWN_DEVICES && self.stands_for_addresses(target);
        self.parts.push(Part {
            unit,
            target,
            span,
            ports,
            reach,
            members,
            via: None,
            gives_sight: true,
            lends_position,
        });
        if self.dialect() == Dialect::Headscale {
            self.through_exit_nodes(target);
        }
    }

    /// To headscale an exit node is a router of every public address, but nobody sees it for that.
    fn through_exit_nodes(&mut self, target: Target) {
        let Some(part) = self.parts.last() else { return };
        let packets = self.units.get(part.unit as usize).map(|it| it.payload);
        let public = self.resolver.policy.net(target).is_some_and(is_public);
        if !public || !matches!(packets, Some(Payload::Ports(_))) {
            return;
        }
        let part = part.clone();
        let reached = self.reaches.get(part.reach.0 as usize);
        let exits = self.tailnet().routers().iter().filter(|it| self.is_exit_node(**it));
        let exits = exits.filter(|it| !reached.is_some_and(|set| set.contains(**it)));
        let exits = NodeSet::new(exits.map(|it| it.0).collect(), self.universe());
        if !exits.is_empty() {
            let reach = self.keep(exits);
            self.parts.push(Part { reach, gives_sight: false, lends_position: false, ..part });
        }
    }

    /// Whether a destination has any address before it is cut down to a node.
    fn stands_for_addresses(&self, target: Target) -> bool {
        match target {
            Target::Any | Target::Literal(_) | Target::Host(_) | INTERNET_TARGET => true,
            Target::Ipset(_) | Target::Service(_) => !self.resolver.book.ranges(target).is_empty(),
            _ => !self.resolver.members.of(target).is_empty(),
        }
    }

    /// The nodes that a destination names by identity, and those it may have something for: these,
    /// and the routers behind which one of its addresses lies.
    fn reach(&mut self, target: Target) -> (ReachId, ReachId) {
        if target == OWN_DEVICES {
            return (NOBODY, NOBODY);
        }
        if let Some(ids) = self.reach_ids.get(&target) {
            return *ids;
        }
        let universe = self.universe();
        let nodes = match target {
            Target::Any => NodeSet::all(universe),
            // Only headscale takes a default route as a destination.
            _ if self.resolver.policy.net(target).is_some_and(|it| it.prefix_len() == 0)
                && self.dialect() == Dialect::Headscale =>
            {
                NodeSet::all(universe)
            }
            INTERNET_TARGET => {
                let exits = self.tailnet().routers().iter().filter(|it| self.is_exit_node(**it));
                NodeSet::new(exits.map(|it| it.0).collect(), universe)
            }
            Target::Literal(_) | Target::Host(_) | Target::Ipset(_) | Target::Service(_) => {
                let mut nodes = Vec::new();
                for range in self.resolver.book.ranges(target) {
                    self.resolver.routes.reached_by(self.tailnet(), range, &mut nodes);
                }
                NodeSet::new(nodes, universe)
            }
            _ => {
                let members = self.resolver.members.of(target);
                let around = self.resolver.routes.with_routers(&members, universe);
                let members_id = self.keep(NodeSet::clone(&members));
                let reach = around.map_or(members_id, |it| self.keep(it));
                self.reach_ids.insert(target, (members_id, reach));
                return (members_id, reach);
            }
        };
        let ids = (NOBODY, self.keep(nodes));
        self.reach_ids.insert(target, ids);
        ids
    }

    fn keep(&mut self, nodes: NodeSet) -> ReachId {
        self.reaches.push(nodes);
        ReachId(self.reaches.len() as u32 - 1)
    }
}

/// Whether a prefix has addresses of the internet.
fn is_public(net: ipnet::IpNet) -> bool {
    INTERNET.iter().flat_map(|it| it.ranges()).any(|it| it.overlaps(net.into()))
}

/// Which way something goes between a user's devices.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Direction {
    /// As the rule says.
    Granted,
    /// Back.
    Companion,
}

/// Where a companion goes: as a source everybody is, `autogroup:danger-all` means every node.
fn everybody_as_any(target: Target) -> Target {
    match target {
        Target::Autogroup(Autogroup::DangerAll) => Target::Any,
        other => other,
    }
}
