//! What a careful signer asks before a signature, and what is remembered of it.

use lock::aum::Update;
use lock::secret::Signer as _;
use lock::state::State;
use lock::text::{LockPublicKey, hex};
use lock::verify::weakness;

use crate::command::chain::Chain;
use crate::command::confirm::Consent;
use crate::command::failure::Failure;
use crate::command::key_source::Key;
use crate::command::memory::{Memory, Signed, now};
use crate::command::output;

/// Refuses a key that a state does not trust.
pub(crate) fn trusted(key: &Key, state: &State, place: &str) -> Result<(), Failure> {
    let public = key.public();
    if state.key(public.as_bytes()).is_err() {
        return Err(Failure::usage(
            format!(
                "the key {public} is not trusted {place}: every node would refuse what it signs"
            ),
            "a trusted key has to add it first (`tlock add`)",
        ));
    }
    Ok(())
}

/// The votes of a key in a state; none where it is not trusted.
pub(crate) fn votes(state: &State, key: &LockPublicKey) -> u64 {
    state.key(key.as_bytes()).map_or(0, |it| it.votes)
}

/// Asks for a word where a change takes away what cannot be had back.
pub(crate) fn dangers(
    before: &State,
    after: &State,
    key: Option<&Key>,
    consent: &Consent,
) -> Result<(), Failure> {
    let usable = |state: &State| {
        state.keys().iter().any(|it| weakness(it.public.as_deref().unwrap_or_default()).is_none())
    };
    if usable(before) && !usable(after) {
        return consent.word("this takes away the last key that can sign", "remove-last-key");
    }
    let values = |state: &State| state.disablement_values().map(<[u8]>::to_vec).collect::<Vec<_>>();
    let (old, new) = (values(before), values(after));
    if !old.is_empty() && old.iter().all(|it| !new.contains(it)) {
        let danger = "this takes away every disablement value: no secret of today switches the lock off afterwards";
        consent.word(danger, "replace-disablement")?;
    }
    let own = key.map(|it| it.public());
    if let Some(own) =
        own.filter(|it| before.key(it.as_bytes()).is_ok() && after.key(it.as_bytes()).is_err())
    {
        let danger =
            format!("this takes away {own}, the key that signs it: it can never sign again");
        consent.word(&danger, "remove-own-key")?;
    }
    Ok(())
}

/// Refuses a second child of one parent by one key: two of them make the tailnet choose.
pub(crate) fn guard_forks(
    key: &Key,
    chain: &Chain,
    update: Option<&Update>,
    allowed: bool,
) -> Result<(), Failure> {
    let Some((update, memory)) = update.zip(Memory::open()) else { return Ok(()) };
    let parent = update.parent().map(|it| it.to_string());
    let sig_hash = hex(update.sig_hash().as_bytes());
    let tailnet = Some(chain.tailnet());
    let journal = memory.journal(&key.public().to_string());
    // The same once more is no second child: signatures are the same for the same input, always.
    if journal.iter().any(|it| it.sig_hash == sig_hash) {
        return Ok(());
    }
    let other = journal
        .iter()
        .find(|it| it.parent.is_some() && it.parent == parent && it.tailnet == tailnet);
    let Some(other) = other.filter(|_| !allowed) else { return Ok(()) };
    Err(Failure::usage(
        format!(
            "on {} this key signed another update with the same parent, `{}`: if both reach the tailnet it has to choose",
            other.time, other.kind
        ),
        "submit the first one and look at the head again; `--fork` signs all the same",
    ))
}

/// Remembers what a key signed, before the signature leaves us.
pub(crate) fn record(key: &Key, tailnet: &str, updates: &[Update]) {
    let signed = |update: &Update| Signed {
        time: now(),
        kind: update.kind.to_string(),
        sig_hash: hex(update.sig_hash().as_bytes()),
        parent: Some(update.parent().map_or_else(|| "none".to_owned(), |it| it.to_string())),
        tailnet: Some(tailnet.to_owned()),
        node_key: None,
    };
    let signed: Vec<Signed> = updates.iter().map(signed).collect();
    remember(key, &signed);
}

/// Adds to a key's journal, and says where that cannot be done.
pub(crate) fn remember(key: &Key, signed: &[Signed]) {
    match Memory::open() {
        None => output::warn("no home is known, so nothing is remembered of what this key signs"),
        Some(memory) => {
            if let Err(failure) = memory.record(&key.public().to_string(), signed) {
                output::warn(&format!("what this key signs is not remembered: {failure}"));
            }
        }
    }
}
