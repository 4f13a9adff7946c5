//! Addresses as closed ranges of numbers: what prefixes overlap, which prefixes make up a range, and
//! what is left of a set after adding and taking away.
//!
//! The two families never meet: a range belongs to one of them.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// Addresses of one family, inclusive at both ends.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum IpRange {
    /// IPv4 addresses.
    V4(u32, u32),
    /// IPv6 addresses.
    V6(u128, u128),
}

impl IpRange {
    /// The range from one address to another; `None` if they are of different families or reversed.
    pub fn new(first: IpAddr, last: IpAddr) -> Option<Self> {
        match (first, last) {
            (IpAddr::V4(first), IpAddr::V4(last)) if first <= last => {
                Some(Self::V4(first.into(), last.into()))
            }
            (IpAddr::V6(first), IpAddr::V6(last)) if first <= last => {
                Some(Self::V6(first.into(), last.into()))
            }
            _ => None,
        }
    }

    /// A single address.
    pub fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(it) => Self::V4(it.into(), it.into()),
            IpAddr::V6(it) => Self::V6(it.into(), it.into()),
        }
    }

    /// The first address.
    pub fn first(self) -> IpAddr {
        match self {
            Self::V4(first, _) => Ipv4Addr::from(first).into(),
            Self::V6(first, _) => Ipv6Addr::from(first).into(),
        }
    }

    /// The last address.
    pub fn last(self) -> IpAddr {
        match self {
            Self::V4(_, last) => Ipv4Addr::from(last).into(),
            Self::V6(_, last) => Ipv6Addr::from(last).into(),
        }
    }

    /// What is in both of two ranges.
    pub fn and(self, other: IpRange) -> Option<IpRange> {
        let (first, last) = (self.first().max(other.first()), self.last().min(other.last()));
        self.overlaps(other).then(|| IpRange::new(first, last)).flatten()
    }

    /// Whether an address is in both.
    pub fn overlaps(self, other: IpRange) -> bool {
        match (self, other) {
            (Self::V4(a, b), Self::V4(c, d)) => a <= d && c <= b,
            (Self::V6(a, b), Self::V6(c, d)) => a <= d && c <= b,
            _ => false,
        }
    }

    /// Whether an address is in it.
    pub fn contains(self, address: IpAddr) -> bool {
        self.overlaps(Self::of(address))
    }

    /// The prefixes that make up exactly this range: the fewest, ascending.
    pub fn prefixes(self) -> Vec<IpNet> {
        let (mut first, last, bits) = match self {
            Self::V4(first, last) => (u128::from(first), u128::from(last), 32u32),
            Self::V6(first, last) => (first, last, 128),
        };
        let mut prefixes = Vec::new();
        loop {
            // The largest block that begins here and does not pass the end.
            let aligned = first.trailing_zeros().min(bits);
            let room = match (last - first).checked_add(1) {
                Some(count) => count.ilog2(),
                None => 128,
            };
            let size = aligned.min(room);
            let address = match self {
                Self::V4(..) => Ipv4Addr::from(first as u32).into(),
                Self::V6(..) => Ipv6Addr::from(first).into(),
            };
            prefixes.extend(IpNet::new(address, (bits - size) as u8));
            let next = 1u128.checked_shl(size).and_then(|block| first.checked_add(block));
            match next {
                Some(next) if next <= last => first = next,
                _ => return prefixes,
            }
        }
    }

    /// The range as a prefix, where it is exactly one.
    pub fn as_prefix(self) -> Option<IpNet> {
        match self.prefixes().as_slice() {
            [one] => Some(*one),
            _ => None,
        }
    }
}

impl From<IpNet> for IpRange {
    fn from(net: IpNet) -> Self {
        match net {
            IpNet::V4(it) => Self::V4(it.network().into(), it.broadcast().into()),
            IpNet::V6(it) => Self::V6(it.network().into(), it.broadcast().into()),
        }
    }
}

/// A set of addresses as ranges that neither overlap nor touch.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct IpSet {
    /// The last address of each range by its first.
    v4: BTreeMap<u128, u128>,
    v6: BTreeMap<u128, u128>,
}

impl IpSet {
    /// The ranges: all of IPv4 before all of IPv6, ascending.
    pub fn ranges(&self) -> impl Iterator<Item = IpRange> + '_ {
        let v4 = self.v4.iter().map(|(first, last)| IpRange::V4(*first as u32, *last as u32));
        v4.chain(self.v6.iter().map(|(first, last)| IpRange::V6(*first, *last)))
    }

    /// Whether it shares an address with a range.
    pub fn overlaps(&self, range: IpRange) -> bool {
        let (ranges, first, last) = match range {
            IpRange::V4(first, last) => (&self.v4, u128::from(first), u128::from(last)),
            IpRange::V6(first, last) => (&self.v6, first, last),
        };
        ranges.range(..=last).next_back().is_some_and(|(_, end)| first <= *end)
    }

    /// Whether an address is in it.
    pub fn contains(&self, address: IpAddr) -> bool {
        let (ranges, number) = match address {
            IpAddr::V4(it) => (&self.v4, u128::from(u32::from(it))),
            IpAddr::V6(it) => (&self.v6, u128::from(it)),
        };
        ranges.range(..=number).next_back().is_some_and(|(_, last)| number <= *last)
    }

    /// Adds a range.
    pub fn add(&mut self, range: IpRange) {
        let (ranges, mut first, mut last) = self.part(range);
        if let Some((before, end)) = ranges.range(..=first).next_back()
            && end.saturating_add(1) >= first
        {
            (first, last) = (*before, last.max(*end));
        }
        while let Some((next, end)) = ranges.range(first..).next().map(|(a, b)| (*a, *b))
            && next <= last.saturating_add(1)
        {
            last = last.max(end);
            ranges.remove(&next);
        }
        ranges.insert(first, last);
    }

    /// Takes a range away.
    pub fn remove(&mut self, range: IpRange) {
        let (ranges, first, last) = self.part(range);
        if let Some((before, end)) = ranges.range(..first).next_back().map(|(a, b)| (*a, *b))
            && end >= first
        {
            ranges.insert(before, first - 1);
            if end > last {
                ranges.insert(last + 1, end);
            }
        }
        while let Some((next, end)) = ranges.range(first..).next().map(|(a, b)| (*a, *b))
            && next <= last
        {
            ranges.remove(&next);
            if end > last {
                ranges.insert(last + 1, end);
            }
        }
    }

    fn part(&mut self, range: IpRange) -> (&mut BTreeMap<u128, u128>, u128, u128) {
        match range {
            IpRange::V4(first, last) => (&mut self.v4, first.into(), last.into()),
            IpRange::V6(first, last) => (&mut self.v6, first, last),
        }
    }
}
