//! A node → the selectors of a policy that name it by identity: the other way round than
//! [`super::members`], for one node at a time.
//!
//! SOURCE: docs/language.md, "Selectors".

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::members::{Members, holds};
use crate::ast::{Autogroup, Text};
use crate::dialect::Dialect;
use crate::policy::{DomainId, GroupId, LoginId, Policy, TagId, Target};
use crate::tailnet::{Node, Owner, Tailnet, UserId};

/// What finds the selectors that name a node.
#[derive(Debug)]
pub(super) struct Identities {
    logins: FxHashMap<Text, LoginId>,
    /// The groups of each login.
    groups: FxHashMap<LoginId, Vec<GroupId>>,
    domains: FxHashMap<Text, DomainId>,
    /// The definitions of each tag; more than one only where a comment allows that.
    tags: FxHashMap<Text, Vec<TagId>>,
}

/// The autogroups that go by a user's role.
const ROLES: [Autogroup; 6] = [
    Autogroup::Owner,
    Autogroup::Admin,
    Autogroup::NetworkAdmin,
    Autogroup::ItAdmin,
    Autogroup::BillingAdmin,
    Autogroup::Auditor,
];

impl Identities {
    pub(super) fn new(policy: &Policy) -> Self {
        let logins = policy.logins.iter().zip((0..).map(LoginId));
        let domains = policy.domains.iter().zip((0..).map(DomainId));
        let mut groups: FxHashMap<LoginId, Vec<GroupId>> = FxHashMap::default();
        for (group, id) in policy.groups.iter().zip((0..).map(GroupId)) {
            group.members.iter().for_each(|it| groups.entry(it.value).or_default().push(id));
        }
        let mut tags: FxHashMap<Text, Vec<TagId>> = FxHashMap::default();
        for (tag, id) in policy.tags.iter().zip((0..).map(TagId)) {
            tags.entry(Arc::clone(&tag.name.value)).or_default().push(id);
        }
        Self {
            logins: logins.map(|(it, id)| (Arc::clone(&it.value), id)).collect(),
            groups,
            domains: domains.map(|(it, id)| (Arc::clone(&it.value), id)).collect(),
            tags,
        }
    }

    /// The users, groups, tags and autogroups that name a node as the end of a rule; none where it
    /// has no address.
    pub(super) fn of(&self, policy: &Policy, tailnet: &Tailnet, node: &Node) -> FxHashSet<Target> {
        if node.addresses().next().is_none() {
            return FxHashSet::default();
        }
        self.whatever_addresses(policy, tailnet, node)
    }

    /// The users, groups, tags and autogroups that name a node, whether or not it has an address.
    pub(super) fn whatever_addresses(
        &self,
        policy: &Policy,
        tailnet: &Tailnet,
        node: &Node,
    ) -> FxHashSet<Target> {
        let mut names = FxHashSet::default();
        match &node.owner {
            Owner::Nobody => {}
            Owner::Tags(tags) => {
                names.insert(Target::Autogroup(Autogroup::Tagged));
                let known = tags.iter().filter_map(|it| self.tags.get(&**it)).flatten();
                names.extend(known.map(|it| Target::Tag(*it)));
            }
            Owner::User(id) => {
                names.insert(Target::Autogroup(Autogroup::Member));
                names.insert(Target::Autogroup(Autogroup::Members));
                let Some(user) = tailnet.user(*id) else { return names };
                for login in self.logins_of(policy, tailnet, *id) {
                    names.insert(Target::Login(login));
                    let groups = self.groups.get(&login).into_iter().flatten();
                    names.extend(groups.map(|it| Target::Group(*it)));
                }
                let domain = user.login.rsplit_once('@').map(|it| it.1);
                let known = |name: &str| {
                    tailnet.domains().is_none_or(|all| all.iter().any(|it| **it == *name))
                };
                if let Some(id) = domain.filter(|it| known(it)).and_then(|it| self.domains.get(it))
                {
                    names.insert(Target::Domain(*id));
                }
                let role = |it: &Autogroup| user.role.is_some_and(|role| holds(role, *it));
                names.extend(ROLES.into_iter().filter(role).map(Target::Autogroup));
            }
        }
        names
    }

    /// The logins that stand for a user; headscale knows users by their names as well.
    fn logins_of(&self, policy: &Policy, tailnet: &Tailnet, id: UserId) -> Vec<LoginId> {
        if policy.file.dialect == Dialect::Tailscale {
            let user = tailnet.user(id);
            return user.and_then(|it| self.logins.get(&*it.login)).copied().into_iter().collect();
        }
        let members = Members::new(policy, tailnet);
        let logins = (0..policy.logins.len() as u32).map(LoginId);
        logins.filter(|it| members.is_login_of(*it, id)).collect()
    }
}
