//! A verdict and what a client does besides → whether a packet reaches the device's network.
//!
//! A table alone does not decide that: replies, error messages and later fragments need no line, ping
//! needs any line between two addresses, and what is not addressed to the device or a network it
//! routes needs none to be dropped. Two things are left to the caller, because they are the device's
//! memory and its owner's will: which packets are replies, and "shields up".
//!
//! SOURCE: spec/policy-language.md 5.9; `wgengine/filter/filter.go` and `net/packet/packet.go` of
//! tailscale.com v1.102.5, `shrinkDefaultRoute` in its `ipn/ipnlocal/local.go`.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::ip_set::{IpRange, IpSet};
use super::verdict::{Classifier, Packet, RuleIndex};
use crate::ast::Protocol;
use crate::tailnet::Node;

/// What a packet is to the traffic it belongs to.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Role {
    /// It begins something: a TCP SYN, a ping, any packet of a protocol that knows no answers.
    Opening,
    /// It answers: TCP other than a SYN without ACK, an ICMP echo reply or error, UDP or SCTP back
    /// from where something was just sent to. Of ICMP errors a client does not know IPv4's "parameter
    /// problem": it takes type 18 for it, which is 12.
    Reply,
    /// A fragment after the first: it carries no ports.
    LaterFragment,
}

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Delivery {
    /// It is let in.
    Passed(Passed),
    /// It is not.
    Dropped(Dropped),
}

/// Why a packet is let in.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Passed {
    /// A line of the table says so.
    Rule(RuleIndex),
    /// It is ICMP, and this line opens something between the two addresses, if not ICMP.
    PingBy(RuleIndex),
    /// Replies need no line.
    Reply,
    /// The first fragment was judged for all.
    Fragment,
    /// The clients' own messages to each other, protocol 99.
    Internal,
}

/// Why a packet is not let in.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Dropped {
    /// No line lets it in.
    NoRule,
    /// Neither the device nor a network behind it has the address.
    NotLocal,
    /// To a group of devices.
    Multicast,
    /// To an address that is valid on one cable only.
    LinkLocal,
    /// A protocol that no packet has: 0 or 255.
    UnknownProtocol,
    /// From one family to the other: there is no such packet.
    Families,
}

const ICMP: Protocol = 1;
const TCP: Protocol = 6;
const UDP: Protocol = 17;
const ICMP_V6: Protocol = 58;
const INTERNAL: Protocol = 99;
const SCTP: Protocol = 132;

/// The one link-local address that is let through: clouds answer questions about a machine there.
const METADATA: IpAddr = IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254));

/// What a device accepts as addressed to it or to networks behind it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Local(Vec<IpRange>);

impl Local {
    /// The node's addresses and the routes it advertises, approved or not: the client asks nobody.
    ///
    /// Of an exit route only public addresses remain. A client takes out also the networks its own
    /// cables are on, which no inventory tells.
    pub fn of(node: &Node) -> Self {
        let mut set = IpSet::default();
        let (exit, subnets): (Vec<&IpNet>, Vec<&IpNet>) =
            node.advertised.iter().partition(|it| Node::is_exit_route(it));
        exit.iter().for_each(|it| set.add(IpRange::from(**it)));
        if !exit.is_empty() {
            NOT_BEHIND_EXITS.iter().for_each(|it| set.remove(IpRange::from(*it)));
        }
        subnets.iter().for_each(|it| set.add(IpRange::from(**it)));
        node.addresses().for_each(|it| set.add(IpRange::of(it)));
        Local(set.ranges().collect())
    }

    /// Whether an address is local.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|it| it.contains(address))
    }

    /// The addresses: ranges that neither overlap nor touch, IPv4 first, ascending.
    pub fn ranges(&self) -> &[IpRange] {
        &self.0
    }
}

const fn v4(a: u8, b: u8, length: u8) -> IpNet {
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(a, b, 0, 0), length))
}

const fn v6(first: u128, length: u8) -> IpNet {
    IpNet::V6(Ipv6Net::new_assert(std::net::Ipv6Addr::from_bits(first), length))
}

/// What an exit node is not the way to.
const NOT_BEHIND_EXITS: [IpNet; 9] = [
    v4(192, 168, 16),
    v4(172, 16, 12),
    v4(10, 0, 8),
    v4(169, 254, 16),
    v4(224, 0, 4),
    v4(100, 64, 10),
    v6(0xfe80 << 112, 10),
    v6(0xff00 << 112, 8),
    v6(0xfd7a_115c_a1e0 << 80, 48),
];

impl Classifier {
    /// Whether a device with this table, and these addresses, lets a packet in.
    pub fn delivered(&self, local: &Local, packet: &Packet, role: Role) -> Delivery {
        judge(self, local, packet, role).map_or_else(Delivery::Dropped, Delivery::Passed)
    }
}

fn judge(
    classifier: &Classifier,
    local: &Local,
    packet: &Packet,
    role: Role,
) -> Result<Passed, Dropped> {
    if packet.src.is_ipv4() != packet.dst.is_ipv4() {
        return Err(Dropped::Families);
    }
    if matches!(packet.protocol, 0 | u8::MAX) && role != Role::LaterFragment {
        return Err(Dropped::UnknownProtocol);
    }
    if packet.dst.is_multicast() {
        return Err(Dropped::Multicast);
    }
    if is_link_local(packet.dst) && packet.dst != METADATA {
        return Err(Dropped::LinkLocal);
    }
    if role == Role::LaterFragment {
        return Ok(Passed::Fragment);
    }
    if !local.contains(packet.dst) {
        return Err(Dropped::NotLocal);
    }
    let ping = if packet.src.is_ipv4() { ICMP } else { ICMP_V6 };
    let passed = match packet.protocol {
        INTERNAL => Some(Passed::Internal),
        TCP | UDP | SCTP if role == Role::Reply => Some(Passed::Reply),
        TCP | UDP | SCTP => classifier.verdict(packet).map(Passed::Rule),
        protocol if protocol == ping && role == Role::Reply => Some(Passed::Reply),
        protocol if protocol == ping => classifier.any_between(packet).map(Passed::PingBy),
        _ => classifier.with_all_ports(packet).map(Passed::Rule),
    };
    passed.ok_or(Dropped::NoRule)
}

fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(it) => it.is_link_local(),
        IpAddr::V6(it) => it.is_unicast_link_local(),
    }
}
