//! The steps of a scenario, and how they are told to the Go program (`interop/tka/scenario.go`).

use data_encoding::BASE64;
use lock::aum::{Aum, AumSignature};
use lock::key::{Key, Meta};
use lock::signature::NodeKeySignature;
use lock::state::State;
use serde_json::{Map, Value, json};

/// A step, in the words of the Go program.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Create {
        at: usize,
        folder: bool,
        aum: Aum,
        signers: Vec<usize>,
    },
    Bootstrap {
        at: usize,
        folder: bool,
        aum: Vec<u8>,
    },
    Build {
        at: usize,
        signer: Option<usize>,
        changes: Vec<Change>,
    },
    Make {
        aum: Aum,
        signers: Vec<usize>,
    },
    Cosign {
        aum: Vec<u8>,
        signers: Vec<usize>,
    },
    Revoke {
        at: usize,
        keys: Vec<Vec<u8>>,
        ours: usize,
        fork: Option<[u8; 32]>,
        signers: Vec<usize>,
    },
    Inform {
        at: usize,
        aums: Vec<Vec<u8>>,
    },
    Sync {
        at: usize,
        with: usize,
    },
    Age {
        at: usize,
        old: Vec<[u8; 32]>,
    },
    Compact {
        at: usize,
        chain: usize,
    },
    Reopen {
        at: usize,
    },
    Adopt {
        at: usize,
        copy: usize,
    },
    Litter {
        at: usize,
        name: String,
        content: Option<Vec<u8>>,
    },
    Show {
        aum: Vec<u8>,
    },
    Sign {
        signature: NodeKeySignature,
        signer: usize,
    },
    Rotate {
        old: Vec<u8>,
        node: [u8; 32],
        signer: usize,
    },
    Wrapped {
        credential: Vec<u8>,
        node: [u8; 32],
        signer: usize,
    },
    Look {
        signature: Vec<u8>,
    },
    Judge {
        at: usize,
        node: [u8; 32],
        signature: Vec<u8>,
    },
    Filter {
        at: usize,
        peers: Vec<Peer>,
    },
    Disable {
        at: usize,
        secret: Vec<u8>,
    },
    AuthKey {
        text: String,
    },
    Link {
        at: usize,
        fields: [String; 5],
    },
    Follow {
        at: usize,
        text: String,
    },
}

/// One change for the builder.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    Add(Key),
    Remove(Vec<u8>),
    Votes(Vec<u8>, u64),
    Meta(Vec<u8>, Meta),
}

/// A peer of a map.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    pub(crate) node: [u8; 32],
    pub(crate) signature: Vec<u8>,
    pub(crate) api_only: bool,
}

impl Step {
    /// What it does, in one word.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Step::Create { .. } => "create",
            Step::Bootstrap { .. } => "bootstrap",
            Step::Build { .. } => "build",
            Step::Make { .. } => "make",
            Step::Cosign { .. } => "cosign",
            Step::Revoke { .. } => "revoke",
            Step::Inform { .. } => "inform",
            Step::Sync { .. } => "sync",
            Step::Age { .. } => "age",
            Step::Compact { .. } => "compact",
            Step::Reopen { .. } => "reopen",
            Step::Adopt { .. } => "adopt",
            Step::Litter { .. } => "litter",
            Step::Show { .. } => "show",
            Step::Sign { .. } => "sign",
            Step::Rotate { .. } => "rotate",
            Step::Wrapped { .. } => "wrapped",
            Step::Look { .. } => "look",
            Step::Judge { .. } => "judge",
            Step::Filter { .. } => "filter",
            Step::Disable { .. } => "disable",
            Step::AuthKey { .. } => "authkey",
            Step::Link { .. } => "link",
            Step::Follow { .. } => "follow",
        }
    }

    /// The step as the Go program reads it, but for what we made of it.
    pub(crate) fn to_json(&self) -> Value {
        let mut told = match self {
            Step::Create { at, folder, aum, signers } => {
                json!({"At": at, "Kept": kept(*folder), "AUM": aum_json(aum), "Signers": signers})
            }
            Step::Bootstrap { at, folder, aum } => {
                json!({"At": at, "Kept": kept(*folder), "Bytes": base64(aum)})
            }
            Step::Build { at, signer, changes } => {
                let changes: Vec<Value> = changes.iter().map(change_json).collect();
                json!({"At": at, "Signers": signer.as_slice(), "Changes": changes})
            }
            Step::Make { aum, signers } => json!({"AUM": aum_json(aum), "Signers": signers}),
            Step::Cosign { aum, signers } => json!({"Bytes": base64(aum), "Signers": signers}),
            Step::Revoke { at, keys, ours, fork, signers } => {
                let fork = fork.as_ref().map(|it| base64(it));
                json!({"At": at, "Keys": all(keys), "Ours": ours, "Fork": fork, "Signers": signers})
            }
            Step::Inform { at, aums } => json!({"At": at, "All": all(aums)}),
            Step::Sync { at, with } => json!({"At": at, "With": with}),
            Step::Age { at, old } => json!({"At": at, "Old": all(old)}),
            Step::Compact { at, chain } => json!({"At": at, "Chain": chain}),
            Step::Reopen { at } => json!({"At": at}),
            Step::Adopt { at, copy } => json!({"At": at, "Copy": copy}),
            Step::Litter { at, name, content } => {
                json!({"At": at, "Text": name, "Bytes": maybe(content.as_ref())})
            }
            Step::Show { aum: bytes } | Step::Look { signature: bytes } => {
                json!({"Bytes": base64(bytes)})
            }
            Step::Sign { signature, signer } => {
                json!({"NKS": signature_json(signature), "Signers": [signer]})
            }
            Step::Rotate { old: bytes, node, signer }
            | Step::Wrapped { credential: bytes, node, signer } => {
                json!({"Bytes": base64(bytes), "Node": base64(node), "Signers": [signer]})
            }
            Step::Judge { at, node, signature } => {
                json!({"At": at, "Node": base64(node), "Bytes": base64(signature)})
            }
            Step::Filter { at, peers } => {
                let peer = |it: &Peer| {
                    json!({
                        "Node": base64(&it.node),
                        "Signature": base64(&it.signature),
                        "APIOnly": it.api_only,
                    })
                };
                json!({"At": at, "Peers": peers.iter().map(peer).collect::<Vec<_>>()})
            }
            Step::Disable { at, secret } => json!({"At": at, "Bytes": base64(secret)}),
            Step::AuthKey { text } => json!({"Text": text}),
            Step::Link { at, fields: [node_key, lock_key, device, system, login] } => {
                json!({"At": at, "Link": {
                    "NodeKey": node_key,
                    "TLPub": lock_key,
                    "DeviceName": device,
                    "OSName": system,
                    "LoginName": login,
                }})
            }
            Step::Follow { at, text } => json!({"At": at, "Text": text}),
        };
        told["Do"] = json!(self.word());
        told
    }
}

fn kept(folder: bool) -> &'static str {
    if folder { "folder" } else { "memory" }
}

/// Bytes as Go has them in JSON.
pub(crate) fn base64(bytes: &[u8]) -> String {
    BASE64.encode(bytes)
}

/// Lists of bytes.
pub(crate) fn all(list: &[impl AsRef<[u8]>]) -> Vec<String> {
    list.iter().map(|it| base64(it.as_ref())).collect()
}

/// Bytes that may be missing, which is not the same as none.
fn maybe(bytes: Option<&Vec<u8>>) -> Option<String> {
    bytes.map(|it| base64(it))
}

fn meta_json(meta: &Meta) -> Value {
    Value::Object(
        meta.iter().map(|(name, value)| (name.to_owned(), json!(value))).collect::<Map<_, _>>(),
    )
}

/// A key, as Go has it in JSON.
pub(crate) fn key_json(key: &Key) -> Value {
    json!({
        "Kind": key.kind,
        "Votes": key.votes,
        "Public": maybe(key.public.as_ref()),
        "Meta": key.meta.as_ref().map(meta_json),
    })
}

fn state_json(state: &State) -> Value {
    let values =
        |all: &Vec<Option<Vec<u8>>>| all.iter().map(|it| maybe(it.as_ref())).collect::<Vec<_>>();
    json!({
        "LastAUMHash": state.last.map(|it| it.to_string()),
        "DisablementValues": state.disablement_values.as_ref().map(values),
        "Keys": state.keys.as_ref().map(|it| it.iter().map(key_json).collect::<Vec<_>>()),
        "StateID1": state.id1,
        "StateID2": state.id2,
    })
}

fn aum_json(aum: &Aum) -> Value {
    let signature = |it: &AumSignature| json!({"KeyID": maybe(it.key_id.as_ref()), "Signature": maybe(it.signature.as_ref())});
    json!({
        "MessageKind": aum.kind.number(),
        "PrevAUMHash": maybe(aum.parent.as_ref()),
        "Key": aum.key.as_ref().map(key_json),
        "KeyID": maybe(aum.key_id.as_ref()),
        "State": aum.state.as_ref().map(state_json),
        "Votes": aum.votes,
        "Meta": aum.meta.as_ref().map(meta_json),
        "Signatures": aum.signatures.iter().map(signature).collect::<Vec<_>>(),
    })
}

fn signature_json(signature: &NodeKeySignature) -> Value {
    json!({
        "SigKind": signature.kind.number(),
        "Pubkey": base64(&signature.node_key),
        "KeyID": base64(&signature.key_id),
        "Signature": base64(&signature.signature),
        "Nested": signature.nested.as_ref().map(|it| signature_json(it)),
        "WrappingPubkey": base64(&signature.wrapping_key),
    })
}

fn change_json(change: &Change) -> Value {
    match change {
        Change::Add(key) => json!({"Add": key_json(key)}),
        Change::Remove(id) => json!({"Remove": base64(id)}),
        Change::Votes(id, votes) => json!({"Of": base64(id), "Votes": votes}),
        Change::Meta(id, meta) => json!({"Of": base64(id), "Meta": meta_json(meta)}),
    }
}
