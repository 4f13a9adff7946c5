//! W1207: a tag that everyone may apply, and that opens something.

use super::Subject;
use super::access::Flow;
use super::words::count;
use crate::ast::Autogroup;
use crate::diagnostic::{Diagnostic, code};
use crate::policy::{Policy, Tag, TagId, Target};
use crate::span::Span;

pub(super) fn find(subject: &Subject<'_>) -> Vec<Diagnostic> {
    subject.policy.tags.iter().filter_map(|tag| report(subject, tag)).collect()
}

fn report(subject: &Subject<'_>, tag: &Tag) -> Option<Diagnostic> {
    let everyone = tag.owners.iter().find(|it| is_everyone(it.value))?;
    let name = &tag.name.value;
    let (opened, gain) = opened(subject, name)?;
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

/// What a device gains by carrying a tag, if anything.
fn opened(subject: &Subject<'_>, name: &str) -> Option<(Span, &'static str)> {
    let policy: &Policy = subject.policy;
    if let Some(rule) = more_than_everyone(subject, name) {
        return Some((rule, "so reach what rules open to it"));
    }
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

/// A rule that lets a tag reach what everyone does not reach anyway.
fn more_than_everyone(subject: &Subject<'_>, name: &str) -> Option<Span> {
    subject.uses().of(name).src?;
    let (access, atoms) = (subject.access(), subject.atoms());
    let id = subject.policy.tags.iter().position(|it| *it.name.value == *name)?;
    let tag = Target::Tag(TagId(id as u32));
    let everyone =
        |flow: &Flow| Flow { src: Target::Autogroup(Autogroup::Member), rule: u32::MAX, ..*flow };
    let more = |flow: &&Flow| flow.src == tag && access.cover(&everyone(flow), atoms).is_none();
    let rules = subject.rules().iter().zip(0..);
    let mut places = rules.flat_map(|(rule, index)| rule.src.iter().map(move |it| (it, index)));
    places.find_map(|(src, index)| {
        let opens = src.value == tag && access.of(index).iter().any(|it| more(&it));
        opens.then_some(src.span)
    })
}
