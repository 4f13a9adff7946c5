//! W1402: a rule that says the same as an earlier one.

use rustc_hash::FxHashMap;

use super::{Subject, remove};
use crate::ast::PortRange;
use crate::diagnostic::{Diagnostic, code};
use crate::policy::{PostureId, Rule, TagId, Target};

pub(super) fn find(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let rules = subject.rules();
    repeated(rules)
        .into_iter()
        .filter_map(|(first, again)| {
            let (first, rule) = (rules.get(first)?, rules.get(again)?);
            let found = Diagnostic::new(
                code::W1402,
                "this rule repeats an earlier one",
                rule.span.opening(),
            );
            let found = found.related(first.span.opening(), "the same rule");
            let before = rules.get(again.checked_sub(1)?);
            let before = before.filter(|it| it.section == rule.section);
            let found = found.help("take it out");
            Some(match before.and_then(|it| remove::entry(subject.tree, it.span, rule.span)) {
                Some(edit) => found.fix("remove the rule", true, edit),
                None => found,
            })
        })
        .collect()
}

/// A rule without the order in which its lists are written.
#[derive(Eq, Hash, PartialEq)]
struct Meaning<'a> {
    src: Vec<Target>,
    dst: Vec<(Target, Vec<PortRange>)>,
    ip: Vec<(Option<u8>, PortRange)>,
    protocol: Option<u8>,
    app: Vec<(&'a str, &'a str)>,
    via: Vec<TagId>,
    postures: Vec<PostureId>,
}

fn sorted<T: Ord>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut items: Vec<T> = items.collect();
    items.sort_unstable();
    items.dedup();
    items
}

fn meaning(rule: &Rule) -> Meaning<'_> {
    let ports =
        |it: &crate::policy::Destination| sorted(it.ports.iter().flat_map(|it| it.iter().copied()));
    Meaning {
        src: sorted(rule.src.iter().map(|it| it.value)),
        dst: sorted(rule.dst.iter().map(|it| (it.target, ports(it)))),
        ip: sorted(rule.ip.iter().map(|it| (it.protocol, it.ports))),
        protocol: rule.protocol,
        app: sorted(rule.app.iter().map(|it| (&*it.name.value, &*it.values))),
        via: sorted(rule.via.iter().map(|it| it.value)),
        postures: sorted(rule.postures.iter().copied()),
    }
}

/// Each repeated rule by its position, behind the position of the first that says the same.
pub(super) fn repeated(rules: &[Rule]) -> Vec<(usize, usize)> {
    let mut first: FxHashMap<Meaning<'_>, usize> = FxHashMap::default();
    let mut found = Vec::new();
    for (rule, index) in rules.iter().zip(0..) {
        if rule.src.is_empty() || rule.dst.is_empty() {
            continue;
        }
        let known = *first.entry(meaning(rule)).or_insert(index);
        if known != index {
            found.push((known, index));
        }
    }
    found
}
