//! `tlock checkpoint`: a proposal to set the whole state, which is the one way to change who can
//! switch the lock off, and to change several keys in one update that many can sign.

use clap::Args;
use lock::secret::DisablementValue;
use lock::state::State;

use super::change::{self, ChangeOptions};
use super::failure::Failure;
use super::terminal::ColorChoice;
use super::visible::visible;
use super::{Exit, node_key};

/// Propose to set the whole state: keys and disablement values
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Also trust this key; repeatable
    #[arg(long, value_name = "TLPUB[?VOTES]")]
    add: Vec<String>,

    /// Trust this key no more; repeatable
    #[arg(long, value_name = "TLPUB")]
    remove: Vec<String>,

    /// Also let the secret of this value switch the lock off; repeatable
    #[arg(long, value_name = "disablement:HEX")]
    add_disablement: Vec<String>,

    /// Let the secret of this value switch the lock off no more; repeatable
    #[arg(long, value_name = "disablement:HEX")]
    remove_disablement: Vec<String>,

    #[command(flatten)]
    change: ChangeOptions,
}

const EXAMPLES: &str = "\
Examples:
  tlock checkpoint --key K --store DIR -o check.cbor     so that older updates can be dropped
  tlock checkpoint --add-disablement disablement:… --key K --store DIR -o more.cbor
  tlock checkpoint --unsigned --add tlpub:… --remove tlpub:… --store DIR -o plan.cbor
  tlock cosign plan.cbor --key K1 --store DIR -o plan-1.cbor

`tlock disablement new` makes secrets and prints their values.";

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, color: ColorChoice) -> Result<Exit, Failure> {
    let chain = arguments.change.chain.open()?;
    let state = changed(chain.state().clone(), arguments)?;
    drop(chain);
    change::propose(&arguments.change, color, &|builder| builder.checkpoint(state.clone()))
}

fn changed(mut state: State, arguments: &Arguments) -> Result<State, Failure> {
    let keys = state.keys.get_or_insert_default();
    for text in &arguments.remove {
        let key = node_key::lock_key(text)?;
        let before = keys.len();
        keys.retain(|it| it.public.as_deref() != Some(key.as_bytes()));
        if keys.len() == before {
            return Err(Failure::usage(
                format!("{key} is not trusted"),
                "`tlock status` lists the trusted keys",
            ));
        }
    }
    for text in &arguments.add {
        let key = node_key::voter(text)?;
        if keys.iter().any(|it| it.public == key.public) {
            return Err(Failure::plain(format!("{} is trusted already", visible(text))));
        }
        if lock::verify::weakness(key.public.as_deref().unwrap_or_default()).is_some() {
            return Err(Failure::plain(format!(
                "{} is not the public half of any lock key",
                visible(text)
            )));
        }
        keys.push(key);
    }
    let values = state.disablement_values.get_or_insert_default();
    for text in &arguments.remove_disablement {
        let value = value(text)?;
        let before = values.len();
        values.retain(|it| it.as_deref() != Some(value.as_bytes()));
        if values.len() == before {
            return Err(Failure::plain(format!("{value} is not among the disablement values")));
        }
    }
    for text in &arguments.add_disablement {
        values.push(Some(value(text)?.as_bytes().to_vec()));
    }
    Ok(state)
}

/// A disablement value, which is public; a secret is refused.
pub(crate) fn value(text: &str) -> Result<DisablementValue, Failure> {
    if text.starts_with("disablement-secret:") {
        return Err(Failure::usage(
            "this is a secret, which must never be published; an authority stores its value",
            "`tlock disablement kdf @FILE` prints the value; this secret stood on a command line, so make another",
        ));
    }
    text.parse().map_err(|_| {
        Failure::usage(
            "this is no disablement value",
            "one is `disablement:` and 64 hexadecimal digits, as `tlock disablement kdf` prints it",
        )
    })
}
