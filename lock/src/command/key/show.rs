//! `tlock key show`: the public half of a key, also as words; or what keys the ssh-agent holds.

use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use lock::secret::Signer as _;
use lock::text::{LockPublicKey, NodeKey};
use serde_json::json;

use crate::command::failure::Failure;
use crate::command::key_source::KeyReading;
use crate::command::{Exit, output, words};

/// Show the public half of a key, as text and as words to compare
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// A key file, tailscaled.state, `agent:SHA256:…`, a `tlpub:` or `nodekey:` text, or `agent:` for
    /// all keys of the ssh-agent
    #[arg(value_name = "KEY", required_unless_present = "key", value_hint = ValueHint::FilePath)]
    from: Option<PathBuf>,

    /// The same as KEY, for those who like it named
    #[arg(long, value_name = "KEY", conflicts_with = "from", value_hint = ValueHint::FilePath)]
    key: Option<PathBuf>,

    #[command(flatten)]
    reading: KeyReading,

    /// Print it as JSON
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  tlock key show ~/lock.key
  tlock key show /var/lib/tailscale/tailscaled.state
  tlock key show tlpub:…                     only its words
  tlock key show agent:                      every key of the ssh-agent that can sign

An encrypted file is not opened for this: the public half stands in it. `tlock key check` proves it.";

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    let default = Path::new("-");
    let path = arguments.from.as_deref().or(arguments.key.as_deref()).unwrap_or(default);
    let written = path.to_string_lossy();
    if written == "agent:" {
        return agent(arguments.json);
    }
    if let Ok(key) = written.parse::<LockPublicKey>() {
        return put(&key.to_string(), None, arguments.json);
    }
    if let Ok(key) = written.parse::<NodeKey>() {
        return put(&key.to_string(), None, arguments.json);
    }
    if let Some(file) = arguments.reading.claimed(path)? {
        return put(&file.public, Some("key-file"), arguments.json);
    }
    let key = arguments.reading.open(path)?;
    put(&key.public().to_string(), Some(key.origin.name()), arguments.json)
}

fn put(key: &str, origin: Option<&str>, as_json: bool) -> Result<Exit, Failure> {
    let words = words::of(key);
    if as_json {
        output::json(&json!({ "version": 1, "key": key, "words": words, "origin": origin }))?;
    } else {
        output::print(&format!("{key}\nwords: {words}\n"))?;
    }
    Ok(Exit::Clean)
}

#[cfg(unix)]
fn agent(as_json: bool) -> Result<Exit, Failure> {
    let identities = crate::command::agent::Agent::connect()?.identities()?;
    let public = |it: &[u8; 32]| LockPublicKey::new(*it).to_string();
    if as_json {
        let keys: Vec<_> = identities
            .iter()
            .map(|it| {
                json!({
                    "key": public(&it.public),
                    "agent": format!("agent:{}", it.fingerprint()),
                    "comment": it.comment,
                })
            })
            .collect();
        output::json(&json!({ "version": 1, "keys": keys }))?;
        return Ok(Exit::Clean);
    }
    let lines = identities.iter().map(|it| {
        format!("{}\n  agent:{}  {}\n", public(&it.public), it.fingerprint(), it.comment)
    });
    output::print(&lines.collect::<String>())?;
    if identities.is_empty() {
        output::say("the ssh-agent holds no plain `ssh-ed25519` key");
    }
    Ok(Exit::Clean)
}

#[cfg(not(unix))]
fn agent(_: bool) -> Result<Exit, Failure> {
    Err(Failure::plain("keys of an ssh-agent can be used on Unix only"))
}
