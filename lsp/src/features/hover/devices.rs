//! A selector → the users, devices and addresses it stands for; a rule → what it reaches.

use std::fmt::Write as _;

use compiler::ast::{Autogroup, Selector};
use compiler::cst::SyntaxNode;
use compiler::policy::Target;
use compiler::tables::flows::named_by;
use compiler::tailnet::{Node, NodeId, Owner, Tailnet, UserId};

use super::super::analysis::Analysis;
use super::super::shape::Form;
use super::super::words::count;
use super::{about_autogroup, target};

/// At most so many lines of a list are shown.
const MAX_LINES: usize = 12;

/// What a selector stands for, as Markdown; `None` for a name that is not defined.
pub(super) fn of_selector(analysis: &Analysis, selector: &Selector) -> Option<String> {
    let policy = analysis.policy();
    let tailnet = analysis.tailnet();
    let heading = |rest: &str| format!("**{}** · {rest}", escaped(&selector.to_string()));
    Some(match selector {
        Selector::Any => with_nodes(heading("everything"), tailnet, |it| it.node_ids().collect()),
        Selector::Autogroup(
            it @ (Autogroup::OwnDevices
            | Autogroup::Internet
            | Autogroup::DangerAll
            | Autogroup::Shared
            | Autogroup::Nonroot),
        ) => heading(about_autogroup(*it)),
        Selector::Autogroup(it) => {
            let about = heading(about_autogroup(*it));
            with_nodes(about, tailnet, |tailnet| named_by(policy, tailnet, Target::Autogroup(*it)))
        }
        Selector::Group(name) => {
            let group = policy.groups.iter().find(|it| it.name.value == *name)?;
            if group.synced {
                return Some(heading(
                    "synced by an identity provider; its members are not known here",
                ));
            }
            let mut text = heading(&count(group.members.len(), "member"));
            let logins =
                group.members.iter().filter_map(|it| policy.logins.get(it.value.0 as usize));
            let lines = logins.map(|it| member(tailnet, &it.value));
            list(&mut text, lines.collect());
            text
        }
        Selector::Tag(name) => {
            let tag = policy.tags.iter().find(|it| it.name.value == *name)?;
            let owners: Vec<String> =
                tag.owners.iter().map(|it| format!("`{}`", policy.describe(it.value))).collect();
            let owned = match owners.as_slice() {
                [] => "owned by admins only".to_owned(),
                owners => format!("owned by {}", owners.join(", ")),
            };
            with_nodes(heading(&owned), tailnet, |tailnet| tailnet.tagged(name).to_vec())
        }
        Selector::Host(name) => {
            let host = policy.hosts.iter().find(|it| it.name.value == *name)?;
            let net = Selector::Literal(host.net);
            let text = heading(&format!("`{net}`"));
            format!("{text}{}", tailnet.map_or_else(String::new, |it| around(it, host.net)))
        }
        Selector::Literal(net) => {
            let tailnet = tailnet?;
            let around = around(tailnet, *net);
            if around.is_empty() {
                heading("no device has or routes it")
            } else {
                format!("**{selector}**{around}")
            }
        }
        Selector::Ipset(name) => {
            let set = policy.ipsets.iter().find(|it| it.name.value == *name)?;
            let definition = policy.file.ipsets.iter().find(|it| it.name.value == *name);
            let mut text = heading(&count(set.steps.len(), "step"));
            let steps = definition.into_iter().flat_map(|it| &it.value);
            list(&mut text, steps.map(|it| format!("`{}`", it.span.of(analysis.text()))).collect());
            if let Some(tables) = analysis.tables()
                && let Some(target) = target(analysis, selector)
            {
                let ranges = tables.ranges_of(target);
                let shown: Vec<String> = ranges
                    .iter()
                    .take(MAX_LINES)
                    .map(|it| format!("`{}`", compiler::analysis::ends::range_text(*it)))
                    .collect();
                let more = if ranges.len() > MAX_LINES { " …" } else { "" };
                let _ = write!(text, "\n\nAddresses: {}{more}", shown.join(", "));
            }
            text
        }
        Selector::Service(name) => {
            let found = tailnet?.services().iter().find(|it| *it.name == **name)?;
            let all: Vec<String> = found.addresses.iter().map(|it| format!("`{it}`")).collect();
            heading(&format!("a service at {}", all.join(", ")))
        }
        Selector::User(login) => {
            let Some(tailnet) = tailnet else { return Some(heading("a user")) };
            let Some(id) = tailnet.user_with_login(login) else {
                return Some(heading("nobody of the inventory logs in so"));
            };
            let role = tailnet.user(id).and_then(|it| it.role).map_or("a user", |it| it.name());
            with_nodes(heading(role), Some(tailnet), |it| it.nodes_of(id).to_vec())
        }
        Selector::UserDomain(domain) => {
            let text = heading("everybody who logs in at the domain");
            with_nodes(text, tailnet, |tailnet| {
                let users = tailnet.users().iter().zip((0..).map(UserId));
                let there = users
                    .filter(|it| it.0.login.rsplit_once('@').is_some_and(|it| *it.1 == **domain));
                there.flat_map(|it| tailnet.nodes_of(it.1)).copied().collect()
            })
        }
    })
}

/// `*` is emphasis to Markdown.
fn escaped(text: &str) -> String {
    text.replace('*', "\\*").replace('_', "\\_")
}

/// How many devices there are, and which.
fn with_nodes(
    heading: String,
    tailnet: Option<&Tailnet>,
    nodes: impl FnOnce(&Tailnet) -> Vec<NodeId>,
) -> String {
    let Some(tailnet) = tailnet else { return heading };
    let nodes = nodes(tailnet);
    let mut text = format!("{heading} · {}", count(nodes.len(), "device"));
    let few = nodes.iter().take(MAX_LINES + 1).filter_map(|it| tailnet.node(*it));
    let mut lines: Vec<String> = few.map(|it| device(tailnet, it)).collect();
    lines.extend(std::iter::repeat_n(String::new(), nodes.len().saturating_sub(lines.len())));
    list(&mut text, lines);
    text
}

/// A device with its addresses and its owner.
fn device(tailnet: &Tailnet, node: &Node) -> String {
    let addresses: Vec<String> = node.addresses().map(|it| format!("`{it}`")).collect();
    let owner = match &node.owner {
        Owner::User(id) => tailnet.user(*id).map_or_else(String::new, |it| it.login.to_string()),
        Owner::Tags(tags) => tags.join(", "),
        Owner::Nobody => String::new(),
    };
    let owner = if owner.is_empty() { owner } else { format!(" · {owner}") };
    format!("{} {}{owner}", node.name, addresses.join(" "))
}

/// A member of a group with their devices.
fn member(tailnet: Option<&Tailnet>, login: &str) -> String {
    let Some(tailnet) = tailnet else { return login.to_owned() };
    let Some(id) = tailnet.user_with_login(login) else {
        return format!("{login} · not in the inventory");
    };
    let nodes = tailnet.nodes_of(id);
    let few = nodes.iter().take(4).filter_map(|it| tailnet.node(*it));
    let mut devices: Vec<String> = few
        .map(|it| {
            let first = it.addresses().next().map_or_else(String::new, |it| format!(" `{it}`"));
            format!("{}{first}", it.name)
        })
        .collect();
    if nodes.len() > 4 {
        devices.push(format!("and {} more", nodes.len() - 4));
    }
    match devices.as_slice() {
        [] => format!("{login} · no device"),
        devices => format!("{login} · {}", devices.join(", ")),
    }
}

/// The devices and routes in and around a prefix.
fn around(tailnet: &Tailnet, net: ipnet::IpNet) -> String {
    let inside = match net {
        ipnet::IpNet::V4(it) => tailnet
            .ipv4_between(it.network().into(), it.broadcast().into())
            .iter()
            .map(|it| it.1)
            .collect::<Vec<_>>(),
        ipnet::IpNet::V6(it) => tailnet
            .ipv6_between(it.network().into(), it.broadcast().into())
            .iter()
            .map(|it| it.1)
            .collect(),
    };
    let mut lines: Vec<String> =
        inside.iter().filter_map(|it| tailnet.node(*it)).map(|it| device(tailnet, it)).collect();
    for id in tailnet.routers() {
        let Some(router) = tailnet.node(*id) else { continue };
        for route in router.subnet_routes() {
            if route.contains(&net) || net.contains(&route) {
                lines.push(format!("{} routes `{route}`", router.name));
            }
        }
    }
    let mut text = String::new();
    list(&mut text, lines);
    text
}

/// The first lines of a list, and how many more there are.
fn list(text: &mut String, lines: Vec<String>) {
    if lines.is_empty() {
        return;
    }
    text.push('\n');
    for line in lines.iter().take(MAX_LINES) {
        let _ = write!(text, "\n- {line}");
    }
    if lines.len() > MAX_LINES {
        let _ = write!(text, "\n- and {} more", lines.len() - MAX_LINES);
    }
}

/// What the rule that an object is reaches, in a sentence.
pub(super) fn of_rule(analysis: &Analysis, form: Form, object: SyntaxNode<'_>) -> Option<String> {
    let _ = form;
    let reach = analysis.reach()?;
    let rules = analysis.policy().rules.as_deref()?;
    let at = rules.iter().position(|it| it.span == object.span())?;
    Some(format!("This rule: {}", reach.of(at)?.sentence()))
}
