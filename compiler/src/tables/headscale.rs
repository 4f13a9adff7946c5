//! What a tailnet decides otherwise where headscale is its control plane: whom a login stands for,
//! what every node may do by itself, and what no inventory can show to be right or wrong.
//!
//! SOURCE: docs/headscale.md, "Users" and "Tables".

use rustc_hash::FxHashMap;

use super::problem::Problem;
use super::{Autogroup, Policy, Target};
use crate::span::Spanned;
use crate::tailnet::{Node, Tailnet, UserId};

/// What every node may do by itself, as JSON.
pub(super) const BASELINE: [(&str, &str); 3] = [
    ("https://tailscale.com/cap/file-sharing", "[]"),
    ("https://tailscale.com/cap/is-admin", "[]"),
    ("https://tailscale.com/cap/ssh", "[]"),
];

/// The attribute by which a node is suggested as an exit node.
pub(super) const SUGGEST_EXIT_NODE: &str = "suggest-exit-node";

/// Users by what a policy may call them: their e-mail address, or their name.
#[derive(Debug)]
pub(super) struct Users<'a>(FxHashMap<&'a str, Vec<UserId>>);

impl<'a> Users<'a> {
    pub(super) fn of(tailnet: &'a Tailnet) -> Self {
        let mut users: FxHashMap<&str, Vec<UserId>> = FxHashMap::default();
        for (user, id) in
            tailnet.users().iter().zip((0..).map(UserId)).filter(|it| !it.0.has_left())
        {
            users.entry(&user.login).or_default().push(id);
            if user.name != user.login {
                users.entry(&user.name).or_default().push(id);
            }
        }
        Self(users)
    }

    /// Everybody that a login may stand for. One `@` at its end only says that it is a user.
    pub(super) fn named(&self, login: &str) -> &[UserId] {
        self.0.get(login.strip_suffix('@').unwrap_or(login)).map_or(&[], Vec::as_slice)
    }
}

/// What the facts say of a policy besides what they say to Tailscale.
pub(super) fn check(policy: &Policy, tailnet: &Tailnet, problems: &mut Vec<Problem>) {
    let users = Users::of(tailnet);
    for Spanned { value: login, span } in &policy.logins {
        let all = users.named(login);
        if all.len() > 1 {
            let names = all.iter().filter_map(|it| tailnet.user(*it));
            let names = names.map(|it| it.name.to_string()).collect();
            let login = login.to_string();
            problems.push(Problem::SeveralUsers { span: *span, login, names });
        }
    }
    attribute_targets(policy, &users, problems);
    localparts(policy, tailnet, problems);
    exit_nodes(policy, tailnet, problems);
}

/// Attributes for somebody whom the server does not know: it refuses the file.
fn attribute_targets(policy: &Policy, users: &Users<'_>, problems: &mut Vec<Problem>) {
    let login = |it: u32| policy.logins.get(it as usize).map(|it| &*it.value);
    for target in policy.node_attrs.iter().flat_map(|it| &it.target) {
        let logins: Vec<u32> = match target.value {
            Target::Login(id) => vec![id.0],
            Target::Group(id) => {
                let group = policy.groups.get(id.0 as usize);
                group.into_iter().flat_map(|it| &it.members).map(|it| it.value.0).collect()
            }
            _ => continue,
        };
        let mut logins = logins.into_iter().filter_map(login);
        if let Some(login) = logins.find(|it| users.named(it).is_empty()) {
            let target_text = policy.describe(target.value);
            let (span, login) = (target.span, login.to_owned());
            problems.push(Problem::UnknownUserOfAttributes { span, login, target: target_text });
        }
    }
}

/// `localpart:*@…` of a domain in which nobody has an address.
fn localparts(policy: &Policy, tailnet: &Tailnet, problems: &mut Vec<Problem>) {
    let in_domain = |login: &str, domain: &str| {
        login.rsplit_once('@').is_some_and(|it| it.1.eq_ignore_ascii_case(domain))
    };
    for user in policy.file.ssh.iter().flat_map(|it| &it.users) {
        let Some(domain) = user.value.strip_prefix("localpart:*@") else { continue };
        if !domain.is_empty() && !tailnet.users().iter().any(|it| in_domain(&it.login, domain)) {
            problems
                .push(Problem::LocalpartOfNobody { span: user.span, domain: domain.to_owned() });
        }
    }
}

/// Exit nodes that are offered more widely, or less, than on Tailscale.
fn exit_nodes(policy: &Policy, tailnet: &Tailnet, problems: &mut Vec<Problem>) {
    let is_exit = |it: &&Node| it.exit_routes().next().is_some();
    let exits: Vec<&Node> = tailnet.nodes().iter().filter(is_exit).collect();
    let Some(first) = exits.first() else { return };
    let name = first.name.to_string();
    let internet = |it: &Target| matches!(it, Target::Any | Target::Autogroup(Autogroup::Internet));
    let mut rules =
        policy.rules.iter().flatten().filter(|it| it.app.is_empty() || !it.ip.is_empty());
    let named = rules.clone().any(|it| it.dst.iter().any(|it| internet(&it.target)));
    if let Some(rule) = rules.find(|it| !it.src.is_empty() && !it.dst.is_empty()).filter(|_| !named)
    {
        let span = rule.dst.first().map_or(rule.span, |it| it.span);
        problems.push(Problem::ExitNodeOffered { span, name: name.clone() });
    }
    let suggested =
        |it: &crate::policy::NodeAttr| it.attr.iter().any(|it| &*it.value == SUGGEST_EXIT_NODE);
    let uses = policy.file.auto_approvers.exit_node.first();
    if let Some(approver) = uses.filter(|_| !policy.node_attrs.iter().any(suggested)) {
        problems.push(Problem::ExitNodeNotSuggested { span: approver.span, name });
    }
}
