//! Who may reach a kind of destination on a port: for each class of destinations, protocol and
//! stretch of ports one set over the classes of sources.
//!
//! The set is the union of the sources of all entries there, so that one bit answers for all rules
//! together. Equal cells are one: a tag on a thousand devices costs what one device costs.

use rustc_hash::FxHashMap;

use super::Allowance;
use super::address_map::{Class, Classes};
use super::rules::{Entry, Rules};
use crate::ast::Protocol;
use crate::tables::matches::DEFAULT_PROTOCOLS;

/// What stands at one place: a set of source classes, or a question that is not decided here.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Cell(u32);

/// The set of no class; the first row is its.
const NOBODY: Cell = Cell(0);

/// The union would pass the allowance: the entries are asked one by one.
pub(super) const UNDECIDED: Cell = Cell(u32::MAX);

/// All cells.
#[derive(Clone, Debug)]
pub(super) struct Cells {
    /// The column of each protocol; 0 is that of protocols no entry has.
    columns: Box<[u8; 256]>,
    /// How many columns there are, besides that one.
    width: usize,
    /// For each destination class and column, where its stretches of ports stand.
    spans: Vec<(u32, u32)>,
    /// Where a stretch begins; the first of a span is port 0.
    firsts: Vec<u16>,
    cells: Vec<Cell>,
    /// The sets, each of so many words, one behind the other.
    rows: Vec<u64>,
    words: usize,
}

impl Cells {
    /// Makes all cells; `None` where even those that are undecided would pass the allowance.
    pub(super) fn new(
        rules: &Rules,
        destinations: &Classes,
        sources: &Classes,
        allowance: &mut Allowance,
    ) -> Option<Self> {
        let (columns, protocols) = columns(rules);
        let words = sources.len().div_ceil(64);
        allowance.take(destinations.len() * protocols.len() + words)?;
        let mut cells = Cells {
            columns,
            width: protocols.len(),
            spans: Vec::with_capacity(destinations.len() * protocols.len()),
            firsts: Vec::new(),
            cells: Vec::new(),
            rows: vec![0; words],
            words,
        };
        let mut builder = Builder {
            classes: transposed(sources, rules.sources.len()),
            rows: FxHashMap::default(),
            spans: FxHashMap::default(),
            allowance,
        };
        let mut entries = Vec::new();
        for class in destinations {
            for protocol in &protocols {
                let all = class.iter().filter_map(|it| rules.entries.get(*it as usize));
                entries.clear();
                entries.extend(all.filter(|it| it.has_protocol(*protocol)).copied());
                let span = builder.span(&mut cells, &mut entries);
                cells.spans.push(span);
            }
        }
        Some(cells)
    }

    /// The cell of a class of destinations, a protocol and a port.
    pub(super) fn cell(&self, destination: Class, protocol: Protocol, port: u16) -> Cell {
        let column = self.columns.get(usize::from(protocol)).copied().unwrap_or(0);
        let Some(column) = usize::from(column).checked_sub(1) else { return NOBODY };
        let span = self.spans.get(destination as usize * self.width + column).copied();
        let (start, end) = span.unwrap_or_default();
        let firsts = self.firsts.get(start as usize..end as usize).unwrap_or_default();
        // Most spans are short, and counting has no branch to mispredict.
        let before = match firsts.len() {
            0..=32 => firsts.iter().map(|it| usize::from(*it <= port)).sum(),
            _ => firsts.partition_point(|it| *it <= port),
        };
        let at = before.checked_sub(1).map(|it| start as usize + it);
        at.and_then(|it| self.cells.get(it)).copied().unwrap_or(NOBODY)
    }

    /// Whether a class of sources is in a cell that is decided.
    pub(super) fn has(&self, cell: Cell, source: Class) -> bool {
        let word = cell.0 as usize * self.words + source as usize / 64;
        self.rows.get(word).is_some_and(|it| it >> (source % 64) & 1 == 1)
    }

    /// The bytes it takes besides itself.
    pub(super) fn heap_bytes(&self) -> usize {
        256 + size_of_val(&*self.spans)
            + size_of_val(&*self.firsts)
            + size_of_val(&*self.cells)
            + size_of_val(&*self.rows)
    }
}

/// The column of each protocol, and one protocol for each column: those that the same entries
/// cover share one.
fn columns(rules: &Rules) -> (Box<[u8; 256]>, Vec<Protocol>) {
    let mut named = [false; 256];
    let mut by_default = false;
    for entry in &rules.entries {
        match entry.protocol {
            Some(protocol) => {
                named.get_mut(usize::from(protocol)).into_iter().for_each(|it| *it = true)
            }
            None => by_default = true,
        }
    }
    let mut columns = Box::new([0; 256]);
    let mut protocols = Vec::new();
    let mut unnamed = None;
    for (protocol, (column, named)) in (0..=u8::MAX).zip(columns.iter_mut().zip(named)) {
        let default = by_default && DEFAULT_PROTOCOLS.contains(&protocol);
        if !named && !default {
            continue;
        }
        *column = match unnamed {
            Some(shared) if !named => shared,
            _ => {
                protocols.push(protocol);
                // INVARIANT: protocol 0 is never named, so there are at most 255.
                protocols.len() as u8
            }
        };
        if !named {
            unnamed = Some(*column);
        }
    }
    (columns, protocols)
}

/// The classes of each source.
fn transposed(sources: &Classes, count: usize) -> Vec<Vec<Class>> {
    let mut classes = vec![Vec::new(); count];
    for (list, class) in sources.iter().zip(0..) {
        for source in list {
            classes.get_mut(*source as usize).into_iter().for_each(|it| it.push(class));
        }
    }
    classes
}

struct Builder<'a> {
    /// The classes of each source.
    classes: Vec<Vec<Class>>,
    /// The row of each set of sources.
    rows: FxHashMap<Box<[u32]>, Cell>,
    /// Where equal stretches stand already.
    spans: FxHashMap<Vec<(u16, Cell)>, (u32, u32)>,
    allowance: &'a mut Allowance,
}

impl Builder<'_> {
    /// The stretches of ports that these entries make.
    fn span(&mut self, cells: &mut Cells, entries: &mut [Entry]) -> (u32, u32) {
        if entries.is_empty() {
            return (0, 0);
        }
        let stretches = self.stretches(cells, entries).unwrap_or_else(|| vec![(0, UNDECIDED)]);
        if let Some(span) = self.spans.get(&stretches) {
            return *span;
        }
        let start = cells.firsts.len() as u32;
        cells.firsts.extend(stretches.iter().map(|it| it.0));
        cells.cells.extend(stretches.iter().map(|it| it.1));
        let span = (start, cells.firsts.len() as u32);
        self.spans.insert(stretches, span);
        span
    }

    /// Goes through the ports once, with the entries that are open at each; `None` beyond the allowance.
    fn stretches(&mut self, cells: &mut Cells, entries: &mut [Entry]) -> Option<Vec<(u16, Cell)>> {
        entries.sort_unstable_by_key(|it| it.ports.first);
        let mut starts: Vec<u16> = vec![0];
        starts.extend(entries.iter().map(|it| it.ports.first));
        starts.extend(entries.iter().filter_map(|it| it.ports.last.checked_add(1)));
        starts.sort_unstable();
        starts.dedup();
        self.allowance.take(starts.len())?;
        let mut waiting = entries.iter().peekable();
        let mut open: Vec<&Entry> = Vec::new();
        let mut stretches: Vec<(u16, Cell)> = Vec::with_capacity(starts.len());
        for start in starts {
            open.retain(|it| start <= it.ports.last);
            while let Some(entry) = waiting.next_if(|it| it.ports.first <= start) {
                open.push(entry);
            }
            let cell = self.cell(cells, open.iter().map(|it| it.source))?;
            if stretches.last().is_none_or(|it| it.1 != cell) {
                stretches.push((start, cell));
            }
        }
        Some(stretches)
    }

    /// The set of everybody in these sources.
    fn cell(&mut self, cells: &mut Cells, sources: impl Iterator<Item = u32>) -> Option<Cell> {
        let mut sources: Vec<u32> = sources.collect();
        if sources.is_empty() {
            return Some(NOBODY);
        }
        self.allowance.take_work(sources.len())?;
        sources.sort_unstable();
        sources.dedup();
        if let Some(cell) = self.rows.get(&*sources) {
            return Some(*cell);
        }
        self.allowance.take(cells.words + sources.len())?;
        let cell = Cell((cells.rows.len() / cells.words) as u32);
        let start = cells.rows.len();
        cells.rows.resize(start + cells.words, 0);
        let row = cells.rows.get_mut(start..).unwrap_or_default();
        for class in sources.iter().filter_map(|it| self.classes.get(*it as usize)).flatten() {
            row.get_mut(*class as usize / 64).into_iter().for_each(|it| *it |= 1 << (class % 64));
        }
        self.rows.insert(sources.into(), cell);
        Some(cell)
    }
}
