//! The command line: one file per subcommand, and what they share.
//!
//! A subcommand gives an [`Exit`] or a [`Failure`]; only this file turns either into a number.

mod atomic;
mod baseline;
mod beside;
mod bundle;
mod check;
mod compare;
mod compile;
mod completions;
mod configuration;
mod diff;
mod explain;
mod failure;
mod file_name;
mod fmt;
mod format;
mod graph;
mod init;
mod input;
mod invariants;
mod inventory;
mod locked;
mod lsp;
mod man;
mod migrate;
mod preview;
mod progress;
mod prove;
mod question;
mod schema;
mod target;
mod terminal;
mod test;
mod unified;
mod watch;
mod who_can;
mod why;

use std::io::Write as _;
use std::panic::PanicHookInfo;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use failure::Failure;
use terminal::ColorChoice;

/// Checks tailnet policy files and compiles them into per-node packet-filter tables.
#[derive(Parser)]
#[command(name = "aclc", version, arg_required_else_help = true, after_help = AFTER_HELP, after_long_help = AFTER_LONG_HELP)]
struct Arguments {
    #[command(subcommand)]
    command: Command,

    /// When to use colours; NO_COLOR and CLICOLOR_FORCE are respected
    #[arg(long, global = true, value_enum, default_value_t = ColorChoice::Auto, value_name = "WHEN")]
    color: ColorChoice,
}

const AFTER_HELP: &str =
    "Begin with `aclc init`, then `aclc check`. `aclc COMMAND --help` has examples.";

const AFTER_LONG_HELP: &str = "\
First steps:
  aclc init                                      a commented starter policy in policy.hujson
  aclc check                                     everything wrong with policy.hujson, in one run
  tailscale status --json > nodes.json           the devices of the tailnet: an inventory
  aclc check --nodes nodes.json                  also what depends on the devices and users
  aclc compile policy.hujson --nodes nodes.json  which packets each device will accept
  aclc fmt                                       lay it out as Tailscale's own formatter does
  aclc explain E0301                             what a code means and what to do

The inventory may also be the devices list of Tailscale's API, the answer of
`headscale nodes list -o json`, or our own shape (`aclc inventory`).

Exit codes:
  0  nothing found at or above the fail level
  1  findings
  2  wrong use, or something that cannot be read or written
  3  a bug of ours";

#[derive(Subcommand)]
enum Command {
    Check(check::Arguments),
    Compile(compile::Arguments),
    Test(test::Arguments),
    /// Say whether one end can reach the other
    Can(why::Arguments),
    /// Say why one end can reach the other, or what is missing
    Why(why::Arguments),
    WhoCan(who_can::WhoArguments),
    WhatCan(who_can::WhatArguments),
    Diff(diff::Arguments),
    Prove(prove::Arguments),
    Preview(preview::Arguments),
    Graph(graph::Arguments),
    Compare(compare::Arguments),
    Bundle(bundle::Arguments),
    Fmt(fmt::Arguments),
    Migrate(migrate::Arguments),
    Explain(explain::Arguments),
    Init(init::Arguments),
    Inventory(inventory::Arguments),
    Lsp(lsp::Arguments),
    Schema(schema::Arguments),
    Completions(completions::Arguments),
    Man(man::Arguments),
}

/// How a run that nothing stopped ended. The order is that of gravity.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Exit {
    /// Nothing found.
    Clean = 0,
    /// Findings at or above the fail level.
    Findings = 1,
    /// Something could not be read; it has been said.
    Unreadable = 2,
    /// Something of ours is wrong; it has been said.
    Bug = 3,
}

/// Runs the command line that the process was started with.
pub(crate) fn run() -> ExitCode {
    let arguments = Arguments::parse();
    let color = arguments.color;
    let exit = match arguments.command {
        Command::Check(it) => check::run(&it, color),
        Command::Compile(it) => compile::run(&it, color),
        Command::Test(it) => test::run(&it, color),
        Command::Can(it) => why::run(&it, color, false),
        Command::Why(it) => why::run(&it, color, true),
        Command::WhoCan(it) => who_can::who(&it, color),
        Command::WhatCan(it) => who_can::what(&it, color),
        Command::Diff(it) => diff::run(&it, color),
        Command::Prove(it) => prove::run(&it, color),
        Command::Preview(it) => preview::run(&it),
        Command::Compare(it) => compare::run(&it, color),
        Command::Graph(it) => graph::run(&it, color),
        Command::Bundle(it) => bundle::run(&it, color),
        Command::Fmt(it) => fmt::run(&it, color),
        Command::Migrate(it) => migrate::run(&it, color),
        Command::Explain(it) => explain::run(&it),
        Command::Init(it) => init::run(&it),
        Command::Inventory(it) => inventory::run(&it, color),
        Command::Lsp(it) => lsp::run(&it),
        Command::Schema(it) => schema::run(&it),
        Command::Completions(it) => completions::run(&it),
        Command::Man(it) => man::run(&it),
    };
    let exit = exit.unwrap_or_else(|failure| {
        if failure.is_reader_gone() {
            return Exit::Clean;
        }
        report(&failure);
        Exit::Unreadable
    });
    ExitCode::from(exit as u8)
}

/// Says a failure on standard error.
fn report(failure: &Failure) {
    // Where standard error is closed there is nobody to tell.
    let _ = write!(std::io::stderr().lock(), "{}", failure.lines());
}

/// Says on standard error that a bug of ours ended the run, and ends it.
pub(crate) fn report_bug(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
    let payload = panic.payload();
    let what = payload
        .downcast_ref::<&str>()
        .copied()
        .or(payload.downcast_ref::<String>().map(String::as_str));
    let what = what.unwrap_or("no message");
    let _ = writeln!(
        std::io::stderr().lock(),
        "aclc {version}: this is a bug of ours, at {place} ({what}); a report with this line and the files that led here helps us mend it",
        version = env!("CARGO_PKG_VERSION"),
    );
    std::process::exit(3);
}
