//! How headscale evaluates assertions: which rules it counts, what it takes for reached, and what it
//! answers to one that fails.
//!
//! SOURCE: docs/headscale.md, "Assertions".

use super::problem::AssertionProblem;
use super::rects::{Between, Probe};
use super::{Facts, Side};
use crate::ast::Autogroup;
use crate::diagnostic::{Diagnostic, Refusal, Turn};
use crate::dialect::Dialect;
use crate::policy::{Rule, Target};

/// What the answer begins with.
const FAILED: &str = "test(s) failed:\n";

/// A rule as far as assertions count it: neither through routers, nor to one's own devices.
pub(super) fn counted(rule: &Rule) -> Rule {
    let own = Target::Autogroup(Autogroup::OwnDevices);
    let mut rule = rule.clone();
    let through_routers = !rule.via.is_empty();
    rule.dst.retain(|it| it.target != own && !through_routers);
    rule
}

/// Whether every address of the sources reaches some address of the destinations, of either family.
pub(super) fn allowed(
    facts: &Facts<'_>,
    rules: &[&Rule],
    between: &Between<'_>,
    probe: Probe,
) -> bool {
    let mut open = between.src.families().clone();
    for rule in rules {
        let reaches = |dst: &crate::policy::Destination| {
            let touch = between.dst.touch(facts, Side::Destination, dst.target);
            touch.certain.iter().any(|it| !it.is_empty())
        };
        let passing = rule.dst.iter().zip(0..).filter(|(_, at)| probe.passes(rule, *at));
        if !passing.into_iter().any(|(dst, _)| reaches(dst)) {
            continue;
        }
        for src in &rule.src {
            let touch = between.src.touch(facts, Side::Source, src.value);
            open.iter_mut().zip(&touch.certain).for_each(|(open, it)| open.remove_touched(it));
        }
    }
    open.iter().all(super::ends::EndSet::is_empty)
}

impl AssertionProblem {
    /// The report where the file is to go to headscale.
    pub fn report_for_headscale(&self) -> Diagnostic {
        let mut it = self.report();
        if matches!(self, Self::Refused { .. }) {
            it.help = Some("each address of the source must reach it, of either family; rules with `via` or to `autogroup:self` do not count".to_owned());
        }
        let line = match self {
            Self::Refused { src, dst, proto, .. } => {
                Some(format!("{src} -> {dst}{}: expected ALLOWED, got DENIED", named(proto)))
            }
            Self::Reached { src, dst, proto, .. } => {
                Some(format!("{src} -> {dst}{}: expected DENIED, got ALLOWED", named(proto)))
            }
            _ => None,
        };
        // Which device of several a session fails at is the server's to name.
        let failing = line.is_some() || matches!(self, Self::Session { .. });
        let turn = if failing { Turn::Assertions } else { Turn::Tests };
        let message = line.map(|it| format!("{FAILED}{it}"));
        it.refusal = it.refusal.map(|_| Refusal { by: Dialect::Headscale, turn, message });
        it
    }
}

fn named(proto: &Option<crate::ast::Text>) -> String {
    proto.as_ref().filter(|it| !it.is_empty()).map_or_else(String::new, |it| format!(" ({it})"))
}
