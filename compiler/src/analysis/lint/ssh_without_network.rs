//! W1501: an SSH rule for devices whose port 22 no other rule opens to its sources.

use rustc_hash::FxHashSet;

use super::Subject;
use super::access::is_default;
use crate::diagnostic::{Diagnostic, code};
use crate::policy::{Policy, SshRule, Target};
use crate::span::Spanned;

/// The port of SSH, and its protocol.
const SSH: u16 = 22;
const TCP: Option<u8> = Some(6);

/// At most so many pairs are compared.
const MAX_COMPARED: usize = 2_000_000;

/// Silent where a source or destination may belong to one that has access: only what nobody can
/// reach is reported.
pub(super) fn find(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let (access, atoms) = (subject.access(), subject.atoms());
    let ssh = &subject.policy.ssh;
    if ssh.is_empty() || subject.policy.rules.is_none() || !access.open.is_empty() || !access.whole
    {
        return Vec::new();
    }
    let flows = (0..subject.rules().len()).flat_map(|it| access.of(it));
    let opened = flows.filter(|it| {
        it.ports.contains(SSH) && (it.protocol == TCP || it.protocol.is_none() && is_default(TCP))
    });
    let doors: FxHashSet<(Target, Target)> = opened.map(|it| (it.src, it.dst)).collect();
    let mut compared = 0;
    let mut found = Vec::new();
    for rule in ssh {
        let targets = |list: &[Spanned<Target>]| -> Vec<Target> {
            list.iter().map(|it| atoms.of(it.value)).collect()
        };
        let (src, dst) = (targets(&rule.src), targets(&rule.dst));
        compared += doors.len() * src.len() * dst.len();
        if compared > MAX_COMPARED {
            return found;
        }
        let open = |src: &Target, dst: &Target| {
            doors.iter().any(|it| atoms.may_share(it.0, *src) && atoms.may_share(it.1, *dst))
        };
        let shut = dst.iter().position(|dst| !src.iter().any(|src| open(src, dst)));
        let locked_out = src.iter().position(|src| !dst.iter().any(|dst| open(src, dst)));
        found.extend(report(subject.policy, rule, shut, locked_out));
    }
    found
}

fn report(
    policy: &Policy,
    rule: &SshRule,
    shut: Option<usize>,
    locked_out: Option<usize>,
) -> Option<Diagnostic> {
    let name = |it: &Spanned<Target>| policy.describe(it.value);
    let (selector, message) = match (shut, locked_out) {
        (Some(at), _) => {
            let dst = rule.dst.get(at)?;
            (dst, format!("no other rule lets these sources reach port 22 of `{}`", name(dst)))
        }
        (None, Some(at)) => {
            let src = rule.src.get(at)?;
            (src, format!("no other rule lets `{}` reach port 22 of these destinations", name(src)))
        }
        (None, None) => return None,
    };
    let found = Diagnostic::new(code::W1501, message, selector.span);
    Some(
        found
            .label("an SSH rule says who may log in, not who gets through")
            .help("add a rule with `tcp:22` for them in `grants` or `acls`, or take this out"),
    )
}
