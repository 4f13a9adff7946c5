//! W1205: the address of a device in a rule, where a tag or a user would outlive it.

use super::Subject;
use crate::diagnostic::{Diagnostic, code};
use crate::policy::Target;
use crate::span::Span;
use crate::tailnet::{Node, Owner};

/// A literal only: a host gives the address one place, and with it a name.
pub(super) fn find(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let Some(devices) = subject.devices() else { return Vec::new() };
    let rules = subject.rules().iter();
    let places = rules.flat_map(|rule| {
        let src = rule.src.iter().map(|it| (it.value, it.span));
        src.chain(rule.dst.iter().map(|it| (it.target, it.span)))
    });
    let mut told = rustc_hash::FxHashSet::default();
    places
        .filter_map(|(target, span)| {
            let Target::Literal(net) = target else { return None };
            let single = net.prefix_len() == net.max_prefix_len();
            let id = devices.tailnet.node_at(net.addr()).filter(|_| single)?;
            told.insert(net).then(|| report(devices.tailnet.node(id)?, devices, span)).flatten()
        })
        .collect()
}

fn report(node: &Node, devices: &super::devices::Devices<'_>, span: Span) -> Option<Diagnostic> {
    let instead = match &node.owner {
        Owner::Tags(tags) => format!("write `{}`", tags.first()?),
        Owner::User(user) => {
            let login = &devices.tailnet.user(*user)?.login;
            format!("write `{login}` if any of their devices will do, or give it a tag")
        }
        Owner::Nobody => "give it a tag".to_owned(),
    };
    let both = node.ipv4.is_some() && node.ipv6.is_some();
    let label =
        if both { "the other of its two addresses is left out" } else { "its address of today" };
    let message = format!(
        "this is the address of `{}`, which gets another when it is set up anew",
        node.name
    );
    let found = Diagnostic::new(code::W1205, message, span).label(label);
    Some(found.help(format!("{instead}, or define the address once in `hosts`")))
}
