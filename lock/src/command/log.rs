//! `tlock log`: the updates of the active chain, newest first, each with who signed it and what it
//! weighed; or, for programs, exactly what the reference prints.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;

use clap::Args;
use lock::aum::{AumHash, Update};
use lock::state::State;
use serde::Serialize;

use super::chain::{Chain, ChainOptions};
use super::describe::{action, signers};
use super::failure::Failure;
use super::json::{self, Message};
use super::terminal::{ColorChoice, Paint, Tone};
use super::{Exit, output};

/// Show the updates of a chain, newest first
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    chain: ChainOptions,

    /// At most so many updates
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: usize,

    /// Print what `tailscale lock log --json=1` prints, byte for byte
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  tlock log --store /var/lib/tailscale
  tlock log --store DIR --limit 2000 --json > export.json     to look at elsewhere, with `--log`
  tlock log --tailscaled

This is the active chain; `tlock graph` also draws the branches that lost, and `tlock audit` checks
every signature again.";

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Document {
    schema_version: &'static str,
    messages: Vec<Message>,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, color: ColorChoice) -> Result<Exit, Failure> {
    let chain = arguments.chain.open()?;
    let mut history = chain.history()?;
    history.truncate(arguments.limit);
    let text = if arguments.json {
        let messages = history.iter().map(Message::from).collect();
        json::text(&Document { schema_version: "1", messages })?
    } else {
        describe(&chain, &history, Paint::new(color, &io::stdout()))
    };
    output::print(&text)?;
    Ok(Exit::Clean)
}

fn describe(chain: &Chain, history: &[Update], paint: Paint) -> String {
    // What lies before the oldest update that is needed has no state any more.
    let states = chain.authority.states(&*chain.store).unwrap_or_default();
    let states: BTreeMap<AumHash, &State> =
        states.iter().filter_map(|it| Some((it.last?, it))).collect();
    let mut text = String::new();
    for (index, update) in history.iter().enumerate() {
        if index > 0 {
            text.push('\n');
        }
        let before = update.parent().and_then(|it| states.get(&it).copied());
        let committed = chain.store.committed(&update.hash()).ok().flatten();
        describe_update(&mut text, update, before, committed.and_then(date), paint);
    }
    text
}

fn describe_update(
    text: &mut String,
    update: &Update,
    before: Option<&State>,
    committed: Option<String>,
    paint: Paint,
) {
    // Writing to a string does not fail.
    let heading =
        format!("{} {}", paint.tone(Tone::Doubtful, &update.hash().to_string()), update.kind);
    let _ = writeln!(text, "{heading}");
    let _ = writeln!(text, "  {}", action(update));
    if let Some(state) = &update.state {
        for key in state.keys() {
            let _ = writeln!(text, "    {}", super::describe::key_line(key));
        }
    }
    let own = update.parent().is_none().then_some(update.state.as_ref()).flatten();
    let _ = writeln!(text, "  signed by {}", signers(update, before.or(own)));
    if let Some(date) = committed {
        let _ = writeln!(text, "  stored {date}");
    }
}

/// A time as a date and time; `None` for no time.
pub(crate) fn date(seconds: i64) -> Option<String> {
    if seconds <= 0 {
        return None;
    }
    compiler::time::Timestamp::new(seconds, 0).map(|it| it.to_string())
}
