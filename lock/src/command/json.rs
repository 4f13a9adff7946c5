//! Updates, states and signatures as the reference's command prints them, JSON schema version 1.
//!
//! SOURCE: `cmd/tailscale/cli/jsonoutput`. Its names, its order and its rules for what is left out,
//! so that a script reads either program. Text is escaped as Go does it.

use std::collections::BTreeMap;
use std::io;

use data_encoding::{BASE32_NOPAD, BASE64URL};
use lock::aum::{Aum, AumSignature, Update};
use lock::key::{self, Meta};
use lock::signature::NodeKeySignature;
use lock::state::State;
use lock::text::hex;
use serde::Serialize;

use super::failure::Failure;

/// One entry of a log.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Message {
    hash: String,
    #[serde(rename = "AUM")]
    aum: ExpandedAum,
    raw: String,
}

/// An update, its fields readable.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ExpandedAum {
    message_kind: String,
    #[serde(rename = "PrevAUMHash", skip_serializing_if = "Option::is_none")]
    parent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<ExpandedKey>,
    #[serde(rename = "KeyID", skip_serializing_if = "Option::is_none")]
    key_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<ExpandedState>,
    #[serde(skip_serializing_if = "Option::is_none")]
    votes: Option<u64>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    meta: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    signatures: Vec<ExpandedSignature>,
}

/// A trusted key.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ExpandedKey {
    kind: String,
    votes: u64,
    public: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    meta: BTreeMap<String, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ExpandedState {
    #[serde(rename = "LastAUMHash", skip_serializing_if = "Option::is_none")]
    last: Option<String>,
    disablement_values: Option<Vec<String>>,
    keys: Option<Vec<ExpandedKey>>,
    #[serde(rename = "StateID1")]
    id1: u64,
    #[serde(rename = "StateID2")]
    id2: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ExpandedSignature {
    #[serde(rename = "KeyID")]
    key_id: String,
    signature: String,
}

/// A node-key signature.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ExpandedNodeKeySignature {
    sig_kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    public_key: Option<String>,
    #[serde(rename = "KeyID", skip_serializing_if = "Option::is_none")]
    key_id: Option<String>,
    signature: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    nested: Option<Box<ExpandedNodeKeySignature>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wrapping_public_key: Option<String>,
}

impl From<&Update> for Message {
    fn from(update: &Update) -> Self {
        Self {
            hash: update.hash().to_string(),
            aum: ExpandedAum::from(update.aum()),
            raw: BASE64URL.encode(&update.encode()),
        }
    }
}

impl From<&Aum> for ExpandedAum {
    fn from(aum: &Aum) -> Self {
        let parent = aum.parent.as_deref().filter(|it| !it.is_empty());
        Self {
            message_kind: aum.kind.to_string(),
            // Its bytes as they are, whatever their number.
            parent: parent.map(|it| BASE32_NOPAD.encode(it)),
            key: aum.key.as_ref().map(ExpandedKey::from),
            key_id: aum.key_id.as_deref().and_then(key_text),
            state: aum.state.as_ref().map(ExpandedState::from).filter(|it| !it.is_zero()),
            // The reference leaves out a number that is zero, even where it is written.
            votes: aum.votes.filter(|it| *it != 0),
            meta: sorted(aum.meta.as_ref()),
            signatures: aum.signatures.iter().map(ExpandedSignature::from).collect(),
        }
    }
}

impl ExpandedKey {
    /// A key as another program described it.
    pub(crate) fn new(
        kind: String,
        votes: u64,
        public: String,
        meta: BTreeMap<String, String>,
    ) -> Self {
        Self { kind, votes, public, meta }
    }
}

impl From<&key::Key> for ExpandedKey {
    fn from(key: &key::Key) -> Self {
        Self {
            kind: key::kind_name(key.kind),
            votes: key.votes,
            public: format!("tlpub:{}", hex(key.public.as_deref().unwrap_or_default())),
            meta: sorted(key.meta.as_ref()),
        }
    }
}

impl From<&State> for ExpandedState {
    fn from(state: &State) -> Self {
        let values: Vec<String> = state.disablement_values().map(hex).collect();
        let keys: Vec<ExpandedKey> = state.keys().iter().map(ExpandedKey::from).collect();
        Self {
            last: state.last.map(|it| it.to_string()),
            disablement_values: Some(values).filter(|it| !it.is_empty()),
            keys: Some(keys).filter(|it| !it.is_empty()),
            id1: state.id1,
            id2: state.id2,
        }
    }
}

impl ExpandedState {
    /// A state of which the reference prints nothing at all.
    fn is_zero(&self) -> bool {
        let empty = self.last.is_none() && self.disablement_values.is_none() && self.keys.is_none();
        empty && self.id1 == 0 && self.id2 == 0
    }
}

impl From<&AumSignature> for ExpandedSignature {
    fn from(signature: &AumSignature) -> Self {
        Self {
            key_id: format!("tlpub:{}", hex(signature.key_id.as_deref().unwrap_or_default())),
            signature: BASE64URL.encode(signature.signature.as_deref().unwrap_or_default()),
        }
    }
}

impl From<&NodeKeySignature> for ExpandedNodeKeySignature {
    fn from(signature: &NodeKeySignature) -> Self {
        Self {
            sig_kind: signature.kind.to_string(),
            public_key: key_text(&signature.node_key),
            key_id: key_text(&signature.key_id),
            signature: BASE64URL.encode(&signature.signature),
            nested: signature.nested.as_deref().map(|it| Box::new(Self::from(it))),
            wrapping_public_key: key_text(&signature.wrapping_key),
        }
    }
}

/// `tlpub:` and hex for bytes of any number but none.
fn key_text(bytes: &[u8]) -> Option<String> {
    (!bytes.is_empty()).then(|| format!("tlpub:{}", hex(bytes)))
}

/// Metadata in the order of its names' bytes, as Go prints a map.
fn sorted(meta: Option<&Meta>) -> BTreeMap<String, String> {
    let pairs = meta.into_iter().flat_map(Meta::iter);
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// The document as Go's encoder writes it: indented by two, with `<`, `>`, `&` and the two line
/// separators escaped, and a line end behind it.
pub(crate) fn text(document: &impl Serialize) -> Result<String, Failure> {
    let plain = serde_json::to_string_pretty(document).map_err(io::Error::from)?;
    let mut escaped = String::with_capacity(plain.len() + 1);
    // Outside of texts JSON has none of these characters.
    for char in plain.chars() {
        match char {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                escaped.push_str(&format!("\\u{:04x}", u32::from(char)));
            }
            _ => escaped.push(char),
        }
    }
    escaped.push('\n');
    Ok(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_as_go_does_it() {
        let document = BTreeMap::from([("a<b>&c", "\u{2028}\u{1}\u{8}\u{c}\u{7f}\"\\")]);
        let expected =
            "{\n  \"a\\u003cb\\u003e\\u0026c\": \"\\u2028\\u0001\\b\\f\u{7f}\\\"\\\\\"\n}\n";
        assert_eq!(text(&document).unwrap(), expected);
    }
}
