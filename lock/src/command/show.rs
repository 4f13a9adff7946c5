//! `tlock show`: any update, signature, pre-signed auth key or deep link, decoded and explained.
//! Private halves are never shown.

mod signature;
mod text;
mod update;

use std::fmt::Write as _;
use std::io;

use clap::{Args, ValueEnum};
use data_encoding::BASE64;
use lock::aum::Aum;
use lock::cbor::Quirk;
use lock::signature::NodeKeySignature;
use lock::text::{LockPublicKey, NodeKey};
use serde::Serialize;
use zeroize::Zeroizing;

use super::chain::ChainOptions;
use super::failure::Failure;
use super::terminal::{ColorChoice, Paint, Tone};
use super::{Exit, blob, json, output};

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
        return text::deep_link(&arguments.blob, chain.as_ref(), arguments.json);
    }
    // A pre-signed auth key may come in, so what is read is wiped.
    let content = blob::content(&arguments.blob)?.map(Zeroizing::new);
    let text = content.as_ref().and_then(|it| std::str::from_utf8(it).ok()).map(str::trim);
    if let Some(text) = text {
        if text.starts_with("tskey-") {
            return text::auth_key(text, chain.as_ref(), arguments.json);
        }
        if text.to_ascii_lowercase().starts_with("tailscale:") {
            return text::deep_link(text, chain.as_ref(), arguments.json);
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
            update::show(decoded, &bytes, chain.as_ref(), arguments.json, paint)
        }
        Kind::Nks => {
            let decoded = NodeKeySignature::decode(&bytes)
                .map_err(|it| unread("a node-key signature", &it))?;
            signature::show(&decoded, &bytes, chain.as_ref(), arguments.json, paint)
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

/// What is not canonical about the bytes.
fn quirks(text: &mut String, quirks: &[Quirk], paint: Paint) {
    for quirk in quirks {
        // Writing to a string does not fail.
        let line = format!("not canonical at byte {}: {}", quirk.at, quirk.kind);
        let _ = writeln!(text, "  {}", paint.tone(Tone::Doubtful, &line));
    }
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
