//! The places of one or two tailnets: what boxes of access between devices are made of.
//!
//! Here the atoms are the addresses of devices, by the device's name and family, so that two
//! inventories can be compared; and the stretches of all other addresses between the places where
//! some route, source or destination begins or ends.

mod from_tables;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::atom_set::{AtomId, AtomSet};
use crate::tables::flows::To;
use crate::tables::ip_set::IpRange;
use crate::tables::{Addresses, INTERNET, Source, Tables};
use crate::tailnet::{Node, NodeId};
pub use from_tables::{Lowering, Shared};

/// One address of a device, or a stretch of addresses that no device has.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Place {
    /// The IPv4 address of a device, by the device's name.
    V4(Arc<str>),
    /// Its IPv6 address.
    V6(Arc<str>),
    /// Other addresses.
    Range(IpRange),
}

/// All places of some tables.
#[derive(Debug)]
pub struct Space {
    places: Vec<Place>,
    ids: FxHashMap<Place, AtomId>,
    /// The stretches by their first address: of IPv4, then of IPv6.
    stretches: [BTreeMap<u128, AtomId>; 2],
    v4: AtomSet,
}

impl Space {
    /// The places that these tables tell apart.
    pub fn of<'t>(all: &[&Tables<'t>]) -> Self {
        let mut names: BTreeSet<Place> = BTreeSet::new();
        let mut ranges: BTreeSet<IpRange> = BTreeSet::new();
        for tables in all {
            for node in tables.tailnet().nodes() {
                names.extend(node.addresses().map(|it| place(node, it)));
                ranges.extend(node.subnet_routes().map(IpRange::from));
                if node.exit_routes().next().is_some() {
                    ranges.extend(INTERNET.iter().flat_map(|it| it.ranges()));
                }
            }
            for flow in tables.flows() {
                let source = tables.source(flow.source);
                ranges.extend(source_ranges(source));
                match flow.to {
                    To::Ranges(own, _) => ranges.extend(own),
                    To::Behind(own) => ranges.extend(own.into_iter().flat_map(|it| it.1)),
                    _ => {}
                }
            }
        }
        let mut places: Vec<Place> = names.into_iter().collect();
        places.extend(super::universe::stretches(&ranges).into_iter().map(Place::Range));
        let ids: FxHashMap<Place, AtomId> = places.iter().cloned().zip((0..).map(AtomId)).collect();
        let mut space = Self {
            ids,
            stretches: [BTreeMap::new(), BTreeMap::new()],
            v4: AtomSet::new(places.len()),
            places: Vec::new(),
        };
        for (place, id) in places.iter().zip((0..).map(AtomId)) {
            let v4 = match place {
                Place::V4(_) | Place::Range(IpRange::V4(..)) => true,
                Place::V6(_) | Place::Range(IpRange::V6(..)) => false,
            };
            if v4 {
                space.v4.insert(id);
            }
            if let Place::Range(range) = place {
                let (family, first, _) = super::universe::bounds(*range);
                space.stretches.get_mut(family).map(|it| it.insert(first, id));
            }
        }
        space.places = places;
        space
    }

    /// How many places there are.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// A place by its id.
    pub fn place(&self, id: AtomId) -> Option<&Place> {
        self.places.get(id.0 as usize)
    }

    /// Every place of IPv4.
    pub fn v4(&self) -> &AtomSet {
        &self.v4
    }

    /// The places of some nodes of a tailnet.
    pub(super) fn of_nodes(
        &self,
        tables: &Tables<'_>,
        nodes: impl Iterator<Item = NodeId>,
    ) -> AtomSet {
        let mut set = AtomSet::new(self.len());
        for node in nodes.filter_map(|it| tables.tailnet().node(it)) {
            for address in node.addresses() {
                self.ids.get(&place(node, address)).into_iter().for_each(|it| set.insert(*it));
            }
        }
        set
    }

    /// The places of the addresses in a range, as a tailnet has them.
    pub(super) fn add_range(&self, tables: &Tables<'_>, range: IpRange, set: &mut AtomSet) {
        let (family, first, last) = super::universe::bounds(range);
        let family = self.stretches.get(family);
        family.into_iter().flat_map(|it| it.range(first..=last)).for_each(|it| set.insert(*it.1));
        let (v4, v6) = match range {
            IpRange::V4(first, last) => (tables.tailnet().ipv4_between(first, last), &[][..]),
            IpRange::V6(first, last) => (&[][..], tables.tailnet().ipv6_between(first, last)),
        };
        let owners = v4.iter().map(|it| (it.1, true)).chain(v6.iter().map(|it| (it.1, false)));
        for (id, is_v4) in owners {
            let Some(node) = tables.tailnet().node(id) else { continue };
            let name = Arc::clone(&node.name);
            let place = if is_v4 { Place::V4(name) } else { Place::V6(name) };
            self.ids.get(&place).into_iter().for_each(|it| set.insert(*it));
        }
    }
}

fn place(node: &Node, address: IpAddr) -> Place {
    let name = Arc::clone(&node.name);
    if address.is_ipv4() { Place::V4(name) } else { Place::V6(name) }
}

/// What a source has besides nodes.
fn source_ranges(source: &Source) -> impl Iterator<Item = IpRange> + '_ {
    let everybody = source.everybody.iter().flat_map(|it| it.entries());
    everybody.chain(&source.extra).copied().flat_map(Addresses::ranges)
}
