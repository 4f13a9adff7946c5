//! What every change of the authority shares: the state before and after shown, what signing means
//! said, the person asked, the signature made and remembered, the proposal written.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use data_encoding::HEXUPPER;
use lock::aum::{Aum, AumHash, Update};
use lock::authority::{pick, state_at};
use lock::builder::UpdateBuilder;
use lock::error::BuildError;
use lock::secret::Signer as _;
use lock::state::State;
use lock::text::{LockPublicKey, hex};
use lock::verify::weakness;
use serde_json::json;

use super::atomic::{self, Readers};
use super::chain::{Chain, ChainOptions};
use super::confirm::Consent;
use super::describe::{action, count, key_text};
use super::failure::Failure;
use super::key_source::{Key, KeyOptions};
use super::memory::{Memory, Signed, now};
use super::terminal::{ColorChoice, Paint};
use super::{Exit, diff, output};

/// Options of every command that proposes a change.
#[derive(Args)]
pub(crate) struct ChangeOptions {
    #[command(flatten)]
    pub(crate) chain: ChainOptions,

    #[command(flatten)]
    pub(crate) key: KeyOptions,

    /// Propose without a signature; `tlock cosign` adds them
    #[arg(long, conflicts_with = "key")]
    pub(crate) unsigned: bool,

    /// Write the update to a new file (several: to a new folder); standard output has it as hex otherwise
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,

    /// Sign even though this key signed another update with the same parent
    #[arg(long)]
    pub(crate) fork: bool,

    #[command(flatten)]
    pub(crate) consent: Consent,

    /// Print what was made as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Proposes what `build` asks for, signed once by the key that was named.
pub(crate) fn propose(
    options: &ChangeOptions,
    build: &dyn Fn(&mut UpdateBuilder<'_>) -> Result<(), BuildError>,
) -> Result<Exit, Failure> {
    let chain = options.chain.open()?;
    check_output(options.output.as_deref())?;
    let key = if options.unsigned { None } else { Some(options.key.open()?) };
    if let Some(key) = &key {
        trusted(key, chain.state(), "at the head of this chain")?;
    }
    let make = |signer| {
        let mut builder = UpdateBuilder::new(&chain.authority, signer);
        build(&mut builder)?;
        builder.finish(&*chain.store)
    };
    // Made without a signature first, to be looked at before anything is signed.
    let preview = make(None).map_err(|it| refused(&it))?;
    let after = applied(chain.state(), &preview)?;
    if options.unsigned && preview.len() > 1 {
        return Err(Failure::usage(
            "an update that others follow cannot wait for signatures: they change its hash",
            "propose one change at a time, or all of them as one state with `tlock checkpoint`",
        ));
    }
    output::say(&review(&chain, &preview, &after, key.as_ref()));
    dangers(chain.state(), &after, key.as_ref(), &options.consent)?;
    let Some(key) = key else { return deliver(&preview, options.output.as_deref(), options.json) };
    guard_forks(&key, &chain, preview.first(), options.fork)?;
    let signs = match preview.len() {
        1 => "Sign this update?".to_owned(),
        many => format!("Sign these {many} updates?"),
    };
    options.consent.ask(&signs)?;
    let updates = make(Some(&key)).map_err(|it| refused(&it))?;
    record(&key, &chain.tailnet(), &updates);
    deliver(&updates, options.output.as_deref(), options.json)
}

/// Refuses a place where something is, before any work is done for it.
pub(crate) fn check_output(path: Option<&Path>) -> Result<(), Failure> {
    path.map_or(Ok(()), atomic::absent)
}

/// Refuses a key that a state does not trust, or that is too weak to mean anything.
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

/// The state after some updates.
pub(crate) fn applied(before: &State, updates: &[Update]) -> Result<State, Failure> {
    let mut state = before.clone();
    for update in updates {
        state = state.apply(update).map_err(|it| Failure::plain(it.to_string()))?;
    }
    Ok(state)
}

/// An error of the builder, with what can be done.
pub(crate) fn refused(error: &BuildError) -> Failure {
    let sentence = error.to_string();
    match error {
        BuildError::LastKey | BuildError::RevokesAll => Failure::usage(
            sentence,
            "a tailnet without a trusted key can be changed by nobody; add another key first, or switch the lock off",
        ),
        BuildError::Full(_) => Failure::usage(
            sentence,
            "remove keys that are no longer used, such as those of old pre-signed auth keys, in one batch",
        ),
        BuildError::NoKey { .. } => {
            Failure::usage(sentence, "`tlock status` lists the trusted keys")
        }
        _ => Failure::plain(sentence),
    }
}

/// What is about to be signed, in words.
fn review(chain: &Chain, updates: &[Update], after: &State, key: Option<&Key>) -> String {
    let mut text = format!("In the chain of {}, after {}:\n", chain.name, chain.head());
    for update in updates {
        // Writing to a string does not fail.
        let _ = writeln!(text, "  {}: {}", update.kind, action(update));
    }
    let paint = Paint::new(ColorChoice::Auto, &io::stderr());
    let _ = write!(text, "What changes:\n{}", diff::lines(chain.state(), after, paint));
    if let Some(key) = key {
        let weight = votes(chain.state(), &key.public());
        let _ = writeln!(
            text,
            "Signed by {} with {} of {}.",
            key.public(),
            count(weight, "vote"),
            chain.state().total_votes()
        );
    }
    text
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

/// Writes what was made: one update to a file, several to a folder, in chain order; as text where
/// no file is named.
pub(crate) fn deliver(
    updates: &[Update],
    place: Option<&Path>,
    as_json: bool,
) -> Result<Exit, Failure> {
    match (place, updates) {
        (Some(path), [update]) => {
            atomic::write_new(path, &update.encode(), Readers::Anyone)?;
        }
        (Some(path), _) => write_batch(path, updates)?,
        (None, _) => {}
    }
    if as_json {
        let updates: Vec<_> = updates.iter().map(expanded).collect();
        output::json(&json!({ "version": 1, "updates": updates }))?;
        return Ok(Exit::Clean);
    }
    let line = |it: &Update| match place {
        // As the reference's own command reads it.
        None => HEXUPPER.encode(&it.encode()) + "\n",
        Some(_) => format!("{} {}\n", it.hash(), it.kind),
    };
    output::print(&updates.iter().map(line).collect::<String>())?;
    Ok(Exit::Clean)
}

/// A folder of updates whose names sort in chain order.
fn write_batch(path: &Path, updates: &[Update]) -> Result<(), Failure> {
    std::fs::create_dir(path).map_err(|it| Failure::Write(path.to_owned(), it))?;
    for (index, update) in updates.iter().enumerate() {
        let file = path.join(format!("{:04}-{}.cbor", index + 1, update.kind));
        atomic::write_new(&file, &update.encode(), Readers::Anyone)?;
    }
    Ok(())
}

/// An update as scripts get it.
fn expanded(update: &Update) -> serde_json::Value {
    json!({
        "hash": update.hash().to_string(),
        "kind": update.kind.to_string(),
        "parent": update.parent().map(|it| it.to_string()),
        "raw": data_encoding::BASE64.encode(&update.encode()),
        "signedBy": signed_by(update),
    })
}

/// The keys that signed an update, as text.
pub(crate) fn signed_by(aum: &Aum) -> Vec<String> {
    aum.signatures.iter().map(|it| key_text(it.key_id.as_deref().unwrap_or_default())).collect()
}

/// The updates in a file, or in a folder in the order of its names.
pub(crate) fn read(path: &Path) -> Result<Vec<Update>, Failure> {
    files(&[path.to_owned()])?.iter().map(|it| read_one(it)).collect()
}

/// The files that paths name; those of a folder in the order of their names.
pub(crate) fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let failed = |it: io::Error| Failure::Read(path.clone(), it);
        let entries = std::fs::read_dir(path).map_err(failed)?;
        let mut inside: Vec<PathBuf> =
            entries.map(|it| it.map(|it| it.path())).collect::<Result<_, _>>().map_err(failed)?;
        inside.sort();
        files.extend(inside);
    }
    Ok(files)
}

fn read_one(path: &Path) -> Result<Update, Failure> {
    let content = super::blob::file(path)?;
    let text = std::str::from_utf8(&content).ok().map(str::trim).filter(|it| !it.is_empty());
    let bytes = text.and_then(super::blob::decode).unwrap_or(content);
    let name = super::failure::shown(path);
    let decoded =
        Aum::decode(&bytes).map_err(|it| Failure::plain(format!("`{name}` is no update: {it}")))?;
    if let Some(quirk) = decoded.quirks.first() {
        output::warn(&format!(
            "`{name}` is not canonical at byte {}: {}; what follows speaks of its canonical form",
            quirk.at, quirk.kind
        ));
    }
    Ok(Update::new(decoded.value))
}

/// How an update would do against what follows its parent now.
pub(crate) fn contest(chain: &Chain, update: &Update) -> Result<String, Failure> {
    let Some(parent) = update.parent() else { return Ok(String::new()) };
    let before = state_before(chain, &parent)?;
    let mut rivals = chain.store.children(&parent).map_err(|it| chain.failed(&it))?;
    rivals.retain(|it| it.hash() != update.hash());
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = writeln!(
        text,
        "Its weight at {parent}: {} of {}.",
        update.weight(&before),
        before.total_votes()
    );
    for rival in &rivals {
        let _ = writeln!(
            text,
            "  against {} ({}) with a weight of {}",
            rival.hash(),
            rival.kind,
            rival.weight(&before)
        );
    }
    if !rivals.is_empty() {
        let mut all = rivals;
        all.push(update.clone());
        let wins = pick(&before, &all).is_some_and(|it| it.hash() == update.hash());
        text.push_str(if wins {
            "As it is signed now it wins.\n"
        } else {
            "As it is signed now it loses: it needs more signatures of keys that are trusted there.\n"
        });
    }
    Ok(text)
}

/// The state that an update is judged by: the one at its parent.
pub(crate) fn state_before(chain: &Chain, parent: &AumHash) -> Result<State, Failure> {
    state_at(&*chain.store, parent).map_err(|it| {
        Failure::usage(
            format!("the state at its parent {parent} is not known here: {it}"),
            "take a store that holds the parent, such as that of a node which saw it",
        )
    })
}
