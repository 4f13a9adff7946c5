//! W1502: everyone may log in as root on devices that are not their own.
//! W1503: some people may, without a fresh login.

use super::Subject;
use crate::ast::{Autogroup, SshAction};
use crate::diagnostic::{Diagnostic, code};
use crate::policy::{SshRule, SshUser, Target};
use crate::span::Spanned;

pub(super) fn find(subject: &Subject<'_>) -> Vec<Diagnostic> {
    subject.policy.ssh.iter().filter_map(|it| report(subject, it)).collect()
}

fn report(subject: &Subject<'_>, rule: &SshRule) -> Option<Diagnostic> {
    let own = Target::Autogroup(Autogroup::OwnDevices);
    let is_root = |it: &SshUser| matches!(it, SshUser::Named(name) if &**name == "root");
    let root = rule.users.iter().find(|it| is_root(&it.value))?;
    let (src, dst) = (&rule.src, &rule.dst);
    let others = dst.iter().find(|it| it.value != own && !matches!(it.value, Target::Login(_)))?;
    if rule.action.value != SshAction::Accept {
        return None;
    }
    if let Some(everyone) = src.iter().find(|it| is_everyone(it)) {
        let whose = subject.policy.describe(everyone.value);
        let message = format!(
            "all of `{whose}` may become root on `{}`",
            subject.policy.describe(others.value)
        );
        let found = Diagnostic::new(code::W1502, message, root.span);
        return Some(
            found
                .related(everyone.span, "everyone")
                .help("leave `autogroup:nonroot` and take `root` out, or name the few who need it"),
        );
    }
    // A check needs a person: a list with a tag in it cannot have one.
    if src.is_empty() || !src.iter().all(|it| super::atoms::is_person(it.value)) {
        return None;
    }
    let message =
        format!("root on `{}` without a fresh login", subject.policy.describe(others.value));
    let found = Diagnostic::new(code::W1503, message, root.span);
    Some(found.related(rule.action.span, "asks for nothing").help(
        "`check` instead of `accept` asks people to log in anew, so that a laptop left open is not root everywhere",
    ))
}

fn is_everyone(src: &Spanned<Target>) -> bool {
    matches!(
        src.value,
        Target::Domain(_) | Target::Autogroup(Autogroup::Member | Autogroup::Tagged)
    )
}
