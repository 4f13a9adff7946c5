//! `tlock graph`: the chain with its forks and weights, as a picture.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use clap::{Args, ValueHint};
use lock::audit::recheck;
use lock::aum::{AumHash, AumKind, Update};
use lock::authority::state_at;
use lock::state::State;

use super::atomic::{self, Readers};
use super::chain::{Chain, ChainOptions};
use super::describe::{action, count, key_name, key_text, signers};
use super::failure::Failure;
use super::picture::{KeyBar, Picture, Row, Standing};
use super::{Exit, output};

/// Draw the chain with its forks and weights, as SVG
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    chain: ChainOptions,

    /// Where to; standard output otherwise
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,

    /// Draw every update; long stretches where nothing forks are folded otherwise
    #[arg(long)]
    all: bool,
}

const EXAMPLES: &str = "\
Examples:
  tlock graph --store DIR -o chain.svg
  tlock graph --tailscaled | display          the daemon knows the active chain only";

/// Stretches longer than this are folded to their ends.
const STRETCH: usize = 9;

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    let chain = arguments.chain.open()?;
    let svg = draw(&chain, arguments.all)?.to_svg();
    match &arguments.output {
        Some(path) => atomic::write(path, svg.as_bytes(), Readers::Anyone)?,
        None => output::print(&svg)?,
    }
    Ok(Exit::Clean)
}

fn draw(chain: &Chain, all: bool) -> Result<Picture, Failure> {
    let updates = chain.store.all().map_err(|it| chain.failed(&it))?;
    let active: BTreeSet<AumHash> = chain.history()?.iter().map(Update::hash).collect();
    let refused: BTreeMap<AumHash, String> = recheck(&*chain.store)
        .map_err(|it| chain.failed(&it))?
        .into_iter()
        .map(|it| (it.hash, it.reason.to_string()))
        .collect();
    let mut children: BTreeMap<AumHash, Vec<&Update>> = BTreeMap::new();
    for update in &updates {
        if let Some(parent) = update.parent() {
            children.entry(parent).or_default().push(update);
        }
    }
    let ordered = ordered(&updates, &active, &children);
    // Each state is made of the one before it: parents come first that way round.
    let mut states: BTreeMap<AumHash, State> = BTreeMap::new();
    let mut rows = Vec::with_capacity(ordered.len());
    for update in ordered.into_iter().rev() {
        let before = update.parent().and_then(|it| states.get(&it));
        let siblings = update.parent().and_then(|it| children.get(&it));
        let siblings = siblings.map(Vec::as_slice).unwrap_or_default();
        rows.push(row(update, before, siblings, &active, &refused, chain.head()));
        let after = match before {
            Some(before) => before.apply(update).ok(),
            None => state_at(&*chain.store, &update.hash()).ok(),
        };
        if let Some(after) = after {
            states.insert(update.hash(), after);
        }
    }
    rows.reverse();
    if !all {
        rows = folded(rows, &children);
    }
    let state = chain.state();
    let keys = state.keys().iter().map(|it| KeyBar {
        key: key_text(it.public.as_deref().unwrap_or_default()),
        name: key_name(it).unwrap_or_default(),
        votes: it.votes,
    });
    let branches = chain.store.heads().map_err(|it| chain.failed(&it))?.len().saturating_sub(1);
    let mut facts = vec![format!(
        "{}, {} in all; authority {}",
        count(active.len() as u64, "update"),
        count(state.total_votes(), "vote"),
        chain.tailnet()
    )];
    facts.push(match branches {
        0 => "nothing forks".to_owned(),
        1 => "one branch lost; it is drawn beside the chain".to_owned(),
        many => format!("{many} branches lost; they are drawn beside the chain"),
    });
    if !refused.is_empty() {
        facts.push(format!(
            "{} that no node should have stored",
            count(refused.len() as u64, "update")
        ));
    }
    Ok(Picture { title: "Tailnet Lock".to_owned(), facts, keys: keys.collect(), rows })
}

fn row(
    update: &Update,
    before: Option<&State>,
    siblings: &[&Update],
    active: &BTreeSet<AumHash>,
    refused: &BTreeMap<AumHash, String>,
    head: AumHash,
) -> Row {
    let hash = update.hash();
    let wins = active.contains(&hash);
    let standing = match (refused.contains_key(&hash), wins) {
        (true, _) => Standing::Refused,
        (false, true) => Standing::Active,
        (false, false) => Standing::Lost,
    };
    let own = update.state.as_ref().filter(|_| update.parent().is_none());
    let weight = before.map(|it| (update.weight(it), it.total_votes()));
    let verdict = match (refused.get(&hash), weight) {
        (Some(_), _) => Some("refused".to_owned()),
        (None, Some((weight, total))) if siblings.len() > 1 => {
            let word = if wins { "wins" } else { "loses" };
            let tie = before.filter(|_| wins).and_then(|it| tie(update, it, siblings));
            Some(format!("{word} with {weight} of {total}{}", tie.unwrap_or_default()))
        }
        _ => None,
    };
    let why = refused.get(&hash).map(|it| format!("; {it}")).unwrap_or_default();
    Row {
        hash: hash.to_string(),
        parent: update.parent().map(|it| it.to_string()),
        standing,
        kind: update.kind.to_string(),
        action: action(update) + &why,
        signers: format!("signed by {}", signers(update, before.or(own))),
        verdict,
        head: hash == head,
    }
}

/// What settled a fork where the weights are equal: the next rules are a removal, then the hash.
fn tie(winner: &Update, before: &State, siblings: &[&Update]) -> Option<&'static str> {
    let weight = winner.weight(before);
    let equal =
        siblings.iter().filter(|it| it.hash() != winner.hash() && it.weight(before) == weight);
    let kinds: Vec<AumKind> = equal.map(|it| it.kind).collect();
    match (kinds.is_empty(), winner.kind, kinds.contains(&AumKind::RemoveKey)) {
        (true, _, _) => None,
        (false, AumKind::RemoveKey, false) => Some(", being a removal"),
        _ => Some(", by its hash"),
    }
}

/// Children before parents; the active chain last at each fork, so that branches end beside it.
fn ordered<'u>(
    updates: &'u [Update],
    active: &BTreeSet<AumHash>,
    children: &BTreeMap<AumHash, Vec<&'u Update>>,
) -> Vec<&'u Update> {
    let stored: BTreeSet<AumHash> = updates.iter().map(Update::hash).collect();
    let root = |it: &&Update| it.parent().is_none_or(|it| !stored.contains(&it));
    let mut open: Vec<&Update> = updates.iter().filter(root).collect();
    // Parents first, the active child first: turned round, it comes last before its parent.
    open.sort_by_key(|it| !active.contains(&it.hash()));
    let mut ordered = Vec::with_capacity(updates.len());
    while let Some(update) = open.pop() {
        ordered.push(update);
        let mut next = children.get(&update.hash()).cloned().unwrap_or_default();
        // What is pushed last is walked first: branches that lost, then the active chain.
        next.sort_by_key(|it| !active.contains(&it.hash()));
        open.extend(next);
    }
    ordered.reverse();
    ordered
}

/// Folds long stretches where nothing forks, each of one chain of updates.
fn folded(rows: Vec<Row>, children: &BTreeMap<AumHash, Vec<&Update>>) -> Vec<Row> {
    let forks = |row: &Row| {
        row.hash.parse().is_ok_and(|it| children.get(&it).is_some_and(|it| it.len() > 1))
    };
    let dull = |row: &Row| {
        let plain = row.standing != Standing::Refused && !row.head && row.verdict.is_none();
        plain && row.parent.is_some() && !forks(row)
    };
    let mut folded: Vec<Row> = Vec::with_capacity(rows.len());
    let mut stretch: Vec<Row> = Vec::new();
    for row in rows {
        let follows =
            |last: &Row| last.parent.as_ref() == Some(&row.hash) && last.standing == row.standing;
        if !dull(&row) || stretch.last().is_some_and(|it| !follows(it)) {
            fold(&mut folded, &mut stretch);
        }
        if dull(&row) {
            stretch.push(row);
        } else {
            folded.push(row);
        }
    }
    fold(&mut folded, &mut stretch);
    folded
}

/// Moves a stretch over, its middle folded where it is long.
fn fold(folded: &mut Vec<Row>, stretch: &mut Vec<Row>) {
    if stretch.len() <= STRETCH {
        folded.append(stretch);
        return;
    }
    let tail = stretch.split_off(stretch.len() - 2);
    let middle = stretch.split_off(3);
    folded.append(stretch);
    let (Some(first), Some(last)) = (middle.first(), middle.last()) else { return };
    folded.push(Row {
        hash: first.hash.clone(),
        parent: last.parent.clone(),
        standing: first.standing,
        kind: String::new(),
        action: format!("{} more updates; `--all` draws them", middle.len()),
        signers: String::new(),
        verdict: None,
        head: false,
    });
    folded.extend(tail);
}
