//! W1207: a tag that everyone may apply, and that opens something.

use rustc_hash::{FxHashMap, FxHashSet};

use super::Subject;
use super::access::Flow;
use super::words::count;
use crate::ast::Autogroup;
use crate::diagnostic::{Diagnostic, code};
use crate::policy::{Policy, Tag, TagId, Target};
use crate::span::Span;

pub(super) fn find(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let gains = gains(subject);
    let tags = subject.policy.tags.iter().zip((0..).map(TagId));
    tags.filter_map(|(tag, id)| report(subject, tag, gains.get(&Target::Tag(id)))).collect()
}

fn report(subject: &Subject<'_>, tag: &Tag, gain: Option<&Span>) -> Option<Diagnostic> {
    let everyone = tag.owners.iter().find(|it| is_everyone(it.value))?;
    let name = &tag.name.value;
    let (opened, gain) = match gain {
        Some(rule) => (*rule, "so reach what rules open to it"),
        None => opened(subject, name)?,
    };
    let message = format!("anyone may apply `{name}` to a device of theirs, and {gain}");
    let found = Diagnostic::new(code::W1207, message, everyone.span);
    let others = tag.owners.len().saturating_sub(1);
    let help = match others {
        0 => "name those who set such devices up, for example `autogroup:admin`".to_owned(),
        _ => format!("take it out; {} own the tag besides", count(others, "other")),
    };
    Some(found.related(opened, "opened here").help(help))
}

fn is_everyone(target: Target) -> bool {
    matches!(target, Target::Autogroup(Autogroup::Member) | Target::Domain(_))
}

/// What a device gains by carrying a tag besides access by rules, if anything.
fn opened(subject: &Subject<'_>, name: &str) -> Option<(Span, &'static str)> {
    let policy: &Policy = subject.policy;
    let is_it = |it: &&crate::span::Spanned<crate::ast::Selector>| matches!(&it.value, crate::ast::Selector::Tag(tag) if **tag == *name);
    let ssh = policy.file.ssh.iter().flat_map(|it| &it.src).find(is_it);
    if let Some(ssh) = ssh {
        return Some((ssh.span, "so get the shells that SSH rules open to it"));
    }
    let approvers = &policy.file.auto_approvers;
    let approvers = approvers.exit_node.iter().chain(approvers.routes.iter().flat_map(|it| &it.1));
    let approver = approvers.into_iter().find(is_it);
    approver.map(|it| (it.span, "so have routes approved without being asked"))
}

/// For each tag that everyone may apply, where a rule lets it reach what everyone does not reach
/// anyway.
fn gains(subject: &Subject<'_>) -> FxHashMap<Target, Span> {
    let (access, atoms) = (subject.access(), subject.atoms());
    let tags = subject.policy.tags.iter().zip((0..).map(TagId));
    let open = tags.filter(|(tag, _)| tag.owners.iter().any(|it| is_everyone(it.value)));
    let open: FxHashSet<Target> = open.map(|(_, id)| Target::Tag(id)).collect();
    let mut gains = FxHashMap::default();
    if open.is_empty() {
        return gains;
    }
    for (rule, index) in subject.rules().iter().zip(0..) {
        for flow in access.of(index) {
            if !open.contains(&flow.src) || gains.contains_key(&flow.src) {
                continue;
            }
            let everyone =
                Flow { src: Target::Autogroup(Autogroup::Member), rule: u32::MAX, ..*flow };
            if access.cover(&everyone, atoms).is_none()
                && let Some(src) = rule.src.iter().find(|it| it.value == flow.src)
            {
                gains.insert(flow.src, src.span);
            }
        }
    }
    gains
}
