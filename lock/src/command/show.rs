//! `tlock show`: any update, signature, pre-signed auth key or deep link, decoded and explained.
//! Private halves are never shown.

use std::fmt::Write as _;
use std::io;

use clap::{Args, ValueEnum};
use data_encoding::BASE64;
use lock::aum::{Aum, Update};
use lock::auth_key::SignedAuthKey;
use lock::cbor::{Decoded, Quirk};
use lock::deep_link::DeepLink;
use lock::signature::{NodeKeySignature, SignatureKind};
use lock::text::{LockPublicKey, NodeKey, hex};
use lock::verify::weakness;
use serde::Serialize;
use serde_json::json;
use zeroize::Zeroizing;

use super::chain::{Chain, ChainOptions};
use super::describe::{action, key_line, key_text, signers};
use super::failure::Failure;
use super::json::{self, ExpandedAum, ExpandedNodeKeySignature};
use super::terminal::{ColorChoice, Paint, Tone};
use super::visible::visible;
use super::{Exit, blob, diff, output, words};

/// Decode and explain an update, a signature, a pre-signed auth key or a deep link
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// What to show: hex, base64, `@FILE`, `-` for standard input, or a `tailscale://` link
    #[arg(value_name = "BLOB")]
    blob: String,

    /// Read the bytes as this; told by their content otherwise
    #[arg(long = "as", value_enum, value_name = "KIND")]
    kind: Option<Kind>,

    /// Also judge it by this chain
    #[command(flatten)]
    chain: ChainOptions,

    /// Print it as JSON (docs/tlock.md)
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  tlock show @proposal.cbor --store DIR         what it changes, and what signing it would mean
  tlock show A401050258…                        what `tailscale lock revoke-keys` printed
  tlock show @node.sig --as nks
  tlock show @wrapped.txt                       a pre-signed auth key; its private half stays unseen";

/// What bytes can be.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Kind {
    /// An authority update message
    Aum,
    /// A node-key signature
    Nks,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, color: ColorChoice) -> Result<Exit, Failure> {
    let paint = Paint::new(color, &io::stdout());
    let chain = arguments.chain.open_if_named()?;
    if arguments.blob.starts_with("tskey-") {
        return Err(Failure::usage(
            "an auth key is not taken as an argument: process lists and histories keep those",
            "write it to a file and give `@FILE`, or `-` for standard input",
        ));
    }
    if arguments.blob.to_ascii_lowercase().starts_with("tailscale:") {
        return deep_link(&arguments.blob, chain.as_ref(), arguments.json);
    }
    // A pre-signed auth key may come in, so what is read is wiped.
    let content = blob::content(&arguments.blob)?.map(Zeroizing::new);
    let text = content.as_ref().and_then(|it| std::str::from_utf8(it).ok()).map(str::trim);
    if let Some(text) = text {
        if text.starts_with("tskey-") {
            return auth_key(text, chain.as_ref(), arguments.json);
        }
        if text.to_ascii_lowercase().starts_with("tailscale:") {
            return deep_link(text, chain.as_ref(), arguments.json);
        }
    }
    let bytes = match (&content, text.filter(|it| !it.is_empty()).and_then(blob::decode)) {
        (_, Some(decoded)) => decoded,
        (Some(content), None) => content.to_vec(),
        (None, None) => blob::read(&arguments.blob)?,
    };
    let kind = arguments.kind.unwrap_or_else(|| guess(&bytes));
    match kind {
        Kind::Aum => {
            let decoded = Aum::decode(&bytes).map_err(|it| unread("an update", &it))?;
            aum(decoded, &bytes, chain.as_ref(), arguments.json, paint)
        }
        Kind::Nks => {
            let decoded = NodeKeySignature::decode(&bytes)
                .map_err(|it| unread("a node-key signature", &it))?;
            signature(&decoded, &bytes, chain.as_ref(), arguments.json, paint)
        }
    }
}

fn unread(what: &str, error: &lock::cbor::DecodeError) -> Failure {
    Failure::usage(
        format!("this is not {what}: {error}"),
        "`--as aum` and `--as nks` say which of the two it should be",
    )
}

/// Which of the two the bytes are: the one that they are with fewer oddities.
fn guess(bytes: &[u8]) -> Kind {
    let (aum, nks) = (Aum::decode(bytes), NodeKeySignature::decode(bytes));
    match (aum, nks) {
        (Ok(_), Err(_)) | (Err(_), Err(_)) => Kind::Aum,
        (Err(_), Ok(_)) => Kind::Nks,
        (Ok(aum), Ok(nks)) => {
            let node_key = NodeKey::from_binary(&nks.value.node_key).is_ok();
            let fewer = nks.quirks.len() < aum.quirks.len();
            let same = nks.quirks.len() == aum.quirks.len();
            if fewer || (same && node_key) { Kind::Nks } else { Kind::Aum }
        }
    }
}

fn aum(
    decoded: Decoded<Aum>,
    bytes: &[u8],
    chain: Option<&Chain>,
    as_json: bool,
    paint: Paint,
) -> Result<Exit, Failure> {
    let update = Update::new(decoded.value);
    let canonical = update.encode() == bytes;
    if as_json {
        let content = ExpandedAum::from(update.aum());
        return print_json("aum", Some(update.hash().to_string()), canonical, content);
    }
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = writeln!(text, "{} {}", paint.tone(Tone::Strong, "update"), update.hash());
    let _ = writeln!(text, "  kind       {}", update.kind);
    let parent = update
        .parent()
        .map_or_else(|| "none: a chain begins with it".to_owned(), |it| it.to_string());
    let _ = writeln!(text, "  parent     {parent}");
    let _ = writeln!(text, "  does       {}", action(&update));
    if let Some(state) = &update.state {
        for key in state.keys() {
            let _ = writeln!(text, "             {}", key_line(key));
        }
        for value in state.disablement_values() {
            let _ = writeln!(text, "             disablement value {}", hex(value));
        }
        let _ = writeln!(text, "             authority {}:{}", state.id1, state.id2);
    }
    let before = chain.and_then(|it| {
        let parent = update.parent()?;
        lock::authority::state_at(&*it.store, &parent).ok()
    });
    let own = update.state.as_ref().filter(|_| update.parent().is_none());
    let _ = writeln!(text, "  signed by  {}", signers(&update, before.as_ref().or(own)));
    let _ = writeln!(text, "  signs      {}", hex(update.sig_hash().as_bytes()));
    if let Err(error) = update.check() {
        let _ = writeln!(text, "  {}     {error}", paint.tone(Tone::Bad, "refused"));
    }
    quirks(&mut text, &decoded.quirks, paint);
    if let Some(chain) = chain {
        judge(&mut text, &update, before.as_ref(), chain, paint);
    }
    output::print(&text)?;
    Ok(Exit::Clean)
}

/// What the update would do to a chain.
fn judge(
    text: &mut String,
    update: &Update,
    before: Option<&lock::state::State>,
    chain: &Chain,
    paint: Paint,
) {
    // Writing to a string does not fail.
    let _ = writeln!(text, "\nIn the chain of {}:", chain.name);
    let Some(before) = before else {
        let _ = writeln!(text, "  its parent is not stored there");
        return;
    };
    if update.parent() != Some(chain.head()) {
        let _ = writeln!(text, "  it does not follow the newest update {}", chain.head());
    }
    match before.verify(update) {
        Ok(()) => {
            let line = format!("nodes accept it, with a weight of {}", update.weight(before));
            let _ = writeln!(text, "  {}", paint.tone(Tone::Good, &line));
        }
        Err(error) => {
            let line = format!("nodes refuse it as it is: {error}");
            let _ = writeln!(text, "  {}", paint.tone(Tone::Bad, &line));
        }
    }
    match before.apply(update) {
        Ok(after) => {
            let _ =
                write!(text, "  what it changes:\n{}", indent(&diff::lines(before, &after, paint)));
        }
        Err(error) => {
            let _ = writeln!(text, "  it cannot be applied: {error}");
        }
    }
}

fn indent(lines: &str) -> String {
    lines.lines().map(|it| format!("  {it}\n")).collect()
}

fn signature(
    decoded: &Decoded<NodeKeySignature>,
    bytes: &[u8],
    chain: Option<&Chain>,
    as_json: bool,
    paint: Paint,
) -> Result<Exit, Failure> {
    let signature = &decoded.value;
    let canonical = signature.encode() == bytes;
    if as_json {
        let content = ExpandedNodeKeySignature::from(signature);
        let hash = hex(signature.sig_hash().as_bytes());
        return print_json("node-key-signature", Some(hash), canonical, content);
    }
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = writeln!(text, "{}", paint.tone(Tone::Strong, "node-key signature"));
    describe(&mut text, signature, paint);
    quirks(&mut text, &decoded.quirks, paint);
    if let Some(chain) = chain {
        let node_key = NodeKey::from_binary(&signature.node_key);
        let verdict = match node_key {
            Ok(node_key) => chain
                .authority
                .authorizes(&node_key, bytes)
                .map(|_| ())
                .map_err(|it| it.to_string()),
            Err(error) => Err(error.to_string()),
        };
        let _ = match verdict {
            Ok(()) => {
                writeln!(text, "\n{}", paint.tone(Tone::Good, "Nodes of this tailnet accept it."))
            }
            Err(error) => {
                writeln!(
                    text,
                    "\n{}",
                    paint.tone(Tone::Bad, &format!("Nodes of this tailnet refuse it: {error}"))
                )
            }
        };
    }
    output::print(&text)?;
    Ok(Exit::Clean)
}

/// Each level of a signature, the newest first.
fn describe(text: &mut String, signature: &NodeKeySignature, paint: Paint) {
    for level in signature.levels() {
        // Writing to a string does not fail.
        let _ = writeln!(text, "  {}", level.kind);
        if !level.node_key.is_empty() {
            let shown = match NodeKey::from_binary(&level.node_key) {
                Ok(key) => key.to_string(),
                Err(error) => format!("{} ({error})", hex(&level.node_key)),
            };
            let _ = writeln!(text, "    node key       {shown}");
        }
        if !level.key_id.is_empty() {
            let _ = writeln!(text, "    signed by      {}", key_text(&level.key_id));
        }
        if !level.wrapping_key.is_empty() {
            let _ = writeln!(text, "    rotation key   {}", key_text(&level.wrapping_key));
        }
    }
    let rotations = signature.rotations();
    if rotations > 0 {
        let _ = writeln!(text, "  rotated {rotations} of at most 15 times");
    }
    let rotatable = signature.effective_wrapping_key();
    let advice = match rotatable {
        None => Some("not rotatable, sign again with the node's `tlpub:` key"),
        Some(key) if weakness(key).is_some() => {
            Some("not rotatable, sign again with the node's `tlpub:` key")
        }
        Some(_) => None,
    };
    if let Some(advice) = advice.filter(|_| signature.kind != SignatureKind::Credential) {
        let _ = writeln!(text, "  {}", paint.tone(Tone::Doubtful, advice));
    }
}

fn quirks(text: &mut String, quirks: &[Quirk], paint: Paint) {
    for quirk in quirks {
        // Writing to a string does not fail.
        let line = format!("not canonical at byte {}: {}", quirk.at, quirk.kind);
        let _ = writeln!(text, "  {}", paint.tone(Tone::Doubtful, &line));
    }
}

fn auth_key(text: &str, chain: Option<&Chain>, as_json: bool) -> Result<Exit, Failure> {
    let key = SignedAuthKey::parse(text).map_err(|it| {
        Failure::usage(
            it.to_string(),
            "do not use it: a node would send a damaged one to the control server as it is, private half included",
        )
    })?;
    let credential = key.credential();
    let name = key.stable_id().map(|it| visible(it).into_owned());
    if as_json {
        let content = json!({
            "AuthKeyID": name,
            "Credential": ExpandedNodeKeySignature::from(credential),
        });
        let hash = hex(credential.sig_hash().as_bytes());
        return print_json("wrapped-auth-key", Some(hash), true, content);
    }
    let mut shown = String::new();
    // Writing to a string does not fail.
    let _ =
        writeln!(shown, "pre-signed auth key {}", name.as_deref().unwrap_or("of an unknown form"));
    let _ = writeln!(shown, "  signed by     {}", key_text(&credential.key_id));
    let _ = writeln!(shown, "  delegates to  {}", key_text(&credential.wrapping_key));
    let _ = writeln!(
        shown,
        "  whoever has it can sign node keys until the key that signed it is removed"
    );
    if let Some(chain) = chain {
        // A node key of our own, to ask what a node that joins with it would meet.
        let trial = NodeKey::new([7; 32]);
        let verdict = key.endorse(&trial, None).map_err(|it| it.to_string()).and_then(|it| {
            chain.authority.authorizes(&trial, &it.encode()).map_err(|it| it.to_string())
        });
        let _ = match verdict {
            Ok(_) => writeln!(shown, "\nNodes that join with it are accepted."),
            Err(error) => writeln!(shown, "\nNodes that join with it are refused: {error}"),
        };
    }
    output::print(&shown)?;
    Ok(Exit::Clean)
}

fn deep_link(text: &str, chain: Option<&Chain>, as_json: bool) -> Result<Exit, Failure> {
    let link = DeepLink::parse(text).map_err(|it| {
        Failure::plain(format!("this is no device-signing link: {}", visible(&it.to_string())))
    })?;
    let checked = chain.map(|it| link.check(it.state().id1).is_ok());
    if as_json {
        let content = json!({
            "NodeKey": link.node_key.to_string(),
            "TLPub": link.lock_key.to_string(),
            "DeviceName": link.device_name,
            "OSName": link.os_name,
            "EmailAddress": link.login_name,
            "IsValid": checked,
        });
        let canonical = link.to_string() == text;
        return print_json("deep-link", None, canonical, content);
    }
    let mut shown = String::from("device-signing link\n");
    let (node_key, lock_key) = (link.node_key.to_string(), link.lock_key.to_string());
    for (name, value) in [
        ("device    ", visible(&link.device_name)),
        ("system    ", visible(&link.os_name)),
        ("login     ", visible(&link.login_name)),
        ("node key  ", visible(&node_key)),
        ("  words   ", words::of(&node_key).into()),
        ("lock key  ", visible(&lock_key)),
        ("  words   ", words::of(&lock_key).into()),
    ] {
        // Writing to a string does not fail.
        let _ = writeln!(shown, "  {name}  {value}");
    }
    shown.push_str(match checked {
        None => "\nIts checksum is told by a chain (`--store`). It proves nothing about who made the link.\n",
        Some(true) => "\nIts checksum is right for this tailnet, which proves nothing about who made the link:\ncompare the keys with the device's own screen.\n",
        Some(false) => "\nIts checksum is wrong: a link of another tailnet, or damaged.\n",
    });
    output::print(&shown)?;
    Ok(if checked == Some(false) { Exit::Findings } else { Exit::Clean })
}

/// What scripts read.
#[derive(Serialize)]
struct Document<'d, C> {
    version: u32,
    r#type: &'d str,
    hash: Option<String>,
    canonical: bool,
    content: C,
}

fn print_json(
    kind: &str,
    hash: Option<String>,
    canonical: bool,
    content: impl Serialize,
) -> Result<Exit, Failure> {
    output::print(&json::text(&Document { version: 1, r#type: kind, hash, canonical, content })?)?;
    Ok(Exit::Clean)
}

/// The base64 of a signature, as the control protocol has it.
pub(crate) fn base64(signature: &NodeKeySignature) -> String {
    BASE64.encode(&signature.encode())
}

/// The key that a signature rests on, as text.
pub(crate) fn authorizing(signature: &NodeKeySignature) -> Option<String> {
    let id = signature.authorizing_key_id().ok()?;
    LockPublicKey::from_slice(id).map(|it| it.to_string())
}
