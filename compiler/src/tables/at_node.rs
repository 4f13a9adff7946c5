//! The table of one node: the parts that reach it, cut down to it, merged and put in order.
//!
//! SOURCE: docs/language.md, "Order and merging" and "Destinations".

use std::net::IpAddr;

use rustc_hash::FxHashMap;

use super::*;

impl Tables<'_> {
    /// The parts that reach a node, in order.
    pub(super) fn parts_at(&self, node: NodeId) -> Vec<(PartId, &Part)> {
        let with_id = |id: u32| Some((PartId(id), self.parts.get(id as usize)?));
        match self.delivery.get() {
            Some(delivery) => {
                let reach = |id: u32| Some(self.nodes_of(self.parts.get(id as usize)?.reach));
                let parts = delivery.of(node, reach).into_iter().filter_map(with_id);
                parts.filter(|(_, part)| !self.is_silent(part)).collect()
            }
            None => {
                // Neighbouring parts often have one destination in common, so the last answer is kept.
                let mut last = (NOBODY, false);
                let mut reached = |part: &Part| {
                    if last.0 != part.reach {
                        last = (part.reach, self.nodes_of(part.reach).contains(node));
                    }
                    last.1
                };
                let all = (0..).map(PartId).zip(&self.parts);
                all.filter(|(_, part)| reached(part) && !self.is_silent(part)).collect()
            }
        }
    }

    /// The table of one node. Lines of equal source and protocol are one; a line stands where the
    /// first part with them stands, whether or not that part reaches this node.
    ///
    /// SOURCE: docs/language.md, "Order and merging".
    pub fn table(&self, id: NodeId) -> FilterTable<'_> {
        let Some(node) = self.tailnet.node(id) else {
            return FilterTable { node: id, rules: Vec::new() };
        };
        let mut lines = Lines::default();
        for (at, part) in self.parts_at(id) {
            let Some(unit) = self.units.get(part.unit as usize) else { continue };
            let Some(source) = self.source_at(part, unit, node) else { continue };
            let caps = match unit.payload {
                Payload::Ports(protocol) => {
                    let addresses = self.addresses_at(part, id, node);
                    let first =
                        self.positions.get(&(source, protocol)).map_or(at, |it| at.min(*it));
                    lines.add_ports(first, at, (source, protocol), &addresses, &part.ports);
                    continue;
                }
                Payload::Caps(caps) => Caps::Granted(caps),
                Payload::Companion(name) => Caps::Companion(name),
            };
            let dsts = self.own_addresses_at(part, id, node);
            lines.add_caps(at, part.unit, source, CapGrant { dsts, caps });
        }
        lines.all.sort_by_key(|(first, _)| *first);
        FilterTable { node: id, rules: lines.all.into_iter().map(|(_, line)| line).collect() }
    }

    /// The source of a part at a node; for `autogroup:self` it is the node's user's own devices.
    pub(super) fn source_at(&self, part: &Part, unit: &Unit<'_>, node: &Node) -> Option<SourceId> {
        if part.target != OWN_DEVICES {
            return Some(self.sources.now(unit.source));
        }
        let Owner::User(user) = node.owner else { return None };
        self.own_sources.at(part.reach, user)
    }

    /// What of a destination is meant for a node: the entries of `DstPorts`, without ports.
    ///
    /// SOURCE: docs/language.md, "Destinations". Literals stay whole; identities are cut down to the
    /// node and, where one of its routes covers other nodes, to those.
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
                let mut ranges = self.book.ranges(part.target);
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
        let members = self.nodes_of(part.members);
        let behind =
            node.subnet_routes().flat_map(|net| routes::nodes_in(&self.tailnet, net.into()));
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
    /// SOURCE: docs/language.md, "Capabilities".
    fn own_addresses_at(&self, part: &Part, id: NodeId, node: &Node) -> Vec<Addresses> {
        match part.target {
            Target::Literal(_) | Target::Host(_) | Target::Ipset(_) | Target::Service(_) => {
                let mut dsts = Vec::new();
                for range in self.book.ranges(part.target) {
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
                let member = self.nodes_of(part.members).contains(id);
                node.addresses().filter(|_| member).map(Addresses::from).collect()
            }
        }
    }

    /// Where rules of a source and protocol stand on every node.
    pub(super) fn first_positions(&self) -> FxHashMap<(SourceId, Option<Protocol>), PartId> {
        let mut positions = FxHashMap::default();
        for (at, part) in (0..).map(PartId).zip(&self.parts) {
            if let Some(Unit { source, payload: Payload::Ports(protocol), .. }) =
                self.units.get(part.unit as usize)
                && self.lends_position(part)
            {
                positions.entry((self.sources.now(*source), *protocol)).or_insert(at);
            }
        }
        positions
    }

    /// Whether rules of the same source and protocol stand where a part stands, on every node: where
    /// its destination has any address before it is cut down to a node.
    fn lends_position(&self, part: &Part) -> bool {
        match part.target {
            _ if part.via.is_some() || !part.gives_sight => false,
            Target::Any | Target::Literal(_) | Target::Host(_) | INTERNET_TARGET => true,
            Target::Ipset(_) | Target::Service(_) => !self.book.ranges(part.target).is_empty(),
            _ => !self.nodes_of(part.members).is_empty(),
        }
    }
}

/// The lines of a table while it is made, each with the position at which it will stand.
#[derive(Default)]
struct Lines<'t> {
    all: Vec<(PartId, FilterRule<'t>)>,
    /// Where in `all` the ports of a source and protocol are gathered.
    by_key: FxHashMap<(SourceId, Option<Protocol>), usize>,
    /// Where in `all` the capabilities of a unit and source are.
    caps: Vec<(u32, SourceId, usize)>,
}

impl<'t> Lines<'t> {
    /// Adds what a part lets through: every address with every port, address by address.
    fn add_ports(
        &mut self,
        first: PartId,
        part: PartId,
        key: (SourceId, Option<Protocol>),
        addresses: &[Addresses],
        ports: &[PortRange],
    ) {
        if addresses.is_empty() {
            return;
        }
        let line = *self.by_key.entry(key).or_insert(self.all.len());
        if line == self.all.len() {
            let access = Access::Ports { protocol: key.1, dst: Vec::new() };
            self.all.push((first, FilterRule { source: key.0, access, origins: Vec::new() }));
        }
        let Some((_, line)) = self.all.get_mut(line) else { return };
        if let Access::Ports { dst, .. } = &mut line.access {
            let each = |addresses| ports.iter().map(move |it| DstPort { addresses, ports: *it });
            dst.extend(addresses.iter().copied().flat_map(each));
            line.origins.push(part);
        }
    }

    /// Adds capabilities. Those of one grant are one line for each source, those of two are two.
    fn add_caps(&mut self, part: PartId, unit: u32, source: SourceId, grant: CapGrant<'t>) {
        if grant.dsts.is_empty() {
            return;
        }
        let mut of_unit = self.caps.iter().rev().take_while(|it| it.0 == unit);
        let known = of_unit.find(|it| it.1 == source).and_then(|it| self.all.get_mut(it.2));
        if let Some((_, FilterRule { access: Access::Caps(grants), origins, .. })) = known {
            add_grant(grants, grant);
            origins.push(part);
            return;
        }
        self.caps.push((unit, source, self.all.len()));
        let access = Access::Caps(vec![grant]);
        self.all.push((part, FilterRule { source, access, origins: vec![part] }));
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
