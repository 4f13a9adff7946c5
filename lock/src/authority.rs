//! The authority: a chain of updates that was checked, and the state at its head.
//!
//! It holds no store. Every question about history takes one as an argument, and it must be the one
//! that the authority was opened from.
//!
//! SOURCE: `tka/tka.go`.

mod chain;
mod compact;
mod inform;
mod recover;

pub(crate) use chain::rank;
pub use chain::{fast_forward, pick, state_at};
pub use compact::Compaction;
pub use recover::{Revocation, StateFrom};

use crate::aum::{Aum, AumHash, AumKind, Update};
use crate::cbor::Quirk;
use crate::error::{BootstrapError, ChainError, NodeKeyError};
use crate::secret::{DisablementSecret, Signer};
use crate::signature::{NodeKeySignature, Rotation};
use crate::state::State;
use crate::store::Store;
use crate::text::NodeKey;

/// Who is trusted in one tailnet, and how it came to be.
#[derive(Clone, Debug)]
pub struct Authority {
    head: Update,
    oldest: Update,
    state: State,
}

/// A node-key signature that authorizes a node.
#[derive(Clone, Debug)]
pub struct Authorized {
    /// The signature.
    pub signature: NodeKeySignature,
    /// What it rotated away from, if it is a rotation.
    pub rotation: Option<Rotation>,
    /// What is not canonical about its bytes.
    pub quirks: Vec<Quirk>,
}

impl Authority {
    /// Starts a new authority: its first update is a checkpoint of `state`, signed by one of the keys
    /// in it.
    pub fn create(
        store: &mut dyn Store,
        state: State,
        signer: &dyn Signer,
        now: i64,
    ) -> Result<(Self, Update), BootstrapError> {
        let mut genesis = Aum { kind: AumKind::Checkpoint, state: Some(state), ..Aum::default() };
        genesis.check()?;
        genesis.sign(signer)?;
        let genesis = Update::new(genesis);
        let authority = Self::bootstrap(store, &genesis, now)?;
        Ok((authority, genesis))
    }

    /// Starts from a checkpoint that somebody else made, in an empty store.
    ///
    /// It is judged by the state inside it: this is trust on first use, and the one moment where a
    /// hash should be compared by other means.
    pub fn bootstrap(
        store: &mut dyn Store,
        checkpoint: &Update,
        now: i64,
    ) -> Result<Self, BootstrapError> {
        if !store.heads()?.is_empty() {
            return Err(BootstrapError::NotEmpty);
        }
        if checkpoint.kind != AumKind::Checkpoint {
            return Err(BootstrapError::Kind(checkpoint.kind));
        }
        let state = checkpoint.state.as_ref().ok_or(BootstrapError::NoState)?;
        state.verify_genesis(checkpoint)?;
        store.commit(std::slice::from_ref(checkpoint), now)?;
        store.set_last_active_ancestor(checkpoint.hash())?;
        Ok(Self::open(store)?)
    }

    /// Opens what a store holds, as a node does when it starts. Signatures are not checked again:
    /// they were when the updates were stored. [`crate::audit`] checks them.
    pub fn open(store: &dyn Store) -> Result<Self, ChainError> {
        let ancestor = store.last_active_ancestor()?;
        Self::active(store, ancestor)
    }

    /// The active chain of a store, where `ancestor` belonged to it before.
    fn active(store: &dyn Store, ancestor: Option<AumHash>) -> Result<Self, ChainError> {
        let oldest = chain::oldest(store, ancestor)?;
        let state = state_at(store, &oldest.hash())?;
        let (head, state) = fast_forward(store, state, None, &mut |_| {})?;
        Ok(Self { head, oldest, state })
    }

    /// The hash of the newest update.
    pub fn head(&self) -> AumHash {
        self.head.hash()
    }

    /// The newest update.
    pub fn head_update(&self) -> &Update {
        &self.head
    }

    /// The oldest update of the active chain that is kept.
    pub fn oldest(&self) -> &Update {
        &self.oldest
    }

    /// The state at the head.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Whether a key is trusted at the head.
    pub fn trusts(&self, key_id: &[u8]) -> bool {
        self.state.key(key_id).is_ok()
    }

    /// Whether the secret switches the lock off.
    pub fn is_disabled_by(&self, secret: &DisablementSecret) -> bool {
        self.state.is_disabled_by(secret)
    }

    /// Whether the bytes of a signature authorize a node key: the verdict of every node.
    pub fn authorizes(
        &self,
        node_key: &NodeKey,
        signature: &[u8],
    ) -> Result<Authorized, NodeKeyError> {
        let decoded = NodeKeySignature::decode(signature)?;
        let rotation = decoded.value.authorizes(node_key, &self.state)?;
        Ok(Authorized { signature: decoded.value, rotation, quirks: decoded.quirks })
    }

    /// The active chain, newest first, back to the oldest update that is kept.
    pub fn history(&self, store: &dyn Store) -> Result<Vec<Update>, ChainError> {
        let mut history = vec![self.head.clone()];
        let mut cursor = self.head.clone();
        while cursor.hash() != self.oldest.hash() {
            let Some(parent) = cursor.parent() else { break };
            cursor = store.update(&parent)?.ok_or(ChainError::MissingParent(parent))?;
            history.push(cursor.clone());
        }
        Ok(history)
    }
}
