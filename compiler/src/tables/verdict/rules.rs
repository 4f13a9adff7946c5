//! Lines of tables → flat lists of numbers: distinct sources as sorted ranges, and one entry for
//! every protocol and port range that a line lets through. Capabilities let no packet in.

use std::net::IpAddr;

use rustc_hash::FxHashMap;

use super::RuleIndex;
use crate::ast::{PortRange, Protocol};
use crate::tables::ip_set::IpRange;
use crate::tables::matches::DEFAULT_PROTOCOLS;
use crate::tables::{Access, FilterRule, Source, SourceId, Tables};

/// What one line lets through on one range of ports.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) rule: RuleIndex,
    /// The source by its position in [`Rules::sources`].
    pub(super) source: u32,
    /// `None` is TCP, UDP and ICMP.
    pub(super) protocol: Option<Protocol>,
    pub(super) ports: PortRange,
}

impl Entry {
    /// Whether a protocol is among those of the line.
    pub(super) fn has_protocol(&self, protocol: Protocol) -> bool {
        match self.protocol {
            Some(it) => it == protocol,
            None => DEFAULT_PROTOCOLS.contains(&protocol),
        }
    }
}

/// All lines, flat.
#[derive(Clone, Debug, Default)]
pub(super) struct Rules {
    /// In the order of the lines.
    pub(super) entries: Vec<Entry>,
    /// Where an entry leads, by its position in `entries`; in their order.
    pub(super) destinations: Vec<(IpRange, u32)>,
    pub(super) sources: Vec<SourceRanges>,
}

impl Rules {
    pub(super) fn new<'r, 't: 'r>(
        tables: &Tables<'_>,
        lines: impl IntoIterator<Item = &'r FilterRule<'t>>,
    ) -> Self {
        let mut rules = Rules::default();
        let mut sources: FxHashMap<SourceId, u32> = FxHashMap::default();
        let mut entries: FxHashMap<PortRange, u32> = FxHashMap::default();
        for (line, rule) in lines.into_iter().zip((0..).map(RuleIndex)) {
            let Access::Ports { protocol, dst } = &line.access else { continue };
            let source = *sources.entry(line.source).or_insert_with(|| {
                rules.sources.push(SourceRanges::new(tables, tables.source(line.source)));
                (rules.sources.len() - 1) as u32
            });
            entries.clear();
            for it in dst {
                let entry = *entries.entry(it.ports).or_insert_with(|| {
                    let ports = it.ports;
                    rules.entries.push(Entry { rule, source, protocol: *protocol, ports });
                    (rules.entries.len() - 1) as u32
                });
                rules.destinations.extend(it.addresses.ranges().map(|it| (it, entry)));
            }
        }
        rules
    }

    /// How many ranges there are on both sides: what memory is measured by.
    pub(super) fn len(&self) -> usize {
        self.destinations.len() + self.sources.iter().map(SourceRanges::len).sum::<usize>()
    }

    /// The bytes it takes besides itself.
    pub(super) fn heap_bytes(&self) -> usize {
        let sources = self
            .sources
            .iter()
            .map(|it| size_of::<SourceRanges>() + size_of_val(&*it.v4) + size_of_val(&*it.v6));
        size_of_val(&*self.entries) + size_of_val(&*self.destinations) + sources.sum::<usize>()
    }
}

/// The addresses of a source: sorted ranges that do not overlap.
#[derive(Clone, Debug)]
pub(super) struct SourceRanges {
    v4: Box<[(u32, u32)]>,
    v6: Box<[(u128, u128)]>,
}

impl SourceRanges {
    fn new(tables: &Tables<'_>, source: &Source) -> Self {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for range in source.entries(tables.tailnet()).flat_map(|it| it.ranges()) {
            match range {
                IpRange::V4(first, last) => v4.push((first, last)),
                IpRange::V6(first, last) => v6.push((first, last)),
            }
        }
        SourceRanges { v4: disjoint(v4), v6: disjoint(v6) }
    }

    /// Whether an address is among them.
    pub(super) fn contains(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(it) => covers(&self.v4, it.into()),
            IpAddr::V6(it) => covers(&self.v6, it.into()),
        }
    }

    fn len(&self) -> usize {
        self.v4.len() + self.v6.len()
    }

    /// The ranges of both families.
    pub(super) fn iter(&self) -> impl Iterator<Item = IpRange> {
        let v4 = self.v4.iter().map(|(first, last)| IpRange::V4(*first, *last));
        v4.chain(self.v6.iter().map(|(first, last)| IpRange::V6(*first, *last)))
    }
}

/// Ranges that only touch stay apart: most are single addresses, and those are found fastest.
fn disjoint<T: Copy + Ord>(mut ranges: Vec<(T, T)>) -> Box<[(T, T)]> {
    ranges.sort_unstable();
    ranges.dedup_by(|later, earlier| {
        let overlap = later.0 <= earlier.1;
        if overlap {
            earlier.1 = earlier.1.max(later.1);
        }
        overlap
    });
    ranges.into()
}

fn covers<T: Copy + Ord>(ranges: &[(T, T)], address: T) -> bool {
    let after = ranges.partition_point(|it| it.0 <= address);
    after.checked_sub(1).and_then(|it| ranges.get(it)).is_some_and(|it| address <= it.1)
}
