//! Keys, hashes, secrets, pre-signed auth keys and links as text.

use lock::aum::AumHash;
use lock::auth_key::SignedAuthKey;
use lock::deep_link::DeepLink;
use lock::secret::{DisablementSecret, SigningKey};
use lock::text::{LockPublicKey, NodeKey, hex};
use serde_json::Value;

use crate::{Vectors, array, bytes, parsed, same, text};

pub(crate) fn lock_key(_: &Vectors, item: &Value) -> Result<(), String> {
    let key = SigningKey::from_seed(&array(item, "seed_hex")?);
    let public = key.public();
    same("public", &hex(public.as_bytes()), &text(item, "public_hex")?.to_owned())?;
    same("tlpub", &public.to_string(), &text(item, "tlpub")?.to_owned())?;
    same("nlpub", &public.to_nlpub(), &text(item, "nlpub")?.to_owned())?;
    let private = text(item, "nlpriv")?;
    same("nlpriv", key.expose_text().as_str(), private)?;
    let parsed = SigningKey::parse(private).map_err(|it| it.to_string())?;
    same("public of nlpriv", &parsed.public(), &public)
}

pub(crate) fn node_key(_: &Vectors, item: &Value) -> Result<(), String> {
    let key: NodeKey = parsed(item, "text")?;
    same("raw", &hex(key.as_bytes()), &text(item, "raw_hex")?.to_owned())?;
    same("binary", &hex(&key.to_binary()), &text(item, "binary_hex")?.to_owned())?;
    same("text", &key.to_string(), &text(item, "text")?.to_owned())?;
    same("from binary", &NodeKey::from_binary(&bytes(item, "binary_hex")?), &Ok(key))
}

pub(crate) fn lock_key_text(_: &Vectors, item: &Value) -> Result<(), String> {
    let key = text(item, "text")?.parse::<LockPublicKey>();
    let ours = key.map(|it| hex(it.as_bytes())).map_err(|it| it.to_string());
    same("key", &ours, &verdict(item))
}

/// The hash, or why there is none; spellings that are not canonical are refused by us alone.
pub(crate) fn aum_hash_text(_: &Vectors, item: &Value) -> Result<(), String> {
    let hash = text(item, "text")?.parse::<AumHash>();
    let ours = hash.map(|it| hex(it.as_bytes())).ok();
    let canonical = item["canonical"] == true;
    same("hash", &ours, &verdict(item).ok().filter(|_| canonical))
}

fn verdict(item: &Value) -> Result<String, String> {
    let member = |it: &str| item[it].as_str().unwrap_or_default().to_owned();
    if item["ok"] == true { Ok(member("hex")) } else { Err(member("error")) }
}

pub(crate) fn disablement_kdf(_: &Vectors, item: &Value) -> Result<(), String> {
    let secret = DisablementSecret::new(bytes(item, "secret_hex")?);
    let value = secret.value().ok_or("no value")?;
    same("value", &hex(value.as_bytes()), &text(item, "value_hex")?.to_owned())
}

pub(crate) fn wrapped_authkey(vectors: &Vectors, section: &Value) -> Result<(), String> {
    for item in section["items"].as_array().ok_or("no items")? {
        let wrapped = text(item, "wrapped")?;
        let key = SignedAuthKey::parse(wrapped).map_err(|it| it.to_string())?;
        same("auth key", key.expose_auth_key(), text(item, "auth_key")?)?;
        same("again", key.expose_text().as_str(), wrapped)?;
        let credential = key.credential();
        same("credential", &hex(&credential.encode()), &text(item, "nks_hex")?.to_owned())?;
        if item["nks_sighash_hex"].is_string() {
            let hash = hex(credential.sig_hash().as_bytes());
            same("hash", hash.as_str(), text(item, "nks_sighash_hex")?)?;
            let key_id = bytes(item, "key_id_hex")?;
            same("key ID", &credential.key_id, &key_id)?;
            let holds = lock::verify::zip215(
                &key_id,
                credential.sig_hash().as_bytes(),
                &credential.signature,
            );
            same("holds", &holds, &true)?;
        }
        if item["sign_by_credential_for_n1_hex"].is_string() {
            let node_key: NodeKey = parsed(&vectors.0["node_keys"]["items"][0], "text")?;
            let signature = key.endorse(&node_key, None).map_err(|it| it.to_string())?;
            let expected = text(item, "sign_by_credential_for_n1_hex")?;
            same("signature", hex(&signature.encode()).as_str(), expected)?;
            // And made from nothing: the same key signs the same bytes.
            let again = SignedAuthKey::new(
                text(item, "auth_key")?,
                &vectors.key("k1")?,
                vectors.key("cred")?,
            )
            .map_err(|it| it.to_string())?;
            same("made", again.expose_text().as_str(), wrapped)?;
        }
    }
    for item in section["not_wrapped"]["items"].as_array().ok_or("no items")? {
        if SignedAuthKey::parse(text(item, "input")?).is_ok() {
            return Err(format!("{item} was read"));
        }
    }
    Ok(())
}

pub(crate) fn deep_link(_: &Vectors, section: &Value) -> Result<(), String> {
    let id1 =
        u64::from_str_radix(text(section, "state_id1_hex")?, 16).map_err(|it| it.to_string())?;
    let params = &section["params"];
    let parts = [text(params, "dn")?, text(params, "os")?, text(params, "em")?];
    let link = DeepLink::new(parsed(params, "nk")?, parsed(params, "tp")?, parts, id1)
        .map_err(|it| it.to_string())?;
    same("checksum", hex(&link.checksum).as_str(), text(section, "hmac_hex")?)?;
    same("link", link.to_string().as_str(), text(section, "url")?)?;
    let read = DeepLink::parse(text(section, "url")?);
    same("read", &read, &Ok(link.clone()))?;
    same("check", &link.check(id1), &Ok(()))?;
    same("check elsewhere", &link.check(id1 + 1).is_ok(), &false)
}
