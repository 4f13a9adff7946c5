//! What can be wrong with the shape of a policy file or the text of one of its strings: family E02xx.

pub(crate) mod headscale;
mod report;

use super::Text;
use super::ports::{BadPorts, PortFault};
use super::selector::Malformed;
use crate::cst::{SyntaxKind, SyntaxNode};
use crate::diagnostic::Turn;
use crate::dialect::HEADSCALE;
use crate::span::Span;

/// A shape of JSON, in the words of its users.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Shape {
    /// `{ … }`
    Object,
    /// `[ … ]`
    List,
    /// `"…"`
    String,
    /// A number.
    Number,
    /// `true` or `false`
    Bool,
    /// `null`
    Null,
}

impl Shape {
    /// The shape of a node; `None` for a word that is no JSON.
    pub(super) fn of(node: SyntaxNode<'_>) -> Option<Shape> {
        Some(match node.kind() {
            SyntaxKind::Object => Shape::Object,
            SyntaxKind::Array => Shape::List,
            SyntaxKind::String => Shape::String,
            SyntaxKind::Scalar => match node.text() {
                "true" | "false" => Shape::Bool,
                "null" => Shape::Null,
                text => text.parse::<f64>().ok().map(|_| Shape::Number)?,
            },
            _ => return None,
        })
    }

    const fn name(self) -> &'static str {
        match self {
            Shape::Object => "an object",
            Shape::List => "a list",
            Shape::String => "a string",
            Shape::Number => "a number",
            Shape::Bool => "true or false",
            Shape::Null => "null",
        }
    }
}

/// One thing wrong with the shape of the file.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[expect(missing_docs, reason = "the sentence above each variant says what its fields are")]
pub enum Problem {
    #[error("a policy is an object, this is {}", found.name())]
    NotAnObject { span: Span, found: Shape },

    #[error("unknown field `{name}`")]
    UnknownField {
        span: Span,
        name: String,
        similar: Option<&'static str>,
        known: &'static [&'static str],
    },

    #[error("{HEADSCALE} has no field `{name}` here")]
    NotInHeadscale { span: Span, name: String, instead: Option<&'static str> },

    #[error("{HEADSCALE} ignores the field `{name}`")]
    IgnoredField { span: Span, name: String },

    #[error("{HEADSCALE} takes this acl without an action as one that accepts")]
    AcceptsAnyway { span: Span },

    #[error("{HEADSCALE} takes `{written}`, Tailscale refuses it")]
    OnlyHeadscale { span: Span, written: Text },

    #[error("`{name}` is defined twice")]
    Repeated { span: Span, first: Span, name: String },

    #[error("`{written}` is usually written `{canonical}`")]
    UnusualSpelling { span: Span, written: String, canonical: &'static str },

    #[error("expected {}, found {}", wanted.name(), found.name())]
    WrongType { span: Span, wanted: Shape, found: Shape },

    #[error("`{now}` and its old name `{once}` together")]
    OldNameToo { span: Span, kept: Span, now: &'static str, once: &'static str, turn: Turn },

    #[error("{}", selector_sentence(written, why))]
    Selector { span: Span, written: String, why: Malformed, turn: Turn },

    #[error("{}", ports_sentence(bad))]
    Ports { span: Span, bad: BadPorts, entry: Option<Text>, turn: Turn },

    #[error("the destination `{entry}` has no ports")]
    NoPorts { span: Span, entry: Text, api: Option<String>, turn: Turn },

    #[error("`{name}` is no name for a tag")]
    TagName { span: Span, name: Text, why: &'static str },

    #[error("{}", prefix_sentence(name, start))]
    NamePrefix { span: Span, name: Text, start: &'static str, turn: Turn },

    #[error("{}", host_sentence(name))]
    HostName { span: Span, name: Text },

    #[error("`{name}` is neither a service nor a tag of services")]
    ServiceName { span: Span, name: Text },

    #[error("this rule has no action")]
    NoAction { span: Span, turn: Turn, is_null: bool },

    #[error("{}", action_sentence(action, "an acl", "accept"))]
    AclAction { span: Span, action: Text },

    #[error("{}", action_sentence(action, "an SSH rule", "accept` or `check"))]
    SshAction { span: Span, action: Text },

    #[error("this grant gives neither network access nor a capability")]
    GrantsNothing { span: Span },

    #[error("`{name}` is no capability name")]
    CapabilityForm { span: Span, name: Text },

    #[error("`{name}` is reserved to Tailscale")]
    ReservedCapability { span: Span, name: Text },

    #[error("{}", cap_member_sentence(name, known))]
    CapMember { span: Span, name: String, similar: Option<&'static str>, known: Vec<&'static str> },

    #[error("the program that reads this capability expects {wanted} here")]
    CapType { span: Span, wanted: String },

    #[error("`{written}` means nothing as `{member}` of this capability")]
    CapValue { span: Span, member: &'static str, written: String, known: &'static [&'static str] },

    #[error("this SSH rule names no users")]
    NoSshUsers { span: Span },

    #[error("{}", match &**user { "" => "an empty user", _ => "`*` is no user to log in as" })]
    SshUser { span: Span, user: Text },

    #[error("an empty pattern for environment variables")]
    EmptyEnvironment { span: Span },

    #[error("`{written}` is no usable check period")]
    Period { span: Span, written: Text, why: String },

    #[error("{} is no posture assertion", quoted(written))]
    Assertion { span: Span, written: Text },

    #[error("{} is no step of an IP set", quoted(written))]
    IpsetOperation { span: Span, written: Text },

    #[error("`{written}` neither adds nor removes")]
    IpsetWithoutWord { span: Span, written: Text, remove: Span },

    #[error("`{name}` has no effect on tables")]
    WithoutEffect { name: &'static str, span: Span },

    #[error("this prefix has bits beyond its length and means `{meant}`")]
    HostBits { span: Span, meant: String },

    #[error("`{written}` is no value of `OneCGNATRoute`")]
    CgnatRoute { span: Span, written: Text },

    #[error("`{written}` is no number of a relay region")]
    RegionId { span: Span, written: Text },

    #[error("{}", why.sentence())]
    RelayMap { span: Span, why: RelayTrouble },

    #[error("this region is {key} by its key and {found} by its `RegionID`")]
    RegionMismatch { span: Span, key: u64, found: Text },
}

/// What is unusual about a map of relays. The control plane passes it on; clients make of it what
/// they can.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum RelayTrouble {
    /// A region of one's own among the numbers of Tailscale's.
    Number(u64),
    /// Null for a region that Tailscale does not have.
    NothingToRemove(u64),
    /// More than one relay in a region.
    SeveralRelays,
    /// No relay in a region.
    NoRelay,
    /// A relay without a host name.
    NoHost,
    /// A relay whose region is not that in which it stands.
    OtherRegion(u64),
    /// A name that another relay or region of the map has.
    SameName(Text),
    /// A number that is no port.
    Port(i64),
    /// A text that is no address, nor `none`.
    Address(Text),
}

impl RelayTrouble {
    fn sentence(&self) -> String {
        match self {
            Self::Number(id) => format!("region {id} is not among those that are free, 900 to 999"),
            Self::NothingToRemove(id) => format!("there is no default region {id} to take away"),
            Self::SeveralRelays => "a region with more than one relay".to_owned(),
            Self::NoRelay => "a region without a relay".to_owned(),
            Self::NoHost => "a relay without a host name".to_owned(),
            Self::OtherRegion(id) => format!("this relay stands in region {id}"),
            Self::SameName(name) => format!("`{name}` names two of them"),
            Self::Port(port) => format!("{port} is no port"),
            Self::Address(text) => format!("`{text}` is neither an address nor `none`"),
        }
    }
}

fn selector_sentence(written: &str, why: &Malformed) -> String {
    match why {
        Malformed::Empty => "an empty selector".to_owned(),
        Malformed::Tag(_) => format!("`{written}` is no name for a tag"),
        Malformed::Autogroup => format!("unknown autogroup `{written}`"),
        Malformed::NoName => format!("`{written}` lacks a name"),
        Malformed::Zone => format!("the address `{written}` has a zone"),
        Malformed::Address if written.is_empty() => "an empty address".to_owned(),
        Malformed::Address => format!("`{written}` is no address"),
        Malformed::PrefixLength => format!("`{written}` has no usable prefix length"),
        Malformed::Login => format!("`{written}` is no login"),
        Malformed::Brackets => format!("`{written}` has brackets, but is no IPv6 address"),
        Malformed::NoSelector => format!("`{written}` is no selector of {HEADSCALE}"),
    }
}

/// The user's words in backticks, where there are any.
fn quoted(written: &str) -> String {
    match written {
        "" => "an empty text".to_owned(),
        _ => format!("`{written}`"),
    }
}

fn ports_sentence(bad: &BadPorts) -> String {
    let piece = &bad.piece;
    let mut ends = piece.split('-');
    let first = ends.next().unwrap_or_default();
    match bad.fault {
        PortFault::Nothing => "an empty entry in `ip`".to_owned(),
        PortFault::NoProtocol => "no protocol before the colon".to_owned(),
        PortFault::Protocol => format!("unknown protocol `{piece}`"),
        PortFault::Hosts => format!("`{piece}` is more than one destination"),
        PortFault::NoPorts => "no ports behind the colon".to_owned(),
        PortFault::Dashes => format!("`{piece}` is no range of ports"),
        PortFault::First if first.is_empty() => format!("`{piece}` lacks a first port"),
        PortFault::First => format!("`{first}` is no port"),
        PortFault::Last => match ends.next().unwrap_or_default() {
            "" => format!("`{piece}` lacks a last port"),
            last => format!("`{last}` is no port"),
        },
        PortFault::Zero if piece == "0" => "port 0 cannot be named".to_owned(),
        PortFault::Zero => format!("`{piece}` starts at port 0"),
        PortFault::Reversed => format!("the range `{piece}` runs backwards"),
        PortFault::TooGreat => format!("`{piece}` is no port"),
        PortFault::Colons => format!("`{piece}` has more than one colon"),
    }
}

fn cap_member_sentence(name: &str, known: &[&str]) -> String {
    match known {
        [] => format!("nobody reads `{name}` here: this capability has no parameters"),
        _ => format!("nobody reads `{name}` in a value of this capability"),
    }
}

fn prefix_sentence(name: &str, start: &str) -> String {
    if name == start {
        format!("`{name}` lacks a name")
    } else {
        format!("`{name}` does not start with `{start}`")
    }
}

fn host_sentence(name: &str) -> String {
    match name {
        "" => "an empty host name".to_owned(),
        _ if name.contains('@') => format!("the host name `{name}` contains an `@`"),
        _ => format!("the host name `{name}` contains a `:`"),
    }
}

fn action_sentence(action: &str, rule: &str, known: &str) -> String {
    match action {
        "" => format!("the action of {rule} is `{known}`, and not empty"),
        _ => format!("the action of {rule} is `{known}`, not `{action}`"),
    }
}
