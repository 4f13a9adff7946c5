//! Where updates are kept: a trait, one in memory, and the daemon's own folder in `store/folder.rs`.
//!
//! A store trusts its caller: what is committed was verified. It answers only from updates that are
//! there and not purged. The time comes in as seconds since 1970, because a library that asks a
//! clock cannot be replayed.

mod folder;
mod record;

use std::collections::{BTreeMap, BTreeSet};

pub use folder::{Folder, Found, Scan, Stray};
pub use record::Record;

use crate::aum::{AumHash, Update};
use crate::error::StoreError;

/// A place where updates are kept.
pub trait Store {
    /// One update.
    fn update(&self, hash: &AumHash) -> Result<Option<Update>, StoreError>;

    /// The updates that follow one, in the order of their hashes.
    fn children(&self, hash: &AumHash) -> Result<Vec<Update>, StoreError>;

    /// Every update, in the order of their hashes.
    fn all(&self) -> Result<Vec<Update>, StoreError>;

    /// When an update was committed first, in seconds since 1970.
    fn committed(&self, hash: &AumHash) -> Result<Option<i64>, StoreError>;

    /// The oldest update of the chain that was active last: which of several chains is ours.
    fn last_active_ancestor(&self) -> Result<Option<AumHash>, StoreError>;

    /// Keeps updates, all or up to the one that failed.
    fn commit(&mut self, updates: &[Update], now: i64) -> Result<(), StoreError>;

    /// Sets the oldest update of the active chain.
    fn set_last_active_ancestor(&mut self, hash: AumHash) -> Result<(), StoreError>;

    /// Forgets updates. Those that are not there are passed over.
    fn purge(&mut self, hashes: &[AumHash], now: i64) -> Result<(), StoreError>;

    /// The updates that none follows, in the order of their hashes.
    fn heads(&self) -> Result<Vec<Update>, StoreError> {
        let mut heads = self.all()?;
        let parents: BTreeSet<AumHash> = heads.iter().filter_map(|it| it.parent()).collect();
        heads.retain(|it| !parents.contains(&it.hash()));
        Ok(heads)
    }
}

/// A store that is gone when the program ends.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    updates: BTreeMap<AumHash, Stored>,
    children: BTreeMap<AumHash, BTreeSet<AumHash>>,
    ancestor: Option<AumHash>,
}

#[derive(Clone, Debug)]
struct Stored {
    update: Update,
    committed: i64,
}

impl Memory {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Every update of another store, and which of its chains is the active one.
    pub fn copy_of(store: &dyn Store) -> Result<Self, StoreError> {
        let mut memory = Self::new();
        for update in store.all()? {
            let committed = store.committed(&update.hash())?.unwrap_or_default();
            memory.insert(update, committed);
        }
        memory.ancestor = store.last_active_ancestor()?;
        Ok(memory)
    }

    fn insert(&mut self, update: Update, committed: i64) {
        if let Some(parent) = update.parent() {
            self.children.entry(parent).or_default().insert(update.hash());
        }
        self.updates.entry(update.hash()).or_insert(Stored { update, committed });
    }

    fn remove(&mut self, hash: &AumHash) {
        let Some(stored) = self.updates.remove(hash) else { return };
        if let Some(parent) = stored.update.parent()
            && let Some(children) = self.children.get_mut(&parent)
        {
            children.remove(hash);
        }
    }
}

impl Store for Memory {
    fn update(&self, hash: &AumHash) -> Result<Option<Update>, StoreError> {
        Ok(self.updates.get(hash).map(|it| it.update.clone()))
    }

    fn children(&self, hash: &AumHash) -> Result<Vec<Update>, StoreError> {
        let children = self.children.get(hash).into_iter().flatten();
        Ok(children.filter_map(|it| self.updates.get(it)).map(|it| it.update.clone()).collect())
    }

    fn all(&self) -> Result<Vec<Update>, StoreError> {
        Ok(self.updates.values().map(|it| it.update.clone()).collect())
    }

    fn committed(&self, hash: &AumHash) -> Result<Option<i64>, StoreError> {
        Ok(self.updates.get(hash).map(|it| it.committed))
    }

    fn last_active_ancestor(&self) -> Result<Option<AumHash>, StoreError> {
        Ok(self.ancestor)
    }

    fn commit(&mut self, updates: &[Update], now: i64) -> Result<(), StoreError> {
        for update in updates {
            self.insert(update.clone(), now);
        }
        Ok(())
    }

    fn set_last_active_ancestor(&mut self, hash: AumHash) -> Result<(), StoreError> {
        self.ancestor = Some(hash);
        Ok(())
    }

    fn purge(&mut self, hashes: &[AumHash], _now: i64) -> Result<(), StoreError> {
        for hash in hashes {
            self.remove(hash);
        }
        Ok(())
    }
}
