//! `tlock rehearse`: what losing or leaking keys would mean, worked out before it happens.

use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;

use clap::{Args, ValueHint};
use lock::audit::Node;
use lock::rehearse::{Leak, Loss, leak, lose};
use lock::text::{LockPublicKey, hex};
use serde_json::{Value, json};

use super::chain::{Chain, ChainOptions};
use super::describe::{count, key_text};
use super::failure::Failure;
use super::node_list::NodeList;
use super::terminal::{ColorChoice, Paint, Tone};
use super::visible::visible;
use super::{Exit, node_key, nodes, output};

/// Rehearse the loss or the leak of keys: who must sign, who would win a fork, who is locked out
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// A key that nobody has any more; repeatable
    #[arg(long, value_name = "TLPUB", required_unless_present = "leak")]
    lose: Vec<String>,

    /// A key that somebody else has, too; repeatable
    #[arg(long, value_name = "TLPUB")]
    leak: Vec<String>,

    #[command(flatten)]
    chain: ChainOptions,

    /// The nodes: a network map, a lock status or an inventory
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    nodes: Option<PathBuf>,

    /// Print it as JSON (docs/tlock.md)
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  tlock rehearse --lose tlpub:… --store DIR
  tlock rehearse --leak tlpub:… --leak tlpub:… --store DIR --nodes netmap.json

Nothing is signed and nothing is changed. Exit code 1 where a loss leaves nobody who can sign, or
where too few keys are left to recover from a leak.";

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, color: ColorChoice) -> Result<Exit, Failure> {
    let chain = arguments.chain.open()?;
    let list = match (&arguments.nodes, arguments.chain.source.tailscaled) {
        (Some(_), _) | (None, true) => nodes::gather(arguments.nodes.as_ref(), &arguments.chain)?,
        (None, false) => NodeList::default(),
    };
    let listed: Vec<Node<'_>> = list.nodes.iter().map(|it| it.for_audit()).collect();
    let paint = Paint::new(color, &io::stdout());
    let parse = |texts: &[String]| -> Result<Vec<LockPublicKey>, Failure> {
        texts.iter().map(|it| node_key::lock_key(it)).collect()
    };
    let (lost, leaked) = (parse(&arguments.lose)?, parse(&arguments.leak)?);
    for key in lost.iter().chain(&leaked) {
        if !chain.authority.trusts(key.as_bytes()) {
            output::warn(&format!("{key} is not trusted now"));
        }
    }
    let mut grave = false;
    let mut text = String::new();
    let mut document = json!({ "version": 1 });
    if !lost.is_empty() {
        let ids = ids(&lost);
        let loss = lose(&chain.authority, &ids, &listed);
        grave |= loss.is_final();
        text += &describe_loss(&loss, &listed, paint);
        add(&mut document, "loss", loss_json(&loss, &listed));
    }
    if !leaked.is_empty() {
        let ids = ids(&leaked);
        let leak = leak(&chain.authority, &*chain.store, &ids, &listed).map_err(|it| {
            Failure::plain(format!("cannot walk the chain of {}: {it}", chain.name))
        })?;
        grave |= !leak.recovery.is_possible();
        text += &describe_leak(&chain, &leak, &leaked, &listed, paint);
        add(&mut document, "leak", leak_json(&leak, &listed));
    }
    if listed.is_empty() {
        text += "\nNo nodes are known here; `--nodes FILE` says which would be locked out.\n";
    }
    if arguments.json {
        output::json(&document)?;
    } else {
        output::print(text.trim_start_matches('\n'))?;
    }
    Ok(if grave { Exit::Findings } else { Exit::Clean })
}

fn ids(keys: &[LockPublicKey]) -> Vec<&[u8]> {
    keys.iter().map(|it| it.as_bytes().as_slice()).collect()
}

fn add(document: &mut Value, name: &str, value: Value) {
    if let Some(members) = document.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
}

fn describe_loss(loss: &Loss, nodes: &[Node<'_>], paint: Paint) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = writeln!(text, "\n{}", paint.tone(Tone::Strong, "If these keys are lost:"));
    let _ = writeln!(text, "  {} go with them", count(loss.votes, "vote"));
    if loss.is_final() {
        let line =
            "nobody is left who can sign: no node can be endorsed and nothing changed any more";
        let _ = writeln!(text, "  {}", paint.tone(Tone::Bad, line));
        let _ = writeln!(
            text,
            "  only a disablement secret helps then; check yours with `tlock disablement check`"
        );
    } else {
        let _ = writeln!(text, "  who can still sign:");
        for (id, votes) in &loss.left {
            let _ = writeln!(text, "    {} ({})", key_text(id), count(*votes, "vote"));
        }
        let _ = writeln!(
            text,
            "  any one of them removes the lost keys (`tlock remove`), and can endorse nodes"
        );
    }
    if !loss.resting.is_empty() {
        let _ = writeln!(text, "  sign these again before the lost keys are removed:");
        text += &names(&loss.resting, nodes);
    }
    text
}

fn describe_leak(
    chain: &Chain,
    leak: &Leak,
    keys: &[LockPublicKey],
    nodes: &[Node<'_>],
    paint: Paint,
) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = writeln!(text, "\n{}", paint.tone(Tone::Strong, "If these keys leak:"));
    if leak.votes > 0 {
        let _ =
            writeln!(text, "  whoever has them can sign any node and change the authority at once");
    } else {
        let _ = writeln!(text, "  they are not trusted now: at the head they can do nothing");
    }
    match leak.forks.as_slice() {
        [] => {
            let _ =
                writeln!(text, "  {}", paint.tone(Tone::Good, "they can win no fork of the past"));
        }
        forks => {
            let line =
                format!("they can rewrite the chain from {}", count(forks.len() as u64, "update"));
            let _ = writeln!(text, "  {}:", paint.tone(Tone::Bad, &line));
            for fork in forks.iter().take(MOST) {
                let _ = writeln!(
                    text,
                    "    after {}: their weight is {}, that of the update which follows is {}",
                    fork.parent, fork.attacker, fork.defender
                );
            }
            if forks.len() > MOST {
                let _ = writeln!(text, "    and {} more", forks.len() - MOST);
            }
        }
    }
    let recovery = &leak.recovery;
    let _ = writeln!(
        text,
        "  to revoke them: fork after {}, with a weight of at least {}",
        recovery.fork_from, recovery.needed
    );
    for id in &recovery.signers {
        let now =
            if chain.authority.trusts(id) { "" } else { " (not trusted any more, but there)" };
        let _ = writeln!(text, "    signed by {}{now}", key_text(id));
    }
    if recovery.is_possible() {
        let first = recovery.signers.first().map(|it| hex(it)).unwrap_or_default();
        let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
        let _ = writeln!(
            text,
            "    tlock revoke {} --fork-from {} --key <the file of tlpub:{first}> …",
            keys.join(" "),
            recovery.fork_from
        );
    } else {
        let line = format!(
            "too few keys are left: they reach {} of {}; only switching the lock off helps then",
            recovery.reached, recovery.needed
        );
        let _ = writeln!(text, "    {}", paint.tone(Tone::Bad, &line));
    }
    if !leak.locked_out.is_empty() {
        let _ = writeln!(text, "  the revocation locks these out until they are signed again:");
        text += &names(&leak.locked_out, nodes);
    }
    text
}

/// Forks beyond this many say nothing new.
const MOST: usize = 10;

fn names(indices: &[usize], nodes: &[Node<'_>]) -> String {
    let named = indices.iter().filter_map(|it| nodes.get(*it));
    named.map(|it| format!("    {}  {}\n", visible(it.name), it.node_key)).collect()
}

fn loss_json(loss: &Loss, nodes: &[Node<'_>]) -> Value {
    let left: Vec<Value> = loss
        .left
        .iter()
        .map(|(id, votes)| json!({ "key": key_text(id), "votes": votes }))
        .collect();
    json!({
        "votes": loss.votes,
        "final": loss.is_final(),
        "left": left,
        "resting": names_json(&loss.resting, nodes),
    })
}

fn leak_json(leak: &Leak, nodes: &[Node<'_>]) -> Value {
    let forks: Vec<Value> = leak
        .forks
        .iter()
        .map(|it| {
            json!({
                "parent": it.parent.to_string(),
                "child": it.child.to_string(),
                "attacker": it.attacker,
                "defender": it.defender,
            })
        })
        .collect();
    let recovery = &leak.recovery;
    let signers: Vec<String> = recovery.signers.iter().map(|it| key_text(it)).collect();
    json!({
        "votes": leak.votes,
        "forks": forks,
        "recovery": {
            "possible": recovery.is_possible(),
            "forkFrom": recovery.fork_from.to_string(),
            "needed": recovery.needed,
            "reached": recovery.reached,
            "signers": signers,
        },
        "lockedOut": names_json(&leak.locked_out, nodes),
    })
}

fn names_json(indices: &[usize], nodes: &[Node<'_>]) -> Vec<Value> {
    let named = indices.iter().filter_map(|it| nodes.get(*it));
    named.map(|it| json!({ "name": it.name, "nodeKey": it.node_key.to_string() })).collect()
}
