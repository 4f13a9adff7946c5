//! W1403: an attribute that a device has by another entry of `nodeAttrs` already.

use rustc_hash::FxHashMap;

use super::Subject;
use super::atoms::Side;
use crate::diagnostic::{Diagnostic, code};
use crate::policy::{NodeAttr, Target};
use crate::span::Span;

/// An entry with more attributes times targets is left out.
const MAX_PAIRS: usize = 4_096;

pub(super) fn find(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let entries = &subject.policy.node_attrs;
    let atoms = subject.atoms();
    let small = |it: &&NodeAttr| it.attr.len() * it.target.len() <= MAX_PAIRS;
    let entries: Vec<&NodeAttr> = entries.iter().filter(small).collect();
    let targets: Vec<Vec<Target>> =
        entries.iter().map(|it| it.target.iter().map(|it| atoms.of(it.value)).collect()).collect();
    let mut given: FxHashMap<(&str, Target), (usize, Span)> = FxHashMap::default();
    for ((entry, targets), index) in entries.iter().zip(&targets).zip(0..) {
        for (attr, target) in
            entry.attr.iter().flat_map(|attr| targets.iter().map(move |it| (attr, it)))
        {
            given.entry((&attr.value, *target)).or_insert((index, attr.span));
        }
    }
    let mut found = Vec::new();
    for ((entry, targets), index) in entries.iter().zip(&targets).zip(0..) {
        if targets.is_empty() {
            continue;
        }
        for attr in &entry.attr {
            let other = |target: &Target| {
                let own = given.get(&(&*attr.value, *target)).filter(|it| it.0 < index);
                let wider = atoms.wider(*target, Side::Dst).into_iter();
                let mut wider = wider.filter_map(|it| given.get(&(&*attr.value, it)));
                own.or_else(|| wider.find(|it| it.0 != index)).map(|it| it.1)
            };
            let others: Option<Vec<Span>> = targets.iter().map(other).collect();
            let Some(first) = others.and_then(|it| it.first().copied()) else { continue };
            let message = format!("another entry gives `{}` to the same devices", attr.value);
            let report = Diagnostic::new(code::W1403, message, attr.span);
            found.push(report.related(first, "given here").help("take one of them out"));
        }
    }
    found
}
