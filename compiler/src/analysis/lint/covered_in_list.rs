//! W1108: an entry of a list that a wider entry of the same list holds already.

use rustc_hash::FxHashMap;

use super::Subject;
use super::atoms::{Atoms, Side};
use crate::ast::PortRange;
use crate::diagnostic::{Diagnostic, code};
use crate::policy::{Rule, Target};
use crate::span::{Span, Spanned};

pub(super) fn find(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let policy = subject.policy;
    let owners = policy.tags.iter().map(|it| &it.owners);
    let approvers = &policy.auto_approvers;
    let lists = owners.chain([&approvers.exit_node]).chain(approvers.routes.iter().map(|it| &it.1));
    for list in lists.chain(subject.rules().iter().map(|it| &it.src)) {
        sources(subject, list, &mut found);
    }
    for rule in subject.rules() {
        destinations(subject, rule, &mut found);
    }
    found
}

fn sources(subject: &Subject<'_>, list: &[Spanned<Target>], found: &mut Vec<Diagnostic>) {
    if list.len() < 2 {
        return;
    }
    let atoms = subject.atoms();
    let places: FxHashMap<Target, Span> =
        list.iter().map(|it| (atoms.of(it.value), it.span)).collect();
    for entry in list {
        if let Some((wider, span)) =
            around(atoms, entry.value, Side::Src, |it| places.get(&it).copied())
        {
            found.push(report(subject, (entry.value, entry.span), (wider, span)));
        }
    }
}

/// A destination is covered where the wider one has all of its ports.
fn destinations(subject: &Subject<'_>, rule: &Rule, found: &mut Vec<Diagnostic>) {
    if rule.dst.len() < 2 {
        return;
    }
    let atoms = subject.atoms();
    let mut places: FxHashMap<Target, (&[PortRange], Span)> = FxHashMap::default();
    for dst in &rule.dst {
        places.insert(atoms.of(dst.target), (dst.ports.as_deref().unwrap_or_default(), dst.span));
    }
    for dst in &rule.dst {
        let own = dst.ports.as_deref().unwrap_or_default();
        let holds = |it: Target| {
            let (ports, span) = places.get(&it).filter(|it| it.0.len() <= MAX_PORTS)?;
            let inside = |own: &PortRange| {
                ports.iter().any(|it| it.first <= own.first && own.last <= it.last)
            };
            own.iter().all(inside).then_some(*span)
        };
        // Many ports times many ports is nobody's list.
        if own.len() > MAX_PORTS {
            continue;
        }
        if let Some((wider, span)) = around(atoms, dst.target, Side::Dst, holds) {
            found.push(report(subject, (dst.target, dst.span), (wider, span)));
        }
    }
}

const MAX_PORTS: usize = 64;

fn around(
    atoms: &Atoms<'_>,
    target: Target,
    side: Side,
    place: impl Fn(Target) -> Option<Span>,
) -> Option<(Target, Span)> {
    // Who reaches the tailnet reaches the internet is no slip: they are two needs.
    if target == Target::Autogroup(crate::ast::Autogroup::Internet) {
        return None;
    }
    let wider = atoms.wider(atoms.of(target), side);
    wider.into_iter().find_map(|it| Some((it, place(it)?)))
}

fn report(subject: &Subject<'_>, entry: (Target, Span), wider: (Target, Span)) -> Diagnostic {
    let name = |target| subject.policy.describe(target);
    let text = subject.tree.text();
    let written = wider.1.of(text);
    let message =
        format!("`{}` is among `{written}`, which stands in the same list", name(entry.0));
    let found = Diagnostic::new(code::W1108, message, entry.1);
    found.related(wider.1, "holds it already").help("take one of them out; the wider one decides")
}
