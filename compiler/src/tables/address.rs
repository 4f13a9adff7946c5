//! Addresses as tables write them: `*`, `100.64.0.1`, `10.0.0.0/8`, `100.64.0.0-100.115.91.255`.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv6Net};

use super::ip_set::IpRange;

/// One entry of `SrcIPs`, or the `IP` of one entry of `DstPorts`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Addresses {
    /// `*`: every address of both families.
    Any,
    /// An address, or a prefix without host bits.
    Net(IpNet),
    /// From one address to another, of one family, inclusive.
    Range(IpAddr, IpAddr),
}

const fn v4(first: [u8; 4], last: [u8; 4]) -> Addresses {
    const fn address([a, b, c, d]: [u8; 4]) -> IpAddr {
        IpAddr::V4(Ipv4Addr::new(a, b, c, d))
    }
    Addresses::Range(address(first), address(last))
}

/// `autogroup:internet`: every public address, in the order the control plane sends them.
///
/// SOURCE: docs/language.md, "Destinations".
pub const INTERNET: [Addresses; 7] = [
    v4([0, 0, 0, 0], [9, 255, 255, 255]),
    v4([11, 0, 0, 0], [100, 63, 255, 255]),
    v4([100, 128, 0, 0], [169, 253, 255, 255]),
    v4([169, 255, 0, 0], [172, 15, 255, 255]),
    v4([172, 32, 0, 0], [192, 167, 255, 255]),
    v4([192, 169, 0, 0], [255, 255, 255, 255]),
    Addresses::Range(
        IpAddr::V6(Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0)),
        IpAddr::V6(Ipv6Addr::new(0x3fff, 0xffff, 0xffff, 0xffff, 0xffff, 0xffff, 0xffff, 0xffff)),
    ),
];

/// The IPv4 part of `*` as a source: the addresses of nodes, without those kept for ChromeOS.
///
/// SOURCE: docs/language.md, "Sources".
pub(super) const NODES_V4: [Addresses; 2] =
    [v4([100, 64, 0, 0], [100, 115, 91, 255]), v4([100, 115, 94, 0], [100, 127, 255, 255])];

/// The IPv6 part of `*` as a source.
pub(super) const NODES_V6: Addresses = Addresses::Net(IpNet::V6(Ipv6Net::new_assert(
    Ipv6Addr::new(0xfd7a, 0x115c, 0xa1e0, 0, 0, 0, 0, 0),
    48,
)));

impl Addresses {
    /// The ranges of numbers it stands for; `*` is one of each family.
    pub fn ranges(self) -> impl Iterator<Item = IpRange> {
        let (first, second) = match self {
            Addresses::Any => (Some(IpRange::V4(0, u32::MAX)), Some(IpRange::V6(0, u128::MAX))),
            Addresses::Net(net) => (Some(net.into()), None),
            Addresses::Range(first, last) => (IpRange::new(first, last), None),
        };
        first.into_iter().chain(second)
    }

    /// Whether an address is among them.
    pub fn contains(self, address: IpAddr) -> bool {
        self.ranges().any(|it| it.contains(address))
    }

    /// The same as the fewest prefixes, as a client expands it.
    pub fn prefixes(self) -> Vec<IpNet> {
        match self {
            Addresses::Net(net) => vec![net],
            _ => self.ranges().flat_map(IpRange::prefixes).collect(),
        }
    }
}

impl From<IpAddr> for Addresses {
    fn from(address: IpAddr) -> Self {
        Addresses::Net(address.into())
    }
}

impl From<IpRange> for Addresses {
    fn from(range: IpRange) -> Self {
        range.as_prefix().map_or(Addresses::Range(range.first(), range.last()), Addresses::Net)
    }
}

impl fmt::Display for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Addresses::Any => f.write_str("*"),
            Addresses::Net(net) if net.prefix_len() == net.max_prefix_len() => net.addr().fmt(f),
            Addresses::Net(net) => net.fmt(f),
            Addresses::Range(first, last) => write!(f, "{first}-{last}"),
        }
    }
}
