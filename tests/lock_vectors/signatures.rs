//! Node-key signatures, and the two rules that they are checked by.

use std::collections::BTreeMap;

use lock::peer::RotationTracker;
use lock::signature::NodeKeySignature;
use lock::text::{NodeKey, hex};
use lock::verify::{SigHash, Weakness, cofactorless, weakness, zip215};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{Vectors, array, bytes, same, text};

pub(crate) fn signature(_: &Vectors, item: &Value) -> Result<(), String> {
    let input = bytes(item, "cbor_hex")?;
    let signature = NodeKeySignature::decode_strict(&input).map_err(|it| it.to_string())?;
    same("bytes", &hex(&signature.encode()), &hex(&input))?;
    same("signed", hex(signature.sig_hash().as_bytes()).as_str(), text(item, "sighash_hex")?)?;
    same("shown", signature.to_string().as_str(), text(item, "human")?)
}

pub(crate) fn authorize(vectors: &Vectors, item: &Value) -> Result<(), String> {
    let (_, authority) = vectors.bootstrapped()?;
    let node_key = NodeKey::new(array(item, "node_key_hex")?);
    let ours = match authority.authorizes(&node_key, &bytes(item, "nks_hex")?) {
        Ok(_) => "ok".to_owned(),
        Err(error) => error.to_string(),
    };
    let theirs = text(item, "result")?;
    // Of bytes that do not decode, the network's library says why in terms of its own types.
    let length =
        if theirs.starts_with("unserialize: ") { "unserialize: ".len() } else { usize::MAX };
    let beginning = |it: &str| it.chars().take(length).collect::<String>();
    same("verdict", &beginning(&ours), &beginning(theirs))
}

pub(crate) fn resign(vectors: &Vectors, section: &Value) -> Result<(), String> {
    let key = vectors.key(text(section, "signer")?)?;
    let start = text(section, "start")?.trim_start_matches("nks ");
    let items = vectors.0["nks"]["items"].as_array().ok_or("no signatures")?;
    let start = items.iter().find(|it| it["name"] == start).ok_or("no start")?;
    let mut signature =
        NodeKeySignature::decode_strict(&bytes(start, "cbor_hex")?).map_err(|it| it.to_string())?;
    let (_, authority) = vectors.bootstrapped()?;
    for step in section["steps"].as_array().ok_or("no steps")? {
        let node_key = NodeKey::new(array(step, "node_key_hex")?);
        signature =
            NodeKeySignature::resign(&key, &node_key, &signature).map_err(|it| it.to_string())?;
        let encoded = signature.encode();
        same(
            "levels",
            &(signature.levels().count() as u64),
            &step["levels"].as_u64().unwrap_or(0),
        )?;
        same("length", &(encoded.len() as u64), &step["nks_len"].as_u64().unwrap_or(0))?;
        same("bytes", hex(&Sha256::digest(&encoded)).as_str(), text(step, "nks_sha256")?)?;
        authority.authorizes(&node_key, &encoded).map_err(|it| it.to_string())?;
        let again = NodeKeySignature::resign(&key, &node_key, &signature);
        same("same key", &again.map_err(|it| it.to_string())?, &signature)?;
    }
    same("final", hex(&signature.encode()).as_str(), text(section, "final_nks_hex")?)?;
    let node_key = NodeKey::from_binary(&signature.node_key).map_err(|it| it.to_string())?;
    let authorized = authority.authorizes(&node_key, &signature.encode());
    let rotation = authorized.map_err(|it| it.to_string())?.rotation.ok_or("no rotation")?;
    let previous: Vec<String> = rotation.previous.iter().map(NodeKey::to_string).collect();
    let expected = section["final_prev_node_keys"].as_array().ok_or("no keys")?;
    let expected: Vec<&str> = expected.iter().filter_map(Value::as_str).collect();
    same("previous", &previous.iter().map(String::as_str).collect::<Vec<_>>(), &expected)
}

pub(crate) fn tracker(_: &Vectors, section: &Value) -> Result<(), String> {
    for case in section["cases"].as_array().ok_or("no cases")? {
        let mut numbers: BTreeMap<String, NodeKey> = BTreeMap::new();
        let mut key = |name: &Value| {
            let number = numbers.len() as u8;
            let name = name.as_str().unwrap_or_default().to_owned();
            *numbers.entry(name).or_insert(NodeKey::new([number; 32]))
        };
        let mut tracker = RotationTracker::default();
        for entry in case["entries"].as_array().ok_or("no entries")? {
            let previous = entry[2].as_array().ok_or("no previous keys")?;
            let previous: Vec<NodeKey> = previous.iter().map(&mut key).collect();
            let wrapping = entry[1].as_str().map(str::as_bytes);
            tracker.add(key(&entry[0]), wrapping, &previous);
        }
        let wanted = case["want"].as_array().ok_or("no result")?.iter().map(&mut key).collect();
        same(text(case, "name")?, &tracker.obsolete(), &wanted)?;
    }
    Ok(())
}

pub(crate) fn equations(_: &Vectors, section: &Value) -> Result<(), String> {
    for item in section["items"].as_array().ok_or("no items")? {
        let [public, message, signature] =
            ["public_hex", "message_hex", "signature_hex"].map(|it| bytes(item, it));
        let (public, message, signature) = (public?, message?, signature?);
        let name = text(item, "name")?;
        let expected = |it: &str| item[it] == true;
        let zip = zip215(&public, &message, &signature);
        same(&format!("ZIP-215, {name}"), &zip, &expected("zip215"))?;
        let without = cofactorless(&public, &message, &signature);
        same(&format!("cofactorless, {name}"), &without, &expected("cofactorless"))?;
        // A batch has the verdict of its members, wherever they stand in it.
        let hash = SigHash::new(message.clone().try_into().map_err(|_| "32 bytes are signed")?);
        let mut batch = lock::verify::Batch::default();
        for _ in 0..3 {
            batch.push(&public, hash, &signature);
        }
        let wrong = if expected("zip215") { Vec::new() } else { vec![0, 1, 2] };
        same(&format!("batch, {name}"), &batch.failures(), &wrong)?;
    }
    let points = section["small_order_points"].as_array().ok_or("no points")?;
    let points = points.iter().filter_map(|it| it["encoding_hex"].as_str());
    let others = section["small_order_noncanonical_encodings"].as_array().ok_or("no points")?;
    for point in points.chain(others.iter().filter_map(Value::as_str)) {
        let bytes = lock::text::from_hex(point).ok_or("no hex")?;
        same(point, &weakness(&bytes), &Some(Weakness::SmallOrder))?;
    }
    Ok(())
}
