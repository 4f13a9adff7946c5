//! W1401: a rule of which other rules give everything.

use rustc_hash::FxHashSet;

use super::Subject;
use super::repeated_rule::repeated;
use super::words::names;
use crate::diagnostic::{Diagnostic, code};
use crate::policy::Rule;

/// A rule that opens everything makes all others pointless, which is its own finding and not theirs.
pub(super) fn find(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let rules = subject.rules();
    let again: FxHashSet<usize> = repeated(rules).into_iter().map(|it| it.1).collect();
    let plain = rules.iter().zip(0..).filter(|(rule, index)| {
        rule.app.is_empty() && rule.via.is_empty() && !again.contains(index)
    });
    plain.filter_map(|(rule, index)| report(subject, rule, index)).collect()
}

fn report(subject: &Subject<'_>, rule: &Rule, index: usize) -> Option<Diagnostic> {
    let (access, atoms) = (subject.access(), subject.atoms());
    let flows = access.of(index);
    let mut others: Vec<u32> = Vec::new();
    for flow in flows {
        let other = access.cover(flow, atoms)?;
        if !others.contains(&other) && others.len() < MAX_NAMED {
            others.push(other);
        }
    }
    let others: Vec<&Rule> =
        others.iter().filter_map(|it| subject.rules().get(*it as usize)).collect();
    others.first()?;
    let places: Vec<String> =
        others.iter().map(|it| format!("{}[{}]", it.section.name(), it.index)).collect();
    let found = Diagnostic::new(
        code::W1401,
        format!("this rule gives nothing beyond what {}", given(&places)),
        rule.span.opening(),
    );
    let found = others.iter().fold(found, |found, it| found.related(it.span.opening(), "gives it"));
    Some(found.help("take it out, or make the wider rule narrower"))
}

fn given(places: &[String]) -> String {
    let verb = if places.len() == 1 { "gives" } else { "give" };
    format!("{} {verb} already", names(places))
}

/// At most so many rules are named.
const MAX_NAMED: usize = 3;
