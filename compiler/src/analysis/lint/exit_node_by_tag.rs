//! W1313: a rule for the tag of exit nodes, as if that opened the internet.

use rustc_hash::FxHashSet;

use super::Subject;
use super::atoms::Side;
use crate::ast::Autogroup;
use crate::diagnostic::{Diagnostic, code};
use crate::policy::Target;

/// Only where the sources of the rule have no other rule that opens the internet to them.
pub(super) fn find(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let exits: FxHashSet<Target> = subject
        .policy
        .auto_approvers
        .exit_node
        .iter()
        .map(|it| it.value)
        .filter(|it| matches!(it, Target::Tag(_)))
        .collect();
    if exits.is_empty() || !subject.access().open.is_empty() {
        return Vec::new();
    }
    let atoms = subject.atoms();
    let to_internet = subject.rules().iter().filter(|it| {
        let internet = |it: Target| {
            matches!(it, Target::Any | Target::Ipset(_) | Target::Autogroup(Autogroup::Internet))
        };
        it.dst.iter().any(|it| internet(it.target))
    });
    let users: FxHashSet<Target> =
        to_internet.flat_map(|it| &it.src).map(|it| atoms.of(it.value)).collect();
    let mut found = Vec::new();
    for rule in subject.rules() {
        let Some(dst) = rule.dst.iter().find(|it| exits.contains(&it.target)) else { continue };
        // A rule that lists other devices as well is about the devices.
        let only = rule.dst.iter().all(|it| exits.contains(&it.target)) && rule.via.is_empty();
        let without = rule.src.iter().find(|it| {
            let atom = atoms.of(it.value);
            let wider = atoms.wider(atom, Side::Src);
            // Guests of other tailnets use no exit nodes of this one.
            let guests = atom == Target::Autogroup(Autogroup::Shared);
            !guests && !users.contains(&atom) && !wider.iter().any(|it| users.contains(it))
        });
        let Some(src) = without.filter(|_| only && super::access::is_everything(rule)) else {
            continue;
        };
        let message = format!(
            "`{}` reaches the exit node itself by this rule, not the internet through it",
            subject.policy.describe(src.value)
        );
        found.push(
            Diagnostic::new(code::W1313, message, dst.span)
                .help("add a rule with the destination `autogroup:internet`; a grant chooses the exit node by `via`"),
        );
    }
    found
}
