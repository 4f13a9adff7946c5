//! `tlock submit`: updates that were signed here → the tailnet, through the daemon of this machine.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::{Args, ValueHint};
use lock::aum::{AumHash, Update};

use super::chain::{ChainOptions, Source};
use super::confirm::Consent;
use super::daemon::Daemon;
use super::describe::{action, signers};
use super::failure::Failure;
use super::local_api::Status;
use super::{Exit, change, output};

/// Hand signed updates to the tailnet, through the daemon
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The updates: files in chain order, or the folder of a batch
    #[arg(value_name = "FILE", required = true, value_hint = ValueHint::AnyPath)]
    files: Vec<PathBuf>,

    /// Through the daemon of this machine: the only door there is, so this may be left out
    #[arg(long)]
    tailscaled: bool,

    /// The socket of the daemon, where it is not at its usual place
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    socket: Option<PathBuf>,

    #[command(flatten)]
    consent: Consent,

    /// Give up when the head has not moved after so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    wait: u64,
}

const EXAMPLES: &str = "\
Examples:
  tlock submit add.cbor --tailscaled
  tlock submit batch/ --tailscaled --yes

The daemon passes an update on without looking at it; so it is checked here first, by the chain that
the daemon holds. Each has to arrive before the next can follow it.";

/// How often the head is asked for.
const BEAT: Duration = Duration::from_millis(250);

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    let mut updates = Vec::new();
    for path in &arguments.files {
        updates.extend(change::read(path)?);
    }
    let options = ChainOptions {
        source: Source { tailscaled: true, ..Source::default() },
        socket: arguments.socket.clone(),
        expect_head: None,
        expect_genesis: None,
    };
    let chain = options.open()?;
    let mut state = None;
    for update in &updates {
        let parent = update.parent().ok_or_else(|| {
            Failure::usage(
                "this is a genesis: a tailnet that is locked takes no other",
                "`tlock init` locks one that is not",
            )
        })?;
        let before = match state.take() {
            Some((hash, after)) if hash == parent => after,
            _ => change::state_before(&chain, &parent)?,
        };
        before.verify(update).map_err(|it| {
            Failure::plain(format!("every node would refuse the update {}: {it}", update.hash()))
        })?;
        let after = before.apply(update).map_err(|it| Failure::plain(it.to_string()))?;
        output::say(&format!(
            "{} {}: {}\n  signed by {}",
            update.kind,
            update.hash(),
            action(update),
            signers(update, Some(&before))
        ));
        if parent != chain.head() && updates.first().is_some_and(|it| it.hash() == update.hash()) {
            output::say(&change::contest(&chain, update)?);
        }
        state = Some((update.hash(), after));
    }
    arguments.consent.ask("Submit this to the tailnet?")?;
    let daemon = Daemon::at(arguments.socket.as_deref())?;
    for update in &updates {
        hand_over(&daemon, update, Duration::from_secs(arguments.wait))?;
        output::print(&format!("{}\n", update.hash()))?;
    }
    Ok(Exit::Clean)
}

/// Submits one update and waits until the daemon itself stands at it.
fn hand_over(daemon: &Daemon, update: &Update, patience: Duration) -> Result<(), Failure> {
    daemon.post("tka/submit-recovery-aum", &update.encode())?;
    let start = Instant::now();
    let mut head: Option<AumHash>;
    loop {
        head = Status::ask(daemon)?.head();
        if head == Some(update.hash()) {
            return Ok(());
        }
        if start.elapsed() >= patience {
            break;
        }
        std::thread::sleep(BEAT);
    }
    let head = head.map_or_else(|| "nothing".to_owned(), |it| it.to_string());
    Err(Failure::usage(
        format!("the control server took {}, and the daemon still stands at {head}", update.hash()),
        "either it lost against another update of the same parent, or the daemon is not connected; nothing after it was submitted, and `tlock log --tailscaled` shows the chain",
    ))
}
