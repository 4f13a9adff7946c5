//! `tlock verify`: whether the nodes of a locked tailnet accept a node key with a signature.

use clap::Args;
use lock::error::NodeKeyError;
use lock::signature::NodeKeySignature;
use lock::text::{LockPublicKey, NodeKey};
use serde::Serialize;

use super::chain::ChainOptions;
use super::failure::Failure;
use super::{Exit, blob, node_key, output};

/// Judge the signature of a node as every node of the tailnet would
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The node key, `nodekey:…`
    #[arg(value_name = "NODEKEY")]
    node_key: String,

    /// The signature: hex, base64, `@FILE`, or `-` for standard input
    #[arg(value_name = "SIGNATURE")]
    signature: String,

    #[command(flatten)]
    chain: ChainOptions,

    /// Print the verdict as JSON (docs/tlock.md)
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  tlock verify nodekey:… @node.sig --store DIR
  tlock verify nodekey:… pAEBAlgibnC… --tailscaled --json

Exit code 0 means accepted, 1 refused. Bytes that are no signature are refused like any other.";

/// The verdict, as scripts read it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    version: u32,
    verdict: &'static str,
    reason: Option<String>,
    #[serde(rename = "keyID")]
    key_id: Option<String>,
    rotations: usize,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    let node_key = node_key::parse(&arguments.node_key)?;
    let bytes = blob::read(&arguments.signature)?;
    let chain = arguments.chain.open()?;
    let verdict = chain.authority.authorizes(&node_key, &bytes);
    let signature = NodeKeySignature::decode(&bytes).ok().map(|it| it.value);
    let exit = if verdict.is_ok() { Exit::Clean } else { Exit::Findings };
    let quirks = verdict.as_ref().map(|it| it.quirks.len()).unwrap_or_default();
    let document = document(verdict.err(), signature.as_ref());
    if arguments.json {
        output::json(&document)?;
    } else {
        output::print(&describe(&document, &node_key))?;
        if quirks > 0 {
            output::warn("its bytes are not canonical; `tlock show` says where");
        }
    }
    Ok(exit)
}

fn document(refusal: Option<NodeKeyError>, signature: Option<&NodeKeySignature>) -> Document {
    let key_id = signature.and_then(|it| it.authorizing_key_id().ok());
    Document {
        version: 1,
        verdict: if refusal.is_none() { "accepted" } else { "refused" },
        reason: refusal.map(|it| it.to_string()),
        key_id: key_id.and_then(LockPublicKey::from_slice).map(|it| it.to_string()),
        rotations: signature.map_or(0, NodeKeySignature::rotations),
    }
}

fn describe(document: &Document, node_key: &NodeKey) -> String {
    let mut text = match &document.reason {
        None => format!("accepted: {node_key}\n"),
        Some(reason) => format!("refused: {node_key}\n  reason     {reason}\n"),
    };
    if let Some(key) = &document.key_id {
        text += &format!("  signed by  {key}\n");
    }
    if document.rotations > 0 {
        text += &format!("  rotations  {}\n", document.rotations);
    }
    text
}
