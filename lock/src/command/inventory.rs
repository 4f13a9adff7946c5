//! `--nodes I --select SELECTOR` → the nodes of an inventory that one selector of the policy language
//! stands for.
//!
//! There is no policy here, so selectors that a policy defines are refused: groups, IP sets, hosts.
//! A word that is no other selector is the name of a node.

use std::path::Path;

use compiler::ast::selector::{self, Autogroup, Selector};
use compiler::tailnet::{self, Node, Owner, Role, Tailnet};

use super::blob;
use super::failure::{Failure, shown};
use super::visible::visible;

/// An inventory in any of its shapes.
pub(crate) fn read(path: &Path) -> Result<Tailnet, Failure> {
    let bytes = blob::file(path)?;
    let text = String::from_utf8_lossy(&bytes);
    let read = tailnet::read(text.trim_start_matches('\u{feff}'));
    read.tailnet.ok_or_else(|| {
        let first = read.diagnostics.first().map(|it| it.message.clone()).unwrap_or_default();
        Failure::usage(
            format!("`{}` is no inventory: {}", shown(path), visible(&first)),
            "`aclc check --nodes` shows where it is wrong",
        )
    })
}

/// Which nodes a selector stands for.
#[derive(Debug)]
pub(crate) struct Selected<'t> {
    /// In the order of the inventory.
    pub(crate) nodes: Vec<&'t Node>,
    /// Nodes of which it is not known, because their owner's role is not.
    pub(crate) undecided: Vec<&'t Node>,
}

/// The nodes that `text` stands for.
pub(crate) fn select<'t>(tailnet: &'t Tailnet, text: &str) -> Result<Selected<'t>, Failure> {
    let selector = selector::read(text).map_err(|_| {
        Failure::usage(
            format!("`{}` is no selector", visible(text)),
            "one is `*`, `tag:web`, `alice@example.com`, `autogroup:member`, an address, a prefix, or the name of a node",
        )
    })?;
    let selector = selector.selector;
    if let Selector::Group(_) | Selector::Ipset(_) | Selector::Service(_) = selector {
        return Err(Failure::usage(
            format!("`{}` is defined in a policy, and none is read here", visible(text)),
            "select by tag, by user, by address or by name",
        ));
    }
    let mut selected = Selected { nodes: Vec::new(), undecided: Vec::new() };
    for node in tailnet.nodes() {
        match matches(&selector, node, tailnet) {
            Some(true) => selected.nodes.push(node),
            Some(false) => {}
            None => selected.undecided.push(node),
        }
    }
    Ok(selected)
}

/// Whether a selector stands for a node; `None` where that is not known.
fn matches(selector: &Selector, node: &Node, tailnet: &Tailnet) -> Option<bool> {
    let user = match &node.owner {
        Owner::User(id) => tailnet.user(*id),
        _ => None,
    };
    let tags: &[_] = match &node.owner {
        Owner::Tags(tags) => tags,
        _ => &[],
    };
    Some(match selector {
        Selector::Any => true,
        Selector::User(login) => user.is_some_and(|it| *it.login == **login),
        Selector::UserDomain(domain) => {
            user.and_then(|it| it.login.rsplit_once('@')).is_some_and(|(_, it)| it == &**domain)
        }
        Selector::Tag(tag) => tags.iter().any(|it| **it == **tag),
        Selector::Host(name) => *node.name == **name,
        Selector::Literal(prefix) => node.addresses().any(|it| prefix.contains(&it)),
        Selector::Autogroup(Autogroup::Member | Autogroup::Members) => user.is_some(),
        Selector::Autogroup(Autogroup::Tagged) => !tags.is_empty(),
        Selector::Autogroup(group) => {
            let role = Role::ALL.iter().find(|it| it.name() == group.name());
            match (user, role) {
                (Some(user), Some(role)) => user.role? == *role,
                _ => false,
            }
        }
        Selector::Group(_) | Selector::Ipset(_) | Selector::Service(_) => false,
    })
}
