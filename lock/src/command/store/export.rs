//! `tlock store export`: every update of a store, branches that lost included, as text.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, ValueHint};
use data_encoding::BASE64;
use lock::aum::{AumHash, Update};

use crate::command::atomic::{self, Readers};
use crate::command::chain::ChainOptions;
use crate::command::failure::Failure;
use crate::command::{Exit, output};

/// Write every update of a store as base64, parents first, a line each
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    chain: ChainOptions,

    /// Where to, a new file; standard output otherwise
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  tlock store export --store /var/lib/tailscale -o updates.txt
  tlock store export --tailscaled > updates.txt        the active chain only: the daemon gives no more
  tlock log --json --limit 2000 --store DIR            the active chain as the reference prints it

Nothing in it is secret: every node of the tailnet has it.";

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    let chain = arguments.chain.open()?;
    let all = chain.store.all().map_err(|it| chain.failed(&it))?;
    let lines = ordered(all).into_iter().map(|it| BASE64.encode(&it.encode()) + "\n");
    let text: String = lines.collect();
    match &arguments.output {
        Some(path) => atomic::write_new(path, text.as_bytes(), Readers::Anyone)?,
        None => output::print(&text)?,
    }
    Ok(Exit::Clean)
}

/// Parents before children; of one parent's children the lower hash first.
fn ordered(all: Vec<Update>) -> Vec<Update> {
    let stored: BTreeMap<AumHash, &Update> = all.iter().map(|it| (it.hash(), it)).collect();
    let mut children: BTreeMap<Option<AumHash>, Vec<&Update>> = BTreeMap::new();
    for update in stored.values() {
        // What follows an update that is not stored is a beginning, too.
        let parent = update.parent().filter(|it| stored.contains_key(it));
        children.entry(parent).or_default().push(update);
    }
    let mut ordered = Vec::with_capacity(stored.len());
    let mut open: Vec<&Update> = children.remove(&None).unwrap_or_default();
    open.reverse();
    while let Some(update) = open.pop() {
        ordered.push(update.clone());
        let mut next = children.remove(&Some(update.hash())).unwrap_or_default();
        next.reverse();
        open.extend(next);
    }
    ordered
}
