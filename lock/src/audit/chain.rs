//! Family 04, and the signatures of updates: what the chain looks like and what could become of it.

use std::collections::{BTreeMap, BTreeSet};

use super::{About, Finding, Subject, UnsoundReason, code, recheck};
use crate::aum::{AumHash, AumKind, Update};
use crate::authority::{Authority, state_at};
use crate::error::{StoreError, VerifyError};
use crate::limits::MAX_SCAN;
use crate::rehearse::{Outcome, rewrite_risk};
use crate::state::State;
use crate::store::Store;

/// Updates that should not be stored.
pub(super) fn signatures(store: &dyn Store) -> Result<Vec<Finding>, StoreError> {
    let mut findings = Vec::new();
    for unsound in recheck(store)? {
        // A malformed update is reported as such.
        if !matches!(unsound.reason, UnsoundReason::Verify(VerifyError::Invalid(_))) {
            let message = format!("this update should not be stored: {}", unsound.reason);
            let help = "no node that checks it takes it; the store was written by something else";
            findings
                .push(Finding::new(code::E0301, About::Update(unsound.hash), message).help(help));
        }
    }
    Ok(findings)
}

/// Forks, and updates that hang in the air.
pub(super) fn shape(
    authority: &Authority,
    store: &dyn Store,
    updates: &[Update],
) -> Result<Vec<Finding>, StoreError> {
    let mut findings = Vec::new();
    let mut children: BTreeMap<AumHash, Vec<&Update>> = BTreeMap::new();
    let stored: BTreeSet<AumHash> = updates.iter().map(Update::hash).collect();
    for update in updates {
        match update.parent() {
            Some(parent) if stored.contains(&parent) => {
                children.entry(parent).or_default().push(update);
            }
            Some(parent) if update.hash() != authority.oldest().hash() => {
                let message = format!("the update before it, {parent}, is not stored");
                let help = "nothing follows from it; `tlock store repair` can drop it";
                let about = About::Update(update.hash());
                findings.push(Finding::new(code::W0406, about, message).help(help));
            }
            _ => {}
        }
    }
    for (parent, children) in children.iter().filter(|it| it.1.len() > 1) {
        let Ok(state) = state_at(store, parent) else { continue };
        let mut ranked: Vec<&&Update> = children.iter().collect();
        ranked.sort_by_key(|it| std::cmp::Reverse(crate::authority::rank(&state, it)));
        let [winner, losers @ ..] = ranked.as_slice() else { continue };
        let weights: Vec<String> = losers
            .iter()
            .map(|it| format!("{} ({}, weight {})", it.hash(), it.kind, it.weight(&state)))
            .collect();
        let message = format!(
            "the chain forks here: {} ({}, weight {}) wins against {}",
            winner.hash(),
            winner.kind,
            winner.weight(&state),
            weights.join(", ")
        );
        findings.push(Finding::new(code::W0402, About::Update(*parent), message));
    }
    Ok(findings)
}

/// Checkpoints of the active chain that do more than repeat the state before them.
pub(super) fn checkpoints(
    authority: &Authority,
    store: &dyn Store,
    states: &[State],
) -> Result<Vec<Finding>, StoreError> {
    let mut findings = Vec::new();
    for pair in states.windows(2) {
        let [before, after] = pair else { continue };
        let Some(hash) = after.last else { continue };
        let Some(update) = store.update(&hash)? else { continue };
        if update.kind != AumKind::Checkpoint {
            continue;
        }
        let mut changes = Vec::new();
        if before.keys() != after.keys() {
            changes.push("the trusted keys");
        }
        if !before.disablement_values().eq(after.disablement_values()) {
            changes.push("the disablement values");
        }
        if !changes.is_empty() {
            let message = format!("this checkpoint changes {}", changes.join(" and "));
            let help = "`tlock show` says how; one trusted key is enough to make such a checkpoint";
            findings.push(Finding::new(code::W0407, About::Update(hash), message).help(help));
        }
    }
    if authority.state().keys().len() == 1 {
        let message = "one key alone is trusted";
        let help = "if it is lost, no node can be signed any more; add another";
        findings.push(Finding::new(code::W0405, About::Authority, message).help(help));
    }
    Ok(findings)
}

/// What the chain's past lets happen to it.
pub(super) fn history(
    authority: &Authority,
    states: &[State],
    subject: &Subject<'_>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let removed: BTreeSet<&[u8]> = states
        .iter()
        .flat_map(|it| it.keys().iter().filter_map(|it| it.id().ok()))
        .filter(|it| !authority.trusts(it))
        .collect();
    for id in removed {
        let risks = rewrite_risk(subject.store, states, &[id]).unwrap_or_default();
        let Some(risk) = risks.iter().find(|it| it.outcome == Outcome::Wins) else { continue };
        let message = format!(
            "this removed key can still fork the chain after {}: its weight there is {}, that of the update which follows is {}",
            risk.parent, risk.attacker, risk.defender
        );
        let help = "compaction ends this once the update is dropped; until then sign updates with several keys";
        findings.push(Finding::new(code::W0403, About::Key(id.to_vec()), message).help(help));
    }
    let left = MAX_SCAN.saturating_sub(states.len());
    if left < subject.thresholds.updates_left {
        let message = format!("{} updates are kept, and {MAX_SCAN} can be opened", states.len());
        let help = "compact the store, after a checkpoint if there is none";
        findings.push(Finding::new(code::W0404, About::Authority, message).help(help));
    }
    findings
}
