//! `aclc inventory`: an inventory in any shape → the same in ours.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;

use clap::{Args, ValueHint};
use compiler::tailnet::{redact, write};

use super::failure::Failure;
use super::format::{FileReport, human};
use super::progress::Progress;
use super::terminal::{self, ColorChoice};
use super::{Exit, atomic, input};

/// Read an inventory in any known shape and write it in ours
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The inventory; `-`, the default, is standard input
    #[arg(value_name = "FILE", default_value = "-", conflicts_with = "from", value_hint = ValueHint::FilePath)]
    file: PathBuf,

    /// The same as FILE, for those who like it named
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    from: Option<PathBuf>,

    /// Where to; standard output otherwise
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,

    /// Replace people, devices, keys and addresses by neutral ones, so that it can be shared
    #[arg(long)]
    redact: bool,
}

const EXAMPLES: &str = "\
Examples:
  tailscale status --json | aclc inventory -o nodes.json
  headscale nodes list -o json | aclc inventory --from - -o nodes.json
  aclc inventory nodes.json --redact           to show others

Four shapes are told apart by their content: what `tailscale status --json` prints, the devices list
of Tailscale's API, what `headscale nodes list -o json` prints, and our own.";

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, color: ColorChoice) -> Result<Exit, Failure> {
    let path = arguments.from.as_ref().unwrap_or(&arguments.file);
    if input::is_stdin(path) && io::stdin().is_terminal() {
        return Err(Failure::usage(
            "no inventory is given",
            "try `tailscale status --json | aclc inventory`",
        ));
    }
    let progress = Progress::start("reading the inventory");
    let read = input::inventory(path)?;
    drop(progress);
    let look = terminal::look(color, &io::stderr());
    let diagnostics = read.inventory.diagnostics;
    let found = [FileReport { name: read.name, text: read.text, diagnostics, verdict: None }];
    // Where standard error is closed there is nobody to tell.
    let _ = human::write(&mut io::stderr().lock(), &found, look);
    let Some(tailnet) = read.inventory.tailnet else { return Ok(Exit::Unreadable) };
    let text = if arguments.redact { write(&redact(&tailnet)) } else { write(&tailnet) };
    match &arguments.output {
        Some(path) if !input::is_stdin(path) => atomic::write(path, text.as_bytes())?,
        _ => io::stdout().lock().write_all(text.as_bytes())?,
    }
    Ok(Exit::Clean)
}
