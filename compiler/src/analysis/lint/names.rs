//! Selectors of sections that are not rules → targets.

use rustc_hash::FxHashMap;

use crate::ast::{Autogroup, Selector};
use crate::policy::{
    DomainId, GroupId, HostId, IpsetId, LoginId, Policy, ServiceId, TagId, Target,
};
use crate::span::Spanned;

/// The ids of all names of a policy.
#[derive(Debug)]
pub(super) struct Names<'a> {
    groups: FxHashMap<&'a str, GroupId>,
    tags: FxHashMap<&'a str, TagId>,
    hosts: FxHashMap<&'a str, HostId>,
    ipsets: FxHashMap<&'a str, IpsetId>,
    logins: FxHashMap<&'a str, LoginId>,
    domains: FxHashMap<&'a str, DomainId>,
    services: FxHashMap<&'a str, ServiceId>,
}

fn ids<'a, Id>(
    names: impl DoubleEndedIterator<Item = &'a str> + ExactSizeIterator,
    id: fn(u32) -> Id,
) -> FxHashMap<&'a str, Id> {
    names.zip(0..).map(|(name, at)| (name, id(at))).collect()
}

impl<'a> Names<'a> {
    pub(super) fn new(policy: &'a Policy) -> Self {
        Self {
            groups: ids(policy.groups.iter().map(|it| &*it.name.value), GroupId),
            tags: ids(policy.tags.iter().map(|it| &*it.name.value), TagId),
            hosts: ids(policy.hosts.iter().map(|it| &*it.name.value), HostId),
            ipsets: ids(policy.ipsets.iter().map(|it| &*it.name.value), IpsetId),
            logins: ids(policy.logins.iter().map(|it| &*it.value), LoginId),
            domains: ids(policy.domains.iter().map(|it| &*it.value), DomainId),
            services: ids(policy.services.iter().map(|it| &*it.value), ServiceId),
        }
    }

    /// What a selector stands for; `None` for a name that nothing else of the policy has.
    pub(super) fn target(&self, selector: &Selector) -> Option<Target> {
        Some(match selector {
            Selector::Any => Target::Any,
            Selector::User(it) => Target::Login(*self.logins.get(&**it)?),
            Selector::UserDomain(it) => Target::Domain(*self.domains.get(&**it)?),
            Selector::Group(it) => Target::Group(*self.groups.get(&**it)?),
            Selector::Tag(it) => Target::Tag(*self.tags.get(&**it)?),
            Selector::Autogroup(Autogroup::Members) => Target::Autogroup(Autogroup::Member),
            Selector::Autogroup(it) => Target::Autogroup(*it),
            Selector::Ipset(it) => Target::Ipset(*self.ipsets.get(&**it)?),
            Selector::Service(it) => Target::Service(*self.services.get(&**it)?),
            Selector::Host(it) => Target::Host(*self.hosts.get(&**it)?),
            Selector::Literal(net) => Target::Literal(*net),
        })
    }

    /// The same for a list, without those that stand for nothing.
    pub(super) fn targets(&self, list: &[Spanned<Selector>]) -> Vec<Spanned<Target>> {
        let target = |it: &Spanned<Selector>| Some(Spanned::new(self.target(&it.value)?, it.span));
        list.iter().filter_map(target).collect()
    }
}
