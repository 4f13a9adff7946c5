//! `aclc init`: a commented starter policy.

use std::io::{self, Write as _};
use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::failure::{Failure, shown};
use super::{Exit, atomic, input};

/// The policy that is written.
const STARTER: &str = include_str!("init/starter.hujson");

/// Write a commented starter policy; never over a file that exists
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Where to; `-` is standard output
    #[arg(value_name = "FILE", default_value = "policy.hujson", value_hint = ValueHint::FilePath)]
    file: PathBuf,
}

const EXAMPLES: &str = "\
Examples:
  aclc init                      policy.hujson in this folder
  aclc init - | less             only look at it";

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    if input::is_stdin(&arguments.file) {
        io::stdout().lock().write_all(STARTER.as_bytes())?;
        return Ok(Exit::Clean);
    }
    atomic::write_new(&arguments.file, STARTER.as_bytes())?;
    let name = shown(&arguments.file);
    // Where standard error is closed there is nobody to tell.
    let _ = writeln!(io::stderr().lock(), "wrote {name}; edit it, then run `aclc check {name}`");
    Ok(Exit::Clean)
}
