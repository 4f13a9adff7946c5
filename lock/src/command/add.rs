//! `tlock add`: a proposal to trust keys.

use clap::Args;
use lock::key::Meta;

use super::change::{self, ChangeOptions};
use super::failure::Failure;
use super::terminal::ColorChoice;
use super::visible::visible;
use super::{Exit, node_key};

/// Propose to trust keys
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The keys, each perhaps with its votes: `tlpub:…?2`
    #[arg(value_name = "TLPUB[?VOTES]", required = true)]
    keys: Vec<String>,

    /// Write beside the keys, for people: `name=laptop`; repeatable
    #[arg(long, value_name = "NAME=VALUE")]
    meta: Vec<String>,

    #[command(flatten)]
    change: ChangeOptions,
}

const EXAMPLES: &str = "\
Examples:
  tlock add tlpub:… --meta name=laptop --key K --store DIR -o add.cbor
  tlock add tlpub:…?2 --key agent:SHA256:… --tailscaled -o add.cbor
  tlock submit add.cbor --tailscaled

A key counts one vote unless it says otherwise; votes decide only which branch of a forked chain is
followed. Any one trusted key can endorse nodes and change the authority.";

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, color: ColorChoice) -> Result<Exit, Failure> {
    let meta = meta(&arguments.meta)?;
    let mut keys = Vec::new();
    for text in &arguments.keys {
        let mut key = node_key::voter(text)?;
        key.meta = meta.clone();
        keys.push(key);
    }
    change::propose(&arguments.change, color, &|builder| {
        keys.iter().try_for_each(|it| builder.add_key(it.clone()))
    })
}

/// `NAME=VALUE` texts as metadata; `None` where there is none.
pub(crate) fn meta(texts: &[String]) -> Result<Option<Meta>, Failure> {
    let mut meta = Meta::default();
    for text in texts {
        let (name, value) =
            text.split_once('=').filter(|it| !it.0.is_empty()).ok_or_else(|| {
                Failure::usage(
                    format!("`{}` is no metadata", visible(text)),
                    "it is written `name=value`",
                )
            })?;
        if meta.insert(name, value) {
            return Err(Failure::plain(format!(
                "`{}` stands twice in the metadata",
                visible(name)
            )));
        }
    }
    Ok(if meta.is_empty() { None } else { Some(meta) })
}
