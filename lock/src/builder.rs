//! The changes that a person asks for → the updates that make them, one for each, in a chain.
//!
//! With a signer each is signed once; without one they are proposals. Signing a proposal changes its
//! hash, so of a batch only the last can wait for signatures.
//!
//! SOURCE: `tka/builder.go`.

use crate::aum::{Aum, AumHash, AumKind, Update};
use crate::authority::Authority;
use crate::error::BuildError;
use crate::key::{Key, Meta};
use crate::limits::{CHECKPOINT_EVERY, MAX_KEYS};
use crate::secret::Signer;
use crate::state::State;
use crate::store::Store;
use crate::verify::weakness;

/// A batch of updates that is being made.
pub struct UpdateBuilder<'a> {
    authority: &'a Authority,
    signer: Option<&'a dyn Signer>,
    state: State,
    parent: AumHash,
    updates: Vec<Update>,
}

impl<'a> UpdateBuilder<'a> {
    /// Begins a batch at the head.
    pub fn new(authority: &'a Authority, signer: Option<&'a dyn Signer>) -> Self {
        Self {
            authority,
            signer,
            state: authority.state().clone(),
            parent: authority.head(),
            updates: Vec::new(),
        }
    }

    /// The state after all changes so far.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Adds a key.
    pub fn add_key(&mut self, key: Key) -> Result<(), BuildError> {
        let id = key.id().map_err(BuildError::KeyId)?;
        if self.state.key(id).is_ok() {
            return Err(BuildError::Exists(id.to_vec()));
        }
        if self.state.keys().len() >= MAX_KEYS {
            return Err(BuildError::Full(id.to_vec()));
        }
        if weakness(id).is_some() {
            return Err(BuildError::Weak(id.to_vec()));
        }
        self.push(Aum { kind: AumKind::AddKey, key: Some(key), ..Aum::default() })
    }

    /// Removes a key by its ID.
    pub fn remove_key(&mut self, id: &[u8]) -> Result<(), BuildError> {
        self.expect_key(id)?;
        if self.state.keys().len() == 1 {
            return Err(BuildError::LastKey);
        }
        self.push(Aum { kind: AumKind::RemoveKey, key_id: Some(id.to_vec()), ..Aum::default() })
    }

    /// Changes how much a key counts.
    pub fn set_votes(&mut self, id: &[u8], votes: u64) -> Result<(), BuildError> {
        self.expect_key(id)?;
        self.push(Aum {
            kind: AumKind::UpdateKey,
            key_id: Some(id.to_vec()),
            votes: Some(votes),
            ..Aum::default()
        })
    }

    /// Changes what stands beside a key, all of it.
    pub fn set_meta(&mut self, id: &[u8], meta: Meta) -> Result<(), BuildError> {
        self.expect_key(id)?;
        if meta.is_empty() {
            return Err(BuildError::EmptyMeta);
        }
        self.push(Aum {
            kind: AumKind::UpdateKey,
            key_id: Some(id.to_vec()),
            meta: Some(meta),
            ..Aum::default()
        })
    }

    /// Puts a state in place of the current one: the only way to change disablement values. Given the
    /// current one it changes nothing, and lets older updates be dropped.
    pub fn checkpoint(&mut self, state: State) -> Result<(), BuildError> {
        let state = State { last: None, ..state };
        self.push(Aum { kind: AumKind::Checkpoint, state: Some(state), ..Aum::default() })
    }

    /// The updates, in order. A checkpoint of what they lead to is added where the chain would
    /// otherwise grow too long without one.
    pub fn finish(mut self, store: &dyn Store) -> Result<Vec<Update>, BuildError> {
        if self.needs_checkpoint(store)? {
            let state = self.state.clone();
            self.checkpoint(state).map_err(|it| BuildError::Checkpoint(Box::new(it)))?;
        }
        Ok(self.updates)
    }

    /// Whether no checkpoint and no beginning is near, counting the batch.
    fn needs_checkpoint(&self, store: &dyn Store) -> Result<bool, BuildError> {
        let mut cursor = Some(self.authority.head());
        for _ in self.updates.len()..CHECKPOINT_EVERY {
            let Some(hash) = cursor else { return Ok(false) };
            let Some(update) = store.update(&hash)? else { return Ok(false) };
            if update.kind == AumKind::Checkpoint {
                return Ok(false);
            }
            cursor = update.parent();
            if cursor.is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn expect_key(&self, id: &[u8]) -> Result<(), BuildError> {
        let no_key = |error| BuildError::NoKey { id: id.to_vec(), error };
        self.state.key(id).map(|_| ()).map_err(no_key)
    }

    fn push(&mut self, mut aum: Aum) -> Result<(), BuildError> {
        aum.parent = Some(self.parent.as_bytes().to_vec());
        if let Some(signer) = self.signer {
            aum.sign(signer)?;
        }
        aum.check()?;
        let update = Update::new(aum);
        self.state.advance(&update, update.hash())?;
        self.parent = update.hash();
        self.updates.push(update);
        Ok(())
    }
}
