//! `tlock store import`: updates from files → a store, each checked as a node would check it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use lock::aum::{Aum, AumHash, AumKind, Update};
use lock::authority::Authority;
use lock::error::{ChainError, InformError};
use lock::store::{Folder, Scan, Store as _};
use serde_json::json;

use super::writable;
use crate::command::failure::{Failure, shown};
use crate::command::{Exit, blob, change, memory, output};

/// Take updates into a store, and refuse those that no node would take
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// One update as CBOR, or base64 with an update a line; a folder of such; `-` is standard input
    #[arg(value_name = "FILE", required = true, value_hint = ValueHint::AnyPath)]
    files: Vec<PathBuf>,

    /// The store; it is made where it is missing
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    store: PathBuf,

    /// The update that a new store begins with, where several could
    #[arg(long, value_name = "HASH")]
    genesis: Option<AumHash>,

    /// The daemon whose folder this is does not run
    #[arg(long)]
    daemon_stopped: bool,

    /// The socket of that daemon, where it is not at its usual place
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    socket: Option<PathBuf>,

    /// Print what became of each update as JSON
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  tlock store import genesis.cbor --store DIR
  tlock store export --store OTHER | tlock store import - --store DIR

A new store begins with the only update that follows none: whoever gave it decides whom the store
trusts, so compare its hash by other means. Exit code 1 where an update was refused; the rest is kept.";

/// What became of one update.
struct Outcome {
    /// Its hash, where it could be read; where it stands otherwise.
    name: String,
    refusal: Option<String>,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    writable(&arguments.store, arguments.daemon_stopped, arguments.socket.as_deref())?;
    let mut outcomes = Vec::new();
    let updates = read(&arguments.files, &mut outcomes)?;
    let failed = |it: &dyn std::fmt::Display| {
        Failure::plain(format!("cannot write the store `{}`: {it}", shown(&arguments.store)))
    };
    let fresh = is_fresh(&arguments.store)?;
    let time = memory::seconds_now();
    let genesis = if fresh { Some(genesis(&updates, arguments.genesis)?) } else { None };
    let mut store = Folder::create(&arguments.store).map_err(|it| failed(&it))?;
    let mut authority = match &genesis {
        Some(genesis) => {
            let begun = Authority::bootstrap(&mut store, genesis, time);
            let authority = begun.map_err(|it| {
                Failure::plain(format!("the update {} begins nothing: {it}", genesis.hash()))
            })?;
            output::say(&format!(
                "begins with {}, which is trusted because it came first: compare it by other means",
                genesis.hash()
            ));
            outcomes.push(Outcome { name: genesis.hash().to_string(), refusal: None });
            authority
        }
        None => Authority::open(&store).map_err(|it| failed(&it))?,
    };
    let begun = genesis.map(|it| it.hash());
    for update in parents_first(updates.into_iter().filter(|it| Some(it.hash()) != begun).collect())
    {
        let name = update.hash().to_string();
        let refusal = authority
            .inform(&mut store, std::slice::from_ref(&update), time)
            .err()
            .map(|it| reason(&it));
        outcomes.push(Outcome { name, refusal });
    }
    if arguments.json {
        let updates: Vec<_> = outcomes
            .iter()
            .map(|it| json!({ "update": it.name, "taken": it.refusal.is_none(), "reason": it.refusal }))
            .collect();
        output::json(
            &json!({ "version": 1, "head": authority.head().to_string(), "updates": updates }),
        )?;
    } else {
        let lines = outcomes.iter().map(|it| match &it.refusal {
            None => format!("taken    {}\n", it.name),
            Some(reason) => format!("refused  {}: {reason}\n", it.name),
        });
        output::print(&lines.collect::<String>())?;
        output::print(&format!("head     {}\n", authority.head()))?;
    }
    let refused = outcomes.iter().any(|it| it.refusal.is_some());
    debug_assert!(store.last_active_ancestor().is_ok());
    Ok(if refused { Exit::Findings } else { Exit::Clean })
}

/// Whether nothing was stored yet: there is no folder, or an empty one, or one whose first record was
/// not finished because we were stopped.
fn is_fresh(store: &Path) -> Result<bool, Failure> {
    if !store.exists() {
        return Ok(true);
    }
    let scan = Scan::of(store)
        .map_err(|it| Failure::plain(format!("cannot read `{}`: {it}", shown(store))))?;
    let nothing = scan.records.is_empty() && scan.broken.is_empty();
    // Temporary files of records lie one folder down; what lies beside is somebody else's.
    let foreign = scan.strays.iter().find(|it| it.0.parent() == Some(store));
    match foreign.filter(|_| nothing) {
        Some(stray) => Err(Failure::usage(
            format!("`{}` is no store: it holds `{}`", shown(store), shown(&stray.0)),
            "name a folder that is missing or empty",
        )),
        None => Ok(nothing),
    }
}

/// Every update of the files, once each. What is none is listed as refused.
fn read(files: &[PathBuf], outcomes: &mut Vec<Outcome>) -> Result<Vec<Update>, Failure> {
    let mut updates = Vec::new();
    let mut seen = BTreeSet::new();
    for path in &change::files(files)? {
        let content = blob::file(path)?;
        for (place, bytes) in items(&content, path) {
            match bytes.as_deref().map(Aum::decode) {
                Some(Ok(decoded)) => {
                    let update = Update::new(decoded.value);
                    if seen.insert(update.hash()) {
                        updates.push(update);
                    }
                }
                Some(Err(error)) => {
                    outcomes.push(Outcome { name: place, refusal: Some(error.to_string()) });
                }
                None => {
                    let refusal = Some("neither base64 nor hexadecimal".to_owned());
                    outcomes.push(Outcome { name: place, refusal });
                }
            }
        }
    }
    Ok(updates)
}

/// The items of a file and where each stands: lines of text, or all of it as one item.
fn items(content: &[u8], path: &Path) -> Vec<(String, Option<Vec<u8>>)> {
    let text = std::str::from_utf8(content).ok().filter(|it| !it.contains('\0'));
    // CBOR of an update begins with a byte that no text has.
    let Some(text) = text.filter(|it| it.is_ascii()) else {
        return vec![(shown(path), Some(content.to_vec()))];
    };
    let lines = text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty());
    lines.map(|(line, number)| (format!("{}:{number}", shown(path)), blob::decode(line))).collect()
}

/// The update that a new store begins with.
fn genesis(updates: &[Update], named: Option<AumHash>) -> Result<Update, Failure> {
    let able = |it: &&Update| it.kind == AumKind::Checkpoint;
    if let Some(hash) = named {
        let found = updates.iter().filter(able).find(|it| it.hash() == hash);
        return found.cloned().ok_or_else(|| {
            Failure::plain(format!("no checkpoint with the hash {hash} is among the files"))
        });
    }
    let first: Vec<&Update> =
        updates.iter().filter(able).filter(|it| it.parent().is_none()).collect();
    match first.as_slice() {
        [only] => Ok((*only).clone()),
        [] => Err(Failure::usage(
            "no update among the files follows none, so the new store has no beginning",
            "`--genesis HASH` begins with a later checkpoint",
        )),
        many => {
            let names: Vec<String> = many.iter().map(|it| it.hash().to_string()).collect();
            Err(Failure::usage(
                "several updates follow none, of different tailnets or beginnings",
                format!("`--genesis HASH` says which: {}", names.join(", ")),
            ))
        }
    }
}

/// The updates in an order in which parents come before their children.
fn parents_first(updates: Vec<Update>) -> Vec<Update> {
    let mut waiting = updates;
    let mut ordered = Vec::with_capacity(waiting.len());
    let mut open: BTreeSet<AumHash> = waiting.iter().map(Update::hash).collect();
    // Each round takes at least one: a hash cannot depend on itself.
    while !waiting.is_empty() {
        let before = waiting.len();
        let (ready, rest): (Vec<_>, Vec<_>) =
            waiting.into_iter().partition(|it| it.parent().is_none_or(|it| !open.contains(&it)));
        for update in &ready {
            open.remove(&update.hash());
        }
        ordered.extend(ready);
        waiting = rest;
        if waiting.len() == before {
            ordered.append(&mut waiting);
        }
    }
    ordered
}

/// Why an update was refused, without its number in a list of one.
fn reason(error: &InformError) -> String {
    match error {
        InformError::NoParent(_) => "it follows nothing, and the store has begun".to_owned(),
        InformError::State { error: ChainError::NotStored, .. } => {
            "the update that it follows is not known".to_owned()
        }
        InformError::State { error, .. } => error.to_string(),
        InformError::Invalid { error, .. } => error.to_string(),
        InformError::Apply { error, .. } => error.to_string(),
        _ => error.to_string(),
    }
}
