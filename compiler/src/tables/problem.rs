//! What the facts of a tailnet say about a policy: family E06xx.

use crate::diagnostic::{Diagnostic, Turn, code};
use crate::dialect::{Dialect, HEADSCALE};
use crate::span::Span;

/// One thing that a policy and a tailnet disagree on, or that cannot be known.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[expect(missing_docs, reason = "the sentence above each variant says what its fields are")]
pub enum Problem {
    #[error("no user of the tailnet logs in as `{login}`")]
    UnknownUser { span: Span, login: String, similar: Option<String> },

    #[error("{}", further_logins(*more))]
    MoreUnknownUsers { span: Span, more: usize },

    #[error("`{domain}` is no domain of this tailnet")]
    ForeignDomain { span: Span, domain: String, in_users: bool },

    #[error("`{section}` is not judged without an inventory")]
    NotJudged { span: Span, section: &'static str },

    #[error("too little is known of {} to judge this rule's posture", listed(names, *more))]
    UnknownPosture { span: Span, names: Vec<String>, more: usize },

    #[error("no service of the tailnet is called `{name}`")]
    UnknownService { span: Span, name: String },

    #[error("who belongs to `{name}` is unknown")]
    SyncedGroup { span: Span, name: String },

    #[error("who was given a device of this tailnet is unknown")]
    Shared { span: Span },

    #[error("the role of {} is unknown", listed(names, *more))]
    UnknownRole { span: Span, names: Vec<String>, more: usize },

    #[error("to {HEADSCALE} `{login}` may be {}", listed(names, 0))]
    SeveralUsers { span: Span, login: String, names: Vec<String> },

    #[error("no user of the server is called `{login}`, who would get these attributes")]
    UnknownUserOfAttributes { span: Span, login: String, target: String },

    #[error("no user of the server has an address in `{domain}`")]
    LocalpartOfNobody { span: Span, domain: String },

    #[error("{HEADSCALE} offers the exit node `{name}` to everybody with any rule at all")]
    ExitNodeOffered { span: Span, name: String },

    #[error("{HEADSCALE} suggests `{name}` to nobody as an exit node")]
    ExitNodeNotSuggested { span: Span, name: String },
}

fn further_logins(more: usize) -> String {
    match more {
        1 => "one further login of this policy is no user of the tailnet".to_owned(),
        _ => format!("{more} further logins of this policy are no users of the tailnet"),
    }
}

/// "`a`", "`a` and `b`", "`a`, `b` and 2 more".
fn listed(names: &[String], more: usize) -> String {
    let mut items: Vec<String> = names.iter().map(|it| format!("`{it}`")).collect();
    if more > 0 {
        items.push(format!("{more} more"));
    }
    match items.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => items.concat(),
    }
}

impl Problem {
    /// The report a person reads.
    pub fn report(&self) -> Diagnostic {
        match self {
            Self::UnknownUser { span, similar, .. } => Diagnostic::new(code::W0601, self, *span)
                .label("stands for nobody")
                .help(similar.as_ref().map_or_else(
                    || "correct the login, or leave it for a user who is still to come".to_owned(),
                    |it| format!("did you mean `{it}`?"),
                )),
            Self::MoreUnknownUsers { span, .. } => Diagnostic::new(code::W0601, self, *span)
                .label("the first of them")
                .help("see whether the inventory is that of this policy's tailnet, and lists all its users"),
            Self::ForeignDomain { span, domain, in_users } => {
                let text = format!(
                    "{domain} is not associated with this Tailnet and cannot be used in user:*@<domain> expressions"
                );
                Diagnostic::new(code::E0602, self, *span)
                    .help("name a domain that the tailnet's users log in with, exactly as it is written there")
                    .refused(Turn::Ssh, if *in_users { text } else { format!("[ssh] {text}") })
            }
            Self::NotJudged { span, .. } => Diagnostic::new(code::W0603, self, *span)
                .help("give the devices with `--nodes FILE`"),
            Self::UnknownPosture { span, .. } => Diagnostic::new(code::W0604, self, *span)
                .label("they are left out of the rule's sources")
                .help("add the attributes of these devices to the inventory"),
            Self::UnknownService { span, .. } => Diagnostic::new(code::W0605, self, *span)
                .label("stands for no address")
                .help("add it to `services` of the inventory"),
            Self::Shared { span } => Diagnostic::new(code::W0610, self, *span)
                .label("stands for nobody here; their devices are left out")
                .help("inventories do not list the devices of other tailnets; Tailscale lets them in"),
            Self::SyncedGroup { span, .. } => Diagnostic::new(code::W0609, self, *span)
                .label("an identity provider knows its members; their devices are left out")
                .help("list the members in `groups` of a copy of the policy to see their tables"),
            Self::SeveralUsers { span, .. } => Diagnostic::new(code::E0611, self, *span)
                .help("name the user by what nobody else has, the e-mail address or the name with an `@` behind it")
                .refused_by(Dialect::Headscale, Turn::Users, None),
            Self::UnknownUserOfAttributes { span, login, target } => {
                Diagnostic::new(code::E0612, self, *span)
                    .help("correct the login, or leave it out; a server with such a policy does not start again")
                    .refused_by(
                        Dialect::Headscale,
                        Turn::UserAttributes,
                        Some(format!("compiling nodeAttrs: nodeAttrs target [{target}]: user not found: token {login:?}")),
                    )
            }
            Self::LocalpartOfNobody { span, .. } => Diagnostic::new(code::W0613, self, *span)
                .label("lets nobody log in")
                .help("name the domain of the users' e-mail addresses; a user without one has no local part"),
            Self::ExitNodeOffered { span, .. } => Diagnostic::new(code::W0614, self, *span)
                .help("say with `autogroup:internet` who may use it, or approve it for those only who should"),
            Self::ExitNodeNotSuggested { span, .. } => Diagnostic::new(code::W0615, self, *span)
                .help("give it the attribute `suggest-exit-node` in `nodeAttrs`"),
            Self::UnknownRole { span, .. } => Diagnostic::new(code::W0608, self, *span)
                .label("their devices are left out")
                .help("add `role` to these users of the inventory"),
        }
    }
}
