//! Walks along a chain: which updates belong to it, what the state is at one of them, and which of
//! several children goes on.
//!
//! SOURCE: `computeStateAt`, `fastForward`, `pickNextAUM`, `computeChainCandidates` in `tka/tka.go`.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::aum::{AumHash, AumKind, Update};
use crate::error::{ApplyError, ChainError};
use crate::limits::MAX_SCAN;
use crate::state::State;
use crate::store::Store;

/// The state right after an update: from the nearest checkpoint before it, or from the first update.
pub fn state_at(store: &dyn Store, hash: &AumHash) -> Result<State, ChainError> {
    let mut cursor = store.update(hash)?.ok_or(ChainError::NotStored)?;
    let mut path = Vec::new();
    let mut state = loop {
        if path.len() == MAX_SCAN {
            return Err(ChainError::TooLong);
        }
        match (cursor.kind, cursor.parent()) {
            (AumKind::Checkpoint, _) => {
                let state = cursor.state.clone().ok_or(ApplyError::MissingState)?;
                break State { last: Some(cursor.hash()), ..state };
            }
            (AumKind::NoOp | AumKind::AddKey, None) => {
                let mut state = State::default();
                state.advance(&cursor, cursor.hash())?;
                break state;
            }
            (kind, None) => return Err(ChainError::Genesis(kind)),
            (_, Some(parent)) => {
                path.push(cursor);
                cursor = store.update(&parent)?.ok_or(ChainError::MissingParent(parent))?;
            }
        }
    };
    for update in path.iter().rev() {
        state.advance(update, update.hash())?;
    }
    Ok(state)
}

/// Goes on from a state until `stop` or the end, and gives the update and the state there. Each
/// update that is met is shown to `visit`, the first one included.
pub fn fast_forward(
    store: &dyn Store,
    mut state: State,
    stop: Option<AumHash>,
    visit: &mut dyn FnMut(&Update),
) -> Result<(Update, State), ChainError> {
    let first = state.last.ok_or(ChainError::NoState)?;
    let mut cursor = store.update(&first)?.ok_or(ChainError::NotStored)?;
    visit(&cursor);
    for _ in 0..MAX_SCAN {
        if Some(cursor.hash()) == stop {
            return Ok((cursor, state));
        }
        let children = store.children(&cursor.hash())?;
        let Some(next) = pick(&state, &children) else { return Ok((cursor, state)) };
        state.advance(next, next.hash())?;
        cursor = next.clone();
        visit(&cursor);
    }
    Err(ChainError::TooLong)
}

/// Which of several children of one update the chain goes on with. `state` is the state at that
/// update, so what the children bring does not count, and neither do their descendants.
pub fn pick<'a>(state: &State, children: &'a [Update]) -> Option<&'a Update> {
    match children {
        [only] => Some(only),
        _ => children.iter().max_by_key(|it| rank(state, it)),
    }
}

/// Weight first; then a removal before anything else; then the lower hash.
pub(crate) fn rank(state: &State, update: &Update) -> (u64, bool, Reverse<AumHash>) {
    (update.weight(state), update.kind == AumKind::RemoveKey, Reverse(update.hash()))
}

/// Where the walk back from an update ends.
#[derive(Clone, Copy)]
struct Origin {
    oldest: AumHash,
    /// Updates from there to here, both counted.
    length: usize,
    /// Whether the walk meets the update that was active before, as a parent.
    through: bool,
}

/// The oldest update of the chain that is active: the only one, or the one whose chain goes through
/// `active`.
///
/// Where several heads share an oldest update, one of them is enough to go through `active`; a node
/// asks the one with the highest hash only, and so may not open what this opens.
pub(super) fn oldest(store: &dyn Store, active: Option<AumHash>) -> Result<Update, ChainError> {
    let mut origins: BTreeMap<AumHash, Origin> = BTreeMap::new();
    let mut candidates: BTreeMap<AumHash, bool> = BTreeMap::new();
    for head in store.heads()? {
        let origin = origin(store, head, active, &mut origins)?;
        *candidates.entry(origin.oldest).or_default() |= origin.through;
    }
    let mut through = candidates.iter().filter(|it| *it.1);
    let chosen = match (candidates.len(), through.next()) {
        (0, _) => return Err(ChainError::Empty),
        (1, _) => candidates.keys().next(),
        (_, through) => through.map(|it| it.0),
    };
    store.update(chosen.ok_or(ChainError::SeveralChains)?)?.ok_or(ChainError::NotStored)
}

/// Walks back from a head; `known` remembers every update on the way, so that each is walked once.
fn origin(
    store: &dyn Store,
    head: Update,
    active: Option<AumHash>,
    known: &mut BTreeMap<AumHash, Origin>,
) -> Result<Origin, ChainError> {
    let mut path = vec![head.hash()];
    let mut cursor = head;
    let (mut parent, mut origin) = loop {
        let parent = match cursor.parent() {
            Some(parent) => store.update(&parent)?,
            None => None,
        };
        let Some(parent) = parent else {
            path.pop();
            let origin = Origin { oldest: cursor.hash(), length: 1, through: false };
            known.insert(cursor.hash(), origin);
            break (cursor.hash(), origin);
        };
        if let Some(origin) = known.get(&parent.hash()) {
            break (parent.hash(), *origin);
        }
        path.push(parent.hash());
        cursor = parent;
    };
    for hash in path.into_iter().rev() {
        origin.length += 1;
        origin.through |= Some(parent) == active;
        known.insert(hash, origin);
        parent = hash;
    }
    if origin.length > MAX_SCAN { Err(ChainError::TooLong) } else { Ok(origin) }
}
