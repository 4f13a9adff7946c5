//! `tlock nodes`: which nodes a locked node keeps and which it drops, and why.

use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;

use clap::{Args, ValueHint};
use lock::audit::{Node, Rotatable, Standing, standings};
use lock::peer::PeerVerdict;
use lock::text::LockPublicKey;
use serde::Serialize;

use super::chain::ChainOptions;
use super::daemon::Daemon;
use super::failure::{Failure, shown};
use super::local_api::Status;
use super::node_list::{self, ListedNode, NodeList};
use super::terminal::{ColorChoice, Paint, Tone};
use super::visible::visible;
use super::{Exit, blob, output};

/// Show which nodes a locked node would drop, and why
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Nodes and their signatures: a network map, a lock status or an inventory; those that the
    /// daemon knows otherwise
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: Option<PathBuf>,

    #[command(flatten)]
    chain: ChainOptions,

    /// Print all nodes as JSON (docs/tlock.md)
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  tlock nodes --tailscaled
  tailscale debug netmap | tlock nodes - --store /var/lib/tailscale
  tlock nodes nodes.json --store DIR --json            an inventory whose nodes have `keySignature`

Exit code 1 where a node is dropped. Signatures are judged as every node judges them; of several nodes that
rotated from one beginning only the one that rotated most often is kept.";

/// A node, as scripts read it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'n> {
    name: &'n str,
    #[serde(rename = "id")]
    id: Option<&'n str>,
    node_key: String,
    verdict: &'static str,
    reason: Option<String>,
    #[serde(rename = "keyID")]
    key_id: Option<String>,
    rotations: usize,
    rotatable: bool,
    key_expiry: Option<String>,
}

#[derive(Serialize)]
struct Documents<'n> {
    version: u32,
    nodes: Vec<Document<'n>>,
    skipped: &'n [String],
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, color: ColorChoice) -> Result<Exit, Failure> {
    let chain = arguments.chain.open()?;
    let list = gather(arguments.file.as_ref(), &arguments.chain)?;
    if !list.complete {
        output::warn(
            "this status leaves out the signatures of dropped nodes; a network map (`tailscale debug netmap`) has them",
        );
    }
    let nodes: Vec<Node<'_>> = list.nodes.iter().map(ListedNode::for_audit).collect();
    let standings = standings(&chain.authority, &nodes);
    let documents: Vec<Document> =
        list.nodes.iter().zip(&standings).map(|(node, it)| document(node, it)).collect();
    let dropped = standings.iter().filter(|it| !it.verdict.is_kept()).count();
    if arguments.json {
        output::json(&Documents { version: 1, nodes: documents, skipped: &list.skipped })?;
    } else {
        let paint = Paint::new(color, &io::stdout());
        output::print(&describe(&documents, &list, paint))?;
    }
    Ok(if dropped == 0 { Exit::Clean } else { Exit::Findings })
}

/// The nodes of a file, or those that the daemon knows.
pub(crate) fn gather(file: Option<&PathBuf>, chain: &ChainOptions) -> Result<NodeList, Failure> {
    match file {
        Some(path) => node_list::read(&blob::file(path)?, &shown(path)),
        None if chain.source.tailscaled => {
            let daemon = Daemon::at(chain.socket.as_deref())?;
            Ok(node_list::of_status(&Status::ask(&daemon)?))
        }
        None => Err(Failure::usage(
            "no list of nodes is given",
            "`tailscale debug netmap > netmap.json` makes one; `--tailscaled` asks the daemon",
        )),
    }
}

/// Why a node is dropped; `None` where it is kept.
fn reason(verdict: &PeerVerdict) -> Option<String> {
    Some(match verdict {
        PeerVerdict::Signed(_) | PeerVerdict::Exempt => return None,
        PeerVerdict::NoSignature => "it has no signature".to_owned(),
        PeerVerdict::Refused(error) => error.to_string(),
        PeerVerdict::Obsolete => {
            "another node took its place, or is a copy that rotated as far or further".to_owned()
        }
        _ => "it is dropped".to_owned(),
    })
}

fn document<'n>(node: &'n ListedNode, standing: &Standing) -> Document<'n> {
    let key_id = standing.key_id.as_deref().and_then(LockPublicKey::from_slice);
    Document {
        name: &node.name,
        id: node.id.as_deref(),
        node_key: node.node_key.to_string(),
        verdict: match standing.verdict {
            PeerVerdict::Signed(_) => "accepted",
            PeerVerdict::Exempt => "exempt",
            _ => "dropped",
        },
        reason: reason(&standing.verdict),
        key_id: key_id.map(|it| it.to_string()),
        rotations: standing.rotations,
        rotatable: standing.rotatable == Rotatable::Yes,
        key_expiry: node.expiry.map(|it| it.to_string()),
    }
}

fn describe(documents: &[Document<'_>], list: &NodeList, paint: Paint) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    for node in documents {
        let tone = if node.verdict == "dropped" { Tone::Bad } else { Tone::Good };
        let verdict = paint.tone(tone, &format!("{:<8}", node.verdict));
        let _ = writeln!(text, "{verdict}  {}  {}", visible(node.name), node.node_key);
        if let Some(reason) = &node.reason {
            let _ = writeln!(text, "          {reason}");
        }
        if let Some(key) = &node.key_id {
            let rotations = match node.rotations {
                0 => String::new(),
                1 => ", rotated once".to_owned(),
                many => format!(", rotated {many} times"),
            };
            let _ = writeln!(text, "          signed by {key}{rotations}");
        }
        if node.verdict == "accepted" && !node.rotatable {
            let _ = writeln!(
                text,
                "          {}",
                paint
                    .tone(Tone::Doubtful, "not rotatable, sign again with the node's `tlpub:` key")
            );
        }
    }
    for skipped in &list.skipped {
        let _ = writeln!(text, "{}  {skipped}", paint.tone(Tone::Doubtful, "unknown "));
    }
    let dropped = documents.iter().filter(|it| it.verdict == "dropped").count();
    let _ = writeln!(text, "\n{} of {} nodes dropped", dropped, documents.len());
    text
}
