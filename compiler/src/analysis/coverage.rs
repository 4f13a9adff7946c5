//! Which rules no assertion makes use of: acl/W0511.
//!
//! A rule is made use of where an assertion that holds is let through by it, whether or not another
//! rule would do as well. Grants that give capabilities only are left out: assertions cannot speak of
//! them.

use crate::diagnostic::{Diagnostic, code};
use crate::policy::Rule;
use crate::span::{Span, Spanned};
use crate::tables::assertions::{Assertions, Exercise};

use super::mutants::{opening, propose, propose_ssh, ssh_users};
use super::tally::Coverage;

/// Every rule and destination that no assertion makes use of, and how many there are.
pub(super) fn run(
    assertions: &Assertions<'_>,
    exercise: &Exercise,
    counts: &mut Coverage,
) -> Vec<Diagnostic> {
    let policy = assertions.policy();
    let mut found = Vec::new();
    let rules = assertions.rules().iter().zip(&exercise.rules);
    for (rule, used) in rules.filter(|it| policy.rules.is_some() && can_be_asserted(it.0)) {
        let dst: Vec<(Span, String)> =
            rule.dst.iter().map(|it| (it.span, policy.describe(it.target))).collect();
        for unused in unused(rule.span, &dst, used, counts) {
            let only = unused.dst.and_then(|it| rule.dst.get(it)).map(|it| vec![it.clone()]);
            let part = Rule { dst: only.unwrap_or_else(|| rule.dst.clone()), ..rule.clone() };
            found.push(propose(unused.report(), assertions.suggest_use(&part)));
        }
    }
    for (at, (rule, used)) in policy.ssh.iter().zip(&exercise.ssh).enumerate() {
        let described = |it: &Spanned<_>| (it.span, policy.describe(it.value));
        let dst: Vec<(Span, String)> = rule.dst.iter().map(described).collect();
        if rule.src.is_empty() {
            continue;
        }
        for unused in unused(rule.span, &dst, used, counts) {
            let mut lacking = rule.clone();
            let lacking = unused.dst.map(|it| {
                lacking.dst.remove(it);
                &lacking
            });
            let suggestion = assertions.suggest_ssh(at, lacking, &ssh_users(rule));
            found.push(propose_ssh(unused.report(), suggestion));
        }
    }
    found
}

fn can_be_asserted(rule: &Rule) -> bool {
    let ports = !rule.ip.is_empty() || rule.dst.iter().any(|it| it.ports.is_some());
    ports && !rule.src.is_empty()
}

/// A rule, or one of its destinations, that no assertion makes use of.
struct Unused {
    span: Span,
    /// Which destination; `None` is the whole rule.
    dst: Option<usize>,
    name: String,
}

impl Unused {
    fn report(&self) -> Diagnostic {
        match self.dst {
            None => Diagnostic::new(code::W0511, "no assertion makes use of this rule", self.span),
            Some(_) => {
                let message = format!("no assertion reaches `{}` through this rule", self.name);
                Diagnostic::new(code::W0511, message, self.span)
            }
        }
    }
}

/// Counts a rule, and says what of it is not made use of: all of it at once.
fn unused(rule: Span, dst: &[(Span, String)], used: &[bool], counts: &mut Coverage) -> Vec<Unused> {
    if dst.is_empty() {
        return Vec::new();
    }
    let reached = used.iter().filter(|it| **it).count();
    counts.rules += 1;
    counts.destinations += dst.len();
    counts.destinations_used += reached;
    if reached == 0 {
        return vec![Unused { span: opening(rule), dst: None, name: String::new() }];
    }
    counts.rules_used += 1;
    let missing = dst.iter().zip(used).enumerate().filter(|it| !it.1.1);
    missing
        .map(|(at, ((span, name), _))| Unused { span: *span, dst: Some(at), name: name.clone() })
        .collect()
}
