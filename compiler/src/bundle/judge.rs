//! A fragment and the contracts that speak of it → what it says and may not.

use super::Fragment;
use super::contracts::{Contract, Contracts, FILE_NAME, holds, names};
use super::problem::Problem;
use crate::ast::{PolicyFile, Selector};
use crate::span::{Span, Spanned};

/// Judges a fragment that has the right shape.
pub(super) fn judge(fragment: &Fragment, file: &PolicyFile, contracts: &Contracts) -> Vec<Problem> {
    let name = &fragment.name;
    let about: Vec<&Contract> = contracts.list.iter().filter(|it| it.is_about(name)).collect();
    if about.is_empty() {
        let span = fragment.object().map_or(file.opening, |it| it.span().opening());
        return vec![Problem::NoContract { span, file: name.clone() }];
    }
    let mut problems = Vec::new();
    for contract in about {
        sections(name, file, contract, &mut problems);
        definitions(name, file, contract, &mut problems);
        destinations(name, file, contract, &mut problems);
    }
    problems
}

fn sections(name: &str, file: &PolicyFile, contract: &Contract, problems: &mut Vec<Problem>) {
    let Some(allowed) = &contract.sections else { return };
    let help = help(contract, "lets it have", "no section", allowed);
    for Spanned { value: section, span } in &file.sections {
        if !allowed.iter().any(|it| it == section) {
            let (file, help) = (name.to_owned(), help.clone());
            problems.push(Problem::Section { span: *span, file, section, help });
        }
    }
}

fn definitions(name: &str, file: &PolicyFile, contract: &Contract, problems: &mut Vec<Problem>) {
    let Some(allowed) = &contract.defines else { return };
    let help = help(contract, "lets it define", "nothing", allowed);
    for Spanned { value: defined, span } in defined(file) {
        if !names(allowed, &defined) {
            let (file, help) = (name.to_owned(), help.clone());
            problems.push(Problem::Definition { span, file, name: defined, help });
        }
    }
}

/// Every name that a file defines.
fn defined(file: &PolicyFile) -> Vec<Spanned<String>> {
    let groups = file.groups.iter().map(|it| &it.name);
    let tags = file.tag_owners.iter().map(|it| &it.name);
    let hosts = file.hosts.iter().map(|it| &it.name);
    let ipsets = file.ipsets.iter().map(|it| &it.name);
    let postures = file.postures.iter().map(|it| &it.name);
    let all = groups.chain(tags).chain(hosts).chain(ipsets).chain(postures);
    all.map(|it| Spanned::new(it.value.to_string(), it.span)).collect()
}

fn destinations(name: &str, file: &PolicyFile, contract: &Contract, problems: &mut Vec<Problem>) {
    let Some(allowed) = &contract.grants_to else { return };
    let help = help(contract, "lets it grant access to", "nothing", allowed);
    for (selector, span) in granted(file) {
        let within = match selector {
            Selector::Literal(net) => holds(allowed, net),
            // All there is takes the pattern that means all; `**` is no better.
            Selector::Any => allowed.iter().any(|it| it == "*"),
            other => names(allowed, &other.to_string()),
        };
        if !within {
            let (file, destination, help) = (name.to_owned(), selector.to_string(), help.clone());
            problems.push(Problem::Destination { span, file, destination, help });
        }
    }
}

/// Every destination that a rule of a file gives access to.
fn granted(file: &PolicyFile) -> Vec<(&Selector, Span)> {
    let acls = file.acls.iter().flatten().flat_map(|it| &it.dst).map(|it| &it.selector);
    let grants = file.grants.iter().flatten().flat_map(|it| &it.dst);
    let ssh = file.ssh.iter().flat_map(|it| &it.dst);
    acls.chain(grants).chain(ssh).map(|it| (&it.value, it.span)).collect()
}

/// `contracts.toml:4 lets it define `tag:web-*`; ask the web team`
fn help(contract: &Contract, lets: &str, nothing: &str, allowed: &[String]) -> String {
    let all = match allowed {
        [] => nothing.to_owned(),
        all => all.iter().map(|it| format!("`{it}`")).collect::<Vec<_>>().join(", "),
    };
    let ask = contract.owner.as_ref().map(|it| format!("; its owner: {it}")).unwrap_or_default();
    format!("the contract at {FILE_NAME}:{} {lets} {all}{ask}", contract.line)
}
