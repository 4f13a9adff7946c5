//! Two policies → the access that the second gives and the first does not, and the other way round,
//! for all possible tailnets.
//!
//! Exact: what a rule of one side gives, less all that the other side gives. Rules that both sides
//! have cost one look; only the rest is taken apart.

use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::access::{Conditions, Lowering, host_users};
use super::atom_set::AtomSet;
use super::devices::{self, Shared, Space};
use super::region::{Layer, Pairs, Region};
use super::universe::{Names, Universe};
use crate::policy::Policy;
use crate::tables::Tables;

/// What changed from one policy to another.
#[derive(Debug)]
pub struct Diff {
    /// All that the policies tell apart.
    pub universe: Universe,
    /// The postures they ask for.
    pub conditions: Conditions,
    /// Access that only the second gives; the boxes do not overlap more than its own rules do.
    pub gained: Vec<Region>,
    /// Access that only the first gives.
    pub lost: Vec<Region>,
}

impl Diff {
    /// Compares the network access of two policies.
    pub fn of(base: &Policy, head: &Policy) -> Self {
        let mut names = Names::default();
        names.add_policy(base);
        names.add_policy(head);
        let universe = Universe::new(names);
        let conditions = Conditions::of([base, head]);
        let users = host_users([base, head]);
        let all = |policy| {
            let lowering = Lowering::new(&universe, &conditions, policy);
            [lowering.all(), lowering.apps(), lowering.ssh(&users)]
        };
        let (before, after) = (all(base), all(head));
        let (mut gained, mut lost) = (Vec::new(), Vec::new());
        for (before, after) in before.iter().zip(&after) {
            gained.extend(left_over(after, before));
            lost.extend(left_over(before, after));
        }
        Self { gained, lost, universe, conditions }
    }

    /// Whether both give the same.
    pub fn is_empty(&self) -> bool {
        self.gained.is_empty() && self.lost.is_empty()
    }
}

/// What changed between the devices of two tailnets.
#[derive(Debug)]
pub struct DeviceDiff {
    /// All places that are told apart.
    pub space: Space,
    /// Access that only the second gives.
    pub gained: Vec<Region>,
    /// Access that only the first gives.
    pub lost: Vec<Region>,
}

impl DeviceDiff {
    /// Compares two sets of tables: packets, capabilities and logins by SSH.
    pub fn of(base: &Tables<'_>, head: &Tables<'_>) -> Self {
        let space = Space::of(&[base, head]);
        let users = host_users([base.policy(), head.policy()]);
        let mut sets = Shared::default();
        let mut all = |tables| {
            let mut lowering = devices::Lowering::new(&space, tables);
            [lowering.all(&mut sets), lowering.apps(&mut sets), lowering.ssh(&users, &mut sets)]
        };
        let (before, after) = (all(base), all(head));
        let (mut gained, mut lost) = (Vec::new(), Vec::new());
        for (before, after) in before.iter().zip(&after) {
            gained.extend(left_over(after, before));
            lost.extend(left_over(before, after));
        }
        Self { gained, lost, space }
    }
}

/// What of some boxes no other box holds, in as few boxes as are found by joining neighbours.
pub fn left_over(boxes: &[Region], others: &[Region]) -> Vec<Region> {
    let same: FxHashSet<Key> = others.iter().map(Key::of).collect();
    let mut overlaps = Overlaps::default();
    let mut left = Vec::new();
    for region in boxes.iter().filter(|it| !same.contains(&Key::of(it))) {
        let mut pieces = vec![region.clone()];
        for other in others.iter().filter(|it| overlaps.may_meet(region, it)) {
            pieces = pieces.iter().flat_map(|it| it.minus(other)).collect();
            if pieces.is_empty() {
                break;
            }
        }
        left.extend(pieces);
    }
    join(left)
}

/// All that makes two boxes equal, whichever rule they come from.
#[derive(Eq, Hash, PartialEq)]
struct Key {
    layer: Layer,
    own: bool,
    src: Rc<AtomSet>,
    dst: Option<Rc<AtomSet>>,
    rest: (Rc<AtomSet>, super::region::Protocols, Rc<[crate::ast::Text]>, crate::ast::PortRange),
}

impl Key {
    fn of(region: &Region) -> Self {
        let (own, src, dst) = match &region.pairs {
            Pairs::Product(src, dst) => (false, Rc::clone(src), Some(Rc::clone(dst))),
            Pairs::Own(users) => (true, Rc::clone(users), None),
        };
        let postures = Rc::clone(&region.postures);
        let via = Rc::clone(&region.via);
        Self {
            layer: region.layer.clone(),
            own,
            src,
            dst,
            rest: (postures, region.protocols, via, region.ports),
        }
    }
}

/// Whether two sets have anything in common, asked once for each pair of sets: ten thousand rules
/// share a few hundred.
#[derive(Default)]
struct Overlaps(FxHashMap<(*const AtomSet, *const AtomSet), bool>);

impl Overlaps {
    fn may_meet(&mut self, one: &Region, other: &Region) -> bool {
        let ports = one.ports.first <= other.ports.last && other.ports.first <= one.ports.last;
        if !ports || one.layer != other.layer || one.protocols.and(other.protocols).is_empty() {
            return false;
        }
        match (&one.pairs, &other.pairs) {
            (Pairs::Product(a, b), Pairs::Product(c, d)) => {
                self.overlap(a, c) && self.overlap(b, d)
            }
            (Pairs::Own(a) | Pairs::Product(a, _), Pairs::Own(c) | Pairs::Product(c, _)) => {
                self.overlap(a, c)
            }
        }
    }

    fn overlap(&mut self, one: &Rc<AtomSet>, other: &Rc<AtomSet>) -> bool {
        let key = (Rc::as_ptr(one), Rc::as_ptr(other));
        *self.0.entry(key).or_insert_with(|| one.overlaps(other))
    }
}

/// Joins boxes that differ in one dimension only.
fn join(mut regions: Vec<Region>) -> Vec<Region> {
    loop {
        let before = regions.len();
        regions = join_along(
            regions,
            |it| (Key { src: Rc::new(nothing(it)), ..Key::of(it) }, it.rule),
            senders,
        );
        regions = join_along(regions, |it| (Key { dst: None, ..Key::of(it) }, it.rule), receivers);
        regions = join_ports(regions);
        if regions.len() == before {
            return regions;
        }
    }
}

fn nothing(region: &Region) -> AtomSet {
    let senders = region.pairs.senders();
    senders.minus(senders)
}

/// Joins all boxes of one key; the first keeps its place.
fn join_along<K: Eq + std::hash::Hash>(
    regions: Vec<Region>,
    key: impl Fn(&Region) -> K,
    add: impl Fn(&mut Region, &Region),
) -> Vec<Region> {
    let mut places: FxHashMap<K, usize> = FxHashMap::default();
    let mut joined: Vec<Region> = Vec::new();
    for region in regions {
        let place = *places.entry(key(&region)).or_insert(joined.len());
        match joined.get_mut(place) {
            Some(first) => add(first, &region),
            None => joined.push(region),
        }
    }
    joined
}

fn senders(first: &mut Region, other: &Region) {
    let joined = Rc::new(first.pairs.senders().or(other.pairs.senders()));
    first.pairs = match &first.pairs {
        Pairs::Product(_, dst) => Pairs::Product(joined, Rc::clone(dst)),
        Pairs::Own(_) => Pairs::Own(joined),
    };
}

fn receivers(first: &mut Region, other: &Region) {
    if let (Pairs::Product(src, a), Pairs::Product(_, b)) = (&first.pairs, &other.pairs) {
        first.pairs = Pairs::Product(Rc::clone(src), Rc::new(a.or(b)));
    }
}

/// Joins ranges of ports that overlap or touch.
fn join_ports(mut regions: Vec<Region>) -> Vec<Region> {
    let mut kept: Vec<Region> = Vec::new();
    regions.sort_by_key(|it| (it.rule, it.ports.first));
    for region in regions {
        let fits = |it: &&mut Region| {
            let touches = u32::from(region.ports.first) <= u32::from(it.ports.last) + 1;
            let same = Region { ports: region.ports, ..(**it).clone() } == region;
            touches && same
        };
        match kept.iter_mut().rev().take(64).find(fits) {
            Some(before) => before.ports.last = before.ports.last.max(region.ports.last),
            None => kept.push(region),
        }
    }
    kept
}
