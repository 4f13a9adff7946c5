//! What headscale refuses, lets do less or lets do more where Tailscale has no such rule.
//!
//! SOURCE: docs/headscale.md. What it reads otherwise stands in `ast/headscale.rs`, what may stand
//! where in `place.rs`, and what its tables hold in `tables/`.

use super::names::Names;
use super::problem::{Difference, Problem};
use super::*;
use crate::ast::{self, SshAction};

/// A node attribute whose feature the release lacks, and where that is worked on.
const UNSUPPORTED: (&str, &str) = ("funnel", "https://github.com/juanfont/headscale/issues/2527");

/// The same for pools of addresses.
const POOLS: &str = "https://github.com/juanfont/headscale/issues/2912";

/// The most addresses of a source of `sshTests`: headscale goes through all of them in memory.
/// Chosen so that a subnet of the usual size passes.
const MAX_SSH_TEST_BITS: u8 = 16;

/// Checks everything that needs the whole file; SSH rules are checked one by one.
pub(super) fn check(names: &mut Names, file: &PolicyFile, rules: Option<&[Rule]>) {
    // Where there is no object, something else is said of that.
    if file.acls.is_none() && file.grants.is_none() && !file.opening.is_empty() {
        names.problems.push(Difference::AnySource.at(file.opening));
    }
    for rule in rules.unwrap_or_default() {
        if let Some(via) = rule.via.first().filter(|_| rule.ip.is_empty()) {
            names.problems.push(Difference::OnlyApp.at(via.span));
        }
    }
    attributes(names, file);
    environment(names, file);
    tests(names, file);
}

fn attributes(names: &mut Names, file: &PolicyFile) {
    for entry in &file.node_attrs {
        for attr in &entry.attr {
            if &*attr.value == UNSUPPORTED.0 {
                let api = format!(
                    "nodeAttrs uses a feature headscale does not yet support: {:?} tracked in {}",
                    UNSUPPORTED.0, UNSUPPORTED.1
                );
                let (span, what) = (attr.span, "`funnel`");
                names.problems.push(Problem::NotInHeadscale { span, what, api });
            } else if &*attr.value == "disable-ipv4" {
                names.problems.push(Difference::DisableIpv4.at(attr.span));
            }
        }
        if let Some(pool) = entry.ip_pool.first() {
            let api = format!("nodeAttrs ipPool requires the IP allocator ({POOLS})");
            let (span, what) = (pool.span, "pools of addresses");
            names.problems.push(Problem::NotInHeadscale { span, what, api });
        }
    }
}

/// Hosts take variables only where an attribute allows it, which Tailscale gives to every node.
fn environment(names: &mut Names, file: &PolicyFile) {
    let mut attrs = file.node_attrs.iter().flat_map(|it| &it.attr);
    if attrs.any(|it| &*it.value == "ssh-env-vars") {
        return;
    }
    let first = file.ssh.iter().find_map(|it| it.accept_env.first());
    names.problems.extend(first.map(|it| Difference::AcceptEnv.at(it.span)));
}

fn tests(names: &mut Names, file: &PolicyFile) {
    let portable = |text: &str| {
        let text = text.rsplit_once(':').filter(|it| it.0 != "autogroup").map_or(text, |it| it.0);
        !text.starts_with("autogroup:") && text != "*"
    };
    let mut only_here = |text: &Spanned<Text>| {
        if !portable(&text.value) {
            let difference = Difference::Test { written: Arc::clone(&text.value) };
            names.problems.push(difference.at(text.span));
        }
    };
    for test in &file.tests {
        test.src.iter().chain(&test.accept).chain(&test.deny).for_each(&mut only_here);
    }
    for test in &file.ssh_tests {
        test.dst.iter().for_each(&mut only_here);
    }
    for src in file.ssh_tests.iter().filter_map(|it| it.src.as_ref()) {
        let wide = match &*src.value {
            "*" | "autogroup:internet" | "autogroup:danger-all" => true,
            text => ast::selector::read_literal(text)
                .is_ok_and(|(net, _)| net.max_prefix_len() - net.prefix_len() > MAX_SSH_TEST_BITS),
        };
        if wide {
            let (span, written) = (src.span, Arc::clone(&src.value));
            names.problems.push(Problem::SshTestTooWide { span, written });
        }
    }
}

/// Checks an SSH rule, given its sources and destinations.
pub(super) fn check_ssh(
    names: &mut Names,
    rule: &ast::SshRule,
    src: &[Spanned<Target>],
    dst: &[Spanned<Target>],
) {
    let tagged = |it: &&Spanned<Target>| {
        matches!(it.value, Target::Tag(_) | Target::Autogroup(Autogroup::Tagged))
    };
    let tag = src.iter().find(tagged);
    for it in dst {
        match it.value {
            Target::Login(_) if tag.is_some() => {
                names.problems.push(Problem::SshTagToPeople { span: it.span, members: false });
            }
            Target::Login(_) => {
                let same =
                    src.len() == rule.src.len() && src.iter().all(|one| one.value == it.value);
                if !same || src.is_empty() {
                    names.problems.push(Problem::SshToOtherUser { span: it.span });
                }
            }
            Target::Autogroup(Autogroup::Member) if tag.is_some() => {
                names.problems.push(Problem::SshTagToPeople { span: it.span, members: true });
            }
            Target::Autogroup(Autogroup::Member) => {
                names.problems.push(Difference::SshToMembers.at(it.span));
            }
            Target::Autogroup(Autogroup::OwnDevices) => {
                let place = Place::SshSrc;
                names.problems.extend(tag.map(|tag| Problem::OwnDevicesOfOthers {
                    span: tag.span,
                    own: it.span,
                    place,
                }));
            }
            _ => {}
        }
    }
    match (rule.action, tag, rule.check_period) {
        (Some(Spanned { value: SshAction::Check, span: action }), Some(tag), _) => {
            names.problems.push(Problem::SshCheckFromTag { span: tag.span, action });
        }
        (Some(Spanned { value: SshAction::Accept, .. }), _, Some(period)) => {
            names.problems.push(Problem::PeriodWithoutCheck { span: period.span });
        }
        _ => {}
    }
}
