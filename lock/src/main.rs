//! The command `tlock`: arguments in, exit code out. All it does stands in `command/`.

mod command;

use std::process::ExitCode;

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(command::report_bug));
    command::run()
}
