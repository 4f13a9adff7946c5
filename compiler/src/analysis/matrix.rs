//! Who reaches whom, for the pairs of ends that are in view: aggregated from what each part of a rule
//! says for all devices together, so that devices never meet in pairs.

mod ends;

use std::collections::BTreeMap;
use std::rc::Rc;

use super::atom_set::{AtomId, AtomSet};
use super::flow_text::joined;
use crate::ast::ports::protocol_name;
use crate::ast::{PortRange, Protocol};
use crate::tables::flows::To;
use crate::tables::ip_set::IpRange;
use crate::tables::{NodeSet, SourceId, Tables, nodes_in};
use crate::tailnet::NodeId;
pub use ends::{End, EndKind, Ends};

/// What one end may do to another.
#[derive(Clone, Debug)]
pub struct Cell {
    /// The number of the sender.
    pub from: u32,
    /// The number of the receiver.
    pub to: u32,
    /// How much is let through.
    pub kind: CellKind,
    /// The same in a few words.
    pub summary: String,
    /// The rules, by their position in the policy.
    pub rules: Vec<u32>,
}

/// How much of all that is possible is let through.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CellKind {
    /// Every port, from and to all.
    All,
    /// Some ports, or some of the devices.
    Some,
    /// Only from devices that meet a posture.
    Conditional,
}

impl CellKind {
    /// A word for it: `all`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Some => "some",
            Self::Conditional => "conditional",
        }
    }
}

/// All access, by places.
#[derive(Debug)]
pub struct Matrix {
    /// What rows and columns there are.
    pub ends: Ends,
    flows: Vec<Flow>,
}

#[derive(Debug)]
struct Flow {
    pairs: Pairs,
    protocol: Option<Protocol>,
    ports: Vec<PortRange>,
    rule: Option<u32>,
    /// Whether a device must meet a posture.
    conditional: bool,
}

#[derive(Debug)]
enum Pairs {
    /// Each of the first reaches each of the second, of the third only a part.
    Product(Rc<AtomSet>, Rc<AtomSet>, Rc<AtomSet>),
    /// Devices of one user among each other.
    Own(Vec<(Vec<u32>, Vec<u32>)>),
}

impl Matrix {
    /// All access of the devices of a tailnet.
    pub fn of(tables: &Tables<'_>) -> Self {
        let ends = Ends::of(tables);
        let mut sources: BTreeMap<SourceId, Rc<AtomSet>> = BTreeMap::new();
        let mut reached: BTreeMap<*const NodeSet, Rc<AtomSet>> = BTreeMap::new();
        let nothing = Rc::new(ends.none());
        let policy = tables.policy();
        let rules = policy.rules.as_deref().unwrap_or_default();
        let mut flows = Vec::new();
        for flow in tables.flows() {
            let pairs = match &flow.to {
                To::Own(users) => Pairs::Own(own(tables, users)),
                to => {
                    let source = sources.entry(flow.source);
                    let source =
                        source.or_insert_with(|| Rc::new(senders(tables, &ends, flow.source)));
                    let (whole, part) = match to {
                        To::Nodes(nodes) => {
                            let of = reached.entry(std::ptr::from_ref(*nodes));
                            let of = of.or_insert_with(|| Rc::new(of_nodes(&ends, nodes)));
                            (Rc::clone(of), Rc::clone(&nothing))
                        }
                        to => {
                            let (whole, part) = receivers(tables, &ends, to);
                            (Rc::new(whole), Rc::new(part))
                        }
                    };
                    Pairs::Product(Rc::clone(source), whole, part)
                }
            };
            let rule = flow.rule.and_then(|it| rules.get(it as usize));
            flows.push(Flow {
                pairs,
                protocol: flow.protocol,
                ports: flow.ports.to_vec(),
                rule: flow.rule,
                conditional: rule.is_some_and(|it| !it.postures.is_empty()),
            });
        }
        Self { ends, flows }
    }

    /// The cells of some rows and columns, by the numbers of the ends; where nothing is let through
    /// there is none.
    pub fn cells(&self, rows: &[u32], columns: &[u32]) -> Vec<Cell> {
        let places = |ids: &[u32]| -> Vec<(u32, &AtomSet)> {
            ids.iter()
                .filter_map(|id| Some((*id, &self.ends.all.get(*id as usize)?.places)))
                .collect()
        };
        let (rows, columns) = (places(rows), places(columns));
        let mut gathered: BTreeMap<(usize, usize), Gathered> = BTreeMap::new();
        for flow in &self.flows {
            match &flow.pairs {
                Pairs::Product(from, to, part) => {
                    let hit = |all: &[(u32, &AtomSet)], sets: &[&AtomSet]| -> Vec<usize> {
                        let meets = |it: &AtomSet| sets.iter().any(|set| set.overlaps(it));
                        (0..).zip(all).filter(|(_, it)| meets(it.1)).map(|it| it.0).collect()
                    };
                    let to_columns = hit(&columns, &[to, part]);
                    for y in hit(&rows, &[from]) {
                        for x in &to_columns {
                            let (Some(row), Some(column)) = (rows.get(y), columns.get(*x)) else {
                                continue;
                            };
                            let cell =
                                gathered.entry((y, *x)).or_insert_with(|| Gathered::new(self));
                            cell.add_product(flow, (row.1, from), (column.1, to, part));
                        }
                    }
                }
                Pairs::Own(users) => {
                    for (senders, receivers) in users {
                        let hit = |all: &[(u32, &AtomSet)], list: &[u32]| -> Vec<usize> {
                            let meets =
                                |it: &AtomSet| list.iter().any(|place| it.contains(AtomId(*place)));
                            (0..).zip(all).filter(|(_, it)| meets(it.1)).map(|it| it.0).collect()
                        };
                        let to_columns = hit(&columns, receivers);
                        for y in hit(&rows, senders) {
                            for x in &to_columns {
                                let (Some(row), Some(column)) = (rows.get(y), columns.get(*x))
                                else {
                                    continue;
                                };
                                let cell =
                                    gathered.entry((y, *x)).or_insert_with(|| Gathered::new(self));
                                cell.add_own(flow, (row.1, senders), (column.1, receivers));
                            }
                        }
                    }
                }
            }
        }
        let cell = |((y, x), it): ((usize, usize), Gathered)| {
            let (row, column) = (rows.get(y)?, columns.get(x)?);
            it.finish(*row, *column)
        };
        gathered.into_iter().filter_map(cell).collect()
    }
}

/// What is carried to which ports; without a protocol the default ones.
type Carried = BTreeMap<Option<Protocol>, Vec<PortRange>>;

/// What was found for one pair of ends.
struct Gathered {
    /// What every member may do to every member.
    for_all: Carried,
    /// What only some may.
    for_some: Carried,
    rules: Vec<u32>,
    /// The members that send and receive anything at all.
    from: AtomSet,
    to: AtomSet,
    /// Of what is carried on every port to each receiver: senders, where all receive; receivers,
    /// where all send.
    whole_from: AtomSet,
    whole_to: AtomSet,
    conditional: bool,
    /// Whether all of it leads from each user to their own devices.
    own: bool,
}

impl Gathered {
    fn new(matrix: &Matrix) -> Self {
        let none = || matrix.ends.none();
        Self {
            for_all: BTreeMap::new(),
            for_some: BTreeMap::new(),
            rules: Vec::new(),
            from: none(),
            to: none(),
            whole_from: none(),
            whole_to: none(),
            conditional: true,
            own: true,
        }
    }

    fn add_flow(&mut self, flow: &Flow, for_all: bool) {
        let access = if for_all { &mut self.for_all } else { &mut self.for_some };
        access.entry(flow.protocol).or_default().extend(&flow.ports);
        self.rules.extend(flow.rule);
        self.conditional &= flow.conditional;
    }

    fn add_product(
        &mut self,
        flow: &Flow,
        (row, from): (&AtomSet, &AtomSet),
        (column, to, part): (&AtomSet, &AtomSet, &AtomSet),
    ) {
        self.add_flow(flow, row.is_subset(from) && column.is_subset(to));
        self.own = false;
        self.from.add_common(row, from);
        self.to.add_common(column, to);
        self.to.add_common(column, part);
        let every = flow.protocol.is_none() && flow.ports.contains(&PortRange::ALL);
        if every && !flow.conditional {
            if column.is_subset(to) {
                self.whole_from.add_common(row, from);
            }
            if row.is_subset(from) {
                self.whole_to.add_common(column, to);
            }
        }
    }

    fn add_own(
        &mut self,
        flow: &Flow,
        (row, from): (&AtomSet, &[u32]),
        (column, to): (&AtomSet, &[u32]),
    ) {
        self.add_flow(flow, false);
        from.iter()
            .filter(|it| row.contains(AtomId(**it)))
            .for_each(|it| self.from.insert(AtomId(*it)));
        to.iter()
            .filter(|it| column.contains(AtomId(**it)))
            .for_each(|it| self.to.insert(AtomId(*it)));
    }

    /// "ports 443, 445; some of them every port"
    fn summary(&self) -> String {
        let mut together = self.for_all.clone();
        for (protocol, ports) in &self.for_some {
            together.entry(*protocol).or_default().extend(ports);
        }
        let (of_all, whole) = (carried(self.for_all.clone()), carried(together));
        if self.for_all.is_empty() || whole == of_all {
            return whole;
        }
        format!("{of_all}; some of them {}", carried(self.for_some.clone()))
    }

    /// `None` where nobody but one and the same device is at both ends.
    fn finish(
        mut self,
        (from, row): (u32, &AtomSet),
        (to, column): (u32, &AtomSet),
    ) -> Option<Cell> {
        if self.from.len() == 1 && self.from == self.to {
            return None;
        }
        self.rules.sort_unstable();
        self.rules.dedup();
        let every = row.is_subset(&self.whole_from) || column.is_subset(&self.whole_to);
        let mut summary = self.summary();
        let part = |some: &AtomSet, all: &AtomSet| {
            (some.len() < all.len()).then(|| (some.len(), all.len()))
        };
        if let Some((some, all)) = part(&self.from, row) {
            summary += &format!(", from {some} of {all}");
        }
        if let Some((some, all)) = part(&self.to, column) {
            summary += &format!(", to {some} of {all}");
        }
        let kind = if every {
            CellKind::All
        } else if self.conditional {
            CellKind::Conditional
        } else {
            CellKind::Some
        };
        if self.own {
            summary += ", each user to their own devices";
        }
        if kind == CellKind::Conditional {
            summary += ", from devices that meet a posture";
        }
        Some(Cell { from, to, kind, summary, rules: self.rules })
    }
}

/// "every port", "tcp 443, 8096; udp 53"
fn carried(mut access: Carried) -> String {
    // TCP, UDP and ICMP say nothing beside every port of them.
    if access.get(&None).is_some_and(|it| it.contains(&PortRange::ALL)) {
        access.retain(|protocol, _| !matches!(protocol, Some(1 | 6 | 17 | 58)));
    }
    let part = |(protocol, ports): (Option<Protocol>, Vec<PortRange>)| {
        let ports = joined(ports);
        let list: Vec<String> = ports.iter().map(ToString::to_string).collect();
        match (protocol, ports.as_slice()) {
            (None, [PortRange::ALL]) => "every port".to_owned(),
            (None, [one]) if one.first == one.last => format!("port {one}"),
            (None, _) => format!("ports {}", list.join(", ")),
            (Some(it), [PortRange::ALL]) => protocol_name(it),
            (Some(it), _) => format!("{} {}", protocol_name(it), list.join(", ")),
        }
    };
    access.into_iter().map(part).collect::<Vec<_>>().join("; ")
}

fn of_nodes(ends: &Ends, nodes: &NodeSet) -> AtomSet {
    let mut set = ends.none();
    nodes.iter().for_each(|it| set.insert(AtomId(it.0)));
    set
}

fn senders(tables: &Tables<'_>, ends: &Ends, id: SourceId) -> AtomSet {
    let source = tables.source(id);
    let mut set = of_nodes(ends, &source.owners(tables.tailnet()));
    let everybody = source.everybody.iter().flat_map(|it| it.addresses().ranges());
    let extra = source.extra.iter().flat_map(|it| it.ranges());
    for range in everybody.chain(extra) {
        overlapped(tables, ends, range, |_| true).for_each(|it| set.insert(AtomId(it.0)));
    }
    if source.everybody.is_some() {
        (ends.devices..ends.devices + ends.networks).for_each(|it| set.insert(AtomId(it)));
    }
    set
}

/// The networks that a range overlaps and some node routes, and whether it holds each whole.
fn overlapped<'t>(
    tables: &'t Tables<'_>,
    ends: &'t Ends,
    range: IpRange,
    routes: impl Fn(NodeId) -> bool + 't,
) -> impl Iterator<Item = (u32, bool)> + 't {
    let all = tables.routes().all().iter().zip(ends.devices..);
    all.filter_map(move |(route, place)| {
        let net = IpRange::from(route.net);
        let routed = route.advertisers.iter().any(|it| routes(*it));
        let whole = range.contains(net.first()) && range.contains(net.last());
        (routed && net.overlaps(range)).then_some((place, whole))
    })
}

/// The places that a flow leads to: those that it holds whole, and those of which it holds a part.
fn receivers(tables: &Tables<'_>, ends: &Ends, to: &To<'_>) -> (AtomSet, AtomSet) {
    let (mut whole, mut part) = (ends.none(), ends.none());
    let tailnet = tables.tailnet();
    let internet = ends.devices + ends.networks;
    let is_exit = |id: NodeId| tailnet.node(id).is_some_and(|it| it.exit_routes().next().is_some());
    let mut add = |range: IpRange, routes: &dyn Fn(NodeId) -> bool, whole: &mut AtomSet| {
        for (place, all) in overlapped(tables, ends, range, routes) {
            if all { whole.insert(AtomId(place)) } else { part.insert(AtomId(place)) }
        }
    };
    match to {
        To::Nodes(nodes) => whole = of_nodes(ends, nodes),
        To::Everything(nodes) => {
            whole = of_nodes(ends, nodes);
            for (route, place) in tables.routes().all().iter().zip(ends.devices..) {
                if route.advertisers.iter().any(|it| nodes.contains(*it)) {
                    whole.insert(AtomId(place));
                }
            }
            if nodes.iter().any(is_exit) {
                whole.insert(AtomId(internet));
            }
        }
        To::Ranges(ranges, nodes) => {
            for range in ranges {
                nodes_in(tables.tailnet(), *range)
                    .filter(|it| nodes.contains(*it))
                    .for_each(|it| whole.insert(AtomId(it.0)));
                add(*range, &|it| nodes.contains(it), &mut whole);
            }
        }
        To::Behind(routers) => {
            for (router, ranges) in routers {
                for range in ranges {
                    nodes_in(tables.tailnet(), *range)
                        .filter(|it| it == router)
                        .for_each(|it| whole.insert(AtomId(it.0)));
                    add(*range, &|it| it == *router, &mut whole);
                }
            }
        }
        To::Internet(exits) if !exits.is_empty() => whole.insert(AtomId(internet)),
        To::Internet(_) | To::Own(_) => {}
    }
    (whole, part)
}

fn own(tables: &Tables<'_>, users: &[(SourceId, Vec<NodeId>)]) -> Vec<(Vec<u32>, Vec<u32>)> {
    let pair = |(source, nodes): &(SourceId, Vec<NodeId>)| {
        let senders = tables.source(*source).owners(tables.tailnet());
        (senders.iter().map(|it| it.0).collect(), nodes.iter().map(|it| it.0).collect())
    };
    users.iter().map(pair).collect()
}
