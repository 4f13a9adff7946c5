//! W1404: access between one pair that is spread over `grants` and `acls`.

use rustc_hash::FxHashMap;

use super::Subject;
use super::words::count;
use crate::diagnostic::{Diagnostic, code};
use crate::policy::{Section, Target};

/// One report for the file: the two sections are one decision.
pub(super) fn find(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let (rules, access, atoms) = (subject.rules(), subject.access(), subject.atoms());
    let mut granted: FxHashMap<(Target, Target), usize> = FxHashMap::default();
    let mut shared: Vec<(usize, usize)> = Vec::new();
    for (rule, index) in rules.iter().zip(0..) {
        for flow in access.of(index) {
            let pair = (flow.src, flow.dst);
            match rule.section {
                Section::Grants => _ = granted.entry(pair).or_insert(index),
                // Every grant stands before every acl. One that a grant covers is its own finding.
                Section::Acls => {
                    if granted.contains_key(&pair) && access.cover(flow, atoms).is_none() {
                        shared.extend(granted.remove(&pair).map(|it| (it, index)));
                    }
                }
            }
        }
    }
    let Some((grant, acl)) = shared.first() else { return Vec::new() };
    let (Some(grant), Some(acl)) = (rules.get(*grant), rules.get(*acl)) else { return Vec::new() };
    let message = match shared.len() {
        1 => "the access between one pair is spread over `grants` and `acls`".to_owned(),
        n => format!("the access between {} is spread over `grants` and `acls`", count(n, "pair")),
    };
    let found = Diagnostic::new(code::W1404, message, acl.span.opening());
    vec![
        found
            .related(grant.span.opening(), "the same source and destination")
            .help("say it in one place: what an acl says, a grant can say"),
    ]
}
