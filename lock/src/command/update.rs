//! `tlock update`: a proposal to change the votes or the metadata of a trusted key.

use clap::Args;
use lock::limits::MAX_VOTES;

use super::change::{self, ChangeOptions};
use super::failure::Failure;
use super::terminal::ColorChoice;
use super::{Exit, add, node_key};

/// Propose to change the votes or the metadata of a trusted key
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The key
    #[arg(value_name = "TLPUB")]
    key_id: String,

    /// Its new votes, 1 to 4096
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=MAX_VOTES))]
    votes: Option<u64>,

    /// Its new metadata, which takes the place of all there was: `name=laptop`; repeatable
    #[arg(long, value_name = "NAME=VALUE")]
    meta: Vec<String>,

    #[command(flatten)]
    change: ChangeOptions,
}

const EXAMPLES: &str = "\
Examples:
  tlock update tlpub:… --votes 3 --key K --store DIR -o votes.cbor
  tlock update tlpub:… --meta name=laptop --meta owner=odin --key K --store DIR -o meta.cbor";

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, color: ColorChoice) -> Result<Exit, Failure> {
    let key = node_key::lock_key(&arguments.key_id)?;
    let meta = add::meta(&arguments.meta)?;
    if arguments.votes.is_none() && meta.is_none() {
        return Err(Failure::usage(
            "nothing is to be changed",
            "give `--votes N` or `--meta NAME=VALUE`",
        ));
    }
    change::propose(&arguments.change, color, &|builder| {
        if let Some(votes) = arguments.votes {
            builder.set_votes(key.as_bytes(), votes)?;
        }
        match &meta {
            Some(meta) => builder.set_meta(key.as_bytes(), meta.clone()),
            None => Ok(()),
        }
    })
}
