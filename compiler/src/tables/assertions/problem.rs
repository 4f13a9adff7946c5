//! Assertions that do not hold, or that nobody can understand: family E05xx.
//!
//! The control plane answers all of them with one sentence, except for what may not stand in an
//! `sshTests`; which part failed, and why, is ours to say.

use std::sync::Arc;

use super::nearest::Near;
use crate::ast::Text;
use crate::ast::ports::protocol_name;
use crate::ast::selector::Malformed;
use crate::diagnostic::{Code, Diagnostic, Turn, code};
use crate::policy::Kind;
use crate::policy::assertions::{Flaw, Named, SshOutcome};
use crate::policy::problem::What;
use crate::span::Span;

/// What the control plane says of every assertion that fails.
const FAILED: &str = "test(s) failed";

/// Why a text of an assertion stands for nobody.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Trouble {
    /// It cannot be understood.
    Flaw(Flaw),
    /// Nobody in the tailnet logs in so; perhaps this one was meant.
    UnknownUser(Option<Text>),
    /// No device is meant.
    NoDevices,
    /// An identity provider knows the members of the group.
    Synced,
    /// The tailnet has no such service.
    UnknownService,
    /// A prefix, as headscale takes it: it counts where a rule covers a part of it.
    Wide,
}

/// One assertion that does not hold.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[expect(missing_docs, reason = "the sentence above each variant says what its fields are")]
pub enum AssertionProblem {
    #[error("`{src}` does not reach `{dst}`")]
    Refused {
        span: Span,
        src: Text,
        dst: Text,
        proto: Option<Text>,
        pair: Option<(String, String)>,
        nearest: Vec<Near>,
    },

    #[error("`{src}` reaches `{dst}`")]
    Reached {
        span: Span,
        src: Text,
        dst: Text,
        proto: Option<Text>,
        pair: Option<(String, String)>,
        by: Vec<Span>,
    },

    #[error("whether `{src}` reaches `{dst}` is not known")]
    Depends { span: Span, src: Text, dst: Text, accept: bool },

    #[error("{}", source_sentence(written, trouble))]
    Source { span: Span, written: Text, trouble: Trouble, ssh: bool },

    #[error("{}", destination_sentence(written, trouble))]
    Destination { span: Span, written: Text, trouble: Trouble, ssh: bool },

    #[error("an assertion that asserts nothing")]
    Nothing { span: Span, ssh: bool },

    #[error("an SSH assertion without a destination")]
    Nowhere { span: Span },

    #[error("`{name}` is no protocol")]
    Protocol { span: Span, name: Text },

    #[error("{}", session_sentence(user, src, dst, *wanted, *got))]
    Session {
        span: Span,
        user: Text,
        src: Text,
        dst: Text,
        pair: Option<(String, String)>,
        wanted: SshOutcome,
        got: SshOutcome,
        by: Option<Span>,
        nearest: Vec<Near>,
    },

    #[error("what becomes of a session of `{src}` as `{user}` at `{dst}` is not known")]
    SessionDepends { span: Span, user: Text, src: Text, dst: Text },

    #[error("`{written}` cannot stand in {} of an SSH assertion", if *dst { "`dst`" } else { "`src`" })]
    SshElement { span: Span, written: Text, flaw: Flaw, dst: bool },

    #[error("an empty name of a user")]
    HostUser { span: Span },
}

fn source_sentence(written: &Text, trouble: &Trouble) -> String {
    match trouble {
        Trouble::Flaw(Flaw::Missing) => "an assertion without a source".to_owned(),
        Trouble::Flaw(Flaw::Empty) => "an assertion with an empty source".to_owned(),
        Trouble::Synced => format!("who belongs to `{written}` is not known"),
        Trouble::Wide => format!("whether all of `{written}` connects is not known"),
        _ => format!("`{written}` is nobody who could connect"),
    }
}

fn destination_sentence(written: &Text, trouble: &Trouble) -> String {
    match trouble {
        Trouble::Flaw(Flaw::Empty) => format!("`{written}` names no destination"),
        Trouble::Flaw(Flaw::NoPort) => format!("`{written}` has no port"),
        Trouble::Flaw(Flaw::Port | Flaw::PortOfPortless(_)) => {
            format!("`{written}` does not end in one port")
        }
        Trouble::Synced => format!("who belongs to `{written}` is not known"),
        _ => format!("`{written}` is no destination of an assertion"),
    }
}

fn session_sentence(
    user: &str,
    src: &str,
    dst: &str,
    wanted: SshOutcome,
    got: SshOutcome,
) -> String {
    let got = match (wanted, got) {
        (_, SshOutcome::Deny) => "may not log in",
        (SshOutcome::Deny, _) => "may log in",
        (_, SshOutcome::Accept) => "may log in without a fresh login",
        (_, SshOutcome::Check) => "may log in only after a fresh login",
    };
    format!("`{src}` {got} at `{dst}` as `{user}`")
}

impl AssertionProblem {
    pub(super) fn source<T>(named: &Named<T>, trouble: &Trouble) -> Self {
        let (span, written) = (named.span, Arc::clone(&named.written));
        Self::Source { span, written, trouble: trouble.clone(), ssh: false }
    }

    pub(super) fn destination<T>(named: &Named<T>, trouble: &Trouble) -> Self {
        let (span, written) = (named.span, Arc::clone(&named.written));
        Self::Destination { span, written, trouble: trouble.clone(), ssh: false }
    }

    /// Of an element of an `sshTests`. Some the control plane refuses before it evaluates anything.
    pub(super) fn ssh_element<T>(named: &Named<T>, trouble: &Trouble, dst: bool) -> Self {
        let (span, written) = (named.span, Arc::clone(&named.written));
        let refused_first = match trouble {
            Trouble::Flaw(Flaw::Unknown(What::Tag, _)) => dst,
            Trouble::Flaw(Flaw::NotAllowed(_) | Flaw::Malformed(Malformed::Autogroup)) => true,
            Trouble::Flaw(Flaw::Malformed(_)) => dst && written.contains('/'),
            _ => false,
        };
        let trouble = trouble.clone();
        match trouble {
            Trouble::Flaw(flaw) if refused_first => Self::SshElement { span, written, flaw, dst },
            trouble if dst => Self::Destination { span, written, trouble, ssh: true },
            trouble => Self::Source { span, written, trouble, ssh: true },
        }
    }

    /// Whether the control plane's verdict cannot be told because of it.
    pub fn is_undecided(&self) -> bool {
        matches!(
            self,
            Self::Depends { .. }
                | Self::SessionDepends { .. }
                | Self::Source { trouble: Trouble::Synced | Trouble::Wide, .. }
                | Self::Destination { trouble: Trouble::Synced, .. }
        )
    }

    /// The report a person reads.
    pub fn report(&self) -> Diagnostic {
        let new = |code: Code, span: &Span| Diagnostic::new(code, self, *span);
        let failed = |it: Diagnostic, ssh: bool| {
            it.refused(if ssh { Turn::SshTests } else { Turn::Tests }, FAILED)
        };
        match self {
            Self::Refused { span, pair, nearest, .. } => {
                let it = new(code::E0501, span).label(with_pair("asserted to be accepted", pair, "is refused at"));
                failed(near(it, nearest, "no rule has its source or its destination"), false)
            }
            Self::Reached { span, pair, by, .. } => {
                let mut it = new(code::E0502, span)
                    .label(with_pair("asserted to be denied", pair, "is let in at"));
                for span in by {
                    it = it.related(*span, "lets it through");
                }
                let it = match by.is_empty() {
                    true => it.help("a policy with neither `acls` nor `grants` lets everything through"),
                    false => it.help("narrow the rule, or drop the assertion if the access is meant"),
                };
                failed(it, false)
            }
            Self::Depends { span, accept, .. } => new(code::W0510, span)
                .label(if *accept { "asserted to be accepted" } else { "asserted to be denied" })
                .help("add the roles of users to the inventory; of groups that are synced nobody here knows the members"),
            Self::SessionDepends { span, .. } => new(code::W0510, span)
                .help("add the roles of users to the inventory; of groups that are synced nobody here knows the members"),
            Self::Source { span, trouble: Trouble::Wide, .. } => new(code::W0510, span)
                .label("counts where a rule covers a part of it")
                .help("name the devices or users that are meant"),
            Self::Source { span, trouble: Trouble::Synced, .. }
            | Self::Destination { span, trouble: Trouble::Synced, .. } => new(code::W0510, span)
                .label("an identity provider knows its members")
                .help("name one of the members, or a tag"),
            Self::Source { span, trouble, ssh, .. } => {
                let (label, help) = words(trouble, false);
                failed(new(code::E0503, span).label(label).help(help), *ssh)
            }
            Self::Destination { span, trouble, ssh, .. } => {
                let (label, help) = words(trouble, true);
                failed(new(code::E0504, span).label(label).help(help), *ssh)
            }
            Self::Nothing { span, ssh } => {
                let it = new(code::E0505, &opening(*span)).help(match ssh {
                    true => "say in `accept`, `check` or `deny` as which users of the host",
                    false => "say in `accept` what is to be reached, or in `deny` what is not",
                });
                failed(it, *ssh)
            }
            Self::Nowhere { span } => failed(
                new(code::E0505, &opening(*span)).help("say in `dst` at which devices"),
                true,
            ),
            Self::Protocol { span, .. } => failed(
                new(code::E0506, span).help("write a name such as `tcp`, `udp` or `icmp`, or a number"),
                false,
            ),
            Self::Session { span, pair, wanted, by, nearest, .. } => {
                let asserted = match wanted {
                    SshOutcome::Accept => "asserted to be let in at once",
                    SshOutcome::Check => "asserted to be let in after a fresh login",
                    SshOutcome::Deny => "asserted to be refused",
                };
                let mut it = new(code::E0507, span).label(match pair {
                    Some((src, dst)) => format!("{asserted}; not so from `{src}` to `{dst}`"),
                    None => asserted.to_owned(),
                });
                if let Some(by) = by {
                    it = it.related(*by, "this rule decides").help(match wanted {
                        SshOutcome::Deny => "narrow the rule, or drop the assertion if the access is meant",
                        _ => "of the rules that fit, one that checks stands before those that accept",
                    });
                    return failed(it, true);
                }
                failed(near(it, nearest, "no SSH rule has its source or its destination"), true)
            }
            Self::SshElement { span, written, flaw, dst } => {
                let (label, help) = words(&Trouble::Flaw(flaw.clone()), *dst);
                let it = new(code::E0508, span).label(label).help(help);
                let end = if *dst { "dst" } else { "src" };
                match flaw {
                    Flaw::Unknown(..) => it.refused(
                        Turn::SshTestsDst,
                        format!("SSH tests dst contains unknown tag {written:?}"),
                    ),
                    _ => it.refused(
                        Turn::SshTestsDst,
                        format!("SSH tests {end} contains disallowed element {written:?}"),
                    ),
                }
            }
            Self::HostUser { span } => {
                failed(new(code::E0509, span).help("name a user of the host, such as `root`"), true)
            }
        }
    }
}

/// An assertion is an object over several lines; what it lacks is said at its bracket.
const fn opening(span: Span) -> Span {
    Span::new(span.start, span.start + 1)
}

fn with_pair(asserted: &str, pair: &Option<(String, String)>, verb: &str) -> String {
    match pair {
        Some((src, dst)) => format!("{asserted}; `{src}` {verb} `{dst}`"),
        None => asserted.to_owned(),
    }
}

/// The rules that came near, each at its place; a sentence where there is none.
fn near(mut it: Diagnostic, nearest: &[Near], none: &str) -> Diagnostic {
    for Near { span, why, .. } in nearest.iter().filter(|it| it.span != Span::default()) {
        it = it.related(*span, format!("this rule {why}"));
    }
    match nearest.is_empty() {
        true => it.help(none),
        false => it.help("widen the rule that was meant, or assert what the policy is to give"),
    }
}

/// What is wrong at the place, and what to do.
fn words(trouble: &Trouble, destination: bool) -> (String, String) {
    let subjects = match destination {
        true => "name a tag, a user, a group, a host that is one address, or an address",
        false => "name a user, a group, a tag, or a host that is one address",
    };
    let meant = |near: &Option<Text>, otherwise: &str| match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => otherwise.to_owned(),
    };
    let (label, help) = match trouble {
        Trouble::UnknownUser(near) => {
            let help = meant(near, "correct the login, or add the user to the inventory");
            return ("no user of the tailnet".to_owned(), help);
        }
        Trouble::NoDevices => ("has no device", subjects),
        Trouble::Synced => ("an identity provider knows its members", subjects),
        Trouble::Wide => ("a prefix", subjects),
        Trouble::UnknownService => {
            ("no service of the tailnet", "add it to `services` of the inventory")
        }
        Trouble::Flaw(flaw) => match flaw {
            Flaw::Missing => ("has no `src`", subjects),
            Flaw::Empty => ("empty", subjects),
            Flaw::Unknown(what, near) => {
                let section = match what {
                    What::Tag => "tagOwners",
                    What::Group => "groups",
                    _ => "hosts",
                };
                let help = meant(near, subjects);
                return (format!("not defined in `{section}`"), help);
            }
            Flaw::HostOfPrefix(net) => {
                return (format!("a host that is a whole prefix, {net}"), subjects.to_owned());
            }
            Flaw::NotAllowed(Kind::Prefix) => ("more than one address, as it is written", subjects),
            Flaw::NotAllowed(Kind::Any) => ("everybody", subjects),
            Flaw::NotAllowed(Kind::Service) => ("a service is only ever reached", subjects),
            Flaw::NotAllowed(_) => ("no device in particular", subjects),
            Flaw::Malformed(_) => ("no selector", subjects),
            Flaw::NoPort => ("a port is missing", "end it in a colon and one port"),
            Flaw::Port => {
                ("not one port from 1 to 65535", "write one number; lists, ranges and `*` fail")
            }
            Flaw::PortOfPortless(protocol) => {
                let name = protocol_name(*protocol);
                return (format!("{name} has no ports"), "write `0` as the port".to_owned());
            }
        },
    };
    (label.to_owned(), help.to_owned())
}
