//! What losing or leaking keys would mean, worked out on a copy of the facts.
//!
//! A lost key cannot sign any more. A leaked one can sign whatever its owner does not want: at the
//! head, and as far back as it was trusted and the updates are kept. A fork from there wins if its
//! weight reaches that of the update which follows: a tie goes to a removal, and between removals to a
//! hash that whoever forks can try for.

use crate::audit::{Node, standings};
use crate::aum::AumHash;
use crate::authority::Authority;
use crate::error::{ChainError, StoreError};
use crate::peer::PeerVerdict;
use crate::state::State;
use crate::store::Store;

/// What losing keys would mean.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Loss {
    /// The trusted keys that are left, by ID, with their votes.
    pub left: Vec<(Vec<u8>, u64)>,
    /// Nodes whose signatures rest on a lost key, by their index. They stay signed until that key is
    /// removed, and must be signed again before it is.
    pub resting: Vec<usize>,
    /// Votes of the lost keys together.
    pub votes: u64,
}

impl Loss {
    /// Whether nobody could sign anything any more. Then only a disablement secret helps.
    pub fn is_final(&self) -> bool {
        self.left.is_empty()
    }
}

/// What losing keys would mean.
pub fn lose(authority: &Authority, keys: &[&[u8]], nodes: &[Node<'_>]) -> Loss {
    let state = authority.state();
    Loss {
        left: usable(state, keys),
        resting: resting_on(authority, keys, nodes),
        votes: votes_of(state, keys),
    }
}

/// What leaking keys would mean.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Leak {
    /// Votes of the leaked keys at the head; with one already, any node and any update can be signed.
    pub votes: u64,
    /// Where in the past the leaked keys could fork the chain, oldest first.
    pub forks: Vec<Risk>,
    /// How they would be revoked.
    pub recovery: Recovery,
    /// Nodes whose signatures rest on a leaked key, by their index: locked out by the recovery until
    /// they are signed again.
    pub locked_out: Vec<usize>,
}

/// One place where keys could fork a chain.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Risk {
    /// The update they would fork after.
    pub parent: AumHash,
    /// The update that follows it now.
    pub child: AumHash,
    /// The weight of the forking keys at the parent.
    pub attacker: u64,
    /// The weight of the update that follows now.
    pub defender: u64,
    /// Who would win.
    pub outcome: Outcome,
}

/// Who wins a fork.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// The keys that fork.
    Wins,
    /// The chain as it is.
    Loses,
}

/// A recovery that revokes keys from the past.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Recovery {
    /// The update to fork after: the newest that serves, before any of the keys was trusted or the
    /// oldest of all.
    pub fork_from: AumHash,
    /// The least weight that wins there, against the update that follows now and against whatever
    /// the leaked keys could put beside it.
    pub needed: u64,
    /// The fewest keys that reach that weight; all there are where they do not.
    pub signers: Vec<Vec<u8>>,
    /// Their weight.
    pub reached: u64,
}

impl Recovery {
    /// Whether enough keys are left.
    pub fn is_possible(&self) -> bool {
        self.reached >= self.needed
    }
}

/// What leaking keys would mean.
pub fn leak(
    authority: &Authority,
    store: &dyn Store,
    keys: &[&[u8]],
    nodes: &[Node<'_>],
) -> Result<Leak, ChainError> {
    let states = authority.states(store)?;
    let risks = rewrite_risk(store, &states, keys)?;
    let forks = risks.iter().filter(|it| it.outcome == Outcome::Wins).cloned().collect();
    Ok(Leak {
        votes: votes_of(authority.state(), keys),
        forks,
        recovery: recovery(authority, &states, &risks, keys),
        locked_out: resting_on(authority, keys, nodes),
    })
}

/// Each place of a chain, oldest first, where an update follows. `states` are the states at the updates of the chain, oldest first.
pub fn rewrite_risk(
    store: &dyn Store,
    states: &[State],
    keys: &[&[u8]],
) -> Result<Vec<Risk>, StoreError> {
    let mut risks = Vec::new();
    for pair in states.windows(2) {
        let [before, after] = pair else { continue };
        let (Some(parent), Some(child)) = (before.last, after.last) else { continue };
        let attacker = votes_of(before, keys);
        let Some(update) = store.update(&child)? else { continue };
        let defender = update.weight(before);
        let wins = attacker > 0 && attacker >= defender;
        let outcome = if wins { Outcome::Wins } else { Outcome::Loses };
        risks.push(Risk { parent, child, attacker, defender, outcome });
    }
    Ok(risks)
}

/// The newest place to fork from that enough keys are left for, before any of the keys was trusted
/// or else at the oldest update; the first of these places where there is none.
fn recovery(authority: &Authority, states: &[State], risks: &[Risk], keys: &[&[u8]]) -> Recovery {
    let clean = |it: &&State| keys.iter().all(|key| it.key(key).is_err());
    let places = states.iter().rev().filter(clean).chain(states.first());
    let mut recoveries = places.map(|it| recovery_at(authority, it, risks, keys));
    match recoveries.next() {
        Some(first) if !first.is_possible() => {
            recoveries.find(Recovery::is_possible).unwrap_or(first)
        }
        Some(first) => first,
        None => recovery_at(authority, authority.state(), risks, keys),
    }
}

fn recovery_at(authority: &Authority, fork: &State, risks: &[Risk], keys: &[&[u8]]) -> Recovery {
    let fork_from = fork.last.unwrap_or(authority.head());
    let follows = risks.iter().find(|it| it.parent == fork_from).map_or(0, |it| it.defender);
    let needed = follows.max(votes_of(fork, keys)).saturating_add(1);

    let mut candidates = usable(fork, keys);
    // Keys that are still trusted are those whose owners can be asked.
    candidates.sort_by_key(|it| (!authority.trusts(&it.0), std::cmp::Reverse(it.1)));
    let mut reached: u64 = 0;
    let mut signers = Vec::new();
    for (id, votes) in candidates {
        if reached >= needed {
            break;
        }
        reached = reached.saturating_add(votes);
        signers.push(id);
    }
    Recovery { fork_from, needed, signers, reached }
}

/// Votes of those of the keys that are trusted.
fn votes_of(state: &State, keys: &[&[u8]]) -> u64 {
    let votes = keys.iter().filter_map(|it| state.key(it).ok()).map(|it| it.votes);
    votes.fold(0, u64::saturating_add)
}

/// Trusted keys that can sign, but for some.
fn usable(state: &State, except: &[&[u8]]) -> Vec<(Vec<u8>, u64)> {
    let keys = state.keys().iter().filter_map(|it| Some((it.id().ok()?, it)));
    keys.filter(|(id, _)| !except.contains(id) && crate::verify::weakness(id).is_none())
        .map(|(id, key)| (id.to_vec(), key.votes))
        .collect()
}

fn resting_on(authority: &Authority, keys: &[&[u8]], nodes: &[Node<'_>]) -> Vec<usize> {
    let rests = |it: &crate::audit::Standing| {
        matches!(it.verdict, PeerVerdict::Signed(_))
            && it.key_id.as_deref().is_some_and(|id| keys.contains(&id))
    };
    let standings = standings(authority, nodes);
    standings.iter().enumerate().filter(|(_, it)| rests(it)).map(|(index, _)| index).collect()
}
