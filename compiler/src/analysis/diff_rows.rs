//! What changed, as boxes → rows that people read, the fewest that say it.
//!
//! Rows of one kind are joined where they differ in one thing only: who, whom, what is carried, or
//! which rule it comes from.

use std::net::IpAddr;
use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::access::Conditions;
use super::atom_set::AtomId;
use super::describe::Vocabulary;
use super::devices::{Place, Space};
use super::flow_text::Row;
use super::region::{Layer, Pairs, Region};
use crate::tables::verdict::{Classifier, Packet};
use crate::tables::{Addresses, Tables};

/// The rows of boxes over all possible tailnets.
pub fn of_policies(
    regions: &[Region],
    vocabulary: &Vocabulary<'_>,
    conditions: &Conditions,
) -> Vec<Row> {
    joined(regions.iter().map(|it| Row::of(it, vocabulary, conditions)).collect())
}

/// The rows of boxes over the devices of tailnets, each with a packet that shows it.
pub fn of_devices(
    regions: &[Region],
    space: &Space,
    with: &Tables<'_>,
    without: &Tables<'_>,
) -> Vec<(Row, Option<Packet>)> {
    let mut trial = Trial { with, without, space, classifiers: FxHashMap::default() };
    let mut rows = Vec::new();
    for region in regions {
        let Pairs::Product(src, dst) = &region.pairs else { continue };
        let names = |set: &super::atom_set::AtomSet| names(set.iter(), space);
        let (src, dst) = (names(src), names(dst));
        // A device is no peer of its own.
        if src.len() == 1 && src == dst {
            continue;
        }
        let row = Row {
            src,
            dst,
            layer: region.layer.clone(),
            protocol: super::flow_text::protocols(region.protocols),
            ports: region.ports.to_string(),
            via: Vec::new(),
            posture: Vec::new(),
            rules: region.rule.into_iter().collect(),
        };
        // Only packets can be tried with tables of packets.
        let packet = (region.layer == Layer::Network).then(|| trial.packet(region)).flatten();
        rows.push((row, packet));
    }
    join(rows)
}

/// The names of places: a device once, whichever of its addresses is meant.
fn names(ids: impl Iterator<Item = AtomId>, space: &Space) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for place in ids.filter_map(|it| space.place(it)) {
        match place {
            Place::V4(name) | Place::V6(name) => names.push(name.to_string()),
            Place::Range(range) => names.push(Addresses::from(*range).to_string()),
        }
    }
    names.sort();
    names.dedup();
    names
}

/// Tries packets before they are shown.
struct Trial<'a, 't> {
    with: &'a Tables<'t>,
    without: &'a Tables<'t>,
    space: &'a Space,
    classifiers: FxHashMap<(bool, crate::tailnet::NodeId), Rc<Classifier>>,
}

/// At most so many pairs of a box are tried.
const TRIES: usize = 8;

impl Trial<'_, '_> {
    /// A packet of a box that one side lets in and the other does not.
    fn packet(&mut self, region: &Region) -> Option<Packet> {
        let Pairs::Product(src, dst) = &region.pairs else { return None };
        let protocol =
            region.protocols.iter().find(|it| *it == 6).or(region.protocols.iter().next())?;
        let port = match region.ports {
            crate::ast::PortRange::ALL if crate::ast::ports::has_ports(protocol) => 443,
            ports => ports.first,
        };
        for from in src.iter().take(TRIES) {
            for to in dst.iter().take(TRIES).filter(|it| *it != from) {
                let (Some(src), Some(dst)) = (self.address(from), self.address(to)) else {
                    continue;
                };
                if src.is_ipv4() != dst.is_ipv4() {
                    continue;
                }
                let packet = Packet { src, dst, protocol, port };
                if self.lets_in(true, &packet) && !self.lets_in(false, &packet) {
                    return Some(packet);
                }
            }
        }
        None
    }

    fn address(&self, id: AtomId) -> Option<IpAddr> {
        let node = |name: &str| {
            let tailnet = self.with.tailnet();
            tailnet.node_named(name).and_then(|it| tailnet.node(it))
        };
        match self.space.place(id)? {
            Place::V4(name) => node(name)?.ipv4.map(IpAddr::V4),
            Place::V6(name) => node(name)?.ipv6.map(IpAddr::V6),
            Place::Range(range) => Some(range.first()),
        }
    }

    /// Whether some device that has or routes the destination lets a packet in.
    fn lets_in(&mut self, with: bool, packet: &Packet) -> bool {
        let tables = if with { self.with } else { self.without };
        tables.receivers(packet.dst).into_iter().any(|id| {
            let classifier = self
                .classifiers
                .entry((with, id))
                .or_insert_with(|| Rc::new(Classifier::new(tables, &tables.table(id).rules)));
            classifier.accepts(packet)
        })
    }
}

/// A row, and a packet that shows it: what is joined to it only adds to what it says.
type Shown = (Row, Option<Packet>);

/// Rows without packets, joined until no two of them differ in one thing only.
pub(super) fn joined(rows: Vec<Row>) -> Vec<Row> {
    join(rows.into_iter().map(|it| (it, None)).collect()).into_iter().map(|it| it.0).collect()
}

/// Joins rows until no two of them differ in one thing only.
fn join(mut rows: Vec<Shown>) -> Vec<Shown> {
    loop {
        let before = rows.len();
        rows = join_by(rows, |it| it.rules.clear(), |a, b| a.rules.extend(b.rules));
        rows = join_by(rows, |it| it.src.clear(), |a, b| a.src.extend(b.src));
        rows = join_by(rows, |it| it.dst.clear(), |a, b| a.dst.extend(b.dst));
        rows =
            join_by(rows, |it| it.protocol.clear(), |a, b| add_words(&mut a.protocol, &b.protocol));
        rows = join_by(rows, |it| it.ports.clear(), |a, b| add_words(&mut a.ports, &b.ports));
        for (row, _) in &mut rows {
            row.src.sort();
            row.src.dedup();
            row.dst.sort();
            row.dst.dedup();
            row.rules.sort_unstable();
            row.rules.dedup();
        }
        if rows.len() == before {
            return rows;
        }
    }
}

/// Adds to a list between commas what it does not have yet.
fn add_words(list: &mut String, more: &str) {
    for word in more.split(',') {
        if !list.split(',').any(|it| it == word) {
            list.push(',');
            list.push_str(word);
        }
    }
}

/// Joins the rows that are equal but for what `forget` clears, into the first of them. Rows may come
/// from different rules.
fn join_by(rows: Vec<Shown>, forget: impl Fn(&mut Row), add: impl Fn(&mut Row, Row)) -> Vec<Shown> {
    let mut places: FxHashMap<Row, usize> = FxHashMap::default();
    let mut joined: Vec<Shown> = Vec::new();
    for (row, packet) in rows {
        let mut key = row.clone();
        key.rules.clear();
        forget(&mut key);
        let place = *places.entry(key).or_insert(joined.len());
        match joined.get_mut(place) {
            Some((first, shown)) => {
                first.rules.extend(&row.rules);
                *shown = shown.or(packet);
                add(first, row);
            }
            None => joined.push((row, packet)),
        }
    }
    joined
}
