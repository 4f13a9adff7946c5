//! Changes of a rule that no assertion notices: acl/W0512.
//!
//! Each rule is removed, cut by a source or a destination, and widened in its sources, destinations,
//! ports and protocol, one change at a time. A change that no assertion notices is reported with one
//! that would; where there is none, the change means nothing on this tailnet and is no gap.

use std::sync::Arc;

use crate::ast::ports::protocol_name;
use crate::ast::posture::Operand;
use crate::ast::{PortRange, PortSpec, SshAction, Text};
use crate::diagnostic::{Diagnostic, code};
use crate::policy::{Policy, Rule, Section, SshRule, SshUser, Target};
use crate::span::{Span, Spanned};
use crate::tables::assertions::{Assertions, Change, Exercise, SshSuggestion, Suggestion};

use super::tally::Mutants;

/// A change of one rule.
struct Mutant<T> {
    span: Span,
    /// "this rule is removed"
    what: String,
    change: T,
    /// Whether the whole rule goes, so that parts of it need not be removed as well.
    whole: bool,
}

/// Every change that no assertion notices, and how many there are.
pub(super) fn run(
    assertions: &Assertions<'_>,
    exercise: &Exercise,
    counts: &mut Mutants,
) -> Vec<Diagnostic> {
    let policy = assertions.policy();
    let mut found = Vec::new();
    for (at, rule) in policy.rules.iter().flatten().enumerate() {
        let mut removable = false;
        for mutant in mutants(policy, rule) {
            if removable && matches!(mutant.change, Change::Narrower(_)) {
                continue;
            }
            if assertions.notice(exercise, at, &mutant.change) {
                counts.made += 1;
                counts.noticed += 1;
                continue;
            }
            let Some(suggestion) = assertions.suggest(at, &mutant.change) else { continue };
            counts.made += 1;
            removable |= mutant.whole;
            found.push(propose(mutant.report("no assertion notices"), Some(suggestion)));
        }
    }
    for (at, rule) in policy.ssh.iter().enumerate() {
        let users = ssh_users(rule);
        let mut removable = false;
        for mutant in ssh_mutants(policy, rule) {
            if removable && !mutant.whole {
                continue;
            }
            if assertions.notice_ssh(exercise, at, mutant.change.as_ref()) {
                counts.made += 1;
                counts.noticed += 1;
                continue;
            }
            let suggestion = assertions.suggest_ssh(at, mutant.change.as_ref(), &users);
            let Some(suggestion) = suggestion else { continue };
            counts.made += 1;
            removable |= mutant.whole;
            found.push(propose_ssh(mutant.report("no SSH assertion notices"), Some(suggestion)));
        }
    }
    found
}

impl<T> Mutant<T> {
    fn new(span: Span, what: impl Into<String>, change: T) -> Self {
        Self { span, what: what.into(), change, whole: false }
    }

    fn report(&self, nobody: &str) -> Diagnostic {
        Diagnostic::new(code::W0512, format!("{nobody} when {}", self.what), self.span)
    }
}

/// The changes of a rule about packets, its removal first.
fn mutants(policy: &Policy, rule: &Rule) -> Vec<Mutant<Change>> {
    let removed = Mutant::new(opening(rule.span), "this rule is removed", Change::Narrower(None));
    let mut mutants = vec![Mutant { whole: true, ..removed }];
    let name = |it: Target| policy.describe(it);
    if rule.src.len() > 1 {
        for (at, src) in rule.src.iter().enumerate() {
            let mut changed = rule.clone();
            changed.src.remove(at);
            let what = format!("`{}` is no longer a source", name(src.value));
            mutants.push(Mutant::new(src.span, what, Change::Narrower(Some(changed))));
        }
    }
    if rule.dst.len() > 1 {
        for (at, dst) in rule.dst.iter().enumerate() {
            let mut changed = rule.clone();
            changed.dst.remove(at);
            let what = format!("`{}` is no longer a destination", name(dst.target));
            mutants.push(Mutant::new(dst.span, what, Change::Narrower(Some(changed))));
        }
    }
    if let Some(src) =
        rule.src.first().filter(|_| rule.src.iter().all(|it| it.value != Target::Any))
    {
        let mut changed = rule.clone();
        changed.src = vec![Spanned::new(Target::Any, src.span)];
        mutants.push(Mutant::new(src.span, "`*` becomes the source", Change::Wider(changed)));
    }
    for (at, dst) in rule.dst.iter().enumerate().filter(|it| it.1.target != Target::Any) {
        let mut changed = rule.clone();
        if let Some(dst) = changed.dst.get_mut(at) {
            dst.target = Target::Any;
        }
        let what = format!("`{}` becomes `*`", name(dst.target));
        mutants.push(Mutant::new(dst.span, what, Change::Wider(changed)));
    }
    match rule.section {
        Section::Acls => acl_ports(policy, rule, &mut mutants),
        Section::Grants => grant_ports(policy, rule, &mut mutants),
    }
    mutants
}

/// Ports and protocol of an acl.
fn acl_ports(policy: &Policy, rule: &Rule, mutants: &mut Vec<Mutant<Change>>) {
    for (at, dst) in rule.dst.iter().enumerate() {
        let all = |ports: &[PortRange]| ports.contains(&PortRange::ALL);
        if dst.ports.as_deref().is_some_and(|it| !all(it)) {
            let mut changed = rule.clone();
            if let Some(dst) = changed.dst.get_mut(at) {
                dst.ports = Some([PortRange::ALL].into());
            }
            let what = format!("the ports of `{}` become `*`", policy.describe(dst.target));
            mutants.push(Mutant::new(dst.span, what, Change::Wider(changed)));
        }
    }
    if let Some(protocol) = rule.protocol {
        let written = policy.file.acls.iter().flatten().nth(rule.index as usize);
        let span = written.and_then(|it| it.protocol).map_or(opening(rule.span), |it| it.span);
        let changed = Rule { protocol: None, ..rule.clone() };
        let what = format!("`{}` is no longer the only protocol", protocol_name(protocol));
        mutants.push(Mutant::new(span, what, Change::Wider(changed)));
    }
}

/// Items of a grant's `ip`: each with all ports, and with the default protocols.
fn grant_ports(policy: &Policy, rule: &Rule, mutants: &mut Vec<Mutant<Change>>) {
    let written = policy.file.grants.iter().flatten().nth(rule.index as usize);
    for (at, spec) in rule.ip.iter().enumerate() {
        let span = written.and_then(|it| it.ip.get(at)).map_or(opening(rule.span), |it| it.span);
        if rule.ip.len() > 1 {
            let mut changed = rule.clone();
            changed.ip.remove(at);
            let change = Change::Narrower(Some(changed));
            mutants.push(Mutant::new(span, "this item is removed", change));
        }
        let mut with = |what: String, wider: PortSpec| {
            let mut changed = rule.clone();
            changed.ip.splice(at..=at, [wider]);
            mutants.push(Mutant::new(span, what, Change::Wider(changed)));
        };
        if spec.ports != PortRange::ALL {
            let wider = PortSpec { ports: PortRange::ALL, ..*spec };
            with("these ports become `*`".to_owned(), wider);
        }
        if let Some(protocol) = spec.protocol {
            let wider = PortSpec { protocol: None, ..*spec };
            with(format!("`{}` is no longer the only protocol", protocol_name(protocol)), wider);
        }
    }
}

/// The changes of an SSH rule, its removal first.
fn ssh_mutants(policy: &Policy, rule: &SshRule) -> Vec<Mutant<Option<SshRule>>> {
    let removed = Mutant::new(opening(rule.span), "this rule is removed", None);
    let mut mutants = vec![Mutant { whole: true, ..removed }];
    let named = |it: &Spanned<Target>| policy.describe(it.value);
    if rule.src.len() > 1 {
        for (at, src) in rule.src.iter().enumerate() {
            let mut changed = rule.clone();
            changed.src.remove(at);
            let what = format!("`{}` is no longer a source", named(src));
            mutants.push(Mutant::new(src.span, what, Some(changed)));
        }
    }
    if rule.dst.len() > 1 {
        for (at, dst) in rule.dst.iter().enumerate() {
            let mut changed = rule.clone();
            changed.dst.remove(at);
            let what = format!("`{}` is no longer a destination", named(dst));
            mutants.push(Mutant::new(dst.span, what, Some(changed)));
        }
    }
    if rule.users.len() > 1 {
        for (at, user) in rule.users.iter().enumerate() {
            let mut changed = rule.clone();
            changed.users.remove(at);
            let what = format!("`{}` is no longer a user", written(&user.value));
            mutants.push(Mutant::new(user.span, what, Some(changed)));
        }
    }
    let root = SshUser::Named("root".into());
    if let Some(first) = rule.users.first().filter(|_| rule.users.iter().all(|it| it.value != root))
    {
        let mut changed = rule.clone();
        changed.users.push(Spanned::new(root, first.span));
        let mutant = Mutant::new(first.span, "`root` becomes one of the users", Some(changed));
        mutants.push(mutant);
    }
    if rule.action.value == SshAction::Check {
        let mut changed = rule.clone();
        changed.action.value = SshAction::Accept;
        let what = "no fresh login is asked for";
        mutants.push(Mutant::new(rule.action.span, what, Some(changed)));
    }
    mutants
}

fn written(user: &SshUser) -> String {
    match user {
        SshUser::Named(name) => name.to_string(),
        SshUser::Nonroot => "autogroup:nonroot".to_owned(),
        SshUser::Localpart(domain) => format!("localpart:*@{domain}"),
    }
}

/// Users of a host with whom an SSH rule can be told from another.
pub(super) fn ssh_users(rule: &SshRule) -> Vec<Text> {
    let named = rule.users.iter().filter_map(|it| match &it.value {
        SshUser::Named(name) => Some(Arc::clone(name)),
        SshUser::Nonroot => Some("ubuntu".into()),
        SshUser::Localpart(_) => None,
    });
    let mut users: Vec<Text> = named.collect();
    users.push("root".into());
    users
}

/// An object may take many lines; what is said of all of it stands at its bracket.
pub(super) const fn opening(span: Span) -> Span {
    Span::new(span.start, span.start + 1)
}

/// Says which assertion would notice.
pub(super) fn propose(it: Diagnostic, suggestion: Option<Suggestion>) -> Diagnostic {
    let Some(Suggestion { accept, src, dst, protocol, attributes }) = suggestion else { return it };
    let protocol =
        protocol.map_or_else(String::new, |it| format!("\"proto\": \"{}\", ", protocol_name(it)));
    let attributes: Vec<String> = attributes
        .iter()
        .map(|(name, value)| {
            let value = match value {
                Operand::Text(text) => format!("{text:?}"),
                Operand::Number(number) => number.to_string(),
                Operand::Bool(value) => value.to_string(),
            };
            format!("{name:?}: {value}")
        })
        .collect();
    let attributes = match attributes.is_empty() {
        true => String::new(),
        false => format!("\"srcPostureAttrs\": {{{}}}, ", attributes.join(", ")),
    };
    let demand = if accept { "accept" } else { "deny" };
    it.help(format!(
        "this would, in `tests`: {{\"src\": \"{src}\", {attributes}{protocol}\"{demand}\": [\"{dst}\"]}}"
    ))
}

/// The same for SSH.
pub(super) fn propose_ssh(it: Diagnostic, suggestion: Option<SshSuggestion>) -> Diagnostic {
    let Some(SshSuggestion { outcome, src, dst, user }) = suggestion else { return it };
    let demand = outcome.name();
    it.help(format!(
        "this would, in `sshTests`: {{\"src\": \"{src}\", \"dst\": [\"{dst}\"], \"{demand}\": [\"{user}\"]}}"
    ))
}
