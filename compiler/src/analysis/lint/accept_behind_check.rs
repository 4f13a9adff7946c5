//! W1504: an SSH rule that accepts what another checks; the check wins.

use rustc_hash::FxHashMap;

use super::Subject;
use super::atoms::Side;
use crate::ast::SshAction;
use crate::diagnostic::{Diagnostic, code};
use crate::policy::{SshRule, SshUser, Target};

/// At most so many checks of one pair are looked at.
const MAX_CHECKS: usize = 16;

pub(super) fn find(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let mut checks: FxHashMap<(Target, Target), Vec<&SshRule>> = FxHashMap::default();
    let of =
        |wanted: SshAction| subject.policy.ssh.iter().filter(move |it| it.action.value == wanted);
    let mut room = MAX_OF_ALL;
    for rule in of(SshAction::Check).filter(|it| it.postures.is_empty()) {
        let pairs = pairs(subject, rule).unwrap_or_default();
        let Some(left) = room.checked_sub(pairs.len()) else { break };
        room = left;
        for pair in pairs {
            checks.entry(pair).or_default().push(rule);
        }
    }
    if checks.is_empty() {
        return Vec::new();
    }
    of(SshAction::Accept).filter_map(|it| report(subject, it, &checks)).collect()
}

fn report(
    subject: &Subject<'_>,
    rule: &SshRule,
    checks: &FxHashMap<(Target, Target), Vec<&SshRule>>,
) -> Option<Diagnostic> {
    let atoms = subject.atoms();
    let mut check = None;
    let holders = |atom, side| [atom].into_iter().chain(atoms.wider(atom, side));
    for (src, dst) in pairs(subject, rule)? {
        let found = holders(src, Side::Src).find_map(|src| {
            holders(dst, Side::Dst).find_map(|dst| {
                let rules = checks.get(&(src, dst))?.iter().take(MAX_CHECKS);
                rules.copied().find(|it| has_users(it, rule))
            })
        });
        check = Some(found?);
    }
    let (check, action) = (check?.action, rule.action);
    let message =
        "another rule asks the same people to log in anew, and the stricter of the two wins";
    let found = Diagnostic::new(code::W1504, message, action.span).label("never comes to this");
    Some(found.related(check.span, "wins").help("take one of the two rules out"))
}

/// Whether one rule has all users of another.
fn has_users(check: &SshRule, rule: &SshRule) -> bool {
    let has = |user: &SshUser| check.users.iter().any(|it| it.value == *user);
    rule.users.iter().all(|it| {
        let other = matches!(&it.value, SshUser::Named(name) if &**name != "root");
        has(&it.value) || other && has(&SshUser::Nonroot)
    })
}

/// Every source with every destination; `None` where they are too many.
fn pairs(subject: &Subject<'_>, rule: &SshRule) -> Option<Vec<(Target, Target)>> {
    let atoms = subject.atoms();
    let few = rule.src.len() * rule.dst.len() <= MAX_PAIRS;
    let src = rule.src.iter().map(|it| atoms.of(it.value));
    few.then(|| {
        src.flat_map(|src| rule.dst.iter().map(move |dst| (src, atoms.of(dst.value)))).collect()
    })
}

/// A rule with more pairs, or one behind so many pairs, is left out.
const MAX_OF_ALL: usize = 200_000;
const MAX_PAIRS: usize = 4_096;
