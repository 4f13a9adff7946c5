//! Stage 4, policy + tailnet → tables: what every node lets in, whom it sees, and why.
//!
//! [`Tables`] holds the rules once, interned, and knows for each part of a rule which nodes it
//! reaches. The table of one node is made from that on demand and takes time proportional to itself;
//! all tables together take the memory of their parts, not of their text.

mod address;
mod capabilities;
pub mod delivered;
mod facts;
mod from_policy;
mod incidence;
pub mod ip_set;
mod matches;
mod members;
mod node_set;
mod peers;
mod posture;
pub mod problem;
mod routes;
mod sources;
mod summary;
pub mod verdict;
pub mod wire;

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use rustc_hash::FxHashMap;

use crate::ast::{AppCap, Autogroup, PortRange, Protocol};
use crate::policy::{Policy, Rule, Target, Valid};
use crate::span::Span;
use crate::tailnet::{Node, NodeId, Owner, Tailnet, UserId};
pub use address::{Addresses, INTERNET};
pub use capabilities::self_capabilities;
pub use facts::check_facts;
use incidence::Incidence;
use ip_set::{IpRange, IpSet};
pub use matches::{Match, matches};
pub use node_set::{Bits, NodeSet};
pub use peers::Peer;
use peers::Sight;
pub use problem::Problem;
pub use routes::{Route, RouteId, Routes};
use sources::Sources;
pub use sources::{Source, SourceId};
pub use summary::Summary;

/// A part of a rule, by its position in the stream of all parts: the order of the control plane.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct PartId(pub u32);

/// A set of nodes that a part reaches, by its position in [`Tables::reaches`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
struct ReachId(u32);

/// A grant with `via`, by its position in [`Tables::vias`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
struct ViaId(u32);

/// What one rule says about one protocol, or about capabilities.
#[derive(Clone, Copy, Debug)]
struct Unit<'a> {
    /// The rule by its position in the policy; `None` for the rule that a file without any has.
    rule: Option<u32>,
    source: SourceId,
    payload: Payload<'a>,
}

/// What a unit lets through.
#[derive(Clone, Copy, Debug)]
enum Payload<'a> {
    /// Packets of a protocol, or of the default ones; each part has its ports.
    Ports(Option<Protocol>),
    /// Capabilities of an application.
    Caps(&'a [AppCap]),
    /// The capability that comes with one of those, in the opposite direction.
    Companion(&'static str),
}

/// One destination of a unit.
#[derive(Clone, Debug)]
struct Part {
    unit: u32,
    target: Target,
    /// Where the destination is written.
    span: Span,
    ports: Arc<[PortRange]>,
    /// The nodes that may get something from it.
    reach: ReachId,
    /// The nodes that it names by identity.
    members: ReachId,
    via: Option<ViaId>,
    /// Whether rules of the same source and protocol stand where this part stands, on every node.
    lends_position: bool,
}

/// What a grant with `via` steers.
#[derive(Clone, Debug)]
struct ViaGrant {
    source: SourceId,
    /// The nodes with one of its tags.
    tagged: NodeSet,
    destinations: Vec<ViaTarget>,
}

/// Where a grant with `via` leads.
#[derive(Clone, Debug)]
enum ViaTarget {
    /// Through an exit node.
    Internet,
    /// To these addresses behind a router; never empty.
    Ranges(Box<[IpRange]>),
}

impl ViaTarget {
    fn is_empty(&self) -> bool {
        matches!(self, ViaTarget::Ranges(ranges) if ranges.is_empty())
    }
}

/// All tables of a policy on a tailnet.
#[derive(Debug)]
pub struct Tables<'a> {
    policy: &'a Policy,
    tailnet: &'a Tailnet,
    ipsets: Vec<IpSet>,
    routes: Routes,
    sources: Sources,
    reaches: Vec<NodeSet>,
    units: Vec<Unit<'a>>,
    parts: Vec<Part>,
    vias: Vec<ViaGrant>,
    /// For `autogroup:self`: all devices of each user as a source.
    own_sources: Vec<Option<SourceId>>,
    /// The same where a posture leaves some of them out.
    own_where_restricted: FxHashMap<(PartId, UserId), SourceId>,
    /// Sources left out because the inventory does not say whether they meet a posture: rule and node.
    unknown_postures: Vec<(u32, NodeId)>,
    /// Where rules of a source and protocol stand on every node: before reduction, equal ones merge
    /// into the first.
    positions: FxHashMap<(SourceId, Option<Protocol>), PartId>,
    /// Which parts reach each node; made when more than one table is asked for.
    delivery: OnceLock<Incidence>,
    /// Who sees whom; made when it is first asked for.
    sight: OnceLock<Sight>,
    /// What of each node's entry is the same for all who see it, as text; made when it is first written.
    peer_texts: OnceLock<Box<[OnceLock<Box<str>>]>>,
}

/// All rules of one node, in the order the control plane sends them.
#[derive(Clone, Debug)]
pub struct FilterTable<'t> {
    /// Whose it is.
    pub node: NodeId,
    /// The rules; none lets nobody in.
    pub rules: Vec<FilterRule<'t>>,
}

/// One line of a table: sources, and either ports or capabilities.
#[derive(Clone, Debug)]
pub struct FilterRule<'t> {
    /// Who is let in; see [`Tables::source`].
    pub source: SourceId,
    /// What for.
    pub access: Access<'t>,
    /// The parts of the policy it came from, in the order of the control plane; see [`Tables::origin`].
    pub origins: Vec<PartId>,
}

/// What a line of a table lets through.
#[derive(Clone, Debug)]
pub enum Access<'t> {
    /// Packets.
    Ports {
        /// The protocol; `None` is TCP, UDP and ICMP.
        protocol: Option<Protocol>,
        /// Where to; duplicates stay.
        dst: Vec<DstPort>,
    },
    /// Capabilities of applications.
    Caps(Vec<CapGrant<'t>>),
}

/// An address and ports that may be reached.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct DstPort {
    /// The addresses.
    pub addresses: Addresses,
    /// The ports.
    pub ports: PortRange,
}

/// Capabilities that peers have on some of the node's addresses.
#[derive(Clone, Debug)]
pub struct CapGrant<'t> {
    /// The addresses.
    pub dsts: Vec<Addresses>,
    /// The capabilities.
    pub caps: Caps<'t>,
}

/// Which capabilities.
#[derive(Clone, Copy, Debug)]
pub enum Caps<'t> {
    /// Those of a grant's `app`.
    Granted(&'t [AppCap]),
    /// One that comes with another, without a value.
    Companion(&'static str),
}

/// Where a line of a table comes from.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    /// The rule; `None` for the one that a file without `acls` and `grants` has.
    pub rule: Option<&'a Rule>,
    /// The destination within it.
    pub dst: Span,
}

impl<'a> Tables<'a> {
    /// Lowers a policy on a tailnet. Cost: the rules, the nodes they name, and an index of both.
    pub fn new(policy: Valid<'a>, tailnet: &'a Tailnet) -> Self {
        from_policy::lower(policy, tailnet)
    }

    /// The policy that was lowered.
    pub fn policy(&self) -> &'a Policy {
        self.policy
    }

    /// The tailnet it was lowered on.
    pub fn tailnet(&self) -> &'a Tailnet {
        self.tailnet
    }

    /// The approved subnet routes.
    pub fn routes(&self) -> &Routes {
        &self.routes
    }

    /// A source by its id.
    pub fn source(&self, id: SourceId) -> &Source {
        self.sources.get(id)
    }

    /// Where a part of a rule is written.
    pub fn origin(&self, part: PartId) -> Origin<'a> {
        let part = self.parts.get(part.0 as usize);
        let rule = part.and_then(|it| self.units.get(it.unit as usize)).and_then(|it| it.rule);
        let rules = self.policy.rules.as_deref().unwrap_or_default();
        Origin {
            rule: rule.and_then(|it| rules.get(it as usize)),
            dst: part.map_or_else(Span::default, |it| it.span),
        }
    }

    /// Prepares for many nodes at once: from now on [`Self::table`] looks parts up instead of asking each.
    pub fn prepare_all(&self) {
        self.delivery();
    }

    fn delivery(&self) -> &Incidence {
        self.delivery.get_or_init(|| {
            let sets = (0..).zip(&self.parts).map(|(id, part)| (id, self.reach(part)));
            Incidence::new(sets, self.tailnet.nodes().len())
        })
    }

    fn reach(&self, part: &Part) -> &NodeSet {
        static NOBODY: OnceLock<NodeSet> = OnceLock::new();
        let reach = self.reaches.get(part.reach.0 as usize);
        reach.unwrap_or_else(|| NOBODY.get_or_init(NodeSet::default))
    }

    /// The nodes that a part names by identity; `None` where it names addresses.
    fn members(&self, part: &Part) -> Option<&NodeSet> {
        self.reaches.get(part.members.0 as usize)
    }

    /// The parts that reach a node, in order.
    fn parts_at(&self, node: NodeId) -> Vec<(PartId, &Part)> {
        let with_id = |id: u32| Some((PartId(id), self.parts.get(id as usize)?));
        match self.delivery.get() {
            Some(delivery) => {
                let numbers =
                    delivery.of(node, |id| self.parts.get(id as usize).map(|it| self.reach(it)));
                numbers.into_iter().filter_map(with_id).collect()
            }
            None => {
                // Neighbouring parts often have one destination in common, so the last answer is kept.
                let mut last = (ReachId(u32::MAX), false);
                let mut reached = |part: &Part| {
                    if last.0 != part.reach {
                        last = (part.reach, self.reach(part).contains(node));
                    }
                    last.1
                };
                let all = (0..).map(PartId).zip(&self.parts);
                all.filter(|(_, part)| reached(part)).collect()
            }
        }
    }

    /// The table of one node. Lines of equal source and protocol are one; a line stands where the
    /// first part with them stands, whether or not that part reaches this node.
    ///
    /// SOURCE: spec/policy-language.md 5.4 to 5.6.
    pub fn table(&self, id: NodeId) -> FilterTable<'_> {
        let Some(node) = self.tailnet.node(id) else {
            return FilterTable { node: id, rules: Vec::new() };
        };
        let mut lines: Vec<(PartId, FilterRule<'_>)> = Vec::new();
        let mut by_key: FxHashMap<(SourceId, Option<Protocol>), usize> = FxHashMap::default();
        let mut caps_lines: Vec<(u32, SourceId, usize)> = Vec::new();
        for (at, part) in self.parts_at(id) {
            let Some(unit) = self.units.get(part.unit as usize) else { continue };
            let Some(source) = self.source_at(at, part, unit, node) else { continue };
            match unit.payload {
                Payload::Ports(protocol) => {
                    let addresses = self.addresses_at(part, id, node);
                    if addresses.is_empty() {
                        continue;
                    }
                    let line = *by_key.entry((source, protocol)).or_insert(lines.len());
                    if line == lines.len() {
                        let access = Access::Ports { protocol, dst: Vec::new() };
                        let first =
                            self.positions.get(&(source, protocol)).map_or(at, |it| at.min(*it));
                        lines.push((first, FilterRule { source, access, origins: Vec::new() }));
                    }
                    if let Some((
                        _,
                        FilterRule { access: Access::Ports { dst, .. }, origins, .. },
                    )) = lines.get_mut(line)
                    {
                        let each = |addresses| {
                            part.ports.iter().map(move |ports| DstPort { addresses, ports: *ports })
                        };
                        dst.extend(addresses.into_iter().flat_map(each));
                        origins.push(at);
                    }
                }
                Payload::Caps(_) | Payload::Companion(_) => {
                    let dsts = self.own_addresses_at(part, id, node);
                    if dsts.is_empty() {
                        continue;
                    }
                    let grant = match unit.payload {
                        Payload::Companion(name) => CapGrant { dsts, caps: Caps::Companion(name) },
                        Payload::Caps(caps) => CapGrant { dsts, caps: Caps::Granted(caps) },
                        Payload::Ports(_) => continue,
                    };
                    let of_unit = caps_lines.iter().rev().take_while(|it| it.0 == part.unit);
                    let line = of_unit.filter(|it| it.1 == source).map(|it| it.2).next();
                    match line.and_then(|it| lines.get_mut(it)) {
                        Some((_, FilterRule { access: Access::Caps(grants), origins, .. })) => {
                            add_grant(grants, grant);
                            origins.push(at);
                        }
                        _ => {
                            caps_lines.push((part.unit, source, lines.len()));
                            let access = Access::Caps(vec![grant]);
                            lines.push((at, FilterRule { source, access, origins: vec![at] }));
                        }
                    }
                }
            }
        }
        lines.sort_by_key(|(first, _)| *first);
        FilterTable { node: id, rules: lines.into_iter().map(|(_, line)| line).collect() }
    }

    /// The source of a part at a node; for `autogroup:self` it is the node's user's own devices.
    fn source_at(&self, at: PartId, part: &Part, unit: &Unit<'_>, node: &Node) -> Option<SourceId> {
        if part.target != Target::Autogroup(Autogroup::OwnDevices) {
            return Some(unit.source);
        }
        let Owner::User(user) = node.owner else { return None };
        let restricted = self.own_where_restricted.get(&(at, user)).copied();
        restricted.or_else(|| self.own_sources.get(user.0 as usize).copied().flatten())
    }

    /// What of a destination is meant for a node: the entries of `DstPorts`, without ports.
    ///
    /// SOURCE: spec/policy-language.md 5.5. Literals stay whole; identities are cut down to the node
    /// and, where one of its routes covers other nodes, to those.
    fn addresses_at(&self, part: &Part, id: NodeId, node: &Node) -> Vec<Addresses> {
        match part.target {
            Target::Any => vec![Addresses::Any],
            Target::Autogroup(Autogroup::OwnDevices) => {
                node.addresses().map(Addresses::from).collect()
            }
            Target::Autogroup(Autogroup::Internet) => INTERNET.to_vec(),
            Target::Literal(_) | Target::Host(_) => {
                self.policy.net(part.target).map(Addresses::Net).into_iter().collect()
            }
            Target::Ipset(_) | Target::Service(_) => {
                let mut ranges = self.ranges_of(part.target);
                ranges.retain(|it| {
                    let own =
                        part.via.is_none() && node.addresses().any(|address| it.contains(address));
                    own || node.subnet_routes().any(|net| it.overlaps(net.into()))
                });
                ranges.into_iter().map(Addresses::from).collect()
            }
            _ if !self.routes.any_around() => node.addresses().map(Addresses::from).collect(),
            _ => self.members_behind(part, id, node),
        }
    }

    /// The addresses of a part's members that are the node's own or lie inside one of its routes,
    /// the eldest member first.
    fn members_behind(&self, part: &Part, id: NodeId, node: &Node) -> Vec<Addresses> {
        let Some(members) = self.members(part) else { return Vec::new() };
        let behind =
            node.subnet_routes().flat_map(|net| routes::nodes_in(self.tailnet, net.into()));
        let mut nodes: Vec<NodeId> =
            behind.chain([id]).filter(|it| members.contains(*it)).collect();
        nodes.sort_unstable_by_key(|it| self.tailnet.age(*it));
        nodes.dedup();
        let meant = |it: NodeId, address: &IpAddr| {
            it == id || node.subnet_routes().any(|net| net.contains(address))
        };
        let addresses = |it: NodeId| {
            let all = self.tailnet.node(it).into_iter().flat_map(|it| it.addresses());
            all.filter(move |address| meant(it, address))
        };
        nodes.into_iter().flat_map(addresses).map(Addresses::from).collect()
    }

    /// What of a destination is the node itself: the `Dsts` of a capability.
    ///
    /// SOURCE: spec/policy-language.md 6.2.2.
    fn own_addresses_at(&self, part: &Part, id: NodeId, node: &Node) -> Vec<Addresses> {
        match part.target {
            Target::Literal(_) | Target::Host(_) | Target::Ipset(_) | Target::Service(_) => {
                let mut dsts = Vec::new();
                for range in self.ranges_of(part.target) {
                    dsts.extend(
                        node.addresses().filter(|it| range.contains(*it)).map(Addresses::from),
                    );
                    // Unlike `DstPorts`, this list takes nothing but prefixes: a client that finds a
                    // range in it refuses the whole update.
                    let routed = node.subnet_routes().any(|net| range.overlaps(net.into()));
                    let nets = range.prefixes().into_iter().filter(|_| routed).map(Addresses::Net);
                    let new: Vec<_> = nets.filter(|it| !dsts.contains(it)).collect();
                    dsts.extend(new);
                }
                dsts
            }
            Target::Any | Target::Autogroup(Autogroup::OwnDevices) => {
                node.addresses().map(Addresses::from).collect()
            }
            _ => {
                let member = self.members(part).is_some_and(|it| it.contains(id));
                node.addresses().filter(|_| member).map(Addresses::from).collect()
            }
        }
    }

    /// The addresses of a literal, host, IP set or service; none for any other destination.
    fn ranges_of(&self, target: Target) -> Vec<IpRange> {
        match target {
            Target::Ipset(id) => {
                self.ipsets.get(id.0 as usize).into_iter().flat_map(IpSet::ranges).collect()
            }
            Target::Service(id) => {
                let name = self.policy.services.get(id.0 as usize).map(|it| &it.value);
                let found = self.tailnet.services().iter().find(|it| Some(&it.name) == name);
                found.into_iter().flat_map(|it| &it.addresses).map(|it| IpRange::of(*it)).collect()
            }
            _ => self.policy.net(target).map(IpRange::from).into_iter().collect(),
        }
    }
}

/// Adds a grant to those of a line. Companions carry no values, so one of them says it for all addresses.
fn add_grant<'t>(grants: &mut Vec<CapGrant<'t>>, grant: CapGrant<'t>) {
    match grants.last_mut().filter(|_| matches!(grant.caps, Caps::Companion(_))) {
        Some(last) => {
            let new: Vec<_> = grant.dsts.into_iter().filter(|it| !last.dsts.contains(it)).collect();
            last.dsts.extend(new);
        }
        None => grants.push(grant),
    }
}

impl Tables<'_> {
    /// Where rules of a source and protocol stand on every node.
    fn first_positions(&self) -> FxHashMap<(SourceId, Option<Protocol>), PartId> {
        let mut positions = FxHashMap::default();
        for (at, part) in (0..).map(PartId).zip(&self.parts).filter(|(_, part)| part.lends_position)
        {
            if let Some(Unit { source, payload: Payload::Ports(protocol), .. }) =
                self.units.get(part.unit as usize)
            {
                positions.entry((*source, *protocol)).or_insert(at);
            }
        }
        positions
    }
}
