//! Tables → who reaches whom, part by part, for questions about all nodes at once; with capabilities
//! and logins by SSH.
//!
//! A table says what one node lets in; here a part of a rule says it for all nodes together, in terms
//! of nodes and ranges, without the order and the texts of the wire.

use super::*;
use crate::ast::{AppCap, PortRange, Protocol};

/// Network access that one part of a rule gives.
#[derive(Debug)]
pub struct Flow<'t> {
    /// The rule by its position in the policy; `None` for the one of a file without rules.
    pub rule: Option<u32>,
    /// Who is let in.
    pub source: SourceId,
    /// What is carried; `None` is the default.
    pub protocol: Option<Protocol>,
    /// To which ports.
    pub ports: &'t [PortRange],
    /// Where to.
    pub to: To<'t>,
}

/// Capabilities of applications that one part of a grant gives.
#[derive(Debug)]
pub struct AppFlow<'t> {
    /// The grant by its position among the rules.
    pub rule: Option<u32>,
    /// Who has them.
    pub source: SourceId,
    /// Which.
    pub caps: &'t [AppCap],
    /// On which devices.
    pub to: To<'t>,
}

/// Logins by SSH that one rule lets in.
#[derive(Debug)]
pub struct SshFlow<'t> {
    /// The rule by its position in the section `ssh`.
    pub rule: u32,
    /// From where.
    pub from: &'t NodeSet,
    /// To where, apart from `autogroup:self`.
    pub to: &'t NodeSet,
    /// Whether also each user's own devices are meant.
    pub own: bool,
    /// Whether the control plane sends the rule to its sources as well, as it does with a `localpart`:
    /// their users may then log in among those of their own devices.
    pub spreads: bool,
}

impl SshFlow<'_> {
    /// Whether a device lets in its own user from the user's other devices, wherever the rule leads.
    pub fn reaches_own(&self, dst: NodeId) -> bool {
        self.own || self.spreads && self.from.contains(dst)
    }
}

/// Where a part of a rule leads.
#[derive(Debug)]
pub enum To<'t> {
    /// To these nodes, and to what lies behind their routes.
    Everything(&'t NodeSet),
    /// To these nodes themselves.
    Nodes(&'t NodeSet),
    /// To addresses, as far as one of these nodes has or routes them.
    Ranges(Vec<IpRange>, &'t NodeSet),
    /// To addresses behind routes of each of these nodes; to a node itself where its own is among them.
    Behind(Vec<(NodeId, Vec<IpRange>)>),
    /// To the internet through these exit nodes.
    Internet(&'t NodeSet),
    /// From a user's devices to the user's devices, as `autogroup:self` means: the senders of each
    /// user, and the receivers.
    Own(Vec<(SourceId, Vec<NodeId>)>),
}

/// The devices that a selector names by identity, in a policy that may have errors.
pub fn named_by(policy: &Policy, tailnet: &Tailnet, target: Target) -> Vec<NodeId> {
    members::Members::new(policy, tailnet).of(target).iter().collect()
}

impl Tables<'_> {
    /// The devices that a selector names by identity.
    pub fn named_by(&self, target: Target) -> Vec<NodeId> {
        named_by(self.policy, &self.tailnet, target)
    }

    /// The addresses that a selector names as such: of a literal, a host, an IP set or a service.
    pub fn ranges_of(&self, target: Target) -> Vec<IpRange> {
        self.book.ranges(target)
    }

    /// The devices that a packet for an address may be meant for: its owner, the routers whose routes
    /// hold it, and for public addresses every exit node.
    pub fn receivers(&self, address: IpAddr) -> Vec<NodeId> {
        // The way to a device's own address leads to it, whatever routes lie around.
        if let Some(owner) = self.tailnet.node_at(address) {
            return vec![owner];
        }
        let mut nodes = Vec::new();
        self.routes.reached_by(&self.tailnet, IpRange::of(address), &mut nodes);
        if INTERNET.iter().any(|it| it.contains(address)) {
            let exits = self.tailnet.routers().iter().filter(|id| {
                self.tailnet.node(**id).is_some_and(|it| it.exit_routes().next().is_some())
            });
            nodes.extend(exits.map(|it| it.0));
        }
        nodes.sort_unstable();
        nodes.dedup();
        nodes.into_iter().map(NodeId).collect()
    }

    /// The network access of every part of every rule, in the order of the control plane.
    pub fn flows(&self) -> impl Iterator<Item = Flow<'_>> {
        self.parts.iter().filter_map(|part| {
            let unit = self.units.get(part.unit as usize)?;
            let Payload::Ports(protocol) = unit.payload else { return None };
            if self.is_silent(part) {
                return None;
            }
            let to = self.to(part, unit);
            let (source, ports) = (self.sources.now(unit.source), &*part.ports);
            Some(Flow { rule: unit.rule, source, protocol, ports, to })
        })
    }

    /// The capabilities of every part of every grant, in the order of the control plane.
    pub fn app_flows(&self) -> impl Iterator<Item = AppFlow<'_>> {
        self.parts.iter().filter_map(|part| {
            let unit = self.units.get(part.unit as usize)?;
            let Payload::Caps(caps) = unit.payload else { return None };
            let (source, to) = (self.sources.now(unit.source), self.to(part, unit));
            Some(AppFlow { rule: unit.rule, source, caps, to })
        })
    }

    /// The logins by SSH of every rule, in the order of the section.
    pub fn ssh_flows(&self) -> impl Iterator<Item = SshFlow<'_>> {
        self.ssh().flows()
    }

    fn to<'t>(&'t self, part: &Part, unit: &Unit<'_>) -> To<'t> {
        let reach = self.reach(part);
        match part.target {
            Target::Any => To::Everything(reach),
            OWN_DEVICES => To::Own(self.own_flows(part, unit)),
            INTERNET_TARGET => To::Internet(reach),
            Target::Literal(_) | Target::Host(_) | Target::Ipset(_) | Target::Service(_) => {
                let ranges = self.book.ranges(part.target);
                match part.via {
                    Some(_) => To::Behind(self.behind(&ranges, reach)),
                    None => To::Ranges(ranges, reach),
                }
            }
            _ => To::Nodes(self.nodes_of(part.members)),
        }
    }

    /// For `via`: what each router is meant to route of some addresses.
    fn behind(&self, ranges: &[IpRange], routers: &NodeSet) -> Vec<(NodeId, Vec<IpRange>)> {
        let meant = |id: NodeId| {
            let node = self.tailnet.node(id)?;
            let routed = |it: &&IpRange| node.subnet_routes().any(|net| it.overlaps(net.into()));
            Some((id, ranges.iter().filter(routed).copied().collect()))
        };
        routers.iter().filter_map(meant).collect()
    }

    /// For `autogroup:self`: the senders and receivers of each user whom a part reaches.
    fn own_flows(&self, part: &Part, unit: &Unit<'_>) -> Vec<(SourceId, Vec<NodeId>)> {
        let mut flows: Vec<(SourceId, Vec<NodeId>)> = Vec::new();
        let mut places: FxHashMap<SourceId, usize> = FxHashMap::default();
        for id in self.reach(part).iter() {
            let Some(node) = self.tailnet.node(id) else { continue };
            let Some(source) = self.source_at(part, unit, node) else { continue };
            let place = *places.entry(source).or_insert(flows.len());
            match flows.get_mut(place) {
                Some((_, nodes)) => nodes.push(id),
                None => flows.push((source, vec![id])),
            }
        }
        flows
    }
}
