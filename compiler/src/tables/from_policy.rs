//! `Valid<Policy>` + [`Tailnet`] → [`Tables`]: the stream of units, and which nodes each part of it reaches.
//!
//! A *unit* is what one rule says about one protocol, or its capabilities; a *part* of it is one
//! destination. All parts of all units stand in one list, in the order in which the control plane
//! takes them, so a part's number is also its position. Each part has the set of nodes that it
//! reaches; rules go to nodes, nodes never meet in pairs.
//!
//! Which units and parts there are follows from the policy alone. What they stand for on a tailnet
//! is made beside them ([`super::reach`], [`super::resolver`]), so that it can change without them.
//!
//! SOURCE: docs/language.md, "Order and merging" and "Capabilities" and "`autogroup:self`".

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use rustc_hash::FxHashMap;

use super::node_set::NodeSet;
use super::reach::{Direction, Own, all_in_scope};
use super::resolver::Resolver;
use super::sources::{KeyId, SourceKey, Sources};
use super::units::*;
use super::*;
use crate::ast::PortRange;
use crate::dialect::Dialect;
use crate::policy::{PostureId, Rule, Target};
use crate::span::Span;
use crate::tailnet::Tailnet;

/// The capabilities that come with a rule in the opposite direction, in the order they are sent.
///
/// SOURCE: docs/language.md, "Capabilities".
const COMPANIONS: [(&str, &str); 2] = [
    ("tailscale.com/cap/drive", "tailscale.com/cap/drive-sharer"),
    ("tailscale.com/cap/relay", "tailscale.com/cap/relay-target"),
];

/// Lowers a policy. See [`Tables::new`].
pub(super) fn lower<'a>(policy: &'a Policy, tailnet: Cow<'a, Tailnet>) -> Tables<'a> {
    let (routes, book) =
        (Routes::new(&tailnet, policy.file.dialect), AddressBook::new(policy, &tailnet));
    let mut lowering = Lowering {
        resolver: Resolver::new(policy, &tailnet, &routes, &book),
        sources: Sources::default(),
        keys: FxHashMap::default(),
        reaches: vec![Reach { scope: Scope::Nobody, nodes: NodeSet::default() }],
        reach_ids: FxHashMap::default(),
        units: Vec::new(),
        parts: Vec::new(),
        vias: Vec::new(),
        own_sources: OwnSources::default(),
    };
    match &policy.rules {
        None => lowering.allow_all(),
        Some(rules) => {
            for (rule, index) in rules.iter().zip(0..) {
                lowering.rule(rule, index);
            }
        }
    }
    let ssh = ssh::lower(&lowering.resolver).into();
    let given = Given::new(&lowering.resolver).into();
    let Lowering { mut sources, reaches, units, parts, vias, own_sources, .. } = lowering;
    sources.take_log();
    let mut tables = Tables {
        policy,
        tailnet,
        book,
        routes,
        sources,
        reaches,
        units,
        parts,
        vias,
        ssh,
        given,
        approval: OnceLock::new(),
        own_sources,
        positions: FxHashMap::default(),
        identities: OnceLock::new(),
        delivery: OnceLock::new(),
        sight: OnceLock::new(),
        peer_texts: OnceLock::new(),
    };
    tables.positions = tables.first_positions();
    tables
}

/// What lowering has made so far: of the policy `'a`, on a tailnet `'t`.
struct Lowering<'t, 'a> {
    resolver: Resolver<'t>,
    sources: Sources,
    /// The same list of selectors and postures is the same key.
    keys: FxHashMap<(Vec<Target>, Vec<PostureId>), KeyId>,
    reaches: Vec<Reach>,
    reach_ids: FxHashMap<Scope, ReachId>,
    units: Vec<Unit<'a>>,
    parts: Vec<Part>,
    vias: Vec<ViaGrant>,
    own_sources: OwnSources,
}

impl<'a> Lowering<'_, 'a> {
    fn dialect(&self) -> Dialect {
        self.resolver.policy.file.dialect
    }

    /// A file with neither section lets everybody in everywhere.
    fn allow_all(&mut self) {
        let anybody = match self.dialect() {
            Dialect::Tailscale => Target::Any,
            Dialect::Headscale => Target::Autogroup(Autogroup::DangerAll),
        };
        let source = self.source(&[anybody], &[]);
        let unit = self.unit(None, source, Payload::Ports(None));
        let reach = (NOBODY, self.nodes_in(Scope::Everyone));
        self.part(unit, (Target::Any, Span::default()), [PortRange::ALL].into(), reach);
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
        let own = |direction| Own { source, restricted: !rule.postures.is_empty(), direction };
        for (protocol, destinations) in port_units(rule) {
            let unit = self.unit(Some(index), source, Payload::Ports(protocol));
            for (target, span, ports) in destinations {
                let reach = self.reach(unit, target, own(Direction::Granted));
                self.part(unit, (target, span), ports, reach);
            }
        }
        if !rule.app.is_empty() {
            self.capabilities(rule, index, source, own);
        }
    }

    /// One unit for what a grant's `app` gives, and one for each companion of it.
    fn capabilities(
        &mut self,
        rule: &'a Rule,
        index: u32,
        source: KeyId,
        own: impl Fn(Direction) -> Own,
    ) {
        let unit = self.unit(Some(index), source, Payload::Caps(&rule.app));
        let destinations = in_order(rule.dst.iter().map(|it| (it.target, it.span)).collect());
        for (target, span) in &destinations {
            let reach = self.reach(unit, *target, own(Direction::Granted));
            self.part(unit, (*target, *span), [].into(), reach);
        }
        for (cap, companion) in COMPANIONS {
            if !rule.app.iter().any(|it| &*it.name.value == cap) {
                continue;
            }
            let others: Vec<Target> =
                destinations.iter().map(|it| it.0).filter(|it| *it != OWN_DEVICES).collect();
            let reverse = self.source(&others, &[]);
            let unit = self.unit(Some(index), reverse, Payload::Companion(companion));
            for (target, span) in in_order(rule.src.iter().map(|it| (it.value, it.span)).collect())
            {
                let target = everybody_as_any(target);
                let mut reach = self.reach(unit, target, own(Direction::Companion));
                if !rule.postures.is_empty() {
                    let postures = rule.postures.clone().into();
                    reach.1 = self.nodes_in(Scope::Meeting(reach.1, postures));
                }
                self.part(unit, (target, span), [].into(), reach);
            }
            if let Some((target, span)) = destinations.iter().find(|it| it.0 == OWN_DEVICES) {
                let reach = self.reach(unit, *target, own(Direction::Companion));
                self.part(unit, (*target, *span), [].into(), reach);
            }
        }
    }

    /// A grant through routers: its ports go to routers with one of the tags and an overlapping
    /// route, its capabilities nowhere; who sees whom and who carries which route it shapes as well.
    fn via_rule(&mut self, rule: &'a Rule, index: u32, source: KeyId) {
        let tags = rule.via.iter().map(|it| self.nodes_in(Scope::Members(Target::Tag(it.value))));
        let tags: Box<[ReachId]> = tags.collect();
        let mut routers = Vec::new();
        let mut destinations = Vec::new();
        for dst in &rule.dst {
            destinations.extend(if dst.target == INTERNET_TARGET {
                Some(ViaTarget::Internet)
            } else {
                let ranges = self.resolver.book.ranges(dst.target);
                Some(ViaTarget::Ranges(ranges.into())).filter(|it| !it.is_empty())
            });
            let reach = self.nodes_in(Scope::Routers(tags.clone(), dst.target));
            routers.push((dst.target, dst.span, reach));
        }
        let grant = ViaId(self.vias.len() as u32);
        self.vias.push(ViaGrant { source, tags, destinations });
        for (protocol, ports) in grant_units(rule) {
            let unit = self.unit(Some(index), source, Payload::Ports(protocol));
            for (target, span, reach) in by_kind(routers.clone(), |it| it.0) {
                let ports = Arc::clone(&ports);
                let (members, via, gives_sight) = (NOBODY, Some(grant), true);
                self.parts.push(Part {
                    unit,
                    target,
                    span,
                    ports,
                    reach,
                    members,
                    via,
                    gives_sight,
                });
            }
        }
    }

    fn source(&mut self, targets: &[Target], postures: &[PostureId]) -> KeyId {
        let key = (targets.to_vec(), postures.to_vec());
        if let Some(id) = self.keys.get(&key) {
            return *id;
        }
        let source = self.resolver.source(targets.iter().copied(), postures);
        let now = self.sources.intern(source);
        let id = KeyId(self.sources.keys.len() as u32);
        let (targets, postures) = (targets.into(), postures.into());
        self.sources.keys.push(SourceKey { targets, postures, now });
        self.keys.insert(key, id);
        id
    }

    fn unit(&mut self, rule: Option<u32>, source: KeyId, payload: Payload<'a>) -> u32 {
        self.units.push(Unit { rule, source, payload });
        self.units.len() as u32 - 1
    }

    fn part(
        &mut self,
        unit: u32,
        (target, span): (Target, Span),
        ports: Arc<[PortRange]>,
        (members, reach): (ReachId, ReachId),
    ) {
        let (via, gives_sight) = (None, true);
        self.parts.push(Part { unit, target, span, ports, reach, members, via, gives_sight });
        if self.dialect() == Dialect::Headscale {
            self.through_exit_nodes(target);
        }
    }

    /// To headscale an exit node is a router of every public address, but nobody sees it for that.
    fn through_exit_nodes(&mut self, target: Target) {
        let Some(part) = self.parts.last().cloned() else { return };
        let payload = self.units.get(part.unit as usize).map(|it| it.payload);
        let public = self.resolver.policy.net(target).is_some_and(is_public);
        if public && matches!(payload, Some(Payload::Ports(_))) {
            let reach = self.nodes_in(Scope::ExitNodesBeyond(part.reach));
            self.parts.push(Part { reach, gives_sight: false, ..part });
        }
    }

    /// The nodes that a destination names by identity, and those that may get something from it.
    fn reach(&mut self, unit: u32, target: Target, own: Own) -> (ReachId, ReachId) {
        let scope = match target {
            OWN_DEVICES => Scope::Own(own),
            Target::Any => Scope::Everyone,
            // Only headscale takes a default route as a destination.
            _ if self.resolver.policy.net(target).is_some_and(|it| it.prefix_len() == 0)
                && self.dialect() == Dialect::Headscale =>
            {
                Scope::Everyone
            }
            INTERNET_TARGET => Scope::ExitNodes,
            Target::Literal(_) | Target::Host(_) | Target::Ipset(_) | Target::Service(_) => {
                Scope::Addresses(target)
            }
            _ => {
                let members = self.nodes_in(Scope::Members(target));
                let payload = self.units.get(unit as usize).map(|it| it.payload);
                // Capabilities go to nodes that are meant themselves, not to routers in front of them.
                return match payload {
                    Some(Payload::Ports(_)) => (members, self.nodes_in(Scope::Around(members))),
                    _ => (members, members),
                };
            }
        };
        (NOBODY, self.nodes_in(scope))
    }

    fn nodes_in(&mut self, scope: Scope) -> ReachId {
        if let Some(id) = self.reach_ids.get(&scope) {
            return *id;
        }
        let id = ReachId(self.reaches.len() as u32);
        let nodes = match scope {
            Scope::Own(own) => {
                self.own_sources.enter((id, own), self.resolver.tailnet, &mut self.sources)
            }
            _ => all_in_scope(&scope, &self.reaches, &self.resolver),
        };
        self.reach_ids.insert(scope.clone(), id);
        self.reaches.push(Reach { scope, nodes });
        id
    }
}

/// Whether a prefix has addresses of the internet.
fn is_public(net: ipnet::IpNet) -> bool {
    INTERNET.iter().flat_map(|it| it.ranges()).any(|it| it.overlaps(net.into()))
}

/// Where a companion goes: as a source everybody is, `autogroup:danger-all` means every node.
fn everybody_as_any(target: Target) -> Target {
    match target {
        Target::Autogroup(Autogroup::DangerAll) => Target::Any,
        other => other,
    }
}
