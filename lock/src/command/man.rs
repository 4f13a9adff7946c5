//! `tlock man`: the manual page of the command or of a subcommand, for `man`.

use std::io::{self, Write as _};

use clap::{Args, CommandFactory as _};
use clap_mangen::Man;
use compiler::diagnostic::similar;

use super::Exit;
use super::failure::Failure;
use super::visible::visible;

/// Print the manual page, of `tlock` or of one of its commands
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The command; without one the page of `tlock` itself
    #[arg(value_name = "COMMAND", num_args = 0..=2)]
    command: Vec<String>,
}

const EXAMPLES: &str = "\
Examples:
  tlock man | man -l -
  tlock man sign > /usr/local/share/man/man1/tlock-sign.1
  tlock man key new";

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    let mut page = super::Arguments::command();
    // Global options and full names reach the subcommands only then.
    page.build();
    for name in &arguments.command {
        page = page.find_subcommand(name).cloned().ok_or_else(|| unknown(&page, name))?;
    }
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
    Failure::usage(format!("unknown command `{}`", visible(name)), help)
}
