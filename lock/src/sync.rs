//! What two sides tell each other about their chains, and what one of them lacks.
//!
//! SOURCE: `tka/sync.go`.

use crate::aum::{AumHash, AumKind, Update};
use crate::authority::{Authority, fast_forward, state_at};
use crate::error::{ChainError, SyncError};
use crate::limits::MAX_OFFER_SCAN;
use crate::store::Store;

/// What one side has.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SyncOffer {
    /// Its head.
    pub head: AumHash,
    /// Some older updates of its active chain, newest first; the oldest it keeps is the last.
    pub ancestors: Vec<AumHash>,
}

impl Authority {
    /// What we have: our head, the checkpoints before it, the oldest update.
    pub fn sync_offer(&self, store: &dyn Store) -> Result<SyncOffer, SyncError> {
        let oldest = self.oldest().hash();
        let mut ancestors = Vec::new();
        let mut cursor = Some(self.head());
        for _ in 0..MAX_OFFER_SCAN {
            let Some(hash) = cursor.filter(|it| *it != oldest) else { break };
            let Some(update) = store.update(&hash)? else { break };
            if update.kind == AumKind::Checkpoint {
                ancestors.push(hash);
            }
            cursor = update.parent();
        }
        ancestors.push(oldest);
        Ok(SyncOffer { head: self.head(), ancestors })
    }

    /// The updates that the other side lacks, oldest first. Some of them it may have.
    pub fn missing(&self, store: &dyn Store, remote: &SyncOffer) -> Result<Vec<Update>, SyncError> {
        if remote.head == self.head() {
            return Ok(Vec::new());
        }
        let common = match self.head_in_common(store, remote)? {
            Some(common) => common,
            None => self.ancestor_in_common(store, remote)?.ok_or(SyncError::NoIntersection)?,
        };
        let mut missing = Vec::new();
        fast_forward(store, state_at(store, &common)?, None, &mut |update| {
            if update.hash() != common {
                missing.push(update.clone());
            }
        })?;
        Ok(missing)
    }

    /// Their head, where it is an update of our active chain.
    fn head_in_common(
        &self,
        store: &dyn Store,
        remote: &SyncOffer,
    ) -> Result<Option<AumHash>, SyncError> {
        if store.update(&remote.head)?.is_none() {
            return Ok(None);
        }
        let mut cursor = Some(self.head());
        for _ in 0..MAX_OFFER_SCAN {
            let Some(hash) = cursor else { break };
            let Some(update) = store.update(&hash)? else { break };
            if hash == remote.head {
                return Ok(Some(hash));
            }
            cursor = update.parent();
        }
        Ok(None)
    }

    /// The first of their ancestors from which our chain leads to our head.
    fn ancestor_in_common(
        &self,
        store: &dyn Store,
        remote: &SyncOffer,
    ) -> Result<Option<AumHash>, SyncError> {
        for ancestor in &remote.ancestors {
            let state = match state_at(store, ancestor) {
                Ok(state) => state,
                Err(ChainError::NotStored) => continue,
                Err(error) => return Err(error.into()),
            };
            let (end, _) = fast_forward(store, state, Some(self.head()), &mut |_| {})?;
            if end.hash() == self.head() {
                return Ok(Some(*ancestor));
            }
        }
        Ok(None)
    }
}
