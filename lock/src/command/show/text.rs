//! The two texts that carry a signature or ask for one: pre-signed auth keys, whose private half is never
//! shown, and device-signing links.

use std::fmt::Write as _;

use lock::auth_key::SignedAuthKey;
use lock::deep_link::DeepLink;
use lock::text::{NodeKey, hex};
use serde_json::json;

use super::print_json;
use crate::command::chain::Chain;
use crate::command::describe::key_text;
use crate::command::failure::Failure;
use crate::command::json::ExpandedNodeKeySignature;
use crate::command::visible::visible;
use crate::command::{Exit, output, words};

/// Shows a pre-signed auth key.
pub(super) fn auth_key(text: &str, chain: Option<&Chain>, as_json: bool) -> Result<Exit, Failure> {
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

/// Shows a device-signing link.
pub(super) fn deep_link(text: &str, chain: Option<&Chain>, as_json: bool) -> Result<Exit, Failure> {
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
