//! Addresses → other addresses, so that whatever lies within something else still does.
//!
//! A bit is turned round or not depending on all bits before it, so two addresses share as long a
//! beginning afterwards as before. What tells kinds of addresses apart stays: Tailscale's own
//! networks, private ones, the beginning of public ones. Where a range is written, the bits that put
//! addresses in order stay, too.

use std::hash::{Hash as _, Hasher as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use rustc_hash::{FxHashSet, FxHasher};

/// How addresses are replaced.
#[derive(Clone, Debug, Default)]
pub(super) struct Addresses {
    seed: u64,
    /// Beginnings behind which the next bit stays: the bits, how many, and whether of IPv4.
    fixed: FxHashSet<(u128, u8, bool)>,
}

/// Networks whose first bits say what they are, and how many bits that are.
const KINDS_V4: [(Ipv4Addr, u8); 8] = [
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(224, 0, 0, 0), 3),
    (Ipv4Addr::new(0, 0, 0, 0), 8),
];

/// Of public addresses so many bits stay, so that none becomes a private one.
const PUBLIC: u8 = 16;
/// The bits of Tailscale's own network of IPv6, and those of its routes between sites.
const OWN_V6: (u128, u8) = (0xfd7a_115c_a1e0 << 80, 48);
const SITES_V6: (u128, u8) = (0xfd7a_115c_a1e0_0b1a << 64, 64);

/// Within 100.64.0.0/10 no device has these: the resolver, and what Tailscale keeps.
const KEPT: [(Ipv4Addr, u8); 3] = [
    (Ipv4Addr::new(100, 100, 100, 100), 32),
    (Ipv4Addr::new(100, 100, 0, 0), 24),
    (Ipv4Addr::new(100, 115, 92, 0), 23),
];

/// So many seeds are tried for one that makes no device's address one that none has.
const MAX_TRIES: u64 = 64;

/// The ranges that a string names: `10.0.0.1-10.0.0.9`.
pub(super) fn ranges(text: &str) -> Vec<(IpAddr, IpAddr)> {
    let words = text.split([' ', ',']);
    let ends = words.filter_map(|it| it.split_once('-'));
    ends.filter_map(|(first, last)| Some((first.parse().ok()?, last.parse().ok()?))).collect()
}

impl Addresses {
    pub(super) fn new(
        seed: u64,
        known: impl Iterator<Item = IpNet>,
        ranges: impl Iterator<Item = (IpAddr, IpAddr)>,
    ) -> Self {
        let mut new = Self { seed, fixed: FxHashSet::default() };
        for (first, last) in ranges {
            let ((one, width, v4), (other, ..)) = (bits(first), bits(last));
            let common = ((one ^ other) << (128 - u32::from(width))).leading_zeros() as u8;
            for length in common..width {
                for end in [one, other] {
                    new.fixed.insert((head(end, width, length), length, v4));
                }
            }
        }
        let devices: Vec<Ipv4Addr> = known
            .filter_map(|it| match it.addr() {
                IpAddr::V4(it) if !kept(it) => Some(it),
                _ => None,
            })
            .collect();
        for _ in 0..MAX_TRIES {
            if !devices.iter().any(|it| kept(new.of_v4(*it))) {
                break;
            }
            new.seed = new.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        }
        new
    }

    /// A word that is an address, a prefix or a range, in brackets or not.
    pub(super) fn replace(&self, word: &str) -> Option<String> {
        if let Ok(address) = word.parse::<IpAddr>() {
            return Some(self.of(address).to_string());
        }
        if let Ok(net) = word.parse::<IpNet>() {
            return Some(self.of_net(net).to_string());
        }
        if let Some(inner) = word.strip_prefix('[').and_then(|it| it.strip_suffix(']')) {
            return self.replace(inner).map(|it| format!("[{it}]"));
        }
        let (first, last) = word.split_once('-')?;
        let (first, last): (IpAddr, IpAddr) = (first.parse().ok()?, last.parse().ok()?);
        Some(format!("{}-{}", self.of(first), self.of(last)))
    }

    pub(super) fn of(&self, address: IpAddr) -> IpAddr {
        match address {
            IpAddr::V4(it) => self.of_v4(it).into(),
            IpAddr::V6(it) => self.of_v6(it).into(),
        }
    }

    /// A network: its own bits replaced, those of hosts as they were.
    pub(super) fn of_net(&self, net: IpNet) -> IpNet {
        match net {
            IpNet::V4(it) => Ipv4Net::new(self.of_v4(it.addr()), it.prefix_len())
                .map_or(net, |new| {
                    if it.addr() == it.network() { new.trunc() } else { new }.into()
                }),
            IpNet::V6(it) => Ipv6Net::new(self.of_v6(it.addr()), it.prefix_len())
                .map_or(net, |new| {
                    if it.addr() == it.network() { new.trunc() } else { new }.into()
                }),
        }
    }

    pub(super) fn of_v4(&self, address: Ipv4Addr) -> Ipv4Addr {
        if kept(address) {
            return address;
        }
        let own = u32::from(address);
        let kind =
            KINDS_V4.iter().find(|(net, length)| (own ^ u32::from(*net)) >> (32 - length) == 0);
        let stays = kind.map_or(PUBLIC, |it| it.1);
        Ipv4Addr::from(self.turned(own.into(), 32, stays, true) as u32)
    }

    pub(super) fn of_v6(&self, address: Ipv6Addr) -> Ipv6Addr {
        let own = u128::from(address);
        let within = |(net, length): (u128, u8)| (own ^ net) >> (128 - length) == 0;
        let stays = match own >> 112 {
            // A route between sites has an address of IPv4 in it.
            _ if within(SITES_V6) => 128,
            _ if within(OWN_V6) => OWN_V6.1,
            0xfc00..=0xfdff => 8,
            0xfe80..=0xffff => 128,
            _ => 16,
        };
        Ipv6Addr::from(self.turned(own, 128, stays, false))
    }

    fn turned(&self, own: u128, width: u8, stays: u8, v4: bool) -> u128 {
        let mut new = own;
        for length in stays..width {
            let before = head(own, width, length);
            if self.fixed.contains(&(before, length, v4)) {
                continue;
            }
            let mut hasher = FxHasher::default();
            (self.seed, before, length, v4).hash(&mut hasher);
            let hash = hasher.finish();
            if (hash ^ hash >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 63 == 1 {
                new ^= 1 << (width - 1 - length);
            }
        }
        new
    }
}

/// The first bits of an address.
fn head(own: u128, width: u8, length: u8) -> u128 {
    if length == 0 { 0 } else { own >> (width - length) }
}

fn bits(address: IpAddr) -> (u128, u8, bool) {
    match address {
        IpAddr::V4(it) => (u32::from(it).into(), 32, true),
        IpAddr::V6(it) => (it.into(), 128, false),
    }
}

fn kept(address: Ipv4Addr) -> bool {
    let own = u32::from(address);
    KEPT.iter().any(|(net, length)| (own ^ u32::from(*net)) >> (32 - length) == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_lies_within_something_still_does() {
        let text = "10.1.2.3-10.1.9.9";
        let new = Addresses::new(7, std::iter::empty(), ranges(text).into_iter());
        let net = |it: &str| new.of_net(it.parse().unwrap());
        let address = |it: &str| new.of(it.parse().unwrap());
        assert!(net("10.1.0.0/16").contains(&address("10.1.2.3")));
        assert!(!net("10.1.0.0/16").contains(&address("10.2.2.3")));
        assert!(net("192.168.0.0/16").contains(&net("192.168.10.0/24")));
        let range = ["10.1.2.3", "10.1.5.77", "10.1.9.9"].map(address);
        assert!(range.is_sorted(), "{range:?}");
        assert_ne!(address("10.1.2.3").to_string(), "10.1.2.3");
        assert_eq!(address("100.100.100.100").to_string(), "100.100.100.100");
        assert_eq!(net("0.0.0.0/0").to_string(), "0.0.0.0/0");
        assert_eq!(net("::/0").to_string(), "::/0");
    }
}
