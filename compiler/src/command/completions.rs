//! `aclc completions`: a script that lets a shell complete our command lines.

use std::io::{self, Write as _};

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::Exit;
use super::failure::Failure;

/// Print a script with which a shell completes `aclc`
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    shell: Shell,
}

const EXAMPLES: &str = "\
Examples:
  aclc completions bash > ~/.local/share/bash-completion/completions/aclc
  aclc completions zsh > \"${fpath[1]}/_aclc\"
  aclc completions fish > ~/.config/fish/completions/aclc.fish";

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut super::Arguments::command(), "aclc", &mut script);
    io::stdout().lock().write_all(&script)?;
    Ok(Exit::Clean)
}
