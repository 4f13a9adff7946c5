//! Updates and records as bytes.

use lock::aum::Aum;
use lock::store::Record;
use lock::text::hex;
use serde_json::Value;

use crate::{Vectors, bytes, same, text};

/// Canonical bytes, both hashes, and the value written again.
pub(crate) fn aum(_: &Vectors, item: &Value) -> Result<(), String> {
    let input = bytes(item, "cbor_hex")?;
    let aum = Aum::decode_strict(&input).map_err(|it| it.to_string())?;
    same("bytes", &hex(&aum.encode()), &hex(&input))?;
    same("hash", hex(aum.hash().as_bytes()).as_str(), text(item, "hash_hex")?)?;
    same("text", aum.hash().to_string().as_str(), text(item, "hash_text")?)?;
    if item["sighash_hex"].is_string() {
        same("signed", hex(aum.sig_hash().as_bytes()).as_str(), text(item, "sighash_hex")?)?;
    }
    Ok(())
}

/// What the network's decoder makes of any bytes.
pub(crate) fn decode(_: &Vectors, item: &Value) -> Result<(), String> {
    let input = bytes(item, "in_hex")?;
    let decoded = Aum::decode(&input);
    let accepted = item["ok"] == true;
    if decoded.is_ok() != accepted {
        return Err(format!("ours {decoded:?}, theirs {item}"));
    }
    let Ok(decoded) = decoded else { return Ok(()) };
    let encoded = decoded.value.encode();
    same("bytes", hex(&encoded).as_str(), text(item, "reencoded_hex")?)?;
    if item["hash_text"].is_string() {
        same("hash", decoded.value.hash().to_string().as_str(), text(item, "hash_text")?)?;
    }
    let check = decoded.value.check().map_or_else(|it| it.to_string(), |()| "ok".to_owned());
    if item["static_validate"].is_string() {
        same("check", check.as_str(), text(item, "static_validate")?)?;
    }
    same("canonical", &decoded.quirks.is_empty(), &(encoded == input))
}

/// The files of a store.
pub(crate) fn records(_: &Vectors, section: &Value) -> Result<(), String> {
    for item in section["items"].as_array().ok_or("no items")? {
        if item["aum_hex"].is_string() {
            let aum = Aum::decode_strict(&bytes(item, "aum_hex")?).map_err(|it| it.to_string())?;
            same("path", Record::path(&aum.hash()).as_str(), text(item, "path")?)?;
        } else if text(item, "path")?.contains('/') {
            let input = bytes(item, "file_hex")?;
            let record = Record::decode(&input).map_err(|it| it.to_string())?;
            if let Some(aum) = &record.value.aum {
                same("path", Record::path(&aum.hash()).as_str(), text(item, "path")?)?;
            }
            let words = text(item, "desc")?;
            if words.contains("legacy") {
                same("time", &record.value.created, &0)?;
            } else {
                same("bytes", &hex(&record.value.encode()), &hex(&input))?;
                same("time", &record.value.created, &1_700_000_000)?;
            }
            let live = !words.contains("purged") && !words.contains("without AUM");
            same(words, &record.value.is_live(), &live)?;
        }
    }
    Ok(())
}
