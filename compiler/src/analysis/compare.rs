//! The packet filter that a device holds, against the table that a policy compiles to: what is let in
//! on one side only.
//!
//! Both are cut into boxes of senders, receivers, protocols and ports, and the boxes of each side are
//! taken from those of the other, so that two filters that say the same in other lines are the same.

use std::rc::Rc;

use ipnet::IpNet;

use super::atom_set::{AtomId, AtomSet};
use super::diff::left_over;
use super::diff_rows::joined;
use super::flow_text::{Row, protocols};
use super::region::{Layer, Pairs, Protocols, Region};
use super::universe::{Atom, Names, Universe};
use crate::ast::ports::has_ports;
use crate::ast::{PortRange, Protocol};
use crate::tables::ip_set::IpRange;
use crate::tables::{Addresses, Tables, matches};
use crate::tailnet::{NodeId, Tailnet};

/// What ping is carried by, in both families.
const ICMP: [Protocol; 2] = [1, 58];

/// One line of a packet filter, as a client keeps it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Line {
    /// The protocols.
    pub protocols: Vec<Protocol>,
    /// The senders.
    pub srcs: Vec<IpRange>,
    /// The receivers and their ports.
    pub dsts: Vec<(IpRange, PortRange)>,
    /// The rule it comes from, by its position in the policy, where that is known.
    pub rule: Option<u32>,
}

/// What is let in on one side only.
#[derive(Clone, Debug, Default)]
pub struct Difference {
    /// What the policy gives and the device does not let in; the rules are those of the policy.
    pub missing: Vec<Row>,
    /// What the device lets in and the policy does not give.
    pub extra: Vec<Row>,
}

/// The lines of a compiled table, without capabilities.
pub fn compiled(tables: &Tables<'_>, node: NodeId) -> Vec<Line> {
    let line = |rule: &crate::tables::FilterRule<'_>| {
        let expanded = matches(tables, rule);
        Line {
            protocols: expanded.protocols,
            srcs: expanded.srcs.into_iter().map(IpRange::from).collect(),
            dsts: expanded.dsts.into_iter().map(|(net, ports)| (range(net), ports)).collect(),
            rule: rule.origins.first().and_then(|it| tables.rule_of(*it)),
        }
    };
    tables.table(node).rules.iter().map(line).filter(|it| !it.dsts.is_empty()).collect()
}

fn range(net: IpNet) -> IpRange {
    net.into()
}

/// Compares two filters of a device; devices are called as in the inventory.
///
/// Receivers are only what packets to the device are meant for: its own addresses, and what lies behind
/// its approved routes. What a filter says of others says nothing.
pub fn compare(tailnet: &Tailnet, node: NodeId, held: &[Line], compiled: &[Line]) -> Difference {
    let node = tailnet.node(node);
    let own = node.into_iter().flat_map(|it| it.addresses()).map(IpRange::of);
    let routed = node.into_iter().flat_map(|it| it.routes.iter().copied()).map(range);
    let received: Vec<IpRange> = own.chain(routed).collect();
    let [held, compiled] = [held, compiled].map(|lines| clipped(lines, &received));
    between(tailnet, &held, &compiled)
}

fn clipped(lines: &[Line], received: &[IpRange]) -> Vec<Line> {
    let dsts = |line: &Line| -> Vec<(IpRange, PortRange)> {
        let clip = |(range, ports): &(IpRange, PortRange)| {
            let within = received.iter().filter_map(|it| range.and(*it));
            within.map(|it| (it, *ports)).collect::<Vec<_>>()
        };
        line.dsts.iter().flat_map(clip).collect()
    };
    lines.iter().map(|it| Line { dsts: dsts(it), ..it.clone() }).collect()
}

fn between(tailnet: &Tailnet, held: &[Line], compiled: &[Line]) -> Difference {
    let mut names = Names::default();
    for line in held.iter().chain(compiled) {
        line.srcs.iter().for_each(|it| names.add_range(*it));
        line.dsts.iter().for_each(|it| names.add_range(it.0));
    }
    let universe = Universe::new(names);
    let [let_in, given] = [held, compiled].map(|it| regions(&universe, it, carried));
    let [held, compiled] = [held, compiled].map(|it| regions(&universe, it, delivered));
    let rows = |regions: Vec<Region>| {
        joined(regions.iter().filter_map(|it| row(tailnet, &universe, it)).collect())
    };
    Difference {
        missing: rows(left_over(&given, &held)),
        extra: rows(left_over(&let_in, &compiled)),
    }
}

/// What a line lets through to some ports.
type Carried = fn(&[Protocol], PortRange) -> Vec<(Protocols, PortRange)>;

/// What a line is written for. Of a protocol without ports a client lets through nothing where a line
/// does not open all of them.
fn carried(protocols: &[Protocol], ports: PortRange) -> Vec<(Protocols, PortRange)> {
    let carried = protocols.iter().filter(|it| ports == PortRange::ALL || has_ports(**it));
    let carried = Protocols::all_of(&carried.copied().collect::<Vec<_>>());
    if carried.is_empty() { Vec::new() } else { vec![(carried, ports)] }
}

/// The same, and ping: a client lets it in where any line opens anything. So ping is never missed where
/// it comes through, and never listed where only something else was opened.
fn delivered(protocols: &[Protocol], ports: PortRange) -> Vec<(Protocols, PortRange)> {
    let ping = (Protocols::all_of(&ICMP), PortRange::ALL);
    carried(protocols, ports).into_iter().chain([ping]).collect()
}

fn regions(universe: &Universe, lines: &[Line], carried: Carried) -> Vec<Region> {
    let always = Rc::new(AtomSet::of(1, AtomId(0)));
    let set = |ranges: &mut dyn Iterator<Item = IpRange>| {
        let mut set = universe.nothing();
        ranges.for_each(|it| universe.add_range(it, &mut set));
        Rc::new(set)
    };
    let mut regions = Vec::new();
    for line in lines {
        let src = set(&mut line.srcs.iter().copied());
        for (range, ports) in &line.dsts {
            for (protocols, ports) in carried(&line.protocols, *ports) {
                regions.push(Region {
                    layer: Layer::Network,
                    pairs: Pairs::Product(Rc::clone(&src), set(&mut std::iter::once(*range))),
                    postures: Rc::clone(&always),
                    protocols,
                    via: [].into(),
                    ports,
                    rule: line.rule,
                });
            }
        }
    }
    regions
}

/// A box in words; none for a box from one family of addresses to the other, which no packet takes.
fn row(tailnet: &Tailnet, universe: &Universe, region: &Region) -> Option<Row> {
    let Pairs::Product(src, dst) = &region.pairs else { return None };
    let families = |set: &AtomSet| {
        set.iter()
            .filter_map(|it| Some(v4(universe.atom(it)?)))
            .fold([false; 2], |[a, b], v4| [a || v4, b || !v4])
    };
    let ([a, b], [c, d]) = (families(src), families(dst));
    let names = |set: &AtomSet| -> Vec<String> {
        let mut names: Vec<String> =
            set.iter().filter_map(|it| name(tailnet, universe.atom(it)?)).collect();
        names.sort();
        names.dedup();
        names
    };
    (a && c || b && d).then(|| Row {
        layer: Layer::Network,
        src: names(src),
        dst: names(dst),
        protocol: protocols(region.protocols),
        ports: region.ports.to_string(),
        via: Vec::new(),
        posture: Vec::new(),
        rules: region.rule.into_iter().collect(),
    })
}

fn v4(atom: &Atom) -> bool {
    match atom {
        Atom::Addresses(range) => matches!(range, IpRange::V4(..)),
        Atom::OtherAddresses(address) => address.is_ipv4(),
        _ => false,
    }
}

fn name(tailnet: &Tailnet, atom: &Atom) -> Option<String> {
    match atom {
        Atom::Addresses(range) if range.first() == range.last() => {
            let node = tailnet.node_at(range.first()).and_then(|it| tailnet.node(it));
            Some(node.map_or_else(|| range.first().to_string(), |it| it.name.to_string()))
        }
        Atom::Addresses(range) => Some(Addresses::from(*range).to_string()),
        Atom::OtherAddresses(it) if it.is_ipv4() => Some("any other IPv4 address".to_owned()),
        Atom::OtherAddresses(_) => Some("any other IPv6 address".to_owned()),
        _ => None,
    }
}
