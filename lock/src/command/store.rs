//! `tlock store`: the folder of updates that the daemon keeps, filled, emptied, mended and compared.

mod compare;
mod export;
mod import;
mod repair;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::Exit;
use super::daemon;
use super::failure::{Failure, shown};

/// Import, export, repair and compare folders of updates
#[derive(Args)]
#[command(arg_required_else_help = true, after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  tlock store import genesis.cbor updates.txt --store DIR
  tlock store export --store /var/lib/tailscale -o updates.txt
  tlock store repair --store DIR                      only says what is wrong
  tlock store compare DIR1 DIR2 DIR3                  where did these nodes part

A daemon reads its folder when it starts and then believes its own memory. So below a `tka-profiles`
folder nothing is written unless `--daemon-stopped` says that it does not run, and no socket of it answers.";

#[derive(Subcommand)]
enum Command {
    Import(import::Arguments),
    Export(export::Arguments),
    Repair(repair::Arguments),
    Compare(compare::Arguments),
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    match &arguments.command {
        Command::Import(it) => import::run(it),
        Command::Export(it) => export::run(it),
        Command::Repair(it) => repair::run(it),
        Command::Compare(it) => compare::run(it),
    }
}

/// Refuses to write where a daemon may be at work.
pub(crate) fn writable(
    store: &Path,
    daemon_stopped: bool,
    socket: Option<&Path>,
) -> Result<(), Failure> {
    // A folder that is not there yet has a place, too.
    let absolute = std::path::absolute(store).unwrap_or_else(|_| store.to_owned());
    let place = std::fs::canonicalize(&absolute).unwrap_or(absolute);
    let inside = |it: &&Path| it.file_name().is_some_and(|it| it == "tka-profiles");
    let Some(profiles) = place.ancestors().find(inside) else { return Ok(()) };
    if !daemon_stopped {
        return Err(Failure::usage(
            format!(
                "`{}` belongs to a daemon, which believes its own memory and not this folder",
                shown(store)
            ),
            "stop the daemon and give `--daemon-stopped`, or work on a copy",
        ));
    }
    let root = profiles.parent().unwrap_or(Path::new("/"));
    let mut sockets: Vec<PathBuf> = socket.map(Path::to_owned).into_iter().collect();
    sockets.extend(daemon::sockets_of(root));
    if let Some(alive) = sockets.iter().find(|it| daemon::listens(it)) {
        return Err(Failure::usage(
            format!("a daemon answers at `{}`, so it is not stopped", shown(alive)),
            "stop it first (`systemctl stop tailscaled`), or work on a copy",
        ));
    }
    Ok(())
}
