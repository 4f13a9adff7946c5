//! An update, and what it would do to a chain.

use std::fmt::Write as _;

use lock::aum::{Aum, Update};
use lock::cbor::Decoded;
use lock::text::hex;

use super::{print_json, quirks};
use crate::command::chain::Chain;
use crate::command::describe::{action, key_line, signers};
use crate::command::failure::Failure;
use crate::command::json::ExpandedAum;
use crate::command::terminal::{Paint, Tone};
use crate::command::{Exit, diff, output};

/// Shows an update.
pub(super) fn show(
    decoded: Decoded<Aum>,
    bytes: &[u8],
    chain: Option<&Chain>,
    as_json: bool,
    paint: Paint,
) -> Result<Exit, Failure> {
    let update = Update::new(decoded.value);
    let canonical = update.encode() == bytes;
    if as_json {
        let content = ExpandedAum::from(update.aum());
        return print_json("aum", Some(update.hash().to_string()), canonical, content);
    }
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = writeln!(text, "{} {}", paint.tone(Tone::Strong, "update"), update.hash());
    let _ = writeln!(text, "  kind       {}", update.kind);
    let parent = update
        .parent()
        .map_or_else(|| "none: a chain begins with it".to_owned(), |it| it.to_string());
    let _ = writeln!(text, "  parent     {parent}");
    let _ = writeln!(text, "  does       {}", action(&update));
    if let Some(state) = &update.state {
        for key in state.keys() {
            let _ = writeln!(text, "             {}", key_line(key));
        }
        for value in state.disablement_values() {
            let _ = writeln!(text, "             disablement value {}", hex(value));
        }
        let _ = writeln!(text, "             authority {}:{}", state.id1, state.id2);
    }
    let before = chain.and_then(|it| {
        let parent = update.parent()?;
        lock::authority::state_at(&*it.store, &parent).ok()
    });
    let own = update.state.as_ref().filter(|_| update.parent().is_none());
    let _ = writeln!(text, "  signed by  {}", signers(&update, before.as_ref().or(own)));
    let _ = writeln!(text, "  signs      {}", hex(update.sig_hash().as_bytes()));
    if let Err(error) = update.check() {
        let _ = writeln!(text, "  {}     {error}", paint.tone(Tone::Bad, "refused"));
    }
    quirks(&mut text, &decoded.quirks, paint);
    if let Some(chain) = chain {
        judge(&mut text, &update, before.as_ref(), chain, paint);
    }
    output::print(&text)?;
    Ok(Exit::Clean)
}

/// What the update would do to a chain.
fn judge(
    text: &mut String,
    update: &Update,
    before: Option<&lock::state::State>,
    chain: &Chain,
    paint: Paint,
) {
    // Writing to a string does not fail.
    let _ = writeln!(text, "\nIn the chain of {}:", chain.name);
    let Some(before) = before else {
        let _ = writeln!(text, "  its parent is not stored there");
        return;
    };
    if update.parent() != Some(chain.head()) {
        let _ = writeln!(text, "  it does not follow the newest update {}", chain.head());
    }
    match before.verify(update) {
        Ok(()) => {
            let line = format!("nodes accept it, with a weight of {}", update.weight(before));
            let _ = writeln!(text, "  {}", paint.tone(Tone::Good, &line));
        }
        Err(error) => {
            let line = format!("nodes refuse it as it is: {error}");
            let _ = writeln!(text, "  {}", paint.tone(Tone::Bad, &line));
        }
    }
    match before.apply(update) {
        Ok(after) => {
            let _ =
                write!(text, "  what it changes:\n{}", indent(&diff::lines(before, &after, paint)));
        }
        Err(error) => {
            let _ = writeln!(text, "  it cannot be applied: {error}");
        }
    }
}

fn indent(lines: &str) -> String {
    lines.lines().map(|it| format!("  {it}\n")).collect()
}
