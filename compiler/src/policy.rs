//! Stage 3, policy file → policy: what is meant. Names are ids, rules are typed.
//!
//! Facts of a tailnet are not known here: whether anybody carries a tag, or owns an address, is for
//! the next stage.

mod approvers;
pub mod assertions;
mod attributes;
mod from_ast;
mod groups;
mod headscale;
mod names;
pub mod place;
mod posture;
pub mod problem;
mod rules;
pub(crate) mod ssh;

use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;

use crate::ast::posture::Assertion;
use crate::ast::{
    AppCap, Autogroup, Connector, PolicyFile, PortRange, PortSpec, Protocol, SshAction, Text,
};
use crate::span::{Span, Spanned};
pub use from_ast::from_ast;
use names::What;
pub use place::{Kind, Place};
pub use problem::Problem;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub struct $name(pub u32);
    )* };
}

ids! {
    /// A group, by its position in [`Policy::groups`].
    GroupId;
    /// A tag, by its position in [`Policy::tags`].
    TagId;
    /// A host, by its position in [`Policy::hosts`].
    HostId;
    /// An IP set, by its position in [`Policy::ipsets`].
    IpsetId;
    /// A posture, by its position in [`Policy::postures`].
    PostureId;
    /// A login that the file names, by its position in [`Policy::logins`].
    LoginId;
    /// A login domain that the file names, by its position in [`Policy::domains`].
    DomainId;
    /// A service that the file names, by its position in [`Policy::services`].
    ServiceId;
}

/// A selector whose name is resolved.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Target {
    /// `*`
    Any,
    /// A user.
    Login(LoginId),
    /// Every member with a login of a domain.
    Domain(DomainId),
    /// A group.
    Group(GroupId),
    /// A tag.
    Tag(TagId),
    /// An autogroup; never the old spelling.
    Autogroup(Autogroup),
    /// A host.
    Host(HostId),
    /// An address or prefix.
    Literal(IpNet),
    /// An IP set.
    Ipset(IpsetId),
    /// A service.
    Service(ServiceId),
}

/// What a policy means. May be partial: only [`Valid`] says that nothing is missing.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// In the order of the file, like all definitions below; then those that are synced.
    pub groups: Vec<Group>,
    /// The tags that `tagOwners` defines.
    pub tags: Vec<Tag>,
    /// The hosts.
    pub hosts: Vec<Host>,
    /// The IP sets.
    pub ipsets: Vec<Ipset>,
    /// The IP sets in an order in which each stands behind all that it refers to.
    pub ipset_order: Vec<IpsetId>,
    /// The postures.
    pub postures: Vec<Posture>,
    /// Every login named anywhere, once, with its first place.
    pub logins: Vec<Spanned<Text>>,
    /// Every login domain named by a selector, once, with its first place.
    pub domains: Vec<Spanned<Text>>,
    /// Every service named, once, with its first place.
    pub services: Vec<Spanned<Text>>,
    /// All grants in the order of the file, then all acls; `None` where the file has neither
    /// section, which allows everything.
    pub rules: Option<Vec<Rule>>,
    /// `ssh`
    pub ssh: Vec<SshRule>,
    /// `nodeAttrs`
    pub node_attrs: Vec<NodeAttr>,
    /// `autoApprovers`
    pub auto_approvers: AutoApprovers,
    /// The file as written; sections that are not lowered to rules are read there.
    pub file: PolicyFile,
}

/// A named set of users.
#[derive(Clone, Debug)]
pub struct Group {
    /// With its `group:`.
    pub name: Spanned<Text>,
    /// Its members.
    pub members: Vec<Spanned<LoginId>>,
    /// Whether an identity provider defines it (`group:eng@example.com`), so that nobody here knows
    /// its members; the place of the name is then its first use.
    pub synced: bool,
}

/// A tag that may be used.
#[derive(Clone, Debug)]
pub struct Tag {
    /// With its `tag:`.
    pub name: Spanned<Text>,
    /// Who may apply it.
    pub owners: Vec<Spanned<Target>>,
}

/// A name for an address or prefix.
#[derive(Clone, Debug)]
pub struct Host {
    /// The name.
    pub name: Spanned<Text>,
    /// What it stands for.
    pub net: IpNet,
}

/// A named set of addresses.
#[derive(Clone, Debug)]
pub struct Ipset {
    /// With its `ipset:`.
    pub name: Spanned<Text>,
    /// What is added and taken away, in order; sets in a circle are left out.
    pub steps: Vec<IpsetStep>,
}

/// One step of an IP set.
#[derive(Clone, Copy, Debug)]
pub struct IpsetStep {
    /// Whether it takes away.
    pub remove: bool,
    /// What.
    pub addresses: IpsetAddresses,
}

/// Addresses that a step names.
#[derive(Clone, Copy, Debug)]
pub enum IpsetAddresses {
    /// A prefix.
    Net(IpNet),
    /// First and last address.
    Range(IpAddr, IpAddr),
    /// `autogroup:internet`
    Internet,
    /// Another set.
    Set(IpsetId),
}

/// A named list of conditions on a device, all of which must hold.
#[derive(Clone, Debug)]
pub struct Posture {
    /// With its `posture:`.
    pub name: Spanned<Text>,
    /// The conditions.
    pub assertions: Vec<Spanned<Assertion>>,
}

/// Which section a rule stands in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Section {
    /// `grants`
    Grants,
    /// `acls`
    Acls,
}

impl Section {
    /// The name of the section.
    pub const fn name(self) -> &'static str {
        match self {
            Section::Grants => "grants",
            Section::Acls => "acls",
        }
    }
}

/// An entry of `grants` or `acls`: it lets its sources reach its destinations.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Where it stands: the section.
    pub section: Section,
    /// Its position in the section, from 0.
    pub index: u32,
    /// The whole object.
    pub span: Span,
    /// Who.
    pub src: Vec<Spanned<Target>>,
    /// Whom.
    pub dst: Vec<Destination>,
    /// The protocol of an acl; `None` is the default.
    pub protocol: Option<Protocol>,
    /// The network access of a grant.
    pub ip: Vec<PortSpec>,
    /// The capabilities of a grant.
    pub app: Vec<AppCap>,
    /// The routers that a grant goes through.
    pub via: Vec<Spanned<TagId>>,
    /// The postures one of which a source must have; the policy's default where the rule has none.
    /// Empty: no condition.
    pub postures: Vec<PostureId>,
}

/// A destination of a rule.
#[derive(Clone, Debug)]
pub struct Destination {
    /// What is reached.
    pub target: Target,
    /// Where it is written, without ports.
    pub span: Span,
    /// The ports of an acl's destination; `None` in a grant, whose `ip` has them.
    pub ports: Option<Arc<[PortRange]>>,
}

/// An entry of `ssh`: it lets its sources log in at its destinations.
#[derive(Clone, Debug)]
pub struct SshRule {
    /// Its position in the section, from 0.
    pub index: u32,
    /// The whole object.
    pub span: Span,
    /// Whether a session is let in at once or after a fresh login.
    pub action: Spanned<SshAction>,
    /// Who.
    pub src: Vec<Spanned<Target>>,
    /// Where.
    pub dst: Vec<Spanned<Target>>,
    /// As whom.
    pub users: Vec<Spanned<SshUser>>,
    /// The variables that a session may bring, in the order written.
    pub accept_env: Vec<Text>,
    /// As [`Rule::postures`].
    pub postures: Vec<PostureId>,
}

/// A user of a host, as an SSH rule names them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum SshUser {
    /// This one, `root` among them.
    Named(Text),
    /// `autogroup:nonroot`: everybody but root.
    Nonroot,
    /// `localpart:*@example.com`: the one called as the caller logs in, at this domain.
    Localpart(Text),
}

/// An entry of `nodeAttrs`: it gives its targets capabilities.
#[derive(Clone, Debug)]
pub struct NodeAttr {
    /// Its position in the section, from 0.
    pub index: u32,
    /// The whole object.
    pub span: Span,
    /// To whom.
    pub target: Vec<Spanned<Target>>,
    /// Names of capabilities without values.
    pub attr: Vec<Spanned<Text>>,
    /// Capabilities with values.
    pub app: Vec<AppCap>,
    /// Those of them that only connectors get, one by one.
    pub connectors: Vec<Connector>,
}

/// Who gets what approved without asking.
#[derive(Clone, Debug, Default)]
pub struct AutoApprovers {
    /// Routes within each prefix.
    pub routes: Vec<(Spanned<IpNet>, Vec<Spanned<Target>>)>,
    /// Being an exit node.
    pub exit_node: Vec<Spanned<Target>>,
    /// Offering a service, or every service with a tag.
    pub services: Vec<(Spanned<Target>, Vec<Spanned<Target>>)>,
}

/// A policy in which nothing is wrong: the proof that it may be lowered to tables.
///
/// INVARIANT: made by [`crate::check`] alone, and only where no stage before reported an error;
/// lowering relies on it where it reads ids.
#[derive(Clone, Copy, Debug)]
pub struct Valid<'a>(&'a Policy);

impl<'a> Valid<'a> {
    pub(crate) const fn assume(policy: &'a Policy) -> Self {
        Self(policy)
    }

    /// The policy.
    pub const fn policy(self) -> &'a Policy {
        self.0
    }
}

impl Policy {
    /// Whether some rule asks its sources for a posture.
    pub fn has_postures(&self) -> bool {
        let ssh = self.ssh.iter().any(|it| !it.postures.is_empty());
        ssh || self.rules.iter().flatten().any(|it| !it.postures.is_empty())
    }

    /// A target in the words of the policy file.
    pub fn describe(&self, target: Target) -> String {
        let name =
            |it: Option<&Spanned<Text>>| it.map_or_else(String::new, |it| it.value.to_string());
        match target {
            Target::Any => "*".to_owned(),
            Target::Login(id) => name(self.logins.get(id.0 as usize)),
            Target::Domain(id) => format!("user:*@{}", name(self.domains.get(id.0 as usize))),
            Target::Group(id) => name(self.groups.get(id.0 as usize).map(|it| &it.name)),
            Target::Tag(id) => name(self.tags.get(id.0 as usize).map(|it| &it.name)),
            Target::Autogroup(it) => format!("autogroup:{}", it.name()),
            Target::Host(id) => name(self.hosts.get(id.0 as usize).map(|it| &it.name)),
            Target::Literal(net) => crate::ast::Selector::Literal(net).to_string(),
            Target::Ipset(id) => name(self.ipsets.get(id.0 as usize).map(|it| &it.name)),
            Target::Service(id) => name(self.services.get(id.0 as usize)),
        }
    }

    /// The prefix that a host or a literal stands for; `None` for any other target.
    pub fn net(&self, target: Target) -> Option<IpNet> {
        match target {
            Target::Literal(net) => Some(net),
            Target::Host(id) => self.hosts.get(id.0 as usize).map(|it| it.net),
            _ => None,
        }
    }
}
