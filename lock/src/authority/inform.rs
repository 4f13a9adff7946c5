//! Taking updates in: all of a list, oldest first, or none.
//!
//! The signatures of a list are checked together, which is twice as fast; the verdict, and the error that
//! is reported, are those of a check one by one.
//!
//! SOURCE: `InformIdempotent` in `tka/tka.go`.

use std::collections::BTreeMap;

use super::{Authority, state_at};
use crate::aum::{AumHash, Update};
use crate::error::{ChainError, InformError, SignatureError, VerifyError};
use crate::key::Key;
use crate::state::State;
use crate::store::Store;
use crate::verify::Batch;

impl Authority {
    /// Takes updates in, each after its parent, and goes where the chain then leads. Those that are stored
    /// already are passed over; branches that lose are stored, too.
    pub fn inform(
        &mut self,
        store: &mut dyn Store,
        updates: &[Update],
        now: i64,
    ) -> Result<(), InformError> {
        if updates.is_empty() {
            return Err(InformError::Empty);
        }
        let mut intake = Intake::new(self);
        let outcome = updates
            .iter()
            .enumerate()
            .try_for_each(|(index, update)| intake.take(store, index, update));
        // A wrong signature that came before the error is what a check one by one would report.
        intake.check_signatures()?;
        outcome?;
        store.commit(&intake.fresh, now)?;
        match intake.straight() {
            Some((head, state)) => {
                self.head = head;
                self.state = state;
            }
            None => *self = Self::active(store, Some(self.oldest.hash()))?,
        }
        Ok(())
    }
}

/// A list that is being taken in.
struct Intake {
    /// The states at the ends of the branches met so far. A state moves on with its branch, so that
    /// a chain costs no copy of it.
    tips: BTreeMap<AumHash, State>,
    /// The updates that are new, and where each stands in `fresh`.
    places: BTreeMap<AumHash, usize>,
    fresh: Vec<Update>,
    /// Whether each update was new and followed the one before, the first one our head.
    straight: bool,
    /// Our head, or the last new update.
    previous: AumHash,
    signatures: Batch,
    /// Of each signature: the number of its update, and its own.
    origins: Vec<(usize, usize)>,
}

impl Intake {
    fn new(authority: &Authority) -> Self {
        let head = authority.head.hash();
        Self {
            tips: BTreeMap::from([(head, authority.state.clone())]),
            places: BTreeMap::new(),
            fresh: Vec::new(),
            straight: true,
            previous: head,
            signatures: Batch::default(),
            origins: Vec::new(),
        }
    }

    /// Checks one update but for the equations of its signatures, which are put off.
    fn take(
        &mut self,
        store: &dyn Store,
        index: usize,
        update: &Update,
    ) -> Result<(), InformError> {
        let hash = update.hash();
        if store.update(&hash)?.is_some() || self.places.contains_key(&hash) {
            self.straight = false;
            return Ok(());
        }
        let parent = update.parent().ok_or(InformError::NoParent(index))?;
        let mut state =
            self.state(store, &parent).map_err(|error| InformError::State { index, error })?;

        let invalid = |error| InformError::Invalid { index, error };
        state.verify_parent(update).map_err(invalid)?;
        let mut position = 0;
        let (signatures, origins) = (&mut self.signatures, &mut self.origins);
        let put_off = |key: &Key, hash, signature: &[u8]| {
            let public = key.public_for_signing()?;
            signatures.push(public, hash, signature);
            origins.push((index, position));
            position += 1;
            Ok(())
        };
        state.verify_signers(update, put_off).map_err(invalid)?;
        state.verify_removal(update).map_err(invalid)?;
        state.advance(update, hash).map_err(|error| InformError::Apply { index, error })?;

        self.straight &= parent == self.previous;
        self.previous = hash;
        self.tips.insert(hash, state);
        self.places.insert(hash, self.fresh.len());
        self.fresh.push(update.clone());
        Ok(())
    }

    /// The state at an update: that of a tip, else what the new updates before it make of one.
    fn state(&mut self, store: &dyn Store, hash: &AumHash) -> Result<State, ChainError> {
        if let Some(state) = self.tips.remove(hash) {
            return Ok(state);
        }
        let mut path = Vec::new();
        let mut cursor = *hash;
        while let Some(update) = self.places.get(&cursor).and_then(|it| self.fresh.get(*it)) {
            path.push(update);
            match update.parent() {
                Some(parent) => cursor = parent,
                None => break,
            }
        }
        let mut state = state_at(store, &cursor)?;
        for update in path.iter().rev() {
            state.advance(update, update.hash())?;
        }
        Ok(state)
    }

    fn check_signatures(&self) -> Result<(), InformError> {
        let first = self.signatures.failures().first().and_then(|it| self.origins.get(*it));
        first.map_or(Ok(()), |(index, position)| {
            let error = VerifyError::Signature { index: *position, error: SignatureError::Invalid };
            Err(InformError::Invalid { index: *index, error })
        })
    }

    /// The new head and its state, where the list only made our chain longer.
    fn straight(&mut self) -> Option<(Update, State)> {
        let head = self.fresh.last().filter(|_| self.straight)?;
        Some((head.clone(), self.tips.remove(&self.previous)?))
    }
}
