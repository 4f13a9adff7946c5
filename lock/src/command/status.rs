//! `tlock status`: who is trusted now, and with the daemon also who is locked out.

use std::fmt::Write as _;
use std::io;

use clap::Args;
use lock::signature::NodeKeySignature;
use serde::Serialize;

use super::chain::{Chain, ChainOptions};
use super::daemon::Daemon;
use super::describe::{count, key_line};
use super::failure::Failure;
use super::json::{self, ExpandedKey, ExpandedNodeKeySignature};
use super::local_api::{Status, WireKey, WirePeer};
use super::terminal::{ColorChoice, Paint, Tone};
use super::visible::visible;
use super::{Exit, output};

/// Show whether a tailnet is locked, and whom it trusts
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    chain: ChainOptions,

    /// Print what `tailscale lock status --json=1` prints, as far as it is known
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  tlock status --tailscaled
  tlock status --store /var/lib/tailscale
  tailscale lock log --json --limit 2000 | tlock status --log -

A store knows the trusted keys and nothing of nodes; the daemon knows both.";

/// What a store and a log know, in the reference's names.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Document {
    schema_version: &'static str,
    enabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    public_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    node_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    head: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    node_key_signed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    node_key_signature: Option<ExpandedNodeKeySignature>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trusted_keys: Option<Vec<ExpandedKey>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    visible_peers: Option<Vec<ExpandedPeer>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    filtered_peers: Option<Vec<ExpandedPeer>>,
    #[serde(skip_serializing_if = "is_zero")]
    state: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ExpandedPeer {
    #[serde(rename = "ID")]
    id: String,
    #[serde(rename = "DNSName")]
    dns_name: String,
    #[serde(rename = "TailscaleIPs")]
    addresses: Option<Vec<String>>,
    node_key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    node_key_signature: Option<ExpandedNodeKeySignature>,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, color: ColorChoice) -> Result<Exit, Failure> {
    let paint = Paint::new(color, &io::stdout());
    if arguments.chain.source.tailscaled {
        let daemon = Daemon::at(arguments.chain.socket.as_deref())?;
        let status = Status::ask(&daemon)?;
        let expected = arguments.chain.expect_head.or(arguments.chain.expect_genesis).is_some();
        // The daemon's log says whether it is what is expected, and what was seen is remembered.
        if status.enabled
            && let Err(failure) = arguments.chain.open()
            && expected
        {
            return Err(failure);
        }
        let text = if arguments.json {
            json::text(&of_daemon(&status))?
        } else {
            describe_daemon(&status, paint)
        };
        output::print(&text)?;
        return Ok(Exit::Clean);
    }
    let chain = arguments.chain.open()?;
    let text =
        if arguments.json { json::text(&of_chain(&chain))? } else { describe(&chain, paint)? };
    output::print(&text)?;
    Ok(Exit::Clean)
}

fn of_chain(chain: &Chain) -> Document {
    let state = chain.state();
    Document {
        schema_version: "1",
        enabled: true,
        public_key: None,
        node_key: None,
        head: Some(chain.head().to_string()),
        node_key_signed: None,
        node_key_signature: None,
        trusted_keys: Some(state.keys().iter().map(ExpandedKey::from).collect()),
        visible_peers: None,
        filtered_peers: None,
        state: state.id1,
    }
}

fn of_daemon(status: &Status) -> Document {
    let on = status.enabled;
    let signature = |it: Option<NodeKeySignature>| it.as_ref().map(ExpandedNodeKeySignature::from);
    let peer = |it: &WirePeer, signed: bool| ExpandedPeer {
        id: it.stable_id.clone(),
        dns_name: it.name.clone(),
        addresses: it.addresses.clone(),
        node_key: it.node_key.clone(),
        // One of zeros is printed as such, here and of the node itself, as the reference does.
        node_key_signature: signature(
            it.node_key_signature.as_ref().filter(|_| signed).and_then(|it| it.read_any()),
        ),
    };
    Document {
        schema_version: "1",
        enabled: on,
        public_key: status.lock_key().map(|it| it.to_string()),
        node_key: status.node_key().map(|it| it.to_string()),
        head: status.head().filter(|_| on).map(|it| it.to_string()),
        node_key_signed: on.then_some(status.node_key_signed),
        node_key_signature: signature(status.signature_or_zeros().filter(|_| on)),
        trusted_keys: on.then(|| status.trusted().iter().map(expanded).collect()),
        visible_peers: on.then(|| status.visible().iter().map(|it| peer(it, true)).collect()),
        filtered_peers: on.then(|| status.filtered().iter().map(|it| peer(it, false)).collect()),
        state: if on { status.state_id } else { 0 },
    }
}

fn expanded(key: &WireKey) -> ExpandedKey {
    let public = key.key.replacen("nlpub:", "tlpub:", 1);
    ExpandedKey::new(key.kind.clone(), key.votes, public, key.metadata.clone().unwrap_or_default())
}

fn describe(chain: &Chain, paint: Paint) -> Result<String, Failure> {
    let state = chain.state();
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = writeln!(text, "{}", paint.tone(Tone::Strong, "The tailnet is locked."));
    let _ = writeln!(text, "\n  newest update   {}", chain.head());
    let oldest = chain.authority.oldest();
    let which = if oldest.parent().is_none() { "first update " } else { "oldest stored" };
    let _ = writeln!(text, "  {which}   {}", oldest.hash());
    let _ = writeln!(text, "  updates         {}", chain.history()?.len());
    let _ = writeln!(text, "  authority       {}", chain.tailnet());
    let values = state.disablement_values().count() as u64;
    let _ = writeln!(text, "  to switch off   {}", count(values, "disablement secret"));
    let _ = writeln!(
        text,
        "\n{}",
        paint.tone(
            Tone::Strong,
            &format!("Trusted keys ({} in all):", count(state.total_votes(), "vote"))
        )
    );
    for key in state.keys() {
        let _ = writeln!(text, "  {}", key_line(key));
    }
    let heads = chain.store.heads().map_err(|it| chain.failed(&it))?;
    let branches = heads.len().saturating_sub(1) as u64;
    if branches > 0 {
        let _ = writeln!(
            text,
            "\n{}; `tlock graph` draws them",
            paint.tone(Tone::Doubtful, &format!("{} of the chain lost", count_branches(branches)))
        );
    }
    Ok(text)
}

fn count_branches(number: u64) -> String {
    if number == 1 { "1 branch".to_owned() } else { format!("{number} branches") }
}

fn describe_daemon(status: &Status, paint: Paint) -> String {
    let mut text = String::new();
    let headline =
        if status.enabled { "The tailnet is locked." } else { "The tailnet is not locked." };
    let _ = writeln!(text, "{}", paint.tone(Tone::Strong, headline));
    if let Some(head) = status.head().filter(|_| status.enabled) {
        let _ = writeln!(text, "\n  newest update    {head}");
    }
    if let Some(key) = status.lock_key() {
        let _ = writeln!(text, "  this node's key  {key}");
    }
    if let Some(key) = status.node_key() {
        let _ = writeln!(text, "  this node        {key}");
    }
    if !status.enabled {
        return text;
    }
    if status.node_key_signed {
        let _ = writeln!(text, "\n{}", paint.tone(Tone::Good, "This node is signed:"));
        if let Some(signature) = status.signature() {
            for line in signature.to_string().lines() {
                let _ = writeln!(text, "  {line}");
            }
        }
    } else {
        let _ = writeln!(
            text,
            "\n{}",
            paint
                .tone(Tone::Bad, "This node is locked out: no peer accepts it until it is signed.")
        );
        if let (Some(node), Some(key)) = (status.node_key(), status.lock_key()) {
            let _ = writeln!(
                text,
                "On a node with a trusted key:\n  tlock sign {node} --rotation-key {key} --tailscaled"
            );
        }
    }
    let _ = writeln!(text, "\n{}", paint.tone(Tone::Strong, "Trusted keys:"));
    let own = status.lock_key().map(|it| it.to_nlpub());
    for key in status.trusted() {
        let mine = if own.as_ref() == Some(&key.key) { " (this node)" } else { "" };
        let name = key
            .metadata
            .iter()
            .flatten()
            .map(|(name, value)| format!("{}={}", visible(name), visible(value)));
        let notes: Vec<String> = std::iter::once(count(key.votes, "vote")).chain(name).collect();
        let _ = writeln!(
            text,
            "  {} ({}){mine}",
            key.key.replacen("nlpub:", "tlpub:", 1),
            notes.join("; ")
        );
    }
    let filtered = status.filtered();
    let _ = writeln!(text, "\n{} accepted.", count(status.visible().len() as u64, "peer"));
    if !filtered.is_empty() {
        let _ = writeln!(
            text,
            "{}",
            paint.tone(Tone::Bad, &format!("{} locked out:", count(filtered.len() as u64, "node")))
        );
        for peer in filtered {
            let addresses = peer.addresses.as_deref().unwrap_or_default().join(", ");
            let _ = writeln!(
                text,
                "  {}  {}  {}  {}",
                visible(peer.name.trim_end_matches('.')),
                visible(&addresses),
                visible(&peer.stable_id),
                visible(&peer.node_key)
            );
        }
    }
    text
}
