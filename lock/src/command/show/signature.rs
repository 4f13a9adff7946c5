//! A node-key signature, level by level.

use std::fmt::Write as _;

use lock::cbor::Decoded;
use lock::signature::{NodeKeySignature, SignatureKind};
use lock::text::{NodeKey, hex};
use lock::verify::weakness;

use super::{print_json, quirks};
use crate::command::chain::Chain;
use crate::command::describe::key_text;
use crate::command::failure::Failure;
use crate::command::json::ExpandedNodeKeySignature;
use crate::command::terminal::{Paint, Tone};
use crate::command::{Exit, output};

/// Shows a signature.
pub(super) fn show(
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
