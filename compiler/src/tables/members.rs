//! Which nodes a selector stands for: the sets of docs/language.md, "Selectors", each made once.

use std::cell::{OnceCell, RefCell};

use rustc_hash::FxHashMap;

use super::headscale;
use super::node_set::NodeSet;
use crate::ast::Autogroup;
use crate::dialect::Dialect;
use crate::policy::{GroupId, LoginId, Policy, Target};
use crate::tailnet::{NodeId, Role, Tailnet, UserId};

/// Whom a login stands for.
#[derive(Clone, Copy, Debug)]
enum Known {
    Nobody,
    One(UserId),
    /// More than one, which headscale refuses.
    Several,
}

/// The nodes of every identity selector that was asked for.
#[derive(Debug)]
pub(super) struct Members<'a> {
    policy: &'a Policy,
    tailnet: &'a Tailnet,
    /// The users by what headscale calls them; made when the first login is asked for.
    users: OnceCell<headscale::Users<'a>>,
    /// The users with a login of each domain; made when the first domain is asked for.
    domains: OnceCell<FxHashMap<&'a str, Vec<UserId>>>,
    known: RefCell<FxHashMap<Target, NodeSet>>,
}

impl<'a> Members<'a> {
    pub(super) fn new(policy: &'a Policy, tailnet: &'a Tailnet) -> Self {
        let (users, domains) = (OnceCell::new(), OnceCell::new());
        Self { policy, tailnet, users, domains, known: RefCell::default() }
    }

    /// Whether nobody logs in so, given the position of a login.
    pub(super) fn is_unknown(&self, login: u32) -> bool {
        matches!(self.user_of(login), Known::Nobody)
    }

    /// Whether a login stands for a user.
    pub(super) fn is_login_of(&self, login: LoginId, user: UserId) -> bool {
        matches!(self.user_of(login.0), Known::One(it) if it == user)
    }

    fn user_of(&self, login: u32) -> Known {
        let login = self.policy.logins.get(login as usize).map_or("", |it| &it.value);
        if self.policy.file.dialect == Dialect::Tailscale {
            return self.tailnet.user_with_login(login).map_or(Known::Nobody, Known::One);
        }
        match self.users.get_or_init(|| headscale::Users::of(self.tailnet)).named(login) {
            [] => Known::Nobody,
            [user] => Known::One(*user),
            _ => Known::Several,
        }
    }

    /// The nodes that a user, group, tag or autogroup of identities stands for, those without an
    /// address left out. Empty for every other selector.
    pub(super) fn of(&self, target: Target) -> NodeSet {
        if let Some(known) = self.known.borrow().get(&target) {
            return known.clone();
        }
        let mut ids = self.list(target);
        let silent = self.tailnet.nodes_without_address();
        if !silent.is_empty() {
            ids.retain(|id| silent.binary_search(&NodeId(*id)).is_err());
        }
        let set = NodeSet::new(ids);
        self.known.borrow_mut().insert(target, set.clone());
        set
    }

    /// The same with those that have no address, anew for each question.
    pub(super) fn list(&self, target: Target) -> Vec<u32> {
        match target {
            Target::Login(id) => self.nodes_of_login(id).collect(),
            Target::Domain(id) => {
                let domain = self.policy.domains.get(id.0 as usize);
                domain.map_or_else(Vec::new, |it| self.nodes_of_domain(&it.value))
            }
            Target::Group(id) => self.nodes_of_group(id),
            Target::Tag(id) => {
                let tag = self.policy.tags.get(id.0 as usize);
                ids(tag.map_or(&[], |it| self.tailnet.tagged(&it.name.value)))
            }
            Target::Autogroup(Autogroup::Member | Autogroup::Members) => {
                ids(self.tailnet.untagged_nodes())
            }
            Target::Autogroup(Autogroup::Tagged) => ids(self.tailnet.tagged_nodes()),
            Target::Autogroup(it) => self.nodes_of_role(it),
            Target::Any
            | Target::Host(_)
            | Target::Literal(_)
            | Target::Ipset(_)
            | Target::Service(_) => Vec::new(),
        }
    }

    fn nodes_of_login(&self, login: LoginId) -> impl Iterator<Item = u32> + '_ {
        let user = match self.user_of(login.0) {
            Known::One(user) => Some(user),
            _ => None,
        };
        user.into_iter().flat_map(|it| self.tailnet.nodes_of(it)).map(|it| it.0)
    }

    fn nodes_of_group(&self, id: GroupId) -> Vec<u32> {
        let members = self.policy.groups.get(id.0 as usize).map_or(&[][..], |it| &it.members);
        members.iter().flat_map(|it| self.nodes_of_login(it.value)).collect()
    }

    /// Only a domain of the tailnet has members; where the inventory names no domains, any may be.
    fn nodes_of_domain(&self, domain: &str) -> Vec<u32> {
        let known = self.tailnet.domains().is_none_or(|all| all.iter().any(|it| **it == *domain));
        let members = self.domains().get(domain).into_iter().flatten().filter(|_| known);
        members.flat_map(|id| ids(self.tailnet.nodes_of(*id))).collect()
    }

    fn domains(&self) -> &FxHashMap<&'a str, Vec<UserId>> {
        self.domains.get_or_init(|| {
            let mut domains: FxHashMap<&str, Vec<UserId>> = FxHashMap::default();
            for (user, id) in self.tailnet.users().iter().zip((0..).map(UserId)) {
                if let Some((_, domain)) = user.login.rsplit_once('@') {
                    domains.entry(domain).or_default().push(id);
                }
            }
            domains
        })
    }

    fn nodes_of_role(&self, autogroup: Autogroup) -> Vec<u32> {
        let users = self.tailnet.users().iter().zip((0..).map(UserId));
        let holders = users.filter(|(user, _)| user.role.is_some_and(|it| holds(it, autogroup)));
        holders.flat_map(|(_, id)| ids(self.tailnet.nodes_of(id))).collect()
    }
}

fn ids(nodes: &[NodeId]) -> Vec<u32> {
    nodes.iter().map(|it| it.0).collect()
}

/// Whether a user of this role belongs to the autogroup of a role. The owner is an admin too.
pub(super) fn holds(role: Role, autogroup: Autogroup) -> bool {
    match autogroup {
        Autogroup::Owner => role == Role::Owner,
        Autogroup::Admin => matches!(role, Role::Owner | Role::Admin),
        Autogroup::NetworkAdmin => role == Role::NetworkAdmin,
        Autogroup::ItAdmin => role == Role::ItAdmin,
        Autogroup::BillingAdmin => role == Role::BillingAdmin,
        Autogroup::Auditor => role == Role::Auditor,
        _ => false,
    }
}
