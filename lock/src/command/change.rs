//! What every change of the authority shares: the state before and after shown, what signing means
//! said, the person asked, the signature made and remembered, the proposal written.

mod care;
mod proposal;

use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;

use clap::{Args, ValueHint};
use lock::aum::{AumHash, Update};
use lock::authority::{pick, state_at};
use lock::builder::UpdateBuilder;
use lock::error::BuildError;
use lock::secret::Signer as _;
use lock::state::State;

use super::chain::{Chain, ChainOptions};
use super::confirm::Consent;
use super::describe::{action, count};
use super::failure::Failure;
use super::key_source::{Key, KeyOptions};
use super::terminal::{ColorChoice, Paint};
use super::{Exit, diff, output};
pub(crate) use care::{dangers, guard_forks, record, remember, trusted, votes};
pub(crate) use proposal::{check_output, deliver, files, read, signed_by};

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
    color: ColorChoice,
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
    output::say(&review(&chain, &preview, &after, key.as_ref(), Paint::new(color, &io::stderr())));
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
fn review(
    chain: &Chain,
    updates: &[Update],
    after: &State,
    key: Option<&Key>,
    paint: Paint,
) -> String {
    let mut text = format!("In the chain of {}, after {}:\n", chain.name, chain.head());
    for update in updates {
        // Writing to a string does not fail.
        let _ = writeln!(text, "  {}: {}", update.kind, action(update));
    }
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
