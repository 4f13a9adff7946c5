//! `aclc man`: the manual page of the command or of a subcommand, for `man`.

use std::io::{self, Write as _};

use clap::{Args, CommandFactory as _};
use clap_mangen::Man;
use compiler::diagnostic::similar;

use super::Exit;
use super::failure::Failure;

/// Print the manual page, of `aclc` or of one of its commands
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The command; without one the page of `aclc` itself
    #[arg(value_name = "COMMAND")]
    command: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  aclc man | man -l -
  aclc man check > /usr/local/share/man/man1/aclc-check.1";

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    let mut whole = super::Arguments::command();
    // Global options and full names reach the subcommands only then.
    whole.build();
    let page = match &arguments.command {
        None => whole,
        Some(name) => whole.find_subcommand(name).cloned().ok_or_else(|| unknown(&whole, name))?,
    };
    let mut text = Vec::new();
    Man::new(page).render(&mut text)?;
    io::stdout().lock().write_all(&text)?;
    Ok(Exit::Clean)
}

fn unknown(whole: &clap::Command, name: &str) -> Failure {
    let names: Vec<&str> = whole.get_subcommands().map(clap::Command::get_name).collect();
    let help = match similar(name, names.iter().copied()) {
        Some(known) => format!("did you mean `{known}`?"),
        None => format!("the commands are {}", names.join(", ")),
    };
    Failure::usage(format!("unknown command `{name}`"), help)
}
