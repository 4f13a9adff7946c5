//! One string of a policy file, and what it is to be → its pieces: names, addresses, ports, words.
//!
//! Ranges are bytes of the text that the string means; [`place`] turns them into places of the file.

use std::ops::Range;

use compiler::ast::ports::{read_ports, read_protocol};
use compiler::ast::{Autogroup, Selector, selector};
use compiler::cst::SyntaxNode;
use compiler::span::Span;

use super::shape::{Form, Named, Slot};

/// A piece of a string.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Piece {
    /// Which bytes of the text.
    pub range: Range<usize>,
    /// What it is.
    pub meaning: Meaning,
}

/// What a piece of a string is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Meaning {
    /// A name that the file defines, or that needs no definition.
    Name(Named),
    /// The place that defines such a name.
    Definition(Named),
    /// The name of a field.
    Field(Form),
    /// `autogroup:…`
    Autogroup(Autogroup),
    /// `*`, as a selector.
    Any,
    /// `user:*@example.com`
    Domain,
    /// An address or prefix.
    Address,
    /// One port, a range, a list of them, or `*`.
    Ports,
    /// A protocol.
    Protocol,
    /// A word of the language: `add`, `accept`, `IS SET`.
    Word,
    /// The name of an attribute: a device's, or one of postures.
    Attribute,
    /// The name of a capability.
    Capability,
    /// A value that attributes are compared with.
    Operand,
}

/// What stands before the colon of a selector, so that no port begins behind it.
const PREFIXES: [&str; 6] = ["tag", "group", "autogroup", "ipset", "svc", "user"];

/// The pieces of a text that stands at a place; none where it is not understood.
pub fn pieces(slot: Slot, text: &str) -> Vec<Piece> {
    let mut found = Vec::new();
    match slot {
        Slot::Field(form) => whole(text, Meaning::Field(form), &mut found),
        Slot::Definition(named) if text.starts_with(named.prefix()) => {
            whole(text, Meaning::Definition(named), &mut found);
        }
        Slot::Selector(_) | Slot::TestSource | Slot::ServiceOrTag | Slot::SshTestDestination => {
            selector_pieces(text, 0..text.len(), &mut found);
        }
        Slot::Destination | Slot::TestDestination => destination(text, &mut found),
        Slot::PortSpec => port_spec(text, &mut found),
        Slot::Protocol => whole(text, Meaning::Protocol, &mut found),
        Slot::Posture if text.starts_with(Named::Posture.prefix()) => {
            whole(text, Meaning::Name(Named::Posture), &mut found);
        }
        Slot::Condition => condition(text, &mut found),
        Slot::AttributeName | Slot::NodeAttribute => whole(text, Meaning::Attribute, &mut found),
        Slot::IpsetStep => ipset_step(text, &mut found),
        Slot::Address if selector::read_literal(text).is_ok() => {
            whole(text, Meaning::Address, &mut found);
        }
        Slot::Capability | Slot::NodeCapability => whole(text, Meaning::Capability, &mut found),
        Slot::HostUser if text.trim() == "autogroup:nonroot" => {
            whole(text, Meaning::Autogroup(Autogroup::Nonroot), &mut found);
        }
        Slot::AclAction | Slot::SshAction | Slot::CheckPeriod | Slot::CgnatRoute => {
            whole(text, Meaning::Word, &mut found);
        }
        Slot::Definition(_)
        | Slot::HostUser
        | Slot::TestedUser
        | Slot::Posture
        | Slot::Address
        | Slot::Plain => {}
    }
    found
}

/// The pieces of a text that others read: it may be a name of the file as a whole.
pub fn foreign(text: &str) -> Vec<Piece> {
    let mut found = Vec::new();
    let kinds = [Named::Group, Named::Tag, Named::Ipset, Named::Posture, Named::Service];
    if let Some(named) = kinds.into_iter().find(|it| text.starts_with(it.prefix())) {
        whole(text, Meaning::Name(named), &mut found);
    }
    found
}

/// Where some bytes of a string's text stand; the whole string between its quotes where escapes hide that.
pub fn place(node: SyntaxNode<'_>, text: &str, range: Range<usize>) -> Span {
    let inner = node.inner_span();
    if text.len() == inner.len() as usize {
        Span::new(inner.start + range.start as u32, inner.start + range.end as u32)
    } else {
        inner
    }
}

/// The part of a destination before its ports, and where the ports begin if it has any: `tag:web:443`,
/// `[fd7a::1]:80`.
pub fn split_destination(text: &str) -> (Range<usize>, Option<usize>) {
    let Some((host, ports)) = text.rsplit_once(':') else { return (0..text.len(), None) };
    if PREFIXES.contains(&host) && read_ports(ports).is_err()
        || text.parse::<std::net::Ipv6Addr>().is_ok()
    {
        return (0..text.len(), None);
    }
    let inner = host.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    let bracket = usize::from(inner.is_some());
    (bracket..host.len() - bracket, Some(host.len() + 1))
}

fn whole(text: &str, meaning: Meaning, found: &mut Vec<Piece>) {
    let (start, trimmed) = trimmed(text, 0);
    if !trimmed.is_empty() {
        found.push(Piece { range: start..start + trimmed.len(), meaning });
    }
}

/// A text without the blanks around it, and where it then begins.
fn trimmed(text: &str, start: usize) -> (usize, &str) {
    let begun = text.trim_start_matches([' ', '\t']);
    (start + text.len() - begun.len(), begun.trim_end_matches([' ', '\t']))
}

fn selector_pieces(text: &str, range: Range<usize>, found: &mut Vec<Piece>) {
    let (start, inner) = trimmed(text.get(range.clone()).unwrap_or_default(), range.start);
    let Ok(read) = selector::read(inner) else { return };
    let meaning = match read.selector {
        Selector::Any => Meaning::Any,
        Selector::User(_) => Meaning::Name(Named::User),
        Selector::UserDomain(_) => Meaning::Domain,
        Selector::Group(_) => Meaning::Name(Named::Group),
        Selector::Tag(_) => Meaning::Name(Named::Tag),
        Selector::Autogroup(it) => Meaning::Autogroup(it),
        Selector::Ipset(_) => Meaning::Name(Named::Ipset),
        Selector::Service(_) => Meaning::Name(Named::Service),
        Selector::Host(_) => Meaning::Name(Named::Host),
        Selector::Literal(_) => Meaning::Address,
    };
    found.push(Piece { range: start..start + inner.len(), meaning });
}

fn destination(text: &str, found: &mut Vec<Piece>) {
    let (host, ports) = split_destination(text);
    selector_pieces(text, host, found);
    if let Some(start) = ports.filter(|it| *it < text.len()) {
        found.push(Piece { range: start..text.len(), meaning: Meaning::Ports });
    }
}

fn port_spec(text: &str, found: &mut Vec<Piece>) {
    let (start, inner) = trimmed(text, 0);
    let (protocol, ports) = inner.split_once(':').map_or((None, inner), |(a, b)| (Some(a), b));
    if let Some(protocol) = protocol
        && !protocol.is_empty()
        && (protocol == "*" || read_protocol(protocol).is_ok())
    {
        found.push(Piece { range: start..start + protocol.len(), meaning: Meaning::Protocol });
    }
    let begin = start + inner.len() - ports.len();
    if !ports.is_empty() {
        found.push(Piece { range: begin..begin + ports.len(), meaning: Meaning::Ports });
    }
}

fn ipset_step(text: &str, found: &mut Vec<Piece>) {
    let (mut start, mut rest) = trimmed(text, 0);
    if let Some((word, behind)) = rest.split_once(' ')
        && (word.eq_ignore_ascii_case("add") || word.eq_ignore_ascii_case("remove"))
    {
        found.push(Piece { range: start..start + word.len(), meaning: Meaning::Word });
        (start, rest) = trimmed(behind, start + word.len() + 1);
    }
    if let Some(host) = rest.strip_prefix("host:") {
        let begin = start + rest.len() - host.len();
        found.push(Piece { range: begin..begin + host.len(), meaning: Meaning::Name(Named::Host) });
    } else if rest.starts_with(|it: char| it.is_ascii_hexdigit()) && rest.contains('-') {
        found.push(Piece { range: start..start + rest.len(), meaning: Meaning::Address });
    } else {
        selector_pieces(text, start..start + rest.len(), found);
    }
}

/// `node:os IN ['macos', 'linux']`: the attribute, the words between, what it is compared with.
fn condition(text: &str, found: &mut Vec<Piece>) {
    let (mut at, inner) = trimmed(text, 0);
    let stops = |it: char| it == ' ' || matches!(it, '=' | '!' | '<' | '>');
    let length = inner.find(stops).unwrap_or(inner.len());
    if length > 0 {
        found.push(Piece { range: at..at + length, meaning: Meaning::Attribute });
    }
    at += length;
    let mut rest = inner.get(length..).unwrap_or_default();
    while let Some(next) = rest.chars().next() {
        let (length, meaning) = match next {
            '\'' => {
                let inside = rest.get(1..).unwrap_or_default();
                let length = inside.find('\'').unwrap_or(inside.len());
                let quoted = inside.get(..length).unwrap_or_default();
                let range = at + 1..at + 1 + length;
                if quoted.starts_with(Named::Ipset.prefix()) {
                    found.push(Piece { range, meaning: Meaning::Name(Named::Ipset) });
                    (length + 2, None)
                } else {
                    ((length + 2).min(rest.len()), Some(Meaning::Operand))
                }
            }
            it if it.is_ascii_alphanumeric() || it == '-' => {
                let more = |it: char| !(it.is_ascii_alphanumeric() || matches!(it, '-' | '.'));
                let length = rest.find(more).unwrap_or(rest.len());
                let word = rest.get(..length).unwrap_or_default();
                let keyword =
                    ["is", "set", "not", "in"].iter().any(|it| it.eq_ignore_ascii_case(word));
                (length, Some(if keyword { Meaning::Word } else { Meaning::Operand }))
            }
            it => (it.len_utf8(), None),
        };
        let length = length.min(rest.len());
        if let Some(meaning) = meaning {
            found.push(Piece { range: at..at + length, meaning });
        }
        at += length;
        rest = rest.get(length..).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use compiler::policy::Place;

    use super::*;

    fn shown(slot: Slot, text: &str) -> Vec<(&str, Meaning)> {
        pieces(slot, text).into_iter().map(|it| (text.get(it.range).unwrap(), it.meaning)).collect()
    }

    #[test]
    fn a_destination_has_a_name_and_ports() {
        let web = ("tag:web", Meaning::Name(Named::Tag));
        assert_eq!(shown(Slot::Destination, "tag:web:443"), [web.clone(), ("443", Meaning::Ports)]);
        assert_eq!(shown(Slot::Destination, "tag:web"), std::slice::from_ref(&web));
        assert_eq!(shown(Slot::Destination, "tag:web:"), [web]);
        assert_eq!(
            shown(Slot::Destination, "[fd7a::1]:80,90"),
            [("fd7a::1", Meaning::Address), ("80,90", Meaning::Ports)]
        );
    }

    #[test]
    fn blanks_belong_to_nothing() {
        let slot = Slot::Selector(Place::SshSrc);
        assert_eq!(shown(slot, " group:eng "), [("group:eng", Meaning::Name(Named::Group))]);
    }

    #[test]
    fn a_step_names_a_host() {
        assert_eq!(
            shown(Slot::IpsetStep, "remove host:db"),
            [("remove", Meaning::Word), ("db", Meaning::Name(Named::Host))]
        );
        assert_eq!(
            shown(Slot::IpsetStep, "add 10.0.0.0/8"),
            [("add", Meaning::Word), ("10.0.0.0/8", Meaning::Address)]
        );
    }

    #[test]
    fn a_condition_has_an_attribute_words_and_operands() {
        assert_eq!(
            shown(Slot::Condition, "ip:publicAddress NOT IN ['ipset:office', 'x'"),
            [
                ("ip:publicAddress", Meaning::Attribute),
                ("NOT", Meaning::Word),
                ("IN", Meaning::Word),
                ("ipset:office", Meaning::Name(Named::Ipset)),
                ("'x'", Meaning::Operand),
            ]
        );
        assert_eq!(
            shown(Slot::Condition, "node:tsVersion>='1.40"),
            [("node:tsVersion", Meaning::Attribute), ("'1.40", Meaning::Operand)]
        );
    }
}
