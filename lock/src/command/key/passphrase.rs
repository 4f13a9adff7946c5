//! `tlock key passphrase`: the same key under another passphrase, in the same file.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::{CostOptions, sealed};
use crate::command::atomic::{self, Readers};
use crate::command::failure::Failure;
use crate::command::key_source::{KeyReading, Origin};
use crate::command::{Exit, output};

/// Change the passphrase of a key file
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The key file
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: PathBuf,

    /// Read the old passphrase from FILE, instead of the terminal
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    passphrase_file: Option<PathBuf>,

    /// Read the new passphrase from FILE, instead of the terminal
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    new_passphrase_file: Option<PathBuf>,

    /// Read the key even if others on this machine can read it
    #[arg(long)]
    force: bool,

    #[command(flatten)]
    cost: CostOptions,
}

const EXAMPLES: &str = "\
Examples:
  tlock key passphrase ~/lock.key
  tlock key passphrase ~/lock.key --kdf-memory 512     dearer to guess, too

The file is replaced whole: at every moment the old or the new one is there. Copies of the old file
still open with the old passphrase.";

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    let reading = KeyReading {
        profile: None,
        passphrase_file: arguments.passphrase_file.clone(),
        force: arguments.force,
    };
    let key = reading.open(&arguments.file)?;
    let Some(here) = key.here().filter(|_| key.origin == Origin::KeyFile) else {
        return Err(Failure::usage(
            "only an encrypted key file has a passphrase",
            "`tlock key import FILE -o NEW` encrypts a bare key",
        ));
    };
    let text = sealed(here, arguments.new_passphrase_file.as_deref(), arguments.cost.cost())?;
    atomic::write(&arguments.file, text.as_bytes(), Readers::Owner)?;
    output::say("the passphrase is changed; copies of the old file still open with the old one");
    Ok(Exit::Clean)
}
