//! Recovery: a checkpoint that forks the chain from before a key did harm, and revokes it.
//!
//! It is an update like any other: it must be signed by keys that are trusted where it forks, and
//! wins by the weight they have there, against whatever follows that update now.
//!
//! SOURCE: `MakeRetroactiveRevocation` in `tka/tka.go`.

use super::{Authority, state_at};
use crate::aum::{Aum, AumHash, AumKind};
use crate::error::BuildError;
use crate::state::State;
use crate::store::Store;

/// What a recovery keeps of what happened after the point it forks from.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum StateFrom {
    /// Everything but the revoked keys: what the network's own programs make. Keys that an attacker
    /// added stay, keys that an attacker removed stay away, and so do disablement values.
    #[default]
    Head,
    /// Nothing: the state at the fork without the revoked keys.
    Fork,
}

/// What is to be revoked, and from where.
#[derive(Clone, Debug, Default)]
pub struct Revocation<'a> {
    /// The IDs of the keys to revoke. Those that are not trusted are passed over.
    pub keys: &'a [&'a [u8]],
    /// The key that signs first; an update where it was not trusted yet is no place to fork.
    pub signer: &'a [u8],
    /// The update to fork from; found where none is given.
    pub fork_from: Option<AumHash>,
    /// What is kept.
    pub state_from: StateFrom,
}

impl Authority {
    /// The unsigned checkpoint that revokes keys from the past.
    pub fn revoke(
        &self,
        store: &dyn Store,
        revocation: &Revocation<'_>,
    ) -> Result<Aum, BuildError> {
        let parent = match revocation.fork_from {
            Some(parent) => parent,
            None if revocation.keys.iter().any(|it| self.trusts(it)) => {
                self.fork_point(store, revocation)?
            }
            None => return Err(BuildError::NotTrusted),
        };
        let mut state = match revocation.state_from {
            StateFrom::Head => self.state().clone(),
            StateFrom::Fork => state_at(store, &parent)?,
        };
        for key in revocation.keys {
            remove(&mut state, key)?;
        }
        if state.keys().is_empty() {
            return Err(BuildError::RevokesAll);
        }
        state.last = None;
        let aum = Aum {
            kind: AumKind::Checkpoint,
            parent: Some(parent.as_bytes().to_vec()),
            state: Some(state),
            ..Aum::default()
        };
        aum.check()?;
        Ok(aum)
    }

    /// The newest update whose state trusts none of the keys, and trusts the signer; else the oldest
    /// that is kept.
    fn fork_point(
        &self,
        store: &dyn Store,
        revocation: &Revocation<'_>,
    ) -> Result<AumHash, BuildError> {
        let states = self.states(store)?;
        let fits = |state: &State| {
            revocation.keys.iter().all(|it| state.key(it).is_err())
                && state.key(revocation.signer).is_ok()
        };
        let newest = states.iter().rev().find(|it| fits(it)).or(states.first());
        Ok(newest.and_then(|it| it.last).unwrap_or(self.head()))
    }

    /// The state at each update of the active chain, oldest first.
    pub fn states(&self, store: &dyn Store) -> Result<Vec<State>, crate::error::ChainError> {
        let mut history = self.history(store)?;
        history.reverse();
        let mut states: Vec<State> = Vec::with_capacity(history.len());
        for update in &history {
            let state = match states.last() {
                Some(state) => state.apply(update)?,
                None => state_at(store, &update.hash())?,
            };
            states.push(state);
        }
        Ok(states)
    }
}

/// Removes a key by its ID, if it is there.
fn remove(state: &mut State, id: &[u8]) -> Result<(), BuildError> {
    let Some(keys) = &mut state.keys else { return Ok(()) };
    for (index, key) in keys.iter().enumerate() {
        if key.id().map_err(BuildError::KeyId)? == id {
            keys.remove(index);
            break;
        }
    }
    Ok(())
}
