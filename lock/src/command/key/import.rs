//! `tlock key import`: a key that lies bare in a file or a daemon's state → an encrypted file.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use lock::secret::SigningKey;
use serde_json::json;

use super::{CostOptions, sealed, shown, write_new};
use crate::command::failure::Failure;
use crate::command::key_source::{Key, KeyReading};
use crate::command::{Exit, atomic, hidden, output, words};

/// Take over a key from a daemon's state or an `nlpriv:` line into an encrypted file
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// tailscaled.state, or a file with one `nlpriv:` line; `-` is standard input
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    from: PathBuf,

    /// The new file; one that exists is never overwritten
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: PathBuf,

    /// The profile whose key is taken from tailscaled.state; the one in use otherwise
    #[arg(long, value_name = "ID")]
    profile: Option<String>,

    /// Read the new passphrase from FILE, instead of the terminal
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    passphrase_file: Option<PathBuf>,

    /// Read the key even if others on this machine can read it
    #[arg(long)]
    force: bool,

    #[command(flatten)]
    cost: CostOptions,

    /// Print the public half as JSON
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  sudo tlock key import /var/lib/tailscale/tailscaled.state -o node.key
  tlock key import plain.txt -o lock.key           one line, `nlpriv:…`

The two halves of the key must belong together. The file it came from is left as it is: a bare copy
of a key stays a bare copy until somebody deletes it.";

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    atomic::absent(&arguments.output)?;
    if arguments.from == Path::new("-")
        && arguments.passphrase_file.as_deref() == Some(Path::new("-"))
    {
        return Err(Failure::usage(
            "standard input can be read only once",
            "give a file for the key or for the passphrase",
        ));
    }
    let key = read(arguments)?;
    let key =
        key.here().ok_or_else(|| Failure::plain("the key of an ssh-agent never leaves it"))?;
    let text = sealed(key, arguments.passphrase_file.as_deref(), arguments.cost.cost())?;
    write_new(&arguments.output, key, &text)?;
    let public = key.public().to_string();
    if arguments.json {
        output::json(&json!({ "version": 1, "key": public, "words": words::of(&public) }))?;
    } else {
        io::stdout().lock().write_all(shown(&key.public()).as_bytes())?;
    }
    Ok(Exit::Clean)
}

fn read(arguments: &Arguments) -> Result<Key, Failure> {
    if arguments.from == Path::new("-") {
        let text = hidden::argument(Some("-"), "the private key")?;
        let text = std::str::from_utf8(&text).map_err(|_| Failure::plain("this is no key"))?;
        let key = SigningKey::parse(text.trim()).map_err(|it| Failure::plain(it.to_string()))?;
        return Ok(Key::from(key));
    }
    let reading = KeyReading {
        profile: arguments.profile.clone(),
        passphrase_file: None,
        force: arguments.force,
    };
    if reading.claimed(&arguments.from)?.is_some() {
        return Err(Failure::usage(
            "this is an encrypted key file already",
            "copy it as any file; `tlock key passphrase` changes its passphrase",
        ));
    }
    reading.open(&arguments.from)
}
