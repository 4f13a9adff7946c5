//! Ranges with a number each → a map from any address to its class: the list of numbers whose
//! ranges cover it.
//!
//! Tables name mostly single addresses and a few wide ranges. A single address is looked up by its
//! value; any other lies in one of the intervals between the ends of the wide ranges. Addresses
//! covered by the same numbers share a class, so the classes are as many as the *kinds* of peers.

use std::net::IpAddr;

use rustc_hash::FxHashMap;

use super::Allowance;
use crate::tables::ip_set::IpRange;

/// A set of addresses that the same ranges cover; 0 is the one that none covers.
pub(super) type Class = u32;

/// From an address to its class.
#[derive(Clone, Debug, Default)]
pub(super) struct AddressMap {
    v4: FxHashMap<u32, Class>,
    /// Where the intervals between wide ranges begin, ascending, and the class of each.
    starts_v4: Vec<u32>,
    classes_v4: Vec<Class>,
    v6: FxHashMap<u128, Class>,
    starts_v6: Vec<u128>,
    classes_v6: Vec<Class>,
}

/// The numbers of each class, ascending.
pub(super) type Classes = Vec<Box<[u32]>>;

impl AddressMap {
    /// Maps every address; `None` where the lists would pass the allowance.
    pub(super) fn new(
        ranges: &[(IpRange, u32)],
        allowance: &mut Allowance,
    ) -> Option<(AddressMap, Classes)> {
        let mut builder = Builder::new(allowance);
        let (mut v4, mut v6) = (Family::default(), Family::default());
        for (range, number) in ranges {
            match *range {
                IpRange::V4(first, last) => v4.add(first.into(), last.into(), *number),
                IpRange::V6(first, last) => v6.add(first, last, *number),
            }
        }
        let (singles_v4, wide_v4) = builder.family(v4, u32::MAX.into())?;
        let (singles_v6, wide_v6) = builder.family(v6, u128::MAX)?;
        let map = AddressMap {
            v4: singles_v4.into_iter().map(|(it, class)| (it as u32, class)).collect(),
            starts_v4: wide_v4.iter().map(|it| it.0 as u32).collect(),
            classes_v4: wide_v4.iter().map(|it| it.1).collect(),
            v6: singles_v6.into_iter().collect(),
            starts_v6: wide_v6.iter().map(|it| it.0).collect(),
            classes_v6: wide_v6.iter().map(|it| it.1).collect(),
        };
        Some((map, builder.lists))
    }

    /// The class of an address.
    pub(super) fn class(&self, address: IpAddr) -> Class {
        match address {
            IpAddr::V4(it) => {
                let it = u32::from(it);
                let single = self.v4.get(&it).copied();
                single.unwrap_or_else(|| between(&self.starts_v4, &self.classes_v4, it))
            }
            IpAddr::V6(it) => {
                let it = u128::from(it);
                let single = self.v6.get(&it).copied();
                single.unwrap_or_else(|| between(&self.starts_v6, &self.classes_v6, it))
            }
        }
    }

    /// The bytes it takes besides itself.
    pub(super) fn heap_bytes(&self) -> usize {
        self.v4.capacity() * 9
            + self.v6.capacity() * 33
            + self.starts_v4.len() * 8
            + self.starts_v6.len() * 20
    }
}

/// The class of the last interval that does not begin behind an address.
fn between<T: Ord>(starts: &[T], classes: &[Class], address: T) -> Class {
    let after = starts.partition_point(|it| *it <= address);
    after.checked_sub(1).and_then(|it| classes.get(it)).copied().unwrap_or(0)
}

/// The ranges of one family, as numbers of the same width.
#[derive(Default)]
struct Family {
    singles: Vec<(u128, u32)>,
    /// First, last, number.
    wide: Vec<(u128, u128, u32)>,
}

impl Family {
    fn add(&mut self, first: u128, last: u128, number: u32) {
        if first == last {
            self.singles.push((first, number));
        } else {
            self.wide.push((first, last, number));
        }
    }
}

/// Addresses with their class.
type Classed = Vec<(u128, Class)>;

struct Builder<'a> {
    lists: Classes,
    /// The class of a list, and of a list on top of another class.
    known: FxHashMap<(Class, Box<[u32]>), Class>,
    allowance: &'a mut Allowance,
}

impl<'a> Builder<'a> {
    fn new(allowance: &'a mut Allowance) -> Self {
        let known = [((0, Box::default()), 0)].into_iter().collect();
        Builder { lists: vec![Box::default()], known, allowance }
    }

    /// The class of what a wide interval and a list have; `None` beyond the allowance.
    fn class(&mut self, below: Class, list: &[u32]) -> Option<Class> {
        if list.is_empty() {
            return Some(below);
        }
        if let Some(class) = self.known.get(&(below, Box::from(list))) {
            return Some(*class);
        }
        let mut all = self.lists.get(below as usize).map_or_else(Vec::new, |it| it.to_vec());
        self.allowance.take(all.len() + list.len())?;
        all.extend(list);
        all.sort_unstable();
        all.dedup();
        let class = self.lists.len() as Class;
        self.known.insert((below, list.into()), class);
        self.lists.push(all.into());
        Some(class)
    }

    /// The single addresses with their classes, and where each interval of the rest begins; `top` is
    /// the last address of the family.
    fn family(&mut self, mut family: Family, top: u128) -> Option<(Classed, Classed)> {
        let wide = self.intervals(family.wide, top)?;
        family.singles.sort_unstable();
        family.singles.dedup();
        let mut singles = Vec::new();
        let mut list = Vec::new();
        let mut interval = wide.iter().peekable();
        let mut below = 0;
        for group in family.singles.chunk_by(|one, other| one.0 == other.0) {
            let Some((address, _)) = group.first() else { continue };
            while let Some((_, class)) = interval.next_if(|it| it.0 <= *address) {
                below = *class;
            }
            list.clear();
            list.extend(group.iter().map(|it| it.1));
            singles.push((*address, self.class(below, &list)?));
        }
        Some((singles, wide))
    }

    /// Cuts overlapping ranges into intervals: one begins wherever a range begins or has ended.
    fn intervals(&mut self, wide: Vec<(u128, u128, u32)>, top: u128) -> Option<Classed> {
        // At an address, whether a range begins there (or else ended before), and its number.
        let mut ends: Vec<(u128, bool, u32)> = Vec::with_capacity(wide.len() * 2);
        for (first, last, number) in wide {
            ends.push((first, true, number));
            ends.extend((last < top).then(|| (last + 1, false, number)));
        }
        ends.sort_unstable();
        // How many ranges of a number are open: those of one number may overlap.
        let mut open: Vec<(u32, u32)> = Vec::new();
        let mut intervals: Classed = Vec::new();
        let mut list = Vec::new();
        for group in ends.chunk_by(|one, other| one.0 == other.0) {
            let Some((address, ..)) = group.first() else { continue };
            for (_, begins, number) in group {
                match (open.binary_search_by_key(number, |it| it.0), *begins) {
                    (Ok(at), begins) => {
                        let count = open.get_mut(at).map(|it| &mut it.1);
                        let left = count.map_or(0, |it| {
                            *it = if begins { *it + 1 } else { *it - 1 };
                            *it
                        });
                        if left == 0 {
                            open.remove(at);
                        }
                    }
                    (Err(at), true) => open.insert(at, (*number, 1)),
                    // An end sorts before a beginning at the same address, so its range is open.
                    (Err(_), false) => {}
                }
            }
            list.clear();
            list.extend(open.iter().map(|it| it.0));
            self.allowance.take_work(list.len())?;
            let class = self.class(0, &list)?;
            if intervals.last().is_none_or(|it| it.1 != class) {
                intervals.push((*address, class));
            }
        }
        Some(intervals)
    }
}
