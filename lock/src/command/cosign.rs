//! `tlock cosign`: one more signature on a proposal, or the signatures of several copies joined.

use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;

use clap::{Args, ValueHint};
use lock::aum::{Aum, AumKind, Update};
use lock::secret::Signer as _;
use lock::state::State;

use super::chain::{Chain, ChainOptions};
use super::change::{self, signed_by};
use super::confirm::Consent;
use super::describe::{action, count, key_line, signers};
use super::failure::{Failure, shown};
use super::key_source::{Key, KeyOptions};
use super::terminal::{ColorChoice, Paint};
use super::{Exit, diff, output};

/// Add a signature to a proposed update, after showing what it does
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The proposal; of several copies the signatures are joined
    #[arg(value_name = "FILE", required = true, value_hint = ValueHint::FilePath)]
    files: Vec<PathBuf>,

    #[command(flatten)]
    chain: ChainOptions,

    #[command(flatten)]
    key: KeyOptions,

    /// Write the signed update to a new file; standard output has it as hex otherwise
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,

    /// Sign even though this key signed another update with the same parent
    #[arg(long)]
    fork: bool,

    #[command(flatten)]
    consent: Consent,

    /// Print what was made as JSON
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  tlock cosign revoke.cbor --key K --store DIR -o revoke-2.cbor
  tlock cosign from-anna.cbor from-ben.cbor --store DIR -o both.cbor      no key: only joined

The signing key must be trusted at the update's parent, or every node would refuse the whole update.
Each signature makes it another update with another hash.";

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, color: ColorChoice) -> Result<Exit, Failure> {
    let paint = Paint::new(color, &io::stderr());
    let chain = arguments.chain.open()?;
    change::check_output(arguments.output.as_deref())?;
    let mut update = joined(&arguments.files)?;
    let before = judged_by(&chain, &update)?;
    // What is there already must hold, or a good signature on top is wasted.
    if !update.signatures.is_empty() {
        before.verify(&update).or_else(|it| genesis(&update, it)).map_err(|it| {
            Failure::usage(
                format!("every node would refuse this update as it is: {it}"),
                "ask for a fresh proposal; one bad signature spoils the whole update",
            )
        })?;
    }
    update.check().map_err(|it| Failure::plain(format!("this update is not well-formed: {it}")))?;
    let key = match (&arguments.key.key, arguments.files.as_slice()) {
        (None, [_, _, ..]) => None,
        _ => Some(arguments.key.open()?),
    };
    output::say(&review(&chain, &update, &before, paint)?);
    if let Some(key) = key {
        update = sign(arguments, &chain, update, &before, &key)?;
    }
    output::say(&change::contest(&chain, &update)?);
    change::deliver(&[update], arguments.output.as_deref(), arguments.json)
}

fn sign(
    arguments: &Arguments,
    chain: &Chain,
    update: Update,
    before: &State,
    key: &Key,
) -> Result<Update, Failure> {
    let public = key.public();
    change::trusted(key, before, "at the parent of this update")?;
    if signed_by(&update).contains(&public.to_string()) {
        return Err(Failure::usage(
            "this key has signed this update already",
            "a second signature would weigh nothing; another trusted key adds weight",
        ));
    }
    let after = before
        .apply(&update)
        .map_err(|it| Failure::plain(format!("every node would refuse this update: {it}")))?;
    change::dangers(before, &after, Some(key), &arguments.consent)?;
    change::guard_forks(key, chain, Some(&update), arguments.fork)?;
    let weight = change::votes(before, &public);
    output::say(&format!("Your key {public} adds {}.", count(weight, "vote")));
    arguments.consent.ask("Sign this update?")?;
    let mut aum: Aum = update.aum().clone();
    aum.sign(key).map_err(|it| Failure::plain(it.to_string()))?;
    let update = Update::new(aum);
    change::record(key, &chain.tailnet(), std::slice::from_ref(&update));
    Ok(update)
}

/// One update with the signatures of all copies, each key's once, in the order they come.
fn joined(files: &[PathBuf]) -> Result<Update, Failure> {
    let mut whole: Option<Aum> = None;
    for path in files {
        let updates = change::read(path)?;
        let [update] = updates.as_slice() else {
            return Err(Failure::usage(
                format!("`{}` holds several updates", shown(path)),
                "a signature changes the hash of an update, and so breaks what follows it: a batch cannot be cosigned",
            ));
        };
        match &mut whole {
            None => whole = Some(update.aum().clone()),
            Some(aum) if aum.sig_hash() == update.sig_hash() => {
                for signature in &update.signatures {
                    if !aum.signatures.iter().any(|it| it.key_id == signature.key_id) {
                        aum.signatures.push(signature.clone());
                    }
                }
            }
            Some(_) => {
                return Err(Failure::plain(format!(
                    "`{}` is another update than the first file",
                    shown(path)
                )));
            }
        }
    }
    whole.map(Update::new).ok_or_else(|| Failure::plain("no update is given"))
}

/// The state that the update is judged by: the one at its parent, or its own where it is a genesis.
fn judged_by(chain: &Chain, update: &Update) -> Result<State, Failure> {
    match (update.parent(), &update.state) {
        (Some(parent), _) => change::state_before(chain, &parent),
        (None, Some(state)) if update.kind == AumKind::Checkpoint => Ok(state.clone()),
        _ => Err(Failure::plain("this update follows nothing and is no checkpoint")),
    }
}

/// A genesis has no parent, which is no fault of it.
fn genesis(
    update: &Update,
    error: lock::error::VerifyError,
) -> Result<(), lock::error::VerifyError> {
    match error {
        lock::error::VerifyError::NoParent if update.kind == AumKind::Checkpoint => Ok(()),
        other => Err(other),
    }
}

fn review(chain: &Chain, update: &Update, before: &State, paint: Paint) -> Result<String, Failure> {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = writeln!(text, "{} {}: {}", update.kind, update.hash(), action(update));
    for key in update.state.iter().flat_map(|it| it.keys()) {
        let _ = writeln!(text, "    {}", key_line(key));
    }
    let _ = writeln!(text, "Signed so far by {}.", signers(update, Some(before)));
    match before.apply(update) {
        Ok(after) => {
            let _ = write!(text, "Against its parent:\n{}", diff::lines(before, &after, paint));
            if update.parent() != Some(chain.head()) {
                let _ = write!(
                    text,
                    "It forks the chain. Against the head {}:\n{}",
                    chain.head(),
                    diff::lines(chain.state(), &after, paint)
                );
            }
        }
        Err(error) => {
            return Err(Failure::plain(format!("every node would refuse this update: {error}")));
        }
    }
    Ok(text)
}
