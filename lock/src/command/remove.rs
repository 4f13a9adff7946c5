//! `tlock remove`: a proposal to trust keys no more.

use clap::Args;

use super::change::{self, ChangeOptions};
use super::failure::Failure;
use super::terminal::ColorChoice;
use super::{Exit, node_key, output};

/// Propose to trust keys no more
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The keys
    #[arg(value_name = "TLPUB", required = true)]
    keys: Vec<String>,

    #[command(flatten)]
    change: ChangeOptions,
}

const EXAMPLES: &str = "\
Examples:
  tlock remove tlpub:… --key K --store DIR -o remove.cbor
  tlock nodes netmap.json --store DIR              first: whom did that key sign?

Nodes that only the removed key signed are locked out at once: sign them again before. A key that
leaked can still rewrite history from before its removal; `tlock revoke` closes that, too.";

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, color: ColorChoice) -> Result<Exit, Failure> {
    let keys: Vec<_> =
        arguments.keys.iter().map(|it| node_key::lock_key(it)).collect::<Result<_, _>>()?;
    output::say("nodes that only a removed key signed are locked out once this is submitted");
    change::propose(&arguments.change, color, &|builder| {
        keys.iter().try_for_each(|it| builder.remove_key(it.as_bytes()))
    })
}
