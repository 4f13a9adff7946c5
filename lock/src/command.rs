//! The command line: one file per subcommand, and what they share.
//!
//! A subcommand gives an [`Exit`] or a [`Failure`]; only this file turns either into a number.

mod add;
mod agent;
mod atomic;
mod audit;
mod blob;
mod chain;
mod change;
mod checkpoint;
mod completions;
mod confirm;
mod cosign;
mod daemon;
mod describe;
mod diff;
mod disablement;
mod explain;
mod failure;
mod graph;
mod hidden;
mod http;
mod init;
mod inventory;
mod json;
mod key;
mod key_file;
mod key_source;
mod local_api;
mod log;
mod man;
mod memory;
mod node_key;
mod node_list;
mod nodes;
mod output;
mod picture;
mod random;
mod rehearse;
mod remove;
mod revoke;
mod show;
mod sign;
mod state_file;
mod status;
mod store;
mod submit;
mod terminal;
mod update;
mod verify;
mod visible;
mod words;

use std::io::Write as _;
use std::panic::PanicHookInfo;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use failure::Failure;
use terminal::ColorChoice;

/// Signs, checks and audits Tailnet Lock: the keys, the updates and the signatures of nodes.
#[derive(Parser)]
#[command(name = "tlock", version, arg_required_else_help = true, after_help = AFTER_HELP, after_long_help = AFTER_LONG_HELP)]
struct Arguments {
    #[command(subcommand)]
    command: Command,

    /// When to use colours; NO_COLOR and CLICOLOR_FORCE are respected
    #[arg(long, global = true, value_enum, default_value_t = ColorChoice::Auto, value_name = "WHEN")]
    color: ColorChoice,
}

const AFTER_HELP: &str =
    "Begin with `tlock status`, then `tlock audit`. `tlock COMMAND --help` has examples.";

const AFTER_LONG_HELP: &str = "\
Looking, which changes nothing:
  tlock status --tailscaled                     the lock of this machine's tailnet
  tlock audit --store DIR                       what is weak, old or doubtful in a chain
  tlock show @update.cbor                       any update or signature, decoded and explained

Signing, which asks first:
  tlock key new -o ~/lock.key                   a key of your own, in an encrypted file
  tlock sign NODEKEY --key K --store DIR        endorse a node
  tlock add TLPUB --key K --store DIR -o FILE   propose a change to the trusted keys
  tlock cosign FILE --key K --store DIR -o NEW  sign a proposal of somebody else
  tlock submit FILE --tailscaled                hand it to the tailnet

A chain comes from `--store` (a folder as the daemon keeps it, `…/tka-profiles/<id>`, or the
daemon's own folder), from `--log` (what `tailscale lock log --json` prints), or from the daemon
itself, `--tailscaled`.

Exit codes:
  0  done; accepted; nothing found at or above the fail level
  1  refused; findings
  2  wrong use, something that cannot be read or written, or not confirmed: nothing signed
  3  a bug of ours";

#[derive(Subcommand)]
enum Command {
    Key(key::Arguments),
    Init(init::Arguments),
    Sign(sign::Arguments),
    Verify(verify::Arguments),
    Show(show::Arguments),
    Log(log::Arguments),
    Status(status::Arguments),
    Audit(audit::Arguments),
    Graph(graph::Arguments),
    Add(add::Arguments),
    Remove(remove::Arguments),
    Update(update::Arguments),
    Checkpoint(checkpoint::Arguments),
    Cosign(cosign::Arguments),
    Submit(submit::Arguments),
    Revoke(revoke::Arguments),
    Rehearse(rehearse::Arguments),
    Disablement(disablement::Arguments),
    Nodes(nodes::Arguments),
    Explain(explain::Arguments),
    Store(store::Arguments),
    Completions(completions::Arguments),
    Man(man::Arguments),
}

/// How a run that nothing stopped ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Exit {
    /// Done; accepted; nothing found.
    Clean = 0,
    /// Refused; findings at or above the fail level.
    Findings = 1,
    /// Something could not be read or was not confirmed; it has been said.
    Unreadable = 2,
}

/// Runs the command line that the process was started with.
pub(crate) fn run() -> ExitCode {
    forbid_core_dumps();
    let arguments = Arguments::parse();
    let color = arguments.color;
    let exit = match arguments.command {
        Command::Key(it) => key::run(&it),
        Command::Init(it) => init::run(&it),
        Command::Sign(it) => sign::run(&it),
        Command::Verify(it) => verify::run(&it),
        Command::Show(it) => show::run(&it, color),
        Command::Log(it) => log::run(&it, color),
        Command::Status(it) => status::run(&it, color),
        Command::Audit(it) => audit::run(&it, color),
        Command::Graph(it) => graph::run(&it),
        Command::Add(it) => add::run(&it, color),
        Command::Remove(it) => remove::run(&it, color),
        Command::Update(it) => update::run(&it, color),
        Command::Checkpoint(it) => checkpoint::run(&it, color),
        Command::Cosign(it) => cosign::run(&it, color),
        Command::Submit(it) => submit::run(&it),
        Command::Revoke(it) => revoke::run(&it, color),
        Command::Rehearse(it) => rehearse::run(&it, color),
        Command::Disablement(it) => disablement::run(&it),
        Command::Nodes(it) => nodes::run(&it, color),
        Command::Explain(it) => explain::run(&it),
        Command::Store(it) => store::run(&it),
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

/// A dump of our memory would hold keys. A limit of zero stops files, the second call also what
/// is piped to a collector. Where neither can be had we go on: the person did not ask for a crash.
fn forbid_core_dumps() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        let none = Rlimit { current: Some(0), maximum: Some(0) };
        let _ = setrlimit(Resource::Core, none);
    }
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}

/// Says a failure on standard error.
fn report(failure: &Failure) {
    // Where standard error is closed there is nobody to tell.
    let _ = write!(std::io::stderr().lock(), "{}", failure.lines());
}

/// Says on standard error that a bug of ours ended the run, and ends it. The message of a panic may
/// quote a value, so it stays unsaid: a value may be secret.
pub(crate) fn report_bug(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
    let _ = writeln!(
        std::io::stderr().lock(),
        "tlock {version}: this is a bug of ours, at {place}; a report with this line and how you got here helps us mend it",
        version = env!("CARGO_PKG_VERSION"),
    );
    std::process::exit(3);
}
