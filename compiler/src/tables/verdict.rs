//! Lines of tables → a classifier: the verdict on a packet in some tens of nanoseconds.
//!
//! The verdict is the table's own: a line lists the protocol, holds the source, and one of its
//! destinations holds address and port. What a client lets in besides is another question
//! ([`super::delivered`]).
//!
//! The idea: addresses that the same sources hold are one *class*, and so are addresses that the same
//! destinations hold. For each class of destinations, each protocol and each stretch of ports there is
//! a bitmap over the classes of sources, the union of all that is let in there. A verdict is two
//! look-ups and one bit; which line it was is asked only afterwards, of the few lines that lead to that
//! class. Classes and unions can be far more than the lines (10,000 ranges, each inside the next), so
//! they have an allowance, a fixed multiple of the input; what does not fit is asked line by line.

mod address_map;
mod cells;
mod rules;

use std::net::IpAddr;

use super::{FilterRule, Tables};
use crate::ast::{PortRange, Protocol};
use address_map::{AddressMap, Classes};
use cells::{Cells, UNDECIDED};
use rules::{Entry, Rules};

/// A packet on its way in, as far as tables look into it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Packet {
    /// Who sent it.
    pub src: IpAddr,
    /// Whom it is for.
    pub dst: IpAddr,
    /// What it carries.
    pub protocol: Protocol,
    /// The destination port; 0 where the protocol has none.
    pub port: u16,
}

/// A line by its position among those the classifier was made of.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct RuleIndex(pub u32);

/// Lines of tables, prepared for many packets.
#[derive(Clone, Debug)]
pub struct Classifier {
    rules: Rules,
    /// Missing where classes would have passed the allowance: then every packet asks every line.
    index: Option<Index>,
}

#[derive(Clone, Debug)]
struct Index {
    sources: AddressMap,
    destinations: AddressMap,
    /// The entries that lead to each class of destinations.
    entries: Classes,
    cells: Cells,
}

impl Classifier {
    /// Prepares lines; their positions are the [`RuleIndex`]es of verdicts.
    ///
    /// Time and memory are at most a fixed multiple of the addresses that the lines name, whatever
    /// the lines are.
    pub fn new<'r, 't: 'r>(
        tables: &Tables<'_>,
        lines: impl IntoIterator<Item = &'r FilterRule<'t>>,
    ) -> Self {
        let rules = Rules::new(tables, lines);
        let index = Index::new(&rules);
        Classifier { rules, index }
    }

    /// Whether some line lets a packet in.
    pub fn accepts(&self, packet: &Packet) -> bool {
        let Some(index) = &self.index else { return self.verdict(packet).is_some() };
        if packet.src.is_ipv4() != packet.dst.is_ipv4() {
            return false;
        }
        let source = index.sources.class(packet.src);
        let destination = index.destinations.class(packet.dst);
        if source == 0 || destination == 0 {
            return false;
        }
        match index.cells.cell(destination, packet.protocol, packet.port) {
            UNDECIDED => self.first(packet, |it| covers(it, packet)).is_some(),
            cell => index.cells.has(cell, source),
        }
    }

    /// The first line that lets a packet in; `None` where none does.
    pub fn verdict(&self, packet: &Packet) -> Option<RuleIndex> {
        if self.index.is_some() && !self.accepts(packet) {
            return None;
        }
        self.first(packet, |it| covers(it, packet))
    }

    /// The first line that leads from the packet's source to its destination for any protocol and port.
    pub(super) fn any_between(&self, packet: &Packet) -> Option<RuleIndex> {
        self.first(packet, |_| true)
    }

    /// The first line that lets the packet's protocol in on all ports, said in one range.
    pub(super) fn with_all_ports(&self, packet: &Packet) -> Option<RuleIndex> {
        self.first(packet, |it| it.has_protocol(packet.protocol) && it.ports == PortRange::ALL)
    }

    /// The first entry of this kind from the packet's source to its destination, whatever the
    /// protocol and port.
    fn first(&self, packet: &Packet, kind: impl Fn(&Entry) -> bool) -> Option<RuleIndex> {
        if packet.src.is_ipv4() != packet.dst.is_ipv4() {
            return None;
        }
        let holds = |entry: &&Entry| {
            let source = self.rules.sources.get(entry.source as usize);
            kind(entry) && source.is_some_and(|it| it.contains(packet.src))
        };
        let entry = |it: &u32| self.rules.entries.get(*it as usize);
        let found = match &self.index {
            Some(index) => {
                let class = index.destinations.class(packet.dst);
                let entries = index.entries.get(class as usize).map_or(&[][..], |it| it);
                entries.iter().filter_map(entry).find(holds)
            }
            None => {
                let there = self.rules.destinations.iter();
                let mut there = there.filter(|it| it.0.contains(packet.dst)).map(|it| &it.1);
                there.find_map(|it| entry(it).filter(holds))
            }
        };
        found.map(|it| it.rule)
    }

    /// The bytes it takes besides itself.
    pub fn heap_bytes(&self) -> usize {
        let index = self.index.as_ref().map_or(0, |it| {
            let entries = it.entries.iter().map(|it| size_of_val(it) + size_of_val(&**it));
            let maps = it.sources.heap_bytes() + it.destinations.heap_bytes();
            maps + it.cells.heap_bytes() + entries.sum::<usize>()
        });
        self.rules.heap_bytes() + index
    }
}

fn covers(entry: &Entry, packet: &Packet) -> bool {
    entry.has_protocol(packet.protocol) && entry.ports.contains(packet.port)
}

impl Index {
    fn new(rules: &Rules) -> Option<Self> {
        let mut allowance = Allowance::new(rules.len());
        let ranges =
            rules.sources.iter().zip(0..).flat_map(|(it, id)| it.iter().map(move |it| (it, id)));
        let ranges: Vec<_> = ranges.collect();
        let (sources, classes) = AddressMap::new(&ranges, &mut allowance)?;
        let (destinations, entries) = AddressMap::new(&rules.destinations, &mut allowance)?;
        let cells = Cells::new(rules, &entries, &classes, &mut allowance)?;
        Some(Index { sources, destinations, entries, cells })
    }
}

/// How much an index may take: a fixed multiple of the ranges that the lines name.
///
/// Ten thousand lines of a company take about a tenth of it; only lines made for the purpose pass it.
struct Allowance {
    /// Words of memory.
    memory: usize,
    /// Steps that leave nothing behind.
    work: usize,
}

impl Allowance {
    fn new(ranges: usize) -> Self {
        Allowance { memory: (1 << 18) + ranges * 32, work: (1 << 22) + ranges * 256 }
    }

    fn take(&mut self, words: usize) -> Option<()> {
        self.memory = self.memory.checked_sub(words)?;
        self.take_work(words)
    }

    fn take_work(&mut self, steps: usize) -> Option<()> {
        self.work = self.work.checked_sub(steps)?;
        Some(())
    }
}
