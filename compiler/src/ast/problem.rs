//! What can be wrong with the shape of a policy file or the text of one of its strings: family E02xx.

use super::Text;
use super::selector::{Autogroup, Malformed};
use crate::cst::{SyntaxKind, SyntaxNode};
use crate::diagnostic::{Diagnostic, Edit, Turn, code, similar};
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
    UnknownField { span: Span, name: String, similar: Option<String> },

    #[error("`{written}` is usually written `{canonical}`")]
    UnusualSpelling { span: Span, written: String, canonical: &'static str },

    #[error("expected {}, found {}", wanted.name(), found.name())]
    WrongType { span: Span, wanted: Shape, found: Shape },

    #[error("`{now}` and its old name `{once}` together")]
    OldNameToo { span: Span, kept: Span, now: &'static str, once: &'static str, turn: Turn },

    #[error("{}", selector_sentence(written, why))]
    Selector { span: Span, written: String, why: Malformed, turn: Turn },

    #[error("{why}")]
    Ports { span: Span, why: String, entry: Option<String>, turn: Turn },

    #[error("the destination `{entry}` has no ports")]
    NoPorts { span: Span, entry: String, turn: Turn },

    #[error("unknown protocol `{written}`")]
    Protocol { span: Span, written: Text, why: String, turn: Turn },

    #[error("`{name}` is no name for a tag: {why}")]
    TagName { span: Span, name: Text, why: &'static str },

    #[error("`{name}` does not start with `{start}`")]
    NamePrefix { span: Span, name: Text, start: &'static str, turn: Turn },

    #[error("a host name cannot contain `@` or `:`")]
    HostName { span: Span, name: Text },

    #[error("`{name}` is neither a service nor a tag of services")]
    ServiceName { span: Span, name: Text },

    #[error("{}", action_sentence(action, "accept"))]
    AclAction { span: Span, action: Text },

    #[error("{}", action_sentence(action, "accept` or `check"))]
    SshAction { span: Span, action: Text },

    #[error("this grant gives neither network access nor a capability")]
    GrantsNothing { span: Span },

    #[error("`{name}` is no capability name")]
    CapabilityForm { span: Span, name: Text },

    #[error("`{name}` is reserved to Tailscale")]
    ReservedCapability { span: Span, name: Text },

    #[error("this SSH rule names no users")]
    NoSshUsers { span: Span },

    #[error("`{user}` is no user to log in as")]
    SshUser { span: Span, user: Text },

    #[error("an empty pattern for environment variables")]
    EmptyEnvironment { span: Span },

    #[error("`{written}` is no usable check period")]
    Period { span: Span, written: Text, why: String },

    #[error("`{written}` is no posture assertion")]
    Assertion { span: Span, written: Text },

    #[error("`{written}` is no step of an IP set")]
    IpsetOperation { span: Span, written: Text },

    #[error("`{name}` has no effect on tables")]
    WithoutEffect { name: &'static str, span: Span },

    #[error("this prefix has bits beyond its length and means `{meant}`")]
    HostBits { span: Span, meant: String },

    #[error("`{written}` is no value of `OneCGNATRoute`")]
    CgnatRoute { span: Span, written: Text },

    #[error("`{written}` is no number of a relay region")]
    RegionId { span: Span, written: Text },

    #[error("this region is {key} by its key and {found} by its `RegionID`")]
    RegionMismatch { span: Span, key: u64, found: Text },
}

fn selector_sentence(written: &str, why: &Malformed) -> String {
    match why {
        Malformed::Empty => "an empty selector".to_owned(),
        Malformed::Tag(why) => format!("`{written}` is no name for a tag: {why}"),
        Malformed::Autogroup => format!("unknown autogroup `{written}`"),
        Malformed::NoName => format!("`{written}` lacks a name"),
        Malformed::Zone => format!("the address `{written}` has a zone"),
        Malformed::Address => format!("`{written}` is no address"),
        Malformed::PrefixLength => format!("`{written}` has no usable prefix length"),
        Malformed::Login => format!("`{written}` is no login"),
    }
}

fn action_sentence(action: &str, known: &str) -> String {
    if action.is_empty() {
        "this rule has no action".to_owned()
    } else {
        format!("the action is `{known}`, not `{action}`")
    }
}

impl Problem {
    /// The report a person reads.
    pub fn report(&self) -> Diagnostic {
        let new = |code, span: &Span| Diagnostic::new(code, self, *span);
        match self {
            Self::NotAnObject { span, .. } => new(code::E0201, span)
                .help("put the sections between `{` and `}`; `aclc init` writes a policy to start from")
                .refused_somehow(Turn::Fields),
            Self::UnknownField { span, name, similar } => {
                let it = new(code::E0202, span).refused(Turn::Fields, format!("json: unknown field {name:?}"));
                match similar {
                    Some(similar) => it.help(format!("did you mean `{similar}`?")).fix(
                        format!("rename it to `{similar}`"),
                        false,
                        Edit { span: *span, text: similar.clone() },
                    ),
                    None => it.help("remove it, or put it in a comment"),
                }
            }
            Self::UnusualSpelling { span, canonical, .. } => new(code::W0203, span)
                .help("Tailscale ignores the case of field names, other tools do not")
                .fix(format!("write `{canonical}`"), true, Edit { span: *span, text: (*canonical).to_owned() }),
            Self::WrongType { span, wanted, found } => {
                let it = new(code::E0204, span).refused_somehow(Turn::Fields);
                match (wanted, found) {
                    (Shape::List, Shape::String | Shape::Object) => it.help("put it between `[` and `]`"),
                    (Shape::String, Shape::Number | Shape::Bool) => it.help("put it between double quotes"),
                    (Shape::Bool, Shape::String) => it.help("write it without quotes"),
                    _ => it.help(format!("write {} here", wanted.name())),
                }
            }
            Self::OldNameToo { span, kept, now, once, turn } => new(code::E0205, span)
                .label("the old name")
                .related(*kept, format!("`{now}` is here"))
                .help(format!("move what `{once}` lists to `{now}`, then remove `{once}`"))
                .refused_somehow(*turn),
            Self::Selector { span, written, why, turn } => selector_report(self, *span, written, why, *turn),
            Self::Ports { span, why, entry, turn } => {
                let message = entry.as_ref().map_or_else(|| why.clone(), |it| format!("dst={it:?}: {why}"));
                new(code::E0208, span).help(ports_help(why)).refused(*turn, message)
            }
            Self::NoPorts { span, entry, turn } => new(code::E0209, span)
                .label("no `:` and ports behind it")
                .help(format!("write `{}` for every port, or `{0}` with the ports after the colon", with_ports(entry)))
                .fix(
                    format!("write `{}`", with_ports(entry)),
                    false,
                    Edit { span: *span, text: with_ports(entry) },
                )
                .refused(*turn, format!("dst={entry:?}: hostport must contain a colon (\":\")")),
            Self::Protocol { span, written, why, turn } => {
                let names = super::ports::PROTOCOLS.iter().map(|it| it.1);
                let help = similar(written, names).map_or_else(
                    || "use a name such as `tcp`, `udp` or `icmp`, or a number from 1 to 255".to_owned(),
                    |it| format!("did you mean `{it}`?"),
                );
                new(code::E0210, span).help(help).refused(*turn, why.clone())
            }
            Self::TagName { span, name, why } => new(code::E0211, span)
                .help("a tag is `tag:`, a letter, then letters, digits and dashes")
                .refused(Turn::TagOwners, format!("tagOwners[{name:?}]: {why}")),
            Self::NamePrefix { span, name, start, turn } => new(code::E0217, span)
                .help(format!("write `{start}{name}`"))
                .fix(format!("write `{start}{name}`"), false, Edit { span: *span, text: format!("{start}{name}") })
                .refused_somehow(*turn),
            Self::HostName { span, name } => {
                let it = new(code::E0217, span).help("use letters, digits, dots and dashes");
                if name.contains('@') {
                    let message = format!("host names cannot include an @, please change the name for {name:?}");
                    it.refused(Turn::Hosts, message)
                } else {
                    it.refused(Turn::Hosts, "host name must not contain colon (:)")
                }
            }
            Self::ServiceName { span, .. } => new(code::E0217, span)
                .help("write `svc:` and one DNS label, or a tag that services carry")
                .refused_somehow(Turn::Others),
            Self::AclAction { span, action } => new(code::E0213, span)
                .help("an acl can only accept; what no rule accepts is denied")
                .refused(Turn::Acls, format!("action={action:?} is not supported")),
            Self::SshAction { span, action } => {
                let message = match &**action {
                    "" => "action must be specified".to_owned(),
                    _ => format!("{action:?} is not a valid action"),
                };
                new(code::E0213, span)
                    .help("`accept` lets the session in, `check` asks for a fresh login first; what no rule names is denied")
                    .refused(Turn::Ssh, message)
            }
            Self::GrantsNothing { span } => new(code::E0214, span)
                .help("add `\"ip\": [\"*\"]` for network access, or `app` with a capability")
                .refused(Turn::Grants, "ip and app can not both be empty"),
            Self::CapabilityForm { span, .. } => new(code::E0215, span)
                .help("a capability is a domain and a path, such as `example.com/cap/name`, without `https://`")
                .refused(Turn::Grants, "capability name must have the form {domain}/{path}"),
            Self::ReservedCapability { span, name } => {
                let near = similar(name, super::sections::GRANTABLE);
                let own = "use a domain of your own; of Tailscale's capabilities a grant may give ";
                new(code::E0216, span)
                    .help(near.map_or_else(
                        || format!("{own}{}", super::sections::GRANTABLE.map(|it| format!("`{it}`")).join(", ")),
                        |it| format!("did you mean `{it}`?"),
                    ))
                    .refused(Turn::Grants, "capability name must not be in the tailscale.com domain")
            }
            Self::NoSshUsers { span } => new(code::E0206, span)
                .help("add `\"users\": [\"autogroup:nonroot\"]`, or the users to log in as")
                .refused(Turn::Ssh, "users must be specified"),
            Self::SshUser { span, user } => new(code::E0219, span)
                .help("name the users, or write `autogroup:nonroot` for everyone but root")
                .refused(Turn::Ssh, format!("user {user:?} is not valid")),
            Self::EmptyEnvironment { span } => new(code::E0220, span)
                .help("name the variables, for example `\"GIT_*\"`, or leave `acceptEnv` out")
                .refused(Turn::Ssh, "acceptEnv values cannot be empty"),
            Self::Period { span, why, .. } => new(code::E0218, span)
                .label(why.clone())
                .help("write a duration such as `12h` or `30m`, at most `168h`, or `always`")
                .refused(Turn::Ssh, why.clone()),
            Self::Assertion { span, .. } => new(code::E0221, span)
                .help("write for example `node:os == 'macos'`, `node:tsVersion >= '1.60'`, `ip:country IN ['DE']` or `custom:tier IS SET`")
                .refused_somehow(Turn::Others),
            Self::IpsetOperation { span, .. } => new(code::E0222, span)
                .help("write an address, a prefix, a range `a-b`, `host:name`, `ipset:name` or `autogroup:internet`, with `add` or `remove` in front")
                .refused_somehow(Turn::Others),
            Self::WithoutEffect { span, .. } => new(code::W0223, span)
                .help("it is read and left alone; Tailscale keeps it for other purposes"),
            Self::HostBits { span, meant } => new(code::W0224, span)
                .help("write the prefix itself, or the single address if that was meant")
                .fix(format!("write `{meant}`"), true, Edit { span: *span, text: meant.clone() }),
            Self::CgnatRoute { span, .. } => new(code::E0225, span)
                .help("it is `\"\"`, `\"mac-always\"` or `\"mac-never\"`")
                .refused_somehow(Turn::Others),
            Self::RegionId { span, .. } => new(code::E0226, span)
                .help("regions are numbered from 1; 900 to 999 are free for relays of one's own")
                .refused_somehow(Turn::Others),
            Self::RegionMismatch { span, key, .. } => new(code::E0226, span)
                .help(format!("write {key} at both places"))
                .fix(format!("write {key}"), false, Edit { span: *span, text: key.to_string() })
                .refused_somehow(Turn::Others),
        }
    }
}

fn with_ports(entry: &str) -> String {
    if entry.contains(':') && entry.parse::<std::net::Ipv6Addr>().is_ok() {
        format!("[{entry}]:*")
    } else {
        format!("{entry}:*")
    }
}

fn ports_help(why: &str) -> &'static str {
    if why.contains("first port must be >0") {
        "write `*` for every port"
    } else if why.contains(">= last") {
        "write the smaller port first"
    } else if why.contains("dashes") {
        "a range is two ports with one `-` between them"
    } else if why.contains("comma") {
        "write one destination for each host"
    } else {
        "ports are `*`, a number from 1 to 65535, or a range such as `8000-8080`; service names are not known here"
    }
}

/// The report of a malformed selector.
fn selector_report(
    problem: &Problem,
    span: Span,
    written: &str,
    why: &Malformed,
    turn: Turn,
) -> Diagnostic {
    let refused = |it: Diagnostic| match turn {
        Turn::NodeAttrs => it.refused(turn, format!("{written:?}: invalid address")),
        _ => it.refused_somehow(turn),
    };
    refused(match why {
        Malformed::Tag(_) => Diagnostic::new(code::E0211, problem, span)
            .help("a tag is `tag:`, a letter, then letters, digits and dashes"),
        Malformed::Autogroup => {
            let name = written.trim_start_matches("autogroup:");
            let near = similar(name, Autogroup::ALL.map(|it| it.1));
            let it = Diagnostic::new(code::E0306, problem, span);
            match near {
                Some(near) => it.help(format!("did you mean `autogroup:{near}`?")).fix(
                    format!("write `autogroup:{near}`"),
                    false,
                    Edit { span, text: format!("autogroup:{near}") },
                ),
                None => it.help("`aclc explain E0306` lists all autogroups"),
            }
        }
        Malformed::Zone => Diagnostic::new(code::E0212, problem, span)
            .help("leave out the `%` and what follows; a zone has a meaning on one machine only"),
        Malformed::Address => Diagnostic::new(code::E0212, problem, span)
            .help("an IPv4 address is four numbers from 0 to 255 with dots between them"),
        Malformed::PrefixLength => Diagnostic::new(code::E0212, problem, span)
            .help("the length behind the `/` is at most 32 for IPv4 and 128 for IPv6"),
        Malformed::Empty => Diagnostic::new(code::E0207, problem, span).help("name whom it selects, or remove it"),
        Malformed::NoName => Diagnostic::new(code::E0207, problem, span).help("write the name behind the colon"),
        Malformed::Login => Diagnostic::new(code::E0207, problem, span)
            .help("a login has a name before the `@` and a domain behind it; everyone of a domain is `user:*@example.com`"),
    })
}
