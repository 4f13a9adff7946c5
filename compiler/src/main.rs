//! The command `aclc`: arguments in, exit code out. All it does stands in `command/`.
#![allow(
    clippy::disallowed_methods,
    reason = "the command is the edge: it alone reads files, the clock and the environment"
)]

mod command;

use std::process::ExitCode;

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(command::report_bug));
    command::run()
}
