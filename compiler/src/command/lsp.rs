//! `aclc lsp`: starts the language server that lies beside this program, and gives it standard input
//! and output.
//!
//! The server is a program of its own, because it brings a runtime that nothing else here needs.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::Command;

use clap::Args;

use super::Exit;
use super::beside;
use super::failure::{Failure, shown};

/// Run the language server, for an editor
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Passed on to `aclc-lsp`
    #[arg(value_name = "ARGUMENT", trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

const EXAMPLES: &str = "\
Examples:
  aclc lsp            speak the Language Server Protocol on standard input and output
  aclc lsp --stdio    the same: what some editors add

An editor starts it: docs/editors.md says how. It is the program `aclc-lsp` beside `aclc`, which an
editor may start as well.

Exit codes: those of the protocol, 0 after `shutdown`, else 1; 2 where there is no `aclc-lsp`.";

/// The name of the program.
const SERVER: &str = "aclc-lsp";

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    let server = beside::program(SERVER);
    let mut command = Command::new(&server);
    command.args(&arguments.arguments);
    start(command).map_err(|error| missing(&server, &error))
}

/// Becomes the server: whoever started this program then speaks to it alone.
#[cfg(unix)]
fn start(mut command: Command) -> io::Result<Exit> {
    use std::os::unix::process::CommandExt;
    // It comes back only where it fails.
    Err(command.exec())
}

#[cfg(not(unix))]
fn start(mut command: Command) -> io::Result<Exit> {
    let ended = command.status()?;
    std::process::exit(ended.code().unwrap_or(1));
}

fn missing(server: &Path, error: &io::Error) -> Failure {
    let server = shown(server);
    let why = match error.kind() {
        io::ErrorKind::NotFound => format!("there is no language server at `{server}`"),
        _ => format!("the language server `{server}` cannot be started: {error}"),
    };
    Failure::usage(
        why,
        "install `aclc-lsp` in the folder of `aclc`; it comes with the same release",
    )
}
