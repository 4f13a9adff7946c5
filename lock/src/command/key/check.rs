//! `tlock key check`: does a key open, do its halves agree, does it sign, and does a chain trust it.

use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use lock::secret::Signer as _;
use lock::verify::{SigHash, zip215};
use serde_json::json;

use crate::command::chain::ChainOptions;
use crate::command::describe::count;
use crate::command::failure::Failure;
use crate::command::key_source::KeyReading;
use crate::command::{Exit, output, random, words};

/// Check that a key opens and signs, and whether a chain trusts it
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// A key file, tailscaled.state, a file with one `nlpriv:` line, or `agent:SHA256:…`
    #[arg(value_name = "KEY", required_unless_present = "key", value_hint = ValueHint::FilePath)]
    from: Option<PathBuf>,

    /// The same as KEY, for those who like it named
    #[arg(long, value_name = "KEY", conflicts_with = "from", value_hint = ValueHint::FilePath)]
    key: Option<PathBuf>,

    #[command(flatten)]
    reading: KeyReading,

    #[command(flatten)]
    chain: ChainOptions,

    /// Print it as JSON
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  tlock key check ~/lock.key
  tlock key check agent:SHA256:… --store DIR

Exit code 1 where the chain does not trust the key. A trial message is signed and thrown away: it is
32 random bytes, and so no message of any tailnet.";

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    let path = arguments.from.as_deref().or(arguments.key.as_deref());
    let key = arguments.reading.open(path.unwrap_or(Path::new("-")))?;
    let chain = arguments.chain.open_if_named()?;
    let public = key.public();
    let trial = SigHash::new(*random::bytes()?);
    let signature = key.sign(&trial).map_err(|it| Failure::plain(it.to_string()))?;
    if !zip215(public.as_bytes(), trial.as_bytes(), &signature) {
        return Err(Failure::plain("the key gives signatures that do not hold"));
    }
    let trusted =
        chain.as_ref().map(|it| it.state().key(public.as_bytes()).ok().map(|it| it.votes));
    if arguments.json {
        output::json(&json!({
            "version": 1,
            "key": public.to_string(),
            "words": words::of(&public.to_string()),
            "origin": key.origin.name(),
            "trusted": trusted.map(|it| it.is_some()),
            "votes": trusted.flatten(),
        }))?;
    } else {
        let mut text = format!("{public}\nwords: {}\n", words::of(&public.to_string()));
        text += &format!("it opens and signs; it comes from {}\n", key.origin.sentence());
        text += &match trusted {
            None => String::new(),
            Some(Some(votes)) => format!("the chain trusts it with {}\n", count(votes, "vote")),
            Some(None) => {
                "the chain does not trust it: every node would refuse what it signs\n".to_owned()
            }
        };
        output::print(&text)?;
    }
    Ok(if trusted == Some(None) { Exit::Findings } else { Exit::Clean })
}
