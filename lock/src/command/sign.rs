//! `tlock sign`: endorsements of nodes, and pre-signed auth keys.

mod auth_key;
mod bulk;
mod by_daemon;
mod known;

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use lock::deep_link::DeepLink;
use lock::secret::Signer as _;
use lock::signature::{NodeKeySignature, RotationKey};
use lock::text::{LockPublicKey, NodeKey, hex};
use serde::Serialize;

use super::atomic::{self, Readers};
use super::chain::{Chain, ChainOptions};
use super::confirm::Consent;
use super::failure::Failure;
use super::key_source::{Key, KeyOptions};
use super::memory::{Signed, now};
use super::visible::visible;
use super::{Exit, change, node_key, output, show, words};
use known::Known;

/// Endorse a node, many nodes, or an auth key
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The node key, a device-signing link, or `@FILE` with an auth key to pre-sign
    #[arg(value_name = "NODEKEY|LINK|@AUTHKEY", required_unless_present = "select")]
    what: Option<String>,

    #[command(flatten)]
    chain: ChainOptions,

    #[command(flatten)]
    key: KeyOptions,

    /// The node's own lock key, which may move the signature to its next node key
    #[arg(long, value_name = "TLPUB")]
    rotation_key: Option<String>,

    /// Nodes to sign or to know about: an inventory, a status or a network map
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    nodes: Option<PathBuf>,

    /// Sign the nodes of the inventory that this selector stands for
    #[arg(long, value_name = "SELECTOR", requires = "nodes", conflicts_with = "what")]
    select: Option<String>,

    /// Say which nodes would be signed, and sign none
    #[arg(long, requires = "select")]
    dry_run: bool,

    /// Also sign nodes whose lock key is not known: they cannot rotate and must be signed again
    #[arg(long, requires = "select")]
    not_rotatable: bool,

    /// Write the signature to a new file (several: to a new folder)
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,

    /// Print a pre-signed auth key on standard output, where others may see it
    #[arg(long)]
    print_secret: bool,

    /// Print the signature as CBOR
    #[arg(long, conflicts_with_all = ["json", "select"])]
    raw: bool,

    /// Print the signature as JSON (docs/tlock.md)
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    consent: Consent,
}

const EXAMPLES: &str = "\
Examples:
  tlock sign nodekey:… --rotation-key tlpub:… --tailscaled       by the daemon, with its own key
  tlock sign nodekey:… --rotation-key tlpub:… --key K --store DIR -o node.sig
  tlock sign 'tailscale://sign-device/v1/?…' --key K --store DIR --raw > node.sig
  tlock sign @authkey.txt --key K --store DIR -o signed-authkey.txt
  tlock sign --nodes nodes.json --select tag:server --key K --store DIR --dry-run

Take the node key and the rotation key from the node's own screen (`tailscale lock` prints both), not
from the console. Without a rotation key the node is signed, and must be signed again when its key
changes. A daemon takes no signature that was made elsewhere: for one of yours there is a control
server that takes it, or a pre-signed auth key, which needs no daemon.";

/// One signature, as scripts read it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    version: u32,
    node_key: String,
    #[serde(rename = "keyID")]
    key_id: String,
    signature: String,
    #[serde(rename = "nodeID")]
    node_id: Option<String>,
}

/// What is to be signed.
struct Request {
    node_key: NodeKey,
    rotation_key: Option<LockPublicKey>,
    /// The name of the node, where an inventory has it.
    name: Option<String>,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    change::check_output(arguments.output.as_deref())?;
    if let Some(selector) = &arguments.select {
        return bulk::run(arguments, selector);
    }
    let what = arguments.what.as_deref().unwrap_or_default();
    if what.starts_with("tskey-") {
        return Err(Failure::usage(
            "an auth key is not taken as an argument: process lists and histories keep those",
            "write it to a file and give `@FILE`, or `-` for standard input",
        ));
    }
    if what.starts_with('@') || what == "-" {
        return auth_key::run(arguments, what);
    }
    if arguments.key.key.is_none() && arguments.chain.source.tailscaled {
        return by_daemon::run(arguments, what);
    }
    let chain = arguments.chain.open()?;
    let known = Known::gather(arguments)?;
    let request = request(arguments, what, Some(&chain), &known)?;
    let key = arguments.key.open()?;
    change::trusted(&key, chain.state(), "at the head of this chain")?;
    output::say(&review(&chain, &request, &key, &known));
    arguments.consent.ask("Sign this node?")?;
    let signature = endorse(&key, &chain, &request)?;
    remember(&key, std::slice::from_ref(&signature));
    deliver(arguments, &request, &signature)?;
    if arguments.chain.source.tailscaled {
        output::say(
            "A daemon takes no signature that was made elsewhere. What works: a control server that takes it,\n\
             a pre-signed auth key (`tlock sign @authkey`), or `--tailscaled` without `--key` on a node whose\n\
             own key is trusted.",
        );
    }
    Ok(Exit::Clean)
}

/// The node in an argument: its key, or a link that a phone shows.
fn request(
    arguments: &Arguments,
    what: &str,
    chain: Option<&Chain>,
    known: &Known,
) -> Result<Request, Failure> {
    let given = match &arguments.rotation_key {
        Some(text) => Some(node_key::lock_key(text)?),
        None => None,
    };
    if let Some(key) = &given {
        strong(key)?;
    }
    if !what.to_ascii_lowercase().starts_with("tailscale:") {
        let node_key = node_key::parse(what)?;
        let listed = known.node(&node_key);
        let name = listed.map(|it| it.name.clone());
        let rotation_key = given.or_else(|| listed.and_then(|it| it.lock_key));
        return Ok(Request { node_key, rotation_key, name });
    }
    let link = DeepLink::parse(what).map_err(|it| {
        Failure::plain(format!("this is no device-signing link: {}", visible(&it.to_string())))
    })?;
    if let Some(chain) = chain {
        link.check(chain.state().id1).map_err(|it| {
            Failure::usage(
                format!("the link is not of this tailnet, or damaged: {it}"),
                "let the device show it again",
            )
        })?;
    }
    strong(&link.lock_key)?;
    output::say(&format!(
        "The link is of `{}` ({}), logged in as `{}`. Anybody can make such a link.",
        visible(&link.device_name),
        visible(&link.os_name),
        visible(&link.login_name)
    ));
    let rotation_key = given.or(Some(link.lock_key));
    Ok(Request { node_key: link.node_key, rotation_key, name: Some(link.device_name) })
}

/// Refuses a rotation key that would bind the signature to nobody.
fn strong(key: &LockPublicKey) -> Result<(), Failure> {
    match lock::verify::weakness(key.as_bytes()) {
        None => Ok(()),
        Some(_) => Err(Failure::usage(
            format!("{key} cannot be a rotation key: it is not the public half of any lock key"),
            "take the node's `tlpub:` key from its own screen, or sign without one",
        )),
    }
}

/// What is about to be signed, in words.
fn review(chain: &Chain, request: &Request, key: &Key, known: &Known) -> String {
    let mut text = describe(request);
    // Writing to a string does not fail.
    let _ = writeln!(
        text,
        "Signed with {} ({}), trusted at {}.",
        key.public(),
        key.origin.sentence(),
        chain.head()
    );
    text + &known.lines(request)
}

/// The node and what may rotate its signature.
fn describe(request: &Request) -> String {
    let mut text = String::new();
    let name = request.name.as_deref().map(|it| format!(" of `{}`", visible(it)));
    // Writing to a string does not fail.
    let node_key = request.node_key.to_string();
    let _ = writeln!(text, "This endorses the node key{}:", name.unwrap_or_default());
    let _ = writeln!(text, "  {node_key}\n  words: {}", words::of(&node_key));
    match request.rotation_key {
        Some(key) => {
            let key = key.to_string();
            let _ = writeln!(
                text,
                "Whoever has this lock key may move the endorsement to other node keys:"
            );
            let _ = writeln!(text, "  {key}\n  words: {}", words::of(&key));
        }
        None => {
            let _ = writeln!(
                text,
                "It is not rotatable: sign again with the node's `tlpub:` key, or when its key changes."
            );
        }
    }
    text
}

/// The endorsement, checked as every node will check it.
fn endorse(key: &Key, chain: &Chain, request: &Request) -> Result<NodeKeySignature, Failure> {
    let rotation_key = request.rotation_key.map(RotationKey::new).transpose();
    let rotation_key = rotation_key.map_err(|it| Failure::plain(it.to_string()))?;
    let signature = NodeKeySignature::direct(key, &request.node_key, rotation_key.as_ref())
        .map_err(|it| Failure::plain(it.to_string()))?;
    chain
        .authority
        .authorizes(&request.node_key, &signature.encode())
        .map_err(|it| Failure::plain(format!("the signature that was made does not hold: {it}")))?;
    Ok(signature)
}

/// Notes endorsements in the journal of the key.
fn remember(key: &Key, signatures: &[NodeKeySignature]) {
    let signed: Vec<Signed> = signatures
        .iter()
        .map(|it| Signed {
            time: now(),
            kind: it.kind.to_string(),
            sig_hash: hex(it.sig_hash().as_bytes()),
            parent: None,
            tailnet: None,
            node_key: NodeKey::from_binary(&it.node_key).ok().map(|it| it.to_string()),
        })
        .collect();
    change::remember(key, &signed);
}

fn deliver(
    arguments: &Arguments,
    request: &Request,
    signature: &NodeKeySignature,
) -> Result<(), Failure> {
    if let Some(path) = &arguments.output {
        write(path, signature)?;
    }
    if arguments.raw {
        return Ok(io::stdout().lock().write_all(&signature.encode())?);
    }
    if arguments.json {
        return output::json(&document(request, signature));
    }
    match &arguments.output {
        Some(_) => Ok(()),
        None => output::print(&format!("{}\n", show::base64(signature))),
    }
}

fn write(path: &Path, signature: &NodeKeySignature) -> Result<(), Failure> {
    atomic::write_new(path, &signature.encode(), Readers::Anyone)
}

fn document(request: &Request, signature: &NodeKeySignature) -> Document {
    Document {
        version: 1,
        node_key: request.node_key.to_string(),
        key_id: show::authorizing(signature).unwrap_or_default(),
        signature: show::base64(signature),
        node_id: request.name.clone(),
    }
}
