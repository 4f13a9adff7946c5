//! `tcp:443`, `80-90`, `22,80`, `*` → protocols and port ranges, with the control plane's own words
//! for what it refuses.
//!
//! SOURCE: docs/language.md, "Ports and protocols".

use std::fmt;

use pest::Parser;

use super::selector::{Grammar, Rule};

/// Ports, inclusive at both ends.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct PortRange {
    /// The first port.
    pub first: u16,
    /// The last port, not before the first.
    pub last: u16,
}

impl PortRange {
    /// Every port, port 0 included.
    pub const ALL: PortRange = PortRange { first: 0, last: u16::MAX };

    /// Whether `port` is among them.
    pub const fn contains(self, port: u16) -> bool {
        self.first <= port && port <= self.last
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            PortRange::ALL => f.write_str("*"),
            PortRange { first, last } if first == last => first.fmt(f),
            PortRange { first, last } => write!(f, "{first}-{last}"),
        }
    }
}

/// An IP protocol number; 0 never occurs, it means "default" and is `None` wherever it may stand.
pub type Protocol = u8;

/// One entry of a grant's `ip`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct PortSpec {
    /// The protocol; `None` is the default: TCP, UDP and ICMP.
    pub protocol: Option<Protocol>,
    /// The ports.
    pub ports: PortRange,
}

/// The protocols with a name: the number, the name, other names, and whether they have ports.
pub const PROTOCOLS: [(Protocol, &str, &[&str], bool); 14] = [
    (1, "icmp", &["icmpv4"], false),
    (2, "igmp", &[], false),
    (4, "ipv4", &["ip-in-ip"], false),
    (6, "tcp", &[], true),
    (8, "egp", &[], false),
    (9, "igp", &[], false),
    (17, "udp", &[], true),
    (33, "dccp", &[], false),
    (47, "gre", &[], false),
    (50, "esp", &[], false),
    (51, "ah", &[], false),
    (58, "ipv6-icmp", &["icmpv6"], false),
    (99, "tsmp", &[], false),
    (132, "sctp", &[], true),
];

/// The name of a protocol, or its number where it has none.
pub fn protocol_name(protocol: Protocol) -> String {
    PROTOCOLS
        .iter()
        .find(|it| it.0 == protocol)
        .map_or_else(|| protocol.to_string(), |it| it.1.to_owned())
}

/// Whether packets of a protocol carry ports that a rule may ask for.
pub fn has_ports(protocol: Protocol) -> bool {
    PROTOCOLS.iter().any(|it| it.0 == protocol && it.3)
}

/// Why a text is no port, no list of them, or no protocol. Displays as the control plane's sentence.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BadPorts {
    /// The piece that is wrong, as the control plane quotes it.
    pub piece: String,
    /// The byte of the text at which the piece starts.
    pub start: usize,
    /// What is wrong with it.
    pub fault: PortFault,
}

/// What is wrong with a piece of a port list. Their order is that of the checks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PortFault {
    /// There is no text at all.
    Nothing,
    /// Nothing before the colon.
    NoProtocol,
    /// A name or number that is no protocol.
    Protocol,
    /// Several hosts before one list of ports.
    Hosts,
    /// Nothing behind the colon.
    NoPorts,
    /// More than one dash.
    Dashes,
    /// The first port is no number below 65536.
    First,
    /// The last port is none.
    Last,
    /// The first port is 0.
    Zero,
    /// The last port is smaller than the first.
    Reversed,
    /// To headscale, a number above 65535 or below 0.
    TooGreat,
    /// To headscale, more than one colon.
    Colons,
}

impl fmt::Display for BadPorts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { piece, fault, .. } = self;
        let why = match fault {
            PortFault::Nothing => return f.write_str("empty string"),
            PortFault::NoProtocol => return f.write_str("empty protocol"),
            PortFault::Protocol => {
                return write!(f, "proto name {piece:?} not known; use protocol number 0-255");
            }
            PortFault::Hosts => return f.write_str("host cannot contain a comma (\",\")"),
            PortFault::NoPorts => return f.write_str("invalid port list: \"\""),
            PortFault::Dashes => "too many dashes(-)",
            PortFault::First => "invalid first integer",
            PortFault::Last => "invalid last integer",
            PortFault::Zero => "first port must be >0, or use '*' for wildcard",
            PortFault::Reversed => "first port must be >= last port",
            // The words of headscale are its own.
            PortFault::TooGreat | PortFault::Colons => "invalid first integer",
        };
        write!(f, "port range {piece:?}: {why}")
    }
}

fn bad<T>(piece: &str, start: usize, fault: PortFault) -> Result<T, BadPorts> {
    Err(BadPorts { piece: piece.to_owned(), start, fault })
}

/// Reads a protocol by name or number; `None` is "default" (`0` or an empty text).
///
/// Errors: a name that the control plane does not know.
pub fn read_protocol(text: &str) -> Result<Option<Protocol>, BadPorts> {
    let known = PROTOCOLS.iter().find(|(_, name, others, _)| {
        name.eq_ignore_ascii_case(text) || others.iter().any(|it| it.eq_ignore_ascii_case(text))
    });
    if let Some((number, ..)) = known {
        return Ok(Some(*number));
    }
    if text.is_empty() {
        return Ok(None);
    }
    match text.parse::<u8>() {
        Ok(number) if text.bytes().all(|it| it.is_ascii_digit()) => {
            Ok(Some(number).filter(|it| *it != 0))
        }
        _ => bad(text, 0, PortFault::Protocol),
    }
}

/// Reads the ports behind the last colon of an acl destination: `*`, or ranges between commas.
///
/// Errors: the first piece that is wrong.
pub fn read_ports(text: &str) -> Result<Vec<PortRange>, BadPorts> {
    if text.is_empty() {
        return bad(text, 0, PortFault::NoPorts);
    }
    if text == "*" {
        return Ok(vec![PortRange::ALL]);
    }
    let items = Grammar::parse(Rule::ports, text).ok().and_then(|mut it| it.next());
    let items =
        items.into_iter().flat_map(|it| it.into_inner()).filter(|it| it.as_rule() == Rule::item);
    items
        .map(|item| {
            let (whole, start) = (item.as_str(), item.as_span().start());
            read_range(whole, start, item.into_inner().map(|it| it.as_str()))
        })
        .collect()
}

/// Reads one range, given as a whole and as the parts between its dashes.
fn read_range<'a>(
    whole: &str,
    start: usize,
    mut parts: impl Iterator<Item = &'a str>,
) -> Result<PortRange, BadPorts> {
    let (first, last, more) = (parts.next().unwrap_or_default(), parts.next(), parts.next());
    if more.is_some() {
        return bad(whole, start, PortFault::Dashes);
    }
    let Some(first) = read_port(first) else { return bad(whole, start, PortFault::First) };
    let Some(last) = last.map_or(Some(first), read_port) else {
        return bad(whole, start, PortFault::Last);
    };
    if first == 0 {
        return bad(whole, start, PortFault::Zero);
    }
    if first > last {
        return bad(whole, start, PortFault::Reversed);
    }
    Ok(PortRange { first, last })
}

/// A decimal number below 65536; leading zeros are fine, a sign is not.
fn read_port(text: &str) -> Option<u16> {
    text.parse().ok().filter(|_| text.bytes().all(|it| it.is_ascii_digit()))
}

/// Reads one entry of a grant's `ip`: `*`, ports, or a protocol and ports.
///
/// Errors: the first piece that is wrong.
pub fn read_port_spec(text: &str) -> Result<PortSpec, BadPorts> {
    if text.is_empty() {
        return bad(text, 0, PortFault::Nothing);
    }
    let lowered = text.to_ascii_lowercase();
    let parts = Grammar::parse(Rule::ip, &lowered).ok().and_then(|mut it| it.next());
    let (mut protocol, mut ports, mut start) = (None, "", 0);
    for part in parts.into_iter().flat_map(|it| it.into_inner()) {
        match part.as_rule() {
            Rule::protocol if part.as_str().is_empty() => {
                return bad(text, 0, PortFault::NoProtocol);
            }
            Rule::protocol if part.as_str() == "*" => {}
            Rule::protocol => protocol = read_protocol(part.as_str())?,
            Rule::port_text => (ports, start) = (part.as_str(), part.as_span().start()),
            _ => {}
        }
    }
    if ports == "*" {
        return Ok(PortSpec { protocol, ports: PortRange::ALL });
    }
    if ports.is_empty() {
        return bad(ports, start, PortFault::NoPorts);
    }
    Ok(PortSpec { protocol, ports: read_range(ports, start, ports.split('-'))? })
}
