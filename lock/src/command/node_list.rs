//! Nodes and their signatures, from whatever a person can get hold of: the daemon's status, what
//! `tailscale lock status --json` prints, what `tailscale debug netmap` prints, or an inventory.

use std::collections::BTreeMap;

use compiler::tailnet::{self, Tailnet};
use compiler::time::Timestamp;
use data_encoding::{BASE64, BASE64URL};
use lock::signature::{NodeKeySignature, SignatureKind};
use lock::text::{LockPublicKey, NodeKey};
use serde::Deserialize;

use super::failure::Failure;
use super::local_api::{Status, WirePeer};
use super::visible::visible;

/// A node.
#[derive(Clone, Debug)]
pub(crate) struct ListedNode {
    /// Its name.
    pub(crate) name: String,
    /// Its stable ID, where it is known.
    pub(crate) id: Option<String>,
    /// Its node key.
    pub(crate) node_key: NodeKey,
    /// Its lock key, where it is known: the rotation key of an endorsement.
    pub(crate) lock_key: Option<LockPublicKey>,
    /// Its signature as bytes; empty where it has none.
    pub(crate) signature: Vec<u8>,
    /// Whether its signature is not asked for.
    pub(crate) exempt: bool,
    /// When its node key ends, where it is known.
    pub(crate) expiry: Option<Timestamp>,
    /// Whether it is the node that was asked.
    pub(crate) own: bool,
}

impl ListedNode {
    /// The node as an audit takes it.
    pub(crate) fn for_audit(&self) -> lock::audit::Node<'_> {
        lock::audit::Node {
            name: &self.name,
            node_key: self.node_key,
            signature: &self.signature,
            lock_key: self.lock_key,
            expires: self.expiry.map(|it| it.as_second()),
            unsigned_api_only: self.exempt,
        }
    }
}

/// Some nodes, and what of them could not be read.
#[derive(Debug, Default)]
pub(crate) struct NodeList {
    /// In the order of their source.
    pub(crate) nodes: Vec<ListedNode>,
    /// Nodes that were left out, and why.
    pub(crate) skipped: Vec<String>,
    /// Whether every node's signature is in it: the status in the reference's shape leaves those of dropped
    /// nodes out.
    pub(crate) complete: bool,
}

/// Reads a text of any of the four kinds.
pub(crate) fn read(bytes: &[u8], name: &str) -> Result<NodeList, Failure> {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_start_matches('\u{feff}');
    let members: Option<BTreeMap<String, serde::de::IgnoredAny>> = serde_json::from_str(text).ok();
    let has = |member: &str| members.as_ref().is_some_and(|it| it.contains_key(member));
    let wrong = |what: &str, error: serde_json::Error| {
        Failure::plain(format!("`{name}` looks like {what} and is none: {error}"))
    };
    if has("SchemaVersion") {
        let status: CommandStatus =
            serde_json::from_str(text).map_err(|it| wrong("a lock status", it))?;
        return Ok(of_command(status));
    }
    if has("FilteredPeers") || has("NodeKeySigned") {
        let status = Status::parse(text.as_bytes()).ok_or_else(|| {
            Failure::plain(format!("`{name}` looks like a daemon's lock status and is none"))
        })?;
        return Ok(of_status(&status));
    }
    if has("SelfNode") {
        let map: NetworkMap =
            serde_json::from_str(text).map_err(|it| wrong("a network map", it))?;
        return Ok(of_map(map));
    }
    let inventory = tailnet::read(text);
    match inventory.tailnet {
        Some(tailnet) => Ok(of_inventory(&tailnet)),
        None => {
            let first = inventory.diagnostics.first().map(|it| it.message.clone());
            Err(Failure::usage(
                format!("`{name}` is no list of nodes: {}", visible(&first.unwrap_or_default())),
                "give what `tailscale debug netmap` or `tailscale lock status --json` prints, or an inventory (`aclc check --nodes` shows where it is wrong)",
            ))
        }
    }
}

/// The nodes of a daemon's status.
pub(crate) fn of_status(status: &Status) -> NodeList {
    let mut list = NodeList { complete: true, ..NodeList::default() };
    if let Some(node_key) = status.node_key() {
        list.nodes.push(ListedNode {
            name: "this node".to_owned(),
            id: None,
            node_key,
            lock_key: status.lock_key(),
            signature: status.signature().map(|it| it.encode()).unwrap_or_default(),
            exempt: false,
            expiry: None,
            own: true,
        });
    }
    for peer in status.visible().iter().chain(status.filtered()) {
        list.add_wire(peer);
    }
    list
}

impl NodeList {
    fn add_wire(&mut self, peer: &WirePeer) {
        let signature = peer.node_key_signature.as_ref().and_then(|it| it.read());
        let bytes = signature.map(|it| it.encode()).unwrap_or_default();
        self.add(&peer.name, Some(&peer.stable_id), &peer.node_key, bytes);
    }

    fn add(&mut self, name: &str, id: Option<&str>, node_key: &str, signature: Vec<u8>) {
        let name = name.trim_end_matches('.').to_owned();
        match node_key.parse() {
            Ok(node_key) => self.nodes.push(ListedNode {
                name,
                id: id.map(str::to_owned),
                node_key,
                lock_key: None,
                signature,
                exempt: false,
                expiry: None,
                own: false,
            }),
            Err(error) => self.skipped.push(format!("{}: {error}", visible(&name))),
        }
    }
}

/// What the reference's command prints; it leaves the signatures of dropped nodes out.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CommandStatus {
    /// Not looked at: it tells a status from a log, which has the same version.
    #[expect(dead_code, reason = "its presence is what counts")]
    enabled: bool,
    node_key: Option<String>,
    public_key: Option<String>,
    node_key_signature: Option<CommandSignature>,
    #[serde(default)]
    visible_peers: Vec<CommandPeer>,
    #[serde(default)]
    filtered_peers: Vec<CommandPeer>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CommandPeer {
    #[serde(rename = "ID")]
    id: String,
    #[serde(rename = "DNSName")]
    name: String,
    node_key: String,
    node_key_signature: Option<CommandSignature>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CommandSignature {
    sig_kind: String,
    public_key: Option<String>,
    #[serde(rename = "KeyID")]
    key_id: Option<String>,
    signature: String,
    nested: Option<Box<CommandSignature>>,
    wrapping_public_key: Option<String>,
}

impl CommandSignature {
    fn read(&self) -> Option<NodeKeySignature> {
        let bytes = |text: &Option<String>| match text {
            None => Some(Vec::new()),
            Some(text) => lock::text::from_hex(text.strip_prefix("tlpub:")?),
        };
        let kind = match self.sig_kind.as_str() {
            "direct" => SignatureKind::Direct,
            "rotation" => SignatureKind::Rotation,
            "credential" => SignatureKind::Credential,
            _ => SignatureKind::Invalid,
        };
        Some(NodeKeySignature {
            kind,
            node_key: bytes(&self.public_key)?,
            key_id: bytes(&self.key_id)?,
            signature: BASE64URL.decode(self.signature.as_bytes()).ok()?,
            nested: match &self.nested {
                None => None,
                Some(nested) => Some(Box::new(nested.read()?)),
            },
            wrapping_key: bytes(&self.wrapping_public_key)?,
        })
    }
}

fn of_command(status: CommandStatus) -> NodeList {
    let complete = status.filtered_peers.is_empty();
    let mut list = NodeList { complete, ..NodeList::default() };
    let bytes = |it: &Option<CommandSignature>| {
        it.as_ref().and_then(|it| it.read()).map(|it| it.encode()).unwrap_or_default()
    };
    if let Some(key) = &status.node_key {
        list.add("this node", None, key, bytes(&status.node_key_signature));
        if let Some(own) = list.nodes.last_mut() {
            own.own = true;
            own.lock_key = status.public_key.as_ref().and_then(|it| it.parse().ok());
        }
    }
    for peer in status.visible_peers.iter().chain(&status.filtered_peers) {
        list.add(&peer.name, Some(&peer.id), &peer.node_key, bytes(&peer.node_key_signature));
    }
    list
}

/// What `tailscale debug netmap` prints.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct NetworkMap {
    self_node: Option<MapNode>,
    #[serde(default)]
    peers: Option<Vec<MapNode>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MapNode {
    #[serde(default)]
    name: String,
    #[serde(rename = "StableID", default)]
    stable_id: String,
    #[serde(default)]
    key: String,
    key_signature: Option<String>,
    key_expiry: Option<String>,
    #[serde(rename = "UnsignedPeerAPIOnly", default)]
    unsigned: bool,
}

fn of_map(map: NetworkMap) -> NodeList {
    let mut list = NodeList { complete: true, ..NodeList::default() };
    let own = map.self_node.into_iter().map(|it| (true, it));
    for (own, node) in own.chain(map.peers.into_iter().flatten().map(|it| (false, it))) {
        let signature = node.key_signature.unwrap_or_default();
        let Ok(signature) = BASE64.decode(signature.as_bytes()) else {
            list.skipped.push(format!("{}: its signature is no base64", visible(&node.name)));
            continue;
        };
        let before = list.nodes.len();
        list.add(&node.name, Some(&node.stable_id), &node.key, signature);
        if let Some(added) = list.nodes.get_mut(before) {
            added.own = own;
            added.exempt = node.unsigned;
            // The zero time means that the key does not end.
            let expiry = node.key_expiry.and_then(|it| it.parse::<Timestamp>().ok());
            added.expiry = expiry.filter(|it| it.as_second() > 0);
        }
    }
    list
}

/// The nodes of an inventory that have a node key.
pub(crate) fn of_inventory(tailnet: &Tailnet) -> NodeList {
    let mut list = NodeList { complete: true, ..NodeList::default() };
    for node in tailnet.nodes() {
        let details = node.details.as_deref();
        let Some(node_key) = details.and_then(|it| it.node_key.as_deref()) else {
            list.skipped.push(format!("{}: its node key is not known", visible(&node.name)));
            continue;
        };
        let signature = details.and_then(|it| it.key_signature.as_deref()).unwrap_or_default();
        let Some(signature) = super::blob::decode(signature) else {
            let name = visible(&node.name);
            list.skipped.push(format!("{name}: its signature is neither hex nor base64"));
            continue;
        };
        let before = list.nodes.len();
        list.add(&node.name, None, node_key, signature);
        if let Some(added) = list.nodes.get_mut(before) {
            added.expiry = details.and_then(|it| it.key_expiry);
            let lock_key = details.and_then(|it| it.lock_key.as_deref());
            added.lock_key = lock_key.and_then(|it| it.parse().ok());
        }
    }
    list
}
