//! What changed, as boxes → rows that people read, the fewest that say it.
//!
//! Rows of one kind are joined where they differ in one thing only: who, whom, what is carried, or
//! which rule it comes from.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::access::Conditions;
use super::atom_set::AtomId;
use super::describe::Vocabulary;
use super::devices::{Place, Space};
use super::flow_text::Row;
use super::region::{Pairs, Region};
use crate::tables::verdict::{Classifier, Packet};
use crate::tables::{Addresses, Tables};

/// The rows of boxes over all possible tailnets.
pub fn of_policies(
    regions: &[Region],
    vocabulary: &Vocabulary<'_>,
    conditions: &Conditions,
) -> Vec<Row> {
    join(regions.iter().map(|it| Row::of(it, vocabulary, conditions)).collect())
}

/// The rows of boxes over the devices of tailnets, each with a packet that shows it.
pub fn of_devices(
    regions: &[Region],
    space: &Space,
    with: &Tables<'_>,
    without: &Tables<'_>,
) -> Vec<(Row, Option<Packet>)> {
    let mut trial = Trial { with, without, space, classifiers: FxHashMap::default() };
    let mut witnesses: BTreeMap<Vec<String>, Packet> = BTreeMap::new();
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
        if let Some(packet) = trial.packet(region) {
            witnesses.entry(key(&row)).or_insert(packet);
        }
        rows.push(row);
    }
    let witness = |row: &Row| {
        let inside = |key: &[String]| {
            let (src, rest) = key.split_first()?;
            let dst = rest.first()?;
            let fits = row.src.contains(src) && row.dst.contains(dst);
            fits.then_some(())
        };
        witnesses.iter().find(|(key, _)| inside(key).is_some()).map(|(_, packet)| *packet)
    };
    join(rows)
        .into_iter()
        .map(|row| {
            let packet = witness(&row);
            (row, packet)
        })
        .collect()
}

/// The first sender and receiver of a row.
fn key(row: &Row) -> Vec<String> {
    row.src
        .first()
        .into_iter()
        .chain(row.dst.first())
        .chain([&row.protocol, &row.ports])
        .cloned()
        .collect()
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

/// Joins rows until no two of them differ in one thing only.
fn join(mut rows: Vec<Row>) -> Vec<Row> {
    loop {
        let before = rows.len();
        rows = join_by(
            rows,
            |it| Row { rules: Vec::new(), ..it.clone() },
            |a, b| a.rules.extend(b.rules),
        );
        rows =
            join_by(rows, |it| Row { src: Vec::new(), ..it.clone() }, |a, b| a.src.extend(b.src));
        rows =
            join_by(rows, |it| Row { dst: Vec::new(), ..it.clone() }, |a, b| a.dst.extend(b.dst));
        rows = join_by(
            rows,
            |it| Row { protocol: String::new(), ..it.clone() },
            |a, b| {
                for protocol in b.protocol.split(',') {
                    if !a.protocol.split(',').any(|it| it == protocol) {
                        a.protocol = format!("{},{protocol}", a.protocol);
                    }
                }
            },
        );
        for row in &mut rows {
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

/// Joins the rows of one key into the first of them.
fn join_by(rows: Vec<Row>, key: impl Fn(&Row) -> Row, add: impl Fn(&mut Row, Row)) -> Vec<Row> {
    let mut places: FxHashMap<Row, usize> = FxHashMap::default();
    let mut joined: Vec<Row> = Vec::new();
    for row in rows {
        let place = *places.entry(key(&row)).or_insert(joined.len());
        match joined.get_mut(place) {
            Some(first) => add(first, row),
            None => joined.push(row),
        }
    }
    joined
}
