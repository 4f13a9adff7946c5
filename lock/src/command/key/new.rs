//! `tlock key new`: a fresh key in an encrypted file.

use std::io::{self, Write as _};
use std::path::PathBuf;

use clap::{Args, ValueHint};
use lock::secret::SigningKey;
use serde_json::json;

use super::{CostOptions, sealed, shown, write_new};
use crate::command::failure::Failure;
use crate::command::{Exit, atomic, output, random, words};

/// Make a key and write it to a new encrypted file
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The new file; one that exists is never overwritten
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: PathBuf,

    /// Read the passphrase from FILE, `-` for standard input, instead of the terminal
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    passphrase_file: Option<PathBuf>,

    #[command(flatten)]
    cost: CostOptions,

    /// Print the public half as JSON
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  tlock key new -o ~/lock.key
  pass show lock | tlock key new -o lock.key --passphrase-file -

Standard output has the public half only: `tlpub:…`, which the tailnet has to trust before the key
can sign. Keep a copy of the file and of the passphrase where a fire does not reach both.";

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    atomic::absent(&arguments.output)?;
    let seed = random::bytes()?;
    let key = SigningKey::from_seed(&seed);
    let text = sealed(&key, arguments.passphrase_file.as_deref(), arguments.cost.cost())?;
    write_new(&arguments.output, &key, &text)?;
    let public = key.public().to_string();
    if arguments.json {
        output::json(&json!({ "version": 1, "key": public, "words": words::of(&public) }))?;
    } else {
        io::stdout().lock().write_all(shown(&key.public()).as_bytes())?;
    }
    Ok(Exit::Clean)
}
