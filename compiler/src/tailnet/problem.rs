//! What can be wrong with an inventory: family E07xx.
//!
//! A problem is pushed with the path of its place; spans are looked up when all are known.

use std::net::IpAddr;

use ipnet::IpNet;
use thiserror::Error;

use super::Role;
pub use super::json::Kind;
use super::locate::{At, Part, PlaceId, Places};
use crate::diagnostic::{Code, Diagnostic, Edit, Label, code};
use crate::span::Span;

/// How to come by each of the shapes; the help wherever a text is none of them.
pub const SHAPES: &str = "an inventory is one of four things: our own shape, `{\"users\": […], \"nodes\": […]}`; what \
`tailscale status --json` prints; the devices list of Tailscale's API, \
`curl -u $KEY: 'https://api.tailscale.com/api/v2/tailnet/-/devices?fields=all'`; or what `headscale nodes list -o json` prints";

/// What a text is that is no inventory.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum Found {
    /// Nothing at all.
    #[error("the text is empty")]
    Nothing,
    /// A policy file, by mistake.
    #[error("this is a policy file")]
    Policy,
    /// The users of a headscale server without their nodes.
    #[error("this lists users, but no nodes")]
    Users,
    /// An object, a list or a plain value that is none of the shapes.
    #[error("this is {0}, and none of the four shapes")]
    Other(Kind),
}

/// One thing wrong with an inventory, or worth a word.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum Problem {
    /// Neither JSON nor JSON5.
    #[error("the inventory is not JSON: {reason}")]
    NotJson {
        /// What the parser says.
        reason: Box<str>,
    },
    /// Bytes that are no text in the encoding of the rest.
    #[error("the inventory is not {encoding}: {count} {} cannot be read", if *count == 1 { "place" } else { "places" })]
    NotText {
        /// `UTF-8` or `UTF-16`.
        encoding: &'static str,
        /// How many pieces are no text.
        count: usize,
    },
    /// Longer than a span can say.
    #[error("the inventory is larger than 4 GiB")]
    TooLarge,
    /// More brackets inside each other than any inventory has.
    #[error("the inventory is nested deeper than {bound} levels")]
    TooDeep {
        /// The bound.
        bound: usize,
    },
    /// JSON, but something else.
    #[error("not an inventory: {found}")]
    NotAnInventory {
        /// What it is instead.
        found: Found,
    },
    /// A value of the wrong type.
    #[error("expected {expected}, found {found}")]
    WrongType {
        /// What belongs there, with an article.
        expected: &'static str,
        /// What stands there.
        found: Kind,
    },
    /// Text that is no address where one belongs.
    #[error("`{text}` is not an {expected} address")]
    Address {
        /// As written.
        text: Box<str>,
        /// `IPv4`, `IPv6` or `IP`.
        expected: &'static str,
    },
    /// Text that is no prefix where a route belongs.
    #[error("`{text}` is not a route")]
    Route {
        /// As written.
        text: Box<str>,
    },
    /// Two nodes of one name.
    #[error("two nodes are named `{name}`")]
    SameName {
        /// The name.
        name: Box<str>,
    },
    /// Two nodes with one address.
    #[error("two nodes have the address {address}")]
    SameAddress {
        /// The address.
        address: IpAddr,
    },
    /// A node without a name.
    #[error("a node has no name")]
    Nameless,
    /// A node of a user that the inventory does not list.
    #[error("no user `{user}` is listed")]
    UnknownUser {
        /// As written.
        user: Box<str>,
        /// A listed user whose name looks like it.
        similar: Option<Box<str>>,
    },
    /// A short name that several users have.
    #[error("several users are named `{user}`")]
    AmbiguousUser {
        /// The name.
        user: Box<str>,
    },
    /// Text that is no time.
    #[error("`{text}` is not a time")]
    Time {
        /// As written.
        text: Box<str>,
    },
    /// A role that nobody can have.
    #[error("unknown role `{role}`")]
    Role {
        /// As written.
        role: Box<str>,
        /// A role whose name looks like it.
        similar: Option<&'static str>,
    },
    /// Two users of one login.
    #[error("two users have the login `{login}`")]
    SameUser {
        /// The login.
        login: Box<str>,
    },
    /// A node with both a user and tags.
    #[error("a node has both a user and tags")]
    UserAndTags {
        /// The user, as written.
        user: Box<str>,
    },
    /// A shape that leaves out which routes are advertised but not approved, or not in use.
    #[error("`tailscale status` lists only the routes that are approved and in use")]
    StatusRoutes,
    /// A devices list that was asked for without its routes.
    #[error("the devices are listed without their routes")]
    DeviceRoutes,
    /// A field that means nothing.
    #[error("unknown field `{name}`")]
    UnknownField {
        /// As written.
        name: Box<str>,
        /// A field whose name looks like it.
        similar: Option<&'static str>,
    },
    /// A field given twice.
    #[error("the field `{name}` is given twice")]
    Repeated {
        /// Its name.
        name: Box<str>,
    },
    /// A node whose user the inventory mentions only by a number.
    #[error("the inventory does not say who user {id} is")]
    UnknownOwner {
        /// The number.
        id: Box<str>,
    },
    /// A tag that is not written as one.
    #[error("`{text}` is not a tag")]
    Tag {
        /// As written.
        text: Box<str>,
    },
    /// A route that names a single address of its network.
    #[error("the route `{text}` has host bits")]
    HostBits {
        /// As written.
        text: Box<str>,
        /// The network.
        route: IpNet,
    },
    /// Problems of one code that are not listed.
    #[error("{count} more: {}", code.title())]
    More {
        /// How many.
        count: usize,
        /// Their code.
        code: Code,
    },
}

impl Problem {
    /// Its code.
    pub fn code(&self) -> Code {
        match self {
            Self::NotJson { .. } | Self::NotText { .. } => code::E0701,
            Self::TooLarge => code::E0001,
            Self::TooDeep { .. } => code::E0002,
            Self::NotAnInventory { .. } => code::E0702,
            Self::WrongType { .. } => code::E0703,
            Self::Address { .. } | Self::Route { .. } => code::E0704,
            Self::SameName { .. } => code::E0705,
            Self::SameAddress { .. } => code::E0706,
            Self::Nameless => code::E0707,
            Self::UnknownUser { .. } | Self::AmbiguousUser { .. } => code::E0708,
            Self::Time { .. } => code::E0709,
            Self::Role { .. } => code::E0710,
            Self::SameUser { .. } => code::E0711,
            Self::UserAndTags { .. } => code::E0712,
            Self::StatusRoutes | Self::DeviceRoutes => code::W0713,
            Self::UnknownField { .. } | Self::Repeated { .. } => code::W0714,
            Self::UnknownOwner { .. } => code::W0715,
            Self::Tag { .. } => code::E0716,
            Self::HostBits { .. } => code::W0717,
            Self::More { code, .. } => *code,
        }
    }

    /// The report a person reads, given the place and, where two things clash, the first of them.
    pub fn report(&self, span: Span, first: Option<Span>) -> Diagnostic {
        let report = Diagnostic::new(self.code(), self, span);
        let replace = |report: Diagnostic, by: &str| {
            report.fix(format!("write `{by}`"), false, Edit { span, text: by.to_owned() })
        };
        let report = match self {
            Self::NotJson { .. } => report.help(format!("make it JSON or JSON5; {SHAPES}")),
            Self::NotText { count, .. } => {
                let report = if *count > 1 { report.label("the first of them") } else { report };
                report.help("save it as UTF-8, or as UTF-16 with a byte-order mark in front")
            }
            Self::TooLarge => report.help("split the tailnet, or leave out fields that tables do not need"),
            Self::TooDeep { .. } => report.help(SHAPES),
            Self::NotAnInventory { found: Found::Policy } => {
                report.help(format!("give the policy as the first argument and an inventory with `--nodes`; {SHAPES}"))
            }
            Self::NotAnInventory { found: Found::Users } => {
                report.help("give what `headscale nodes list -o json` prints; it names each node's user")
            }
            Self::NotAnInventory { .. } => report.help(SHAPES),
            Self::WrongType { expected, found } => report.label(format!("{found}")).help(format!("write {expected} here")),
            Self::Address { text, expected } => report.help(address_help(text, expected)),
            Self::Route { text } => match text.parse::<IpAddr>() {
                Ok(address) => {
                    let route = IpNet::from(address).to_string();
                    replace(report.help(format!("a route is a prefix; one address alone is `{route}`")), &route)
                }
                Err(_) => report.help("a route is a prefix such as `10.0.0.0/16` or `fd00:1::/64`"),
            },
            Self::SameName { .. } => {
                report.label("named here again").help("rename one of them: the name is the key of a node's table")
            }
            Self::SameAddress { .. } => report.label("given again").help("give each node its own address"),
            Self::Nameless => report.label("this node").help("add `\"name\"`, the first label of its DNS name"),
            Self::UnknownUser { similar: Some(similar), .. } => {
                replace(report.help(format!("did you mean `{similar}`?")), similar)
            }
            Self::UnknownUser { similar: None, .. } => {
                report.help("list the user under `users`, or leave `users` out altogether")
            }
            Self::AmbiguousUser { .. } => report.help("write the user's `email` instead of the name"),
            Self::Time { .. } => report.help("write it as RFC 3339 does, such as `2026-03-01T09:30:00Z`"),
            Self::Role { similar: Some(similar), .. } => {
                replace(report.help(format!("did you mean `{similar}`?")), similar)
            }
            Self::Role { similar: None, .. } => {
                report.help(format!("a role is one of {}", Role::ALL.map(|it| format!("`{}`", it.name())).join(", ")))
            }
            Self::SameUser { .. } => report.label("listed here again").help("remove one of the two users"),
            Self::UserAndTags { .. } => report
                .label("the user")
                .help("a tagged node has no user: keep its tags and remove `user`, or the other way round"),
            Self::StatusRoutes => report.help(
                "routes that wait for approval or stand by for another router are missing; the devices list of Tailscale's API has them",
            ),
            Self::DeviceRoutes => report.help("ask Tailscale's API with `?fields=all`; without it no device is a subnet router"),
            Self::UnknownField { similar: Some(similar), .. } => {
                replace(report.help(format!("did you mean `{similar}`?")), similar)
            }
            Self::UnknownField { similar: None, .. } => report.help("remove it; nothing reads it"),
            Self::Repeated { .. } => report.help("remove one of the two; programs differ in which they read"),
            Self::UnknownOwner { .. } => {
                report.help("the node is taken as nobody's: only `*` and its addresses select it")
            }
            Self::Tag { text } => replace(report.help(format!("a tag is written `tag:{text}`")), &format!("tag:{text}")),
            Self::HostBits { route, .. } => {
                replace(report.help(format!("`{route}` is taken")), &route.to_string())
            }
            Self::More { .. } => report.help("mend those above first"),
        };
        match first {
            Some(span) => {
                Diagnostic { related: vec![Label { span, text: "first here".into() }], ..report }
            }
            None => report,
        }
    }
}

/// What to do about text that is no address of the expected family.
fn address_help(text: &str, expected: &str) -> String {
    match text.parse::<IpAddr>() {
        Ok(address) => {
            let (family, field) =
                if address.is_ipv4() { ("IPv4", "ipv4") } else { ("IPv6", "ipv6") };
            format!("this is an {family} address; it belongs in `{field}`")
        }
        Err(_) if text.contains('%') => {
            "leave out the zone after `%`; a node's address has none".to_owned()
        }
        Err(_) if text.contains('/') => {
            "leave out the prefix length; a node has one address".to_owned()
        }
        Err(_) if expected == "IPv4" => "write an address such as `100.64.0.7`".to_owned(),
        Err(_) if expected == "IPv6" => "write an address such as `fd7a:115c:a1e0::7`".to_owned(),
        Err(_) => "write an address such as `100.64.0.7` or `fd7a:115c:a1e0::7`".to_owned(),
    }
}

/// How many problems of one code are listed; as many as anybody would read.
const LISTED: usize = 100;

/// Problems with the paths of their places.
#[derive(Debug, Default)]
pub(super) struct Problems {
    places: Places,
    listed: Vec<(Problem, PlaceId, Option<PlaceId>)>,
    /// How many there were of each code, in the order of their first problem.
    counts: Vec<(Code, usize, PlaceId)>,
}

impl Problems {
    /// Adds a problem about the value at a path.
    pub(super) fn push(&mut self, problem: Problem, at: &At<'_>) {
        self.add(problem, (at, Part::Value), None);
    }

    /// Adds a problem about a part of the value at a path, and where the first of two clashing things stands.
    pub(super) fn add(
        &mut self,
        problem: Problem,
        (at, part): (&At<'_>, Part),
        first: Option<&At<'_>>,
    ) {
        let code = problem.code();
        let known = self.counts.iter_mut().find(|(it, ..)| *it == code);
        if let Some((_, count, _)) = known
            && *count >= LISTED
        {
            *count += 1;
            return;
        }
        let place = self.places.want(at, part);
        match self.counts.iter_mut().find(|(it, ..)| *it == code) {
            Some((_, count, last)) => (*count, *last) = (*count + 1, place),
            None => self.counts.push((code, 1, place)),
        }
        let first = first.map(|at| self.places.want(at, Part::Value));
        self.listed.push((problem, place, first));
    }

    /// Whether one of them makes the inventory unusable.
    pub(super) fn is_fatal(&self) -> bool {
        self.counts.iter().any(|(code, ..)| code.severity() == crate::diagnostic::Severity::Error)
    }

    /// The reports, by place in `text`, of which the first `start` bytes were not read.
    pub(super) fn report(mut self, text: &str, start: usize) -> Vec<Diagnostic> {
        if !self.places.is_empty() {
            self.places.locate(text, start);
        }
        let places = self.places;
        let listed = self.listed.iter().map(|(problem, place, first)| {
            problem.report(places.span(*place), first.map(|it| places.span(it)))
        });
        let more = self.counts.iter().filter(|(_, count, _)| *count > LISTED);
        let more = more.map(|(code, count, last)| {
            let problem = Problem::More { count: count - LISTED, code: *code };
            problem.report(Span::at(places.span(*last).end), None)
        });
        let mut reports: Vec<Diagnostic> = listed.chain(more).collect();
        crate::diagnostic::sort(&mut reports);
        reports
    }
}
