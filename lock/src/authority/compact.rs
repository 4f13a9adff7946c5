//! Dropping old updates that no state depends on any more.
//!
//! Kept are the newest updates of the active chain back to a checkpoint, everything young, whatever
//! follows what is kept, and the updates between those and the active chain.
//!
//! A node fails on a store that began with a later checkpoint, because the update before it was never
//! there; here an update that is not stored is where a walk ends.
//!
//! SOURCE: `Compact` in `tka/tailchonk.go`.

use std::collections::BTreeSet;

use super::Authority;
use crate::aum::{AumHash, AumKind, Update};
use crate::error::CompactError;
use crate::limits::{COMPACTION_MIN_AGE, COMPACTION_MIN_CHAIN};
use crate::store::Store;

/// What compaction keeps at least.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Compaction {
    /// Updates of the active chain.
    pub min_chain: usize,
    /// Seconds since an update was committed.
    pub min_age: i64,
}

impl Default for Compaction {
    /// What every node keeps: 24 updates, two weeks.
    fn default() -> Self {
        Self { min_chain: COMPACTION_MIN_CHAIN, min_age: COMPACTION_MIN_AGE }
    }
}

impl Authority {
    /// Drops old updates, and gives the hashes of those it dropped.
    pub fn compact(
        &mut self,
        store: &mut dyn Store,
        options: Compaction,
        now: i64,
    ) -> Result<Vec<AumHash>, CompactError> {
        if options.min_chain == 0 {
            return Err(CompactError::Option("MinChain"));
        }
        if options.min_age == 0 {
            return Err(CompactError::Option("MinAge"));
        }
        let all = store.all()?;
        let mut marks = Marks::default();
        for update in &all {
            let committed = store.committed(&update.hash())?.unwrap_or_default();
            if committed > now.saturating_sub(options.min_age) {
                marks.young.insert(update.hash());
            }
        }
        let oldest = marks.mark_active(store, &self.head, options.min_chain)?;
        marks.mark_descendants(store)?;
        let oldest = marks.mark_ancestors(store, &all, oldest)?;

        let oldest = store.update(&oldest)?.ok_or(CompactError::NoHead)?;
        let dropped: Vec<AumHash> =
            all.iter().map(Update::hash).filter(|it| !marks.keeps(it)).collect();
        store.set_last_active_ancestor(oldest.hash())?;
        store.purge(&dropped, now)?;
        self.oldest = oldest;
        Ok(dropped)
    }
}

/// Why an update is kept; and the candidates, which are the rest of the active chain.
#[derive(Default)]
struct Marks {
    young: BTreeSet<AumHash>,
    active: BTreeSet<AumHash>,
    leaves: BTreeSet<AumHash>,
    ancestors: BTreeSet<AumHash>,
    candidates: BTreeSet<AumHash>,
}

/// The stored update before one.
fn before(store: &dyn Store, update: &Update) -> Result<Option<Update>, CompactError> {
    match update.parent() {
        Some(parent) => Ok(store.update(&parent)?),
        None => Ok(None),
    }
}

impl Marks {
    fn keeps(&self, hash: &AumHash) -> bool {
        [&self.young, &self.active, &self.leaves, &self.ancestors]
            .iter()
            .any(|it| it.contains(hash))
    }

    /// Marks the newest `min_chain` updates and those before them back to a checkpoint that is old
    /// enough, which is given. What is left of the chain are candidates.
    fn mark_active(
        &mut self,
        store: &dyn Store,
        head: &Update,
        min_chain: usize,
    ) -> Result<AumHash, CompactError> {
        let mut cursor = store.update(&head.hash())?.ok_or(CompactError::NoHead)?;
        for _ in 0..min_chain {
            self.active.insert(cursor.hash());
            match before(store, &cursor)? {
                Some(parent) => cursor = parent,
                // Too short to drop anything of it.
                None => return Ok(cursor.hash()),
            }
        }
        let mut target = None;
        loop {
            self.active.insert(cursor.hash());
            let checkpoint = cursor.kind == AumKind::Checkpoint;
            if checkpoint {
                target = Some(cursor.hash());
            }
            let old = checkpoint && !self.young.contains(&cursor.hash());
            match before(store, &cursor)? {
                Some(parent) if !old => cursor = parent,
                _ => break,
            }
        }
        let target = target.ok_or(CompactError::NoTarget(cursor.hash()))?;
        while let Some(parent) = before(store, &cursor)? {
            self.candidates.insert(parent.hash());
            cursor = parent;
        }
        Ok(target)
    }

    /// Marks what follows an update that is kept.
    fn mark_descendants(&mut self, store: &dyn Store) -> Result<(), CompactError> {
        let mut open: Vec<AumHash> = self.young.union(&self.active).copied().collect();
        while let Some(hash) = open.pop() {
            if self.leaves.insert(hash) {
                open.extend(store.children(&hash)?.iter().map(Update::hash));
            }
        }
        Ok(())
    }

    /// Marks what lies between an update that is kept and the active chain. Where a branch begins
    /// before `oldest`, the active chain is kept from there, and the checkpoint before it is given.
    fn mark_ancestors(
        &mut self,
        store: &dyn Store,
        all: &[Update],
        mut oldest: AumHash,
    ) -> Result<AumHash, CompactError> {
        let mut moved = false;
        let kept = all.iter().filter(|it| self.keeps(&it.hash()) && it.hash() != oldest);
        let mut open: Vec<Update> = kept.cloned().collect();
        while let Some(update) = open.pop() {
            if !self.ancestors.insert(update.hash()) {
                continue;
            }
            let parent = update.parent().ok_or(CompactError::NoIntersection)?;
            if self.keeps(&parent) {
                continue;
            }
            if self.candidates.contains(&parent) {
                oldest = parent;
                moved = true;
                self.ancestors.insert(parent);
                self.keep_forward(store, parent)?;
            } else {
                open.extend(store.update(&parent)?);
            }
        }
        if !moved {
            return Ok(oldest);
        }
        let mut cursor = store.update(&oldest)?.ok_or(CompactError::NoTarget(oldest))?;
        loop {
            self.active.insert(cursor.hash());
            if cursor.kind == AumKind::Checkpoint {
                return Ok(cursor.hash());
            }
            cursor = before(store, &cursor)?.ok_or(CompactError::NoTarget(cursor.hash()))?;
        }
    }

    /// Marks the candidates after one, up to the part of the chain that is active anyway.
    fn keep_forward(&mut self, store: &dyn Store, from: AumHash) -> Result<(), CompactError> {
        let mut cursor = from;
        loop {
            let next = store
                .children(&cursor)?
                .iter()
                .map(Update::hash)
                .find(|it| self.candidates.contains(it) && !self.active.contains(it));
            let Some(next) = next else { return Ok(()) };
            self.ancestors.insert(next);
            cursor = next;
        }
    }
}
