//! `aclc schema`: the JSON Schema of a policy file.

use std::io::{self, Write as _};

use clap::Args;
use compiler::emit::schema::schema;

use super::Exit;
use super::failure::Failure;

/// Print the JSON Schema of a policy file, for editors without our language server
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {}

const EXAMPLES: &str = "\
Examples:
  aclc schema > policy.schema.json

In VS Code, settings.json:
  \"files.associations\": { \"policy.hujson\": \"jsonc\" },
  \"json.schemas\": [{ \"fileMatch\": [\"policy.hujson\"], \"url\": \"./policy.schema.json\" }]

It completes sections, members, actions, autogroups and protocols, and underlines what cannot stand
where it does. Whether a name is defined only `aclc check` can tell.";

/// Runs the command.
pub(crate) fn run(_: &Arguments) -> Result<Exit, Failure> {
    let mut out = io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, &schema()).map_err(io::Error::from)?;
    writeln!(out)?;
    Ok(Exit::Clean)
}
