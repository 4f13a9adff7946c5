//! `tlock key`: keys made, looked at, taken over and kept; a file for each of its commands.

mod check;
mod import;
mod new;
mod passphrase;
mod show;

use std::path::Path;

use clap::{Args, Subcommand};
use lock::secret::SigningKey;
use lock::text::LockPublicKey;

use super::atomic::{self, Readers};
use super::failure::Failure;
use super::{Exit, hidden, key_file, random, words};

/// Make, show, import and check the keys that sign
#[derive(Args)]
#[command(arg_required_else_help = true, after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  tlock key new -o ~/lock.key                   a fresh key in an encrypted file
  tlock key show ~/lock.key                     its public half, also as words to compare
  tlock key import tailscaled.state -o lock.key the key of a daemon, encrypted
  tlock key check ~/lock.key --store DIR        does it open, and does the chain trust it

A key file holds one seed under a passphrase: Argon2id, then XChaCha20-Poly1305. Whoever loses the
passphrase loses the key; whoever has both can sign. docs/tlock.md describes every line of it.";

#[derive(Subcommand)]
enum Command {
    New(new::Arguments),
    Show(show::Arguments),
    Import(import::Arguments),
    Check(check::Arguments),
    Passphrase(passphrase::Arguments),
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    match &arguments.command {
        Command::New(it) => new::run(it),
        Command::Show(it) => show::run(it),
        Command::Import(it) => import::run(it),
        Command::Check(it) => check::run(it),
        Command::Passphrase(it) => passphrase::run(it),
    }
}

/// What an encrypted file costs to open.
#[derive(Args, Clone, Copy, Debug)]
struct CostOptions {
    /// Memory that opening the file takes, in MiB; more makes guessing dearer
    #[arg(long, value_name = "MIB", default_value_t = key_file::COST.memory / 1024, value_parser = clap::value_parser!(u32).range(1..=1024))]
    kdf_memory: u32,

    /// Passes over that memory
    #[arg(long, value_name = "N", default_value_t = key_file::COST.passes, value_parser = clap::value_parser!(u32).range(1..=64))]
    kdf_passes: u32,
}

impl CostOptions {
    fn cost(self) -> key_file::Cost {
        key_file::Cost {
            memory: self.kdf_memory * 1024,
            passes: self.kdf_passes,
            lanes: key_file::COST.lanes,
        }
    }
}

/// The text of an encrypted file for a key, its passphrase asked for.
fn sealed(key: &SigningKey, from: Option<&Path>, cost: key_file::Cost) -> Result<String, Failure> {
    let passphrase = hidden::new_passphrase(from)?;
    let (salt, nonce) = (random::bytes()?, random::bytes()?);
    let public = key.public().to_string();
    key_file::seal(&key.expose_seed(), &public, &passphrase, cost, *salt, *nonce)
        .map_err(|it| Failure::plain(it.to_string()))
}

/// Writes a new encrypted file, and reads it again before anybody relies on it.
fn write_new(path: &Path, key: &SigningKey, text: &str) -> Result<(), Failure> {
    atomic::write_new(path, text.as_bytes(), Readers::Owner)?;
    let failed = |it| Failure::Read(path.to_owned(), it);
    if std::fs::read_to_string(path).map_err(failed)? != text {
        return Err(Failure::plain("the key file was not written as it should be; do not use it"));
    }
    debug_assert!(text.contains(&key.public().to_string()));
    Ok(())
}

/// A public key as people compare it.
fn shown(public: &LockPublicKey) -> String {
    let text = public.to_string();
    let words = words::of(&text);
    format!("{text}\nwords: {words}\n")
}
