//! How headscale reads what Tailscale reads otherwise: names of fields, selectors, ports, protocols.
//!
//! SOURCE: docs/headscale.md, "The file" and "Names, ports, protocols". What is not here is read
//! as Tailscale reads it.

use std::borrow::Cow;

use super::ports::{BadPorts, PROTOCOLS, PortFault, PortRange, PortSpec, Protocol};
use super::selector::{Autogroup, Malformed, Read, Selector, read_literal};
use crate::diagnostic::Turn;

/// Fields that the release does not have, by the section that is read.
const UNKNOWN_FIELDS: [(Turn, &[&str]); 7] = [
    (
        // The top of the file, and `autoApprovers`.
        Turn::Others,
        &[
            "ipsets",
            "postures",
            "defaultSrcPosture",
            "derpMap",
            "disableIPv4",
            "OneCGNATRoute",
            "attrConfig",
            "extraDNSRecords",
            "services",
        ],
    ),
    (Turn::Acls, &["users", "ports", "srcPosture"]),
    (Turn::Grants, &["srcPosture"]),
    (Turn::Ssh, &["srcPosture", "recorder", "enforceRecorder"]),
    (Turn::NodeAttrs, &["app"]),
    (Turn::Tests, &["user", "allow", "srcPostureAttrs"]),
    (Turn::SshTests, &["srcPostureAttrs"]),
];

/// Old names of fields, and what they are called now.
const RENAMED: [(&str, &str); 4] =
    [("users", "src"), ("ports", "dst"), ("user", "src"), ("allow", "accept")];

/// The autogroups of the release, in the order of its messages.
pub(crate) const AUTOGROUPS: [Autogroup; 6] = [
    Autogroup::Internet,
    Autogroup::Member,
    Autogroup::Nonroot,
    Autogroup::Tagged,
    Autogroup::OwnDevices,
    Autogroup::DangerAll,
];

/// Capabilities that Tailscale lets users grant, and this release does not.
pub(super) const NOT_GRANTABLE: [&str; 2] =
    ["tailscale.com/cap/golink", "tailscale.com/cap/tailsql"];

/// A protocol that Tailscale has no name for.
const FIBRE_CHANNEL: (&str, Protocol) = ("fc", 133);

/// Whether a field is refused in the section that is being read.
pub(super) fn refuses(turn: Turn, field: &str) -> bool {
    UNKNOWN_FIELDS.iter().any(|(it, fields)| *it == turn && fields.contains(&field))
}

/// What an old name of a field is called now.
pub(super) fn renamed(turn: Turn, field: &str) -> Option<&'static str> {
    // Elsewhere than in rules and tests these names are not old.
    matches!(turn, Turn::Acls | Turn::Tests)
        .then(|| RENAMED.iter().find(|it| it.0 == field).map(|it| it.1))?
}

/// Whether a name means a field: case, `_` and `-` do not matter.
pub(crate) fn is_field(written: &str, canonical: &str) -> bool {
    fn letters(name: &str) -> impl Iterator<Item = u8> {
        name.bytes().filter(|it| !matches!(it, b'_' | b'-')).map(|it| it.to_ascii_lowercase())
    }
    letters(written).eq(letters(canonical))
}

/// Whether blanks around the selectors of a section do not matter.
pub(super) fn trims(turn: Turn) -> bool {
    matches!(turn, Turn::Acls | Turn::Grants | Turn::NodeAttrs)
}

/// Reads a selector. Whatever has an `@` is a user, and tags are taken as they are written.
///
/// Errors: a text with a colon that is none of the known kinds, and an autogroup that is unknown here.
pub(crate) fn read_selector(text: &str) -> Result<Read, Malformed> {
    if let Ok((net, host_bits)) = read_literal(text) {
        return Ok(Read { selector: Selector::Literal(net), host_bits });
    }
    let selector = match text.split_once(':') {
        _ if text == "*" => Selector::Any,
        Some(("user", rest)) if rest.starts_with("*@") => {
            Selector::UserDomain(rest.get(2..).unwrap_or_default().into())
        }
        _ if text.contains('@') => Selector::User(text.into()),
        Some(("group", _)) => Selector::Group(text.into()),
        Some(("tag", _)) => Selector::Tag(text.into()),
        Some(("autogroup", name)) => {
            let known = AUTOGROUPS.iter().find(|it| it.name() == name);
            Selector::Autogroup(*known.ok_or(Malformed::Autogroup)?)
        }
        Some(_) => return Err(Malformed::NoSelector),
        None => Selector::Host(text.into()),
    };
    Ok(Read { selector, host_bits: false })
}

/// An address of an acl's destination without the brackets that an IPv6 address may have, also
/// before the length of a prefix.
pub(super) fn without_brackets(host: &str) -> Result<Cow<'_, str>, Malformed> {
    let Some((address, length)) = host.strip_prefix('[').and_then(|it| it.split_once(']')) else {
        return Ok(host.into());
    };
    match address.parse::<std::net::Ipv6Addr>() {
        Ok(_) => Ok(format!("{address}{length}").into()),
        Err(_) => Err(Malformed::Brackets),
    }
}

fn bad<T>(piece: &str, start: usize, fault: PortFault) -> Result<T, BadPorts> {
    Err(BadPorts { piece: piece.to_owned(), start, fault })
}

/// Reads a protocol. In the `proto` of an acl or a test its case does not matter.
///
/// Errors: a name or number that the release does not know.
pub(super) fn read_protocol(text: &str, any_case: bool) -> Result<Option<Protocol>, BadPorts> {
    let lowered = if any_case { text.to_ascii_lowercase() } else { text.to_owned() };
    let unknown = |it: Protocol| matches!(it, 33 | 99);
    let known = PROTOCOLS.iter().find(|(number, name, others, _)| {
        !unknown(*number) && (*name == lowered || (*number == 4 && others.contains(&&*lowered)))
    });
    match known {
        Some((number, ..)) => return Ok(Some(*number)),
        None if lowered.is_empty() => return Ok(None),
        None if lowered == FIBRE_CHANNEL.0 => return Ok(Some(FIBRE_CHANNEL.1)),
        None => {}
    }
    let plain = lowered.bytes().all(|it| it.is_ascii_digit()) && !lowered.starts_with('0');
    match lowered.parse::<u8>().ok().filter(|_| plain) {
        Some(number) => Ok(Some(number)),
        None => bad(text, 0, PortFault::Protocol),
    }
}

/// Reads ports: `*`, or ports and ranges between commas.
///
/// Errors: the first piece that is wrong.
pub(super) fn read_ports(text: &str) -> Result<Vec<PortRange>, BadPorts> {
    if text == "*" {
        return Ok(vec![PortRange::ALL]);
    }
    if text.is_empty() {
        return bad(text, 0, PortFault::NoPorts);
    }
    let mut start = 0;
    let mut ranges = Vec::new();
    for piece in text.split(',') {
        ranges.push(read_range(piece, start)?);
        start += piece.len() + 1;
    }
    Ok(ranges)
}

fn read_range(piece: &str, start: usize) -> Result<PortRange, BadPorts> {
    let port = |text: &str| match text.parse::<i64>() {
        Err(_) => bad(piece, start, PortFault::First),
        Ok(number) => match u16::try_from(number) {
            Ok(port) => Ok(port),
            Err(_) => bad(piece, start, PortFault::TooGreat),
        },
    };
    if !piece.contains('-') {
        let only = port(piece)?;
        // In a range port 0 is taken.
        return if only == 0 {
            bad(piece, start, PortFault::Zero)
        } else {
            Ok(PortRange { first: only, last: only })
        };
    }
    let ends: Vec<&str> = piece.split('-').filter(|it| !it.is_empty()).collect();
    let [first, last] = ends.as_slice() else { return bad(piece, start, PortFault::Dashes) };
    let (first, last) = (port(first)?, port(last)?);
    if first > last {
        return bad(piece, start, PortFault::Reversed);
    }
    Ok(PortRange { first, last })
}

/// Reads one entry of a grant's `ip`, which may list several ports.
///
/// Errors: the first piece that is wrong.
pub(super) fn read_port_specs(text: &str) -> Result<Vec<PortSpec>, BadPorts> {
    let (protocol, ports) = match text.split_once(':') {
        None => (None, text),
        Some((_, rest)) if rest.contains(':') => return bad(text, 0, PortFault::Colons),
        Some((protocol, ports)) => (read_protocol(protocol, false)?, ports),
    };
    let offset = text.len() - ports.len();
    let ranges = read_ports(ports).map_err(|it| BadPorts { start: it.start + offset, ..it })?;
    Ok(ranges.into_iter().map(|ports| PortSpec { protocol, ports }).collect())
}
