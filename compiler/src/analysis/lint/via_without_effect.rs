//! W1312: a grant with `via` beside a rule without it for the same access, which ends its steering.

use super::Subject;
use crate::diagnostic::{Diagnostic, code};
use crate::policy::Rule;

/// Networks behind routers only: among exit nodes it is the user who chooses.
pub(super) fn find(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let grants = subject.rules().iter().filter(|it| !it.via.is_empty());
    grants.filter_map(|it| report(subject, it)).collect()
}

fn report(subject: &Subject<'_>, grant: &Rule) -> Option<Diagnostic> {
    let (access, atoms) = (subject.access(), subject.atoms());
    let nets = || grant.dst.iter().filter(|it| subject.policy.net(it.target).is_some());
    let pairs = grant.src.iter().flat_map(|src| nets().map(move |dst| (src, dst)));
    let (src, dst, other) = pairs.take(MAX_PAIRS).find_map(|(src, dst)| {
        let other = access.reaches(atoms.of(src.value), atoms.of(dst.target), atoms)?;
        Some((src, dst, subject.rules().get(other as usize)?))
    })?;
    let via = grant.via.first()?;
    let message = format!(
        "`via` steers nothing for `{}`: another rule lets it reach `{}` by any router",
        subject.policy.describe(src.value),
        subject.policy.describe(dst.target)
    );
    let found = Diagnostic::new(code::W1312, message, via.span);
    let start = other.src.first().map_or(other.span, |it| it.span);
    Some(
        found.related(start, "this rule").help(
            "take the network or the source out of the other rule, or give it the same `via`",
        ),
    )
}

/// At most so many pairs of one grant are looked at.
const MAX_PAIRS: usize = 100;
