//! `tlock revoke`: a proposal that forks the chain from before a key did harm, and takes it away.

use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};
use lock::aum::{Aum, AumHash, Update};
use lock::authority::{Revocation, StateFrom};
use lock::secret::Signer as _;

use super::chain::{Chain, ChainOptions};
use super::change;
use super::confirm::Consent;
use super::failure::Failure;
use super::key_source::KeyOptions;
use super::terminal::{ColorChoice, Paint};
use super::{Exit, diff, node_key, output};

/// Propose to revoke keys from the past: recovery after a key leaked
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The keys to revoke
    #[arg(value_name = "TLPUB", required = true)]
    keys: Vec<String>,

    #[command(flatten)]
    chain: ChainOptions,

    #[command(flatten)]
    key: KeyOptions,

    /// The update to fork from; the newest before the keys were trusted otherwise
    #[arg(long, value_name = "HASH")]
    fork_from: Option<AumHash>,

    /// What is kept of all that happened since the fork
    #[arg(long, value_enum, value_name = "WHAT", default_value_t = Kept::Head)]
    state: Kept,

    /// Write the update to a new file; standard output has it as hex otherwise
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,

    #[command(flatten)]
    consent: Consent,

    /// Print what was made as JSON
    #[arg(long)]
    json: bool,
}

/// Which state a recovery sets.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Kept {
    /// The state of now without the keys, as the reference makes it
    Head,
    /// The state at the fork without the keys: nothing that happened since
    Fork,
}

const EXAMPLES: &str = "\
Examples:
  tlock rehearse --leak tlpub:… --store DIR                  first: what could they do, who must sign
  tlock revoke tlpub:… --key K --store DIR -o revoke.cbor
  tlock cosign revoke.cbor --key K2 --store DIR -o revoke-2.cbor
  tlock submit revoke-2.cbor --tailscaled

It must outweigh what follows the fork now, by the votes of the keys that are trusted there. Whoever
a revoked key had signed is locked out until signed again.";

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, color: ColorChoice) -> Result<Exit, Failure> {
    let paint = Paint::new(color, &io::stderr());
    let chain = arguments.chain.open()?;
    change::check_output(arguments.output.as_deref())?;
    let keys: Vec<_> =
        arguments.keys.iter().map(|it| node_key::lock_key(it)).collect::<Result<_, _>>()?;
    let key = arguments.key.open()?;
    let ids: Vec<&[u8]> = keys.iter().map(|it| it.as_bytes().as_slice()).collect();
    if keys.contains(&key.public()) {
        return Err(Failure::usage(
            "a key cannot revoke itself: whoever stole it could sign against it",
            "sign with another trusted key",
        ));
    }
    let signer = key.public();
    let revocation = Revocation {
        keys: &ids,
        signer: signer.as_bytes(),
        fork_from: arguments.fork_from,
        state_from: match arguments.state {
            Kept::Head => StateFrom::Head,
            Kept::Fork => StateFrom::Fork,
        },
    };
    let aum =
        chain.authority.revoke(&*chain.store, &revocation).map_err(|it| change::refused(&it))?;
    let unsigned = Update::new(aum);
    let parent = unsigned.parent().ok_or_else(|| Failure::plain("a genesis cannot be revoked"))?;
    let before = change::state_before(&chain, &parent)?;
    change::trusted(&key, &before, "where the chain would fork")?;
    output::say(&review(&chain, &unsigned, parent, arguments.state, paint)?);
    change::dangers(
        chain.state(),
        unsigned.state.as_ref().unwrap_or(&before),
        Some(&key),
        &arguments.consent,
    )?;
    arguments.consent.ask("Sign this recovery?")?;
    let mut aum: Aum = unsigned.aum().clone();
    aum.sign(&key).map_err(|it| Failure::plain(it.to_string()))?;
    let update = Update::new(aum);
    change::record(&key, &chain.tailnet(), std::slice::from_ref(&update));
    output::say(&change::contest(&chain, &update)?);
    change::deliver(&[update], arguments.output.as_deref(), arguments.json)
}

/// What the recovery undoes and what it keeps, against both ends of what it skips.
fn review(
    chain: &Chain,
    update: &Update,
    parent: AumHash,
    kept: Kept,
    paint: Paint,
) -> Result<String, Failure> {
    let after = update.state.clone().unwrap_or_default();
    let fork = change::state_before(chain, &parent)?;
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = writeln!(text, "A recovery that forks the chain of {} after {parent}.", chain.name);
    let _ = write!(text, "Against the head of now:\n{}", diff::lines(chain.state(), &after, paint));
    let _ = write!(text, "Against the state at the fork:\n{}", diff::lines(&fork, &after, paint));
    if kept == Kept::Head {
        text.push_str(
            "It keeps what happened since the fork: keys that an attacker added stay trusted unless they are\n\
             listed, keys that an attacker removed stay away, and so do disablement values.\n\
             `--state fork` keeps nothing of it.\n",
        );
    }
    Ok(text)
}
