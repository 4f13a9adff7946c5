//! A selector in a question → what it means in a policy. Unlike in the policy itself, a login, a
//! domain or a service need not be named there: one may ask about everybody.

use std::sync::Arc;

use crate::ast::{Selector, Text};
use crate::diagnostic::similar;
use crate::policy::{
    DomainId, GroupId, HostId, IpsetId, LoginId, Policy, ServiceId, TagId, Target,
};
use crate::span::Spanned;

/// What a question is about.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Subject {
    /// Something that the policy knows.
    Target(Target),
    /// A user whom it does not name.
    Login(Text),
    /// A domain that it does not name.
    Domain(Text),
    /// A service that it does not name.
    Service(Text),
}

/// A name that the policy does not define.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("unknown {what} `{name}`")]
pub struct Unknown {
    /// What it would be: "tag".
    pub what: &'static str,
    /// As written.
    pub name: String,
    /// A name that looks alike.
    pub similar: Option<String>,
}

impl Unknown {
    /// What to do about it.
    pub fn help(&self) -> String {
        match &self.similar {
            Some(similar) => format!("did you mean `{similar}`?"),
            None => format!("no {} of the policy is called so", self.what),
        }
    }
}

impl Subject {
    /// What a selector means in a policy.
    pub fn of(policy: &Policy, selector: &Selector) -> Result<Self, Unknown> {
        let logins = || policy.logins.iter();
        let target = match selector {
            Selector::Any => Target::Any,
            Selector::Autogroup(it) => Target::Autogroup(*it),
            Selector::Literal(net) => Target::Literal(*net),
            Selector::User(login) => match position(logins(), login) {
                Some(id) => Target::Login(LoginId(id)),
                None => return Ok(Self::Login(Arc::clone(login))),
            },
            Selector::UserDomain(domain) => match position(policy.domains.iter(), domain) {
                Some(id) => Target::Domain(DomainId(id)),
                None => return Ok(Self::Domain(Arc::clone(domain))),
            },
            Selector::Service(name) => match position(policy.services.iter(), name) {
                Some(id) => Target::Service(ServiceId(id)),
                None => return Ok(Self::Service(Arc::clone(name))),
            },
            Selector::Group(name) => {
                let known = policy.groups.iter().map(|it| &it.name);
                Target::Group(GroupId(defined("group", known, name)?))
            }
            Selector::Tag(name) => {
                let known = policy.tags.iter().map(|it| &it.name);
                Target::Tag(TagId(defined("tag", known, name)?))
            }
            Selector::Host(name) => {
                let known = policy.hosts.iter().map(|it| &it.name);
                Target::Host(HostId(defined("host", known, name)?))
            }
            Selector::Ipset(name) => {
                let known = policy.ipsets.iter().map(|it| &it.name);
                Target::Ipset(IpsetId(defined("IP set", known, name)?))
            }
        };
        Ok(Self::Target(target))
    }
}

fn position<'a>(names: impl Iterator<Item = &'a Spanned<Text>>, name: &Text) -> Option<u32> {
    names.zip(0..).find(|(it, _)| it.value == *name).map(|it| it.1)
}

fn defined<'a>(
    what: &'static str,
    names: impl Iterator<Item = &'a Spanned<Text>> + Clone,
    name: &Text,
) -> Result<u32, Unknown> {
    position(names.clone(), name).ok_or_else(|| Unknown {
        what,
        name: name.to_string(),
        similar: similar(name, names.map(|it| &*it.value)).map(str::to_owned),
    })
}
