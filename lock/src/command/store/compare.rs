//! `tlock store compare`: the chains of several nodes → where they part, and who lacks what.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{Args, ValueHint};
use lock::aum::{AumHash, Update};
use serde_json::json;

use crate::command::chain::Chain;
use crate::command::describe::{action, count};
use crate::command::failure::Failure;
use crate::command::{Exit, output};

/// Compare the chains of several nodes: where do they part, and who lacks what
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The stores
    #[arg(value_name = "DIR", num_args = 2.., required = true, value_hint = ValueHint::DirPath)]
    stores: Vec<PathBuf>,

    /// Print it as JSON
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  scp -r node2:/var/lib/tailscale/tka-profiles/1ab3 other && tlock store compare /var/lib/tailscale other

Exit code 1 where the nodes do not stand at the same update.";

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    let chains: Vec<Chain> =
        arguments.stores.iter().map(|it| Chain::in_folder(it)).collect::<Result<_, _>>()?;
    let histories: Vec<Vec<Update>> =
        chains.iter().map(Chain::history).collect::<Result<_, _>>()?;
    let heads: BTreeSet<AumHash> = chains.iter().map(Chain::head).collect();
    let tailnets: BTreeSet<String> = chains.iter().map(Chain::tailnet).collect();
    let common = common(&histories);
    let known: BTreeMap<AumHash, Update> =
        histories.iter().flatten().map(|it| (it.hash(), it.clone())).collect();
    let mut text = String::new();
    let mut nodes = Vec::new();
    for (chain, history) in chains.iter().zip(&histories) {
        let own: BTreeSet<AumHash> = history.iter().map(Update::hash).collect();
        let lacks: Vec<&Update> =
            ordered(&histories).into_iter().filter(|it| !own.contains(&it.hash())).collect();
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "{}\n  head   {}\n  chain  {}",
            chain.name,
            chain.head(),
            count(history.len() as u64, "update")
        );
        for update in &lacks {
            let stored = matches!(chain.store.update(&update.hash()), Ok(Some(_)));
            let how = if stored { "has on a branch that lost" } else { "lacks" };
            let _ = writeln!(text, "  {how} {} {}: {}", update.hash(), update.kind, action(update));
        }
        let missing: Vec<String> = lacks.iter().map(|it| it.hash().to_string()).collect();
        nodes.push(json!({
            "store": chain.name,
            "tailnet": chain.tailnet(),
            "head": chain.head().to_string(),
            "updates": history.len(),
            "lacks": missing,
        }));
    }
    let same = heads.len() == 1;
    let verdict = match (same, common) {
        (true, _) => "All stand at the same update.".to_owned(),
        _ if tailnets.len() > 1 => {
            "They belong to different locks: one was switched off and begun again, or they are of different tailnets. \
             A node with an old lock must forget it (`tailscale lock local-disable`).".to_owned()
        }
        (false, None) => "They have no update in common that is still stored.".to_owned(),
        (false, Some(hash)) => {
            let kind = known.get(&hash).map(|it| it.kind.to_string()).unwrap_or_default();
            format!("They part after {hash} ({kind}).")
        }
    };
    if arguments.json {
        output::json(&json!({
            "version": 1,
            "same": same,
            "common": common.map(|it| it.to_string()),
            "nodes": nodes,
        }))?;
    } else {
        output::print(&format!("{text}\n{verdict}\n"))?;
    }
    Ok(if same { Exit::Clean } else { Exit::Findings })
}

/// The newest update that lies on every chain.
fn common(histories: &[Vec<Update>]) -> Option<AumHash> {
    let (first, others) = histories.split_first()?;
    let others: Vec<BTreeSet<AumHash>> =
        others.iter().map(|it| it.iter().map(Update::hash).collect()).collect();
    first.iter().map(Update::hash).find(|hash| others.iter().all(|it| it.contains(hash)))
}

/// Every update of every chain once, oldest first as its chain has it.
fn ordered(histories: &[Vec<Update>]) -> Vec<&Update> {
    let mut seen = BTreeSet::new();
    histories.iter().flat_map(|it| it.iter().rev()).filter(|it| seen.insert(it.hash())).collect()
}
