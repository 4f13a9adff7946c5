//! `tests` and `sshTests` → whom each names and what it demands, or why the control plane would not
//! understand it.
//!
//! Nothing is reported here: an assertion that is malformed fails as one that is wrong, and both are
//! judged only where the facts of a tailnet are known. SOURCE: docs/language.md, "Assertions".

use rustc_hash::FxHashMap;

use super::*;
use crate::ast::ports::{has_ports, read_protocol};
use crate::ast::reader::part;
use crate::ast::selector::{self, Malformed};
use crate::ast::{self, Selector, SshTest, Test};
use crate::diagnostic::similar;
use crate::dialect::Dialect;

/// Whom or what an assertion names.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Subject {
    /// A user by their login.
    Login(Text),
    /// A group.
    Group(GroupId),
    /// A tag.
    Tag(TagId),
    /// An address, or a host that stands for one.
    Address(IpAddr),
    /// A service.
    Service(Text),
    /// Everybody; to headscale alone, as what follows.
    Any,
    /// The devices of an autogroup.
    Autogroup(Autogroup),
    /// The addresses of a prefix.
    Prefix(IpNet),
}

/// Why a text is nothing that may stand there.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Flaw {
    /// There is no such member.
    Missing,
    /// There is no text.
    Empty,
    /// No selector, and why.
    Malformed(Malformed),
    /// A tag, group or host that nobody defines, and the one that was most likely meant.
    Unknown(What, Option<Text>),
    /// A selector that an assertion cannot take, whatever its name.
    NotAllowed(Kind),
    /// A host that stands for more than one address.
    HostOfPrefix(IpNet),
    /// No colon, or nothing behind it.
    NoPort,
    /// Something other than one port from 1 to 65535.
    Port,
    /// A port other than 0 for a protocol without ports.
    PortOfPortless(Protocol),
}

/// A text that may have a flaw, and its place.
#[derive(Clone, Debug)]
pub struct Named<T> {
    /// What it says.
    pub what: Result<T, Flaw>,
    /// The part that matters.
    pub span: Span,
    /// The whole text.
    pub written: Text,
}

/// An entry of `tests`.
#[derive(Clone, Debug)]
pub struct NetworkAssertion<'p> {
    /// As written.
    pub test: &'p Test,
    /// Who connects.
    pub src: Named<Subject>,
    /// The protocol, or the name that is none; `None` is TCP or UDP.
    pub protocol: Result<Option<Protocol>, Spanned<Text>>,
    /// What is demanded of which destination: those of `accept`, then those of `deny`.
    pub demands: Vec<Demand>,
}

/// That one destination is reached, or is not.
#[derive(Clone, Debug)]
pub struct Demand {
    /// Whether it is to be reached.
    pub accept: bool,
    /// Where to, and the port.
    pub dst: Named<(Subject, u16)>,
    /// Where it is written.
    pub span: Span,
}

/// An entry of `sshTests`.
#[derive(Clone, Debug)]
pub struct SshAssertion<'p> {
    /// As written.
    pub test: &'p SshTest,
    /// Who logs in.
    pub src: Named<Subject>,
    /// Where.
    pub dst: Vec<Named<Subject>>,
    /// As which users of the host, and what becomes of it.
    pub demands: Vec<(SshOutcome, Spanned<Text>)>,
}

/// What becomes of an SSH session.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SshOutcome {
    /// It is let in at once.
    Accept,
    /// It is let in after a fresh login.
    Check,
    /// It is refused.
    Deny,
}

impl SshOutcome {
    /// Its member in an assertion.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Check => "check",
            Self::Deny => "deny",
        }
    }
}

/// The names that assertions may use.
pub(crate) struct Definitions<'p> {
    policy: &'p Policy,
    groups: FxHashMap<&'p str, GroupId>,
    tags: FxHashMap<&'p str, TagId>,
    hosts: FxHashMap<&'p str, HostId>,
}

impl<'p> Definitions<'p> {
    pub(crate) fn new(policy: &'p Policy) -> Self {
        Self {
            policy,
            groups: index(policy.groups.iter().map(|it| &it.name), GroupId),
            tags: index(policy.tags.iter().map(|it| &it.name), TagId),
            hosts: index(policy.hosts.iter().map(|it| &it.name), HostId),
        }
    }

    /// Whom a text names, whether or not it may stand for a source or a destination.
    pub(crate) fn subject(&self, text: &str) -> Result<Subject, Flaw> {
        let headscale = self.policy.file.dialect == Dialect::Headscale;
        let read = match headscale {
            true => ast::headscale::read_selector(text),
            false => selector::read(text),
        };
        let read = read.map_err(|it| match it {
            Malformed::Empty => Flaw::Empty,
            // `tag:web:22` is no tag to anybody, but the control plane looks for one.
            Malformed::Tag(_) => self.unknown(What::Tag, text),
            other => Flaw::Malformed(other),
        })?;
        let kind = Kind::of(&read.selector);
        match read.selector {
            Selector::User(login) => Ok(Subject::Login(login)),
            Selector::Group(name) => match self.groups.get(&*name) {
                Some(id) => Ok(Subject::Group(*id)),
                None => Err(self.unknown(What::Group, &name)),
            },
            Selector::Tag(name) => match self.tags.get(&*name) {
                Some(id) => Ok(Subject::Tag(*id)),
                None => Err(self.unknown(What::Tag, &name)),
            },
            Selector::Host(name) => {
                let id = self.hosts.get(&*name).copied();
                let net = id.and_then(|it| self.policy.net(Target::Host(it)));
                let net = net.ok_or_else(|| self.unknown(What::Host, &name))?;
                single(net).map(Subject::Address).ok_or(Flaw::HostOfPrefix(net))
            }
            // A single address may not be written as a prefix, either.
            Selector::Literal(net) if !text.contains('/') => Ok(Subject::Address(net.addr())),
            Selector::Literal(net) if headscale && single(net).is_none() => {
                Ok(Subject::Prefix(net))
            }
            Selector::Literal(net) if headscale => Ok(Subject::Address(net.addr())),
            Selector::Any | Selector::Autogroup(Autogroup::DangerAll) if headscale => {
                Ok(Subject::Any)
            }
            Selector::Autogroup(it @ (Autogroup::Member | Autogroup::Tagged)) if headscale => {
                Ok(Subject::Autogroup(it))
            }
            Selector::Literal(_) => Err(Flaw::NotAllowed(Kind::Prefix)),
            Selector::Service(name) => Ok(Subject::Service(name)),
            Selector::Any
            | Selector::UserDomain(_)
            | Selector::Autogroup(_)
            | Selector::Ipset(_) => Err(Flaw::NotAllowed(kind)),
        }
    }

    /// What an item of `accept` or `deny` demands.
    pub(crate) fn demand(
        &self,
        accept: bool,
        written: &Spanned<Text>,
        protocol: Option<Protocol>,
    ) -> Demand {
        Demand { accept, dst: self.destination(written, protocol), span: written.span }
    }

    fn unknown(&self, what: What, name: &str) -> Flaw {
        let near = match what {
            What::Group => similar(name, self.groups.keys().copied()),
            What::Tag => similar(name, self.tags.keys().copied()),
            _ => similar(name, self.hosts.keys().copied()),
        };
        Flaw::Unknown(what, near.map(Text::from))
    }

    /// Who acts: a service never does.
    fn source(&self, written: Option<&Spanned<Text>>, whole: Span) -> Named<Subject> {
        let Some(Spanned { value, span }) = written else {
            let span = Span::new(whole.start, whole.start + 1);
            return Named { what: Err(Flaw::Missing), span, written: "".into() };
        };
        let what = match self.subject(value) {
            Ok(Subject::Service(_)) => Err(Flaw::NotAllowed(Kind::Service)),
            other => other,
        };
        Named { what, span: *span, written: Arc::clone(value) }
    }

    /// `host:port`, the address of IPv6 perhaps in brackets.
    fn destination(
        &self,
        written: &Spanned<Text>,
        protocol: Option<Protocol>,
    ) -> Named<(Subject, u16)> {
        let Spanned { value: text, span } = written;
        let named = |what, span| Named { what, span, written: Arc::clone(text) };
        let Some((host, port)) = text.rsplit_once(':') else {
            return named(Err(Flaw::NoPort), *span);
        };
        let bare = host.strip_prefix('[').and_then(|it| it.strip_suffix(']')).unwrap_or(host);
        let single = |it: Result<Subject, Flaw>| match it {
            Ok(Subject::Prefix(_)) => Err(Flaw::NotAllowed(Kind::Prefix)),
            other => other,
        };
        // headscale takes a range of one port, too.
        let port = match port.split_once('-') {
            Some((first, last))
                if first == last && self.policy.file.dialect == Dialect::Headscale =>
            {
                first
            }
            _ => port,
        };
        match single(self.subject(bare)) {
            Err(flaw) => named(Err(flaw), part(*span, text, 0..host.len())),
            Ok(subject) => {
                let at = part(*span, text, host.len() + 1..text.len());
                match read_port(port, protocol) {
                    Ok(port) => named(Ok((subject, port)), *span),
                    Err(Flaw::NoPort) => named(Err(Flaw::NoPort), *span),
                    Err(flaw) => named(Err(flaw), at),
                }
            }
        }
    }
}

/// Names by their definition; of two of one name the first counts, as everywhere.
fn index<'p, Id>(
    names: impl Iterator<Item = &'p Spanned<Text>>,
    id: fn(u32) -> Id,
) -> FxHashMap<&'p str, Id> {
    let mut ids = FxHashMap::default();
    for (name, position) in names.zip(0..) {
        ids.entry(&*name.value).or_insert_with(|| id(position));
    }
    ids
}

fn single(net: IpNet) -> Option<IpAddr> {
    (net.prefix_len() == net.max_prefix_len()).then(|| net.addr())
}

/// Exactly one port; 0 for a protocol that has none.
fn read_port(text: &str, protocol: Option<Protocol>) -> Result<u16, Flaw> {
    if text.is_empty() {
        return Err(Flaw::NoPort);
    }
    let digits = text.bytes().all(|it| it.is_ascii_digit());
    let port = text.parse::<u16>().ok().filter(|_| digits);
    match (port, protocol.filter(|it| !has_ports(*it))) {
        (Some(0), Some(_)) => Ok(0),
        (_, Some(protocol)) => Err(Flaw::PortOfPortless(protocol)),
        (Some(port), None) if port > 0 => Ok(port),
        _ => Err(Flaw::Port),
    }
}

impl Policy {
    /// What the entries of `tests` demand, in the order of the file.
    pub fn network_assertions(&self) -> Vec<NetworkAssertion<'_>> {
        let names = Definitions::new(self);
        let assertion = |test| network(&names, test);
        self.file.tests.iter().map(assertion).collect()
    }

    /// What the entries of `sshTests` demand, in the order of the file.
    pub fn ssh_assertions(&self) -> Vec<SshAssertion<'_>> {
        let names = Definitions::new(self);
        let assertion = |test| ssh(&names, test);
        self.file.ssh_tests.iter().map(assertion).collect()
    }
}

fn network<'p>(names: &Definitions<'_>, test: &'p Test) -> NetworkAssertion<'p> {
    let protocol = test.proto.as_ref().map_or(Ok(None), |it| {
        let wrong = || Spanned::new(Arc::clone(&it.value), it.span);
        let read = read_protocol(&it.value).map_err(|_| wrong())?;
        // headscale asks for no other protocols in tests.
        let strange = names.policy.file.dialect == Dialect::Headscale
            && read.is_some_and(|it| !has_ports(it));
        if strange { Err(wrong()) } else { Ok(read) }
    });
    let known = protocol.as_ref().ok().copied().flatten();
    let accept = test.accept.iter().map(|it| names.demand(true, it, known));
    let demands = accept.chain(test.deny.iter().map(|it| names.demand(false, it, known))).collect();
    NetworkAssertion { test, src: names.source(test.src.as_ref(), test.span), protocol, demands }
}

fn ssh<'p>(names: &Definitions<'_>, test: &'p SshTest) -> SshAssertion<'p> {
    let dst = |it: &Spanned<Text>| Named {
        what: names.subject(&it.value),
        span: it.span,
        written: Arc::clone(&it.value),
    };
    let lists = [
        (SshOutcome::Accept, &test.accept),
        (SshOutcome::Check, &test.check),
        (SshOutcome::Deny, &test.deny),
    ];
    let demands = lists.into_iter().flat_map(|(outcome, users)| {
        users.iter().map(move |it| (outcome, Spanned::new(Arc::clone(&it.value), it.span)))
    });
    SshAssertion {
        test,
        src: names.source(test.src.as_ref(), test.span),
        dst: test.dst.iter().map(dst).collect(),
        demands: demands.collect(),
    }
}
