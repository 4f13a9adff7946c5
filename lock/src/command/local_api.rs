//! What the daemon's local socket speaks of Tailnet Lock: its status, and what it is asked for.
//!
//! SOURCE: `ipn/ipnstate`, `ipn/localapi/tailnetlock.go`. Bytes are padded base64, null where there
//! are none; a head is a list of numbers.

use data_encoding::BASE64;
use lock::aum::AumHash;
use lock::key::Key;
use lock::signature::{NodeKeySignature, SignatureKind};
use lock::text::{LockPublicKey, NodeKey};
use serde::Deserialize;
use serde_json::{Value, json};

use super::daemon::Daemon;
use super::failure::Failure;

/// What the daemon says of the lock.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Status {
    /// Whether the tailnet is locked.
    pub(crate) enabled: bool,
    head: Option<[u8; 32]>,
    public_key: String,
    node_key: Option<String>,
    /// Whether this node is signed.
    #[serde(default)]
    pub(crate) node_key_signed: bool,
    node_key_signature: Option<WireSignature>,
    trusted_keys: Option<Vec<WireKey>>,
    visible_peers: Option<Vec<WirePeer>>,
    filtered_peers: Option<Vec<WirePeer>>,
    /// The first half of the authority's number.
    #[serde(rename = "StateID", default)]
    pub(crate) state_id: u64,
}

/// A trusted key as the daemon lists it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct WireKey {
    /// `25519`
    pub(crate) kind: String,
    /// `nlpub:…`
    pub(crate) key: String,
    /// What its owner wrote beside it.
    pub(crate) metadata: Option<std::collections::BTreeMap<String, String>>,
    /// Its weight.
    pub(crate) votes: u64,
}

/// A node as the daemon lists it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct WirePeer {
    /// Its name in DNS, with a dot at the end.
    pub(crate) name: String,
    /// `nABC…CNTRL`
    #[serde(rename = "StableID")]
    pub(crate) stable_id: String,
    /// Its addresses.
    #[serde(rename = "TailscaleIPs")]
    pub(crate) addresses: Option<Vec<String>>,
    /// `nodekey:…`
    pub(crate) node_key: String,
    /// Its signature; one of zeros where it has none.
    pub(crate) node_key_signature: Option<WireSignature>,
}

/// A signature, its bytes in base64.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct WireSignature {
    sig_kind: u8,
    pubkey: Option<String>,
    #[serde(rename = "KeyID")]
    key_id: Option<String>,
    signature: Option<String>,
    nested: Option<Box<WireSignature>>,
    wrapping_pubkey: Option<String>,
}

impl WireSignature {
    /// The signature; `None` where there is none, which the daemon writes as zeros.
    pub(crate) fn read(&self) -> Option<NodeKeySignature> {
        let read = self.read_any();
        read.filter(|it| it.kind != SignatureKind::Invalid || !it.signature.is_empty())
    }

    /// The signature, one of zeros included; `None` where it cannot be read.
    pub(crate) fn read_any(&self) -> Option<NodeKeySignature> {
        let bytes = |text: &Option<String>| match text {
            None => Some(Vec::new()),
            Some(text) => BASE64.decode(text.as_bytes()).ok(),
        };
        let nested = match &self.nested {
            None => None,
            Some(nested) => Some(Box::new(nested.read_any()?)),
        };
        Some(NodeKeySignature {
            kind: SignatureKind::from(self.sig_kind),
            node_key: bytes(&self.pubkey)?,
            key_id: bytes(&self.key_id)?,
            signature: bytes(&self.signature)?,
            nested,
            wrapping_key: bytes(&self.wrapping_pubkey)?,
        })
    }
}

impl Status {
    /// Asks a daemon.
    pub(crate) fn ask(daemon: &Daemon) -> Result<Self, Failure> {
        let body = daemon.get("tka/status")?;
        Self::parse(&body).ok_or_else(|| {
            Failure::plain("the daemon's status is not understood; is it newer than this program?")
        })
    }

    /// Reads what a daemon answered.
    pub(crate) fn parse(body: &[u8]) -> Option<Self> {
        serde_json::from_slice(body).ok()
    }

    /// The newest update, where the lock is on.
    pub(crate) fn head(&self) -> Option<AumHash> {
        self.head.map(AumHash::new)
    }

    /// The lock key of this node; `None` before it logged in.
    pub(crate) fn lock_key(&self) -> Option<LockPublicKey> {
        self.public_key.parse().ok().filter(|it: &LockPublicKey| it.as_bytes() != &[0; 32])
    }

    /// The node key of this node; `None` before it logged in.
    pub(crate) fn node_key(&self) -> Option<NodeKey> {
        self.node_key.as_ref()?.parse().ok()
    }

    /// The signature of this node as the daemon tells it: one of zeros where it has none.
    pub(crate) fn signature_or_zeros(&self) -> Option<NodeKeySignature> {
        self.node_key_signature.as_ref()?.read_any()
    }

    /// The signature of this node, where it has one.
    pub(crate) fn signature(&self) -> Option<NodeKeySignature> {
        self.node_key_signature.as_ref()?.read()
    }

    /// The trusted keys.
    pub(crate) fn trusted(&self) -> &[WireKey] {
        self.trusted_keys.as_deref().unwrap_or_default()
    }

    /// The nodes that this one accepts.
    pub(crate) fn visible(&self) -> &[WirePeer] {
        self.visible_peers.as_deref().unwrap_or_default()
    }

    /// The nodes that this one drops, by name: the daemon lists them in no order.
    pub(crate) fn filtered(&self) -> Vec<&WirePeer> {
        let mut peers: Vec<&WirePeer> =
            self.filtered_peers.as_deref().unwrap_or_default().iter().collect();
        peers.sort_by(|one, other| {
            (&one.name, &one.stable_id).cmp(&(&other.name, &other.stable_id))
        });
        peers
    }
}

/// A key as the daemon takes it.
pub(crate) fn key(key: &Key) -> Value {
    let meta = key.meta.as_ref().map(|it| it.iter().collect::<std::collections::BTreeMap<_, _>>());
    json!({
        "Kind": key.kind,
        "Votes": key.votes,
        "Public": BASE64.encode(key.public.as_deref().unwrap_or_default()),
        "Meta": meta,
    })
}
