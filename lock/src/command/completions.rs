//! `tlock completions`: a script that lets a shell complete our command lines.

use std::io::{self, Write as _};

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::Exit;
use super::failure::Failure;

/// Print a script with which a shell completes `tlock`
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    shell: Shell,
}

const EXAMPLES: &str = "\
Examples:
  tlock completions bash > ~/.local/share/bash-completion/completions/tlock
  tlock completions zsh > \"${fpath[1]}/_tlock\"
  tlock completions fish > ~/.config/fish/completions/tlock.fish";

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    let mut whole = super::Arguments::command();
    clap_complete::generate(arguments.shell, &mut whole, "tlock", &mut script);
    io::stdout().lock().write_all(&script)?;
    Ok(Exit::Clean)
}
