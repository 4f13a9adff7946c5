//! Every stored update, checked again: well-formed, signed by keys that were trusted at its parent,
//! and applicable there. Nodes do this once, when an update arrives, and never again.

use std::collections::BTreeSet;

use crate::aum::{AumHash, AumKind, Update};
use crate::authority::state_at;
use crate::error::{ApplyError, ChainError, SignatureError, StoreError, VerifyError};
use crate::key::Key;
use crate::state::State;
use crate::store::Store;
use crate::verify::Batch;

/// An update that should not be stored.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unsound {
    /// Which.
    pub hash: AumHash,
    /// Why.
    pub reason: UnsoundReason,
}

/// Why an update should not be stored.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum UnsoundReason {
    /// Nobody should have taken it.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// It does not fit where it stands.
    #[error(transparent)]
    Apply(#[from] ApplyError),
}

/// Checks every stored update, on every branch. The signatures are checked together.
///
/// The oldest update of a chain whose beginning was dropped has no state to be checked against. It
/// is what everything else is trusted by, as it was when it was the checkpoint of a longer chain.
pub fn recheck(store: &dyn Store) -> Result<Vec<Unsound>, StoreError> {
    let mut check = Recheck::default();
    let all = store.all()?;
    let stored: BTreeSet<AumHash> = all.iter().map(Update::hash).collect();
    let is_root = |it: &&Update| it.parent().is_none_or(|parent| !stored.contains(&parent));
    for root in all.iter().filter(is_root) {
        if root.parent().is_none() {
            check.genesis(root);
        }
        match state_at(store, &root.hash()) {
            Ok(state) => check.branches(store, state)?,
            Err(ChainError::Store(error)) => return Err(error),
            // Whatever follows cannot be checked; that the chain cannot be opened says another.
            Err(_) => {}
        }
    }
    Ok(check.finish())
}

#[derive(Default)]
struct Recheck {
    signatures: Batch,
    /// Of each signature: the update, and its number there.
    origins: Vec<(AumHash, usize)>,
    unsound: Vec<Unsound>,
}

impl Recheck {
    fn genesis(&mut self, update: &Update) {
        if update.kind != AumKind::Checkpoint {
            return;
        }
        let Some(state) = &update.state else { return };
        let checked = update.check().map_err(VerifyError::from);
        let verified = checked.and_then(|()| self.signers(state, update));
        self.note(update, verified);
    }

    /// Checks all that follows a state.
    fn branches(&mut self, store: &dyn Store, state: State) -> Result<(), StoreError> {
        let mut open = vec![state];
        while let Some(state) = open.pop() {
            let Some(last) = state.last else { continue };
            let mut children = store.children(&last)?;
            // The last branch takes the state, the others a copy: a chain is walked without one.
            let last = children.pop();
            for child in &children {
                open.extend(self.step(state.clone(), child));
            }
            if let Some(child) = &last {
                open.extend(self.step(state, child));
            }
        }
        Ok(())
    }

    /// The state after an update, if it can be applied.
    fn step(&mut self, mut state: State, update: &Update) -> Option<State> {
        let verified = state
            .verify_parent(update)
            .and_then(|()| self.signers(&state, update))
            .and_then(|()| state.verify_removal(update));
        self.note(update, verified);
        match state.advance(update, update.hash()) {
            Ok(()) => Some(state),
            Err(error) => {
                self.unsound.push(Unsound { hash: update.hash(), reason: error.into() });
                None
            }
        }
    }

    fn signers(&mut self, state: &State, update: &Update) -> Result<(), VerifyError> {
        let mut position = 0;
        state.verify_signers(update, |key: &Key, hash, signature| {
            let public = key.public_for_signing()?;
            self.signatures.push(public, hash, signature);
            self.origins.push((update.hash(), position));
            position += 1;
            Ok(())
        })
    }

    fn note(&mut self, update: &Update, verified: Result<(), VerifyError>) {
        if let Err(error) = verified {
            self.unsound.push(Unsound { hash: update.hash(), reason: error.into() });
        }
    }

    fn finish(mut self) -> Vec<Unsound> {
        let failures = self.signatures.failures();
        for (hash, index) in failures.iter().filter_map(|it| self.origins.get(*it)) {
            let error = VerifyError::Signature { index: *index, error: SignatureError::Invalid };
            self.unsound.push(Unsound { hash: *hash, reason: error.into() });
        }
        self.unsound
    }
}
