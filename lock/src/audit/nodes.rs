//! Nodes: how each stands under the lock, and what will become of it when its key changes.

use std::collections::BTreeMap;

use super::{About, Finding, Subject, code};
use crate::authority::Authority;
use crate::peer::{Peer, PeerVerdict, filter};
use crate::signature::{NodeKeySignature, SignatureKind};
use crate::text::{LockPublicKey, NodeKey};
use crate::verify::weakness;

/// A node, as an inventory or a status describes it.
#[derive(Clone, Debug)]
pub struct Node<'a> {
    /// What people call it.
    pub name: &'a str,
    /// Its node key.
    pub node_key: NodeKey,
    /// Its signature; empty where it has none.
    pub signature: &'a [u8],
    /// Its own lock key, where it is known.
    pub lock_key: Option<LockPublicKey>,
    /// When its node key expires, in seconds since 1970; `None` where it does not, or is not known.
    pub expires: Option<i64>,
    /// Whether it needs no signature.
    pub unsigned_api_only: bool,
}

/// How a node stands under the lock.
#[derive(Clone, Debug)]
pub struct Standing {
    /// Whether its peers keep it.
    pub verdict: PeerVerdict,
    /// The trusted key that its signature rests on, whether it holds or not.
    pub key_id: Option<Vec<u8>>,
    /// How often its key was rotated.
    pub rotations: usize,
    /// Whether it stays signed when its key changes.
    pub rotatable: Rotatable,
}

/// Whether a node stays signed when its node key changes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Rotatable {
    /// By the owner of a key; the node itself, unless that key is known not to be its own.
    Yes,
    /// Nobody may rotate its signature: it must be signed again.
    No,
    /// It joined with a pre-signed auth key, whose key alone may rotate it.
    ByAuthKeyOnly,
    /// The key that may rotate is not the node's own.
    ByAnother,
    /// The key that may rotate is not the public half of any lock key.
    Unusable,
}

/// How each node stands, in their order. Copies of one node are found only if both are in the list.
pub fn standings(authority: &Authority, nodes: &[Node<'_>]) -> Vec<Standing> {
    let peers: Vec<Peer<'_>> = nodes
        .iter()
        .map(|it| Peer {
            node_key: it.node_key,
            signature: it.signature,
            unsigned_api_only: it.unsigned_api_only,
        })
        .collect();
    let verdicts = filter(authority, &peers);
    let standing = |(node, verdict): (&Node<'_>, PeerVerdict)| {
        let signature = NodeKeySignature::decode(node.signature).ok().map(|it| it.value);
        let key_id = signature.as_ref().and_then(|it| it.authorizing_key_id().ok());
        Standing {
            verdict,
            key_id: key_id.map(<[u8]>::to_vec),
            rotations: signature.as_ref().map_or(0, NodeKeySignature::rotations),
            rotatable: signature.as_ref().map_or(Rotatable::No, |it| rotatable(it, node.lock_key)),
        }
    };
    nodes.iter().zip(verdicts).map(standing).collect()
}

fn rotatable(signature: &NodeKeySignature, lock_key: Option<LockPublicKey>) -> Rotatable {
    let Some(key) = signature.effective_wrapping_key() else { return Rotatable::No };
    if weakness(key).is_some() {
        return Rotatable::Unusable;
    }
    let delegated = signature
        .levels()
        .find(|it| !it.wrapping_key.is_empty())
        .is_some_and(|it| it.kind == SignatureKind::Credential);
    match lock_key {
        _ if delegated => Rotatable::ByAuthKeyOnly,
        Some(own) if own.as_bytes() != key => Rotatable::ByAnother,
        _ => Rotatable::Yes,
    }
}

/// What there is to say about nodes.
pub(super) fn findings(authority: &Authority, subject: &Subject<'_>) -> Vec<Finding> {
    let standings = standings(authority, subject.nodes);
    let mut findings = Vec::new();
    for (node, standing) in subject.nodes.iter().zip(&standings) {
        findings.extend(verdict(node, standing));
        findings.extend(rotation(node, standing, subject));
    }
    findings.extend(copies(subject.nodes, &standings));
    findings
}

fn about(node: &Node<'_>) -> About {
    About::Node(node.name.to_owned())
}

/// What a person must do to have a node signed.
fn sign(node: &Node<'_>) -> String {
    let lock_key =
        node.lock_key.map_or("the node's own `tlpub:` key".to_owned(), |it| it.to_string());
    format!("sign {} with {lock_key} as rotation key", node.node_key)
}

fn verdict(node: &Node<'_>, standing: &Standing) -> Option<Finding> {
    match &standing.verdict {
        PeerVerdict::NoSignature => {
            let message = "this node has no signature: no other node accepts it";
            Some(Finding::new(code::W0303, about(node), message).help(sign(node)))
        }
        PeerVerdict::Refused(error) => {
            let message = format!("no other node accepts this one: {error}");
            Some(Finding::new(code::E0302, about(node), message).help(sign(node)))
        }
        _ => None,
    }
}

fn rotation(node: &Node<'_>, standing: &Standing, subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !matches!(standing.verdict, PeerVerdict::Signed(_)) {
        return findings;
    }
    let why = match standing.rotatable {
        Rotatable::Yes => None,
        Rotatable::Unusable => {
            let message = "this node is not rotatable; sign it again with its `tlpub:` key";
            findings.push(Finding::new(code::E0304, about(node), message).help(sign(node)));
            Some("nobody may rotate its signature")
        }
        Rotatable::No => Some("nobody may rotate its signature"),
        Rotatable::ByAuthKeyOnly => Some("it joined with a pre-signed auth key"),
        Rotatable::ByAnother => Some("its signature may be rotated by another key only"),
    };
    let expiring = node
        .expires
        .filter(|it| it.saturating_sub(subject.now) < subject.thresholds.expires_within);
    if let Some(why) = why.filter(|_| standing.rotatable != Rotatable::Unusable) {
        let message = format!("this node is locked out when its key changes: {why}");
        findings.push(Finding::new(code::W0305, about(node), message).help(sign(node)));
    }
    if let (Some(expires), Some(_)) = (expiring, why) {
        let days = expires.saturating_sub(subject.now).div_euclid(super::DAY);
        let message = match days {
            ..0 => "its key has expired, and it cannot rotate by itself".to_owned(),
            days => format!("its key expires in {days} days, and it cannot rotate by itself"),
        };
        let help = "let it log in again, and sign its new key";
        findings.push(Finding::new(code::W0308, about(node), message).help(help));
    }
    if standing.rotations >= subject.thresholds.rotations {
        let message =
            format!("its key was rotated {} times since it was signed", standing.rotations);
        let help = format!("{}: at 15 the oldest rotations are forgotten", sign(node));
        findings.push(Finding::new(code::W0306, about(node), message).help(help));
    }
    findings
}

/// Nodes that were dropped because another has rotated from the same beginning.
fn copies(nodes: &[Node<'_>], standings: &[Standing]) -> Vec<Finding> {
    let mut groups: BTreeMap<Vec<u8>, Vec<(&Node<'_>, bool)>> = BTreeMap::new();
    for (node, standing) in nodes.iter().zip(standings) {
        let Ok(decoded) = NodeKeySignature::decode(node.signature) else { continue };
        let obsolete = matches!(standing.verdict, PeerVerdict::Obsolete);
        let initial = decoded.value.levels().last().map(|it| it.wrapping_key.clone());
        if let Some(key) = initial.filter(|it| !it.is_empty())
            && (obsolete || standing.verdict.is_kept())
        {
            groups.entry(key).or_default().push((node, obsolete));
        }
    }
    let mut findings = Vec::new();
    for group in groups.values() {
        for (node, _) in group.iter().filter(|it| it.1) {
            let others: Vec<String> = group
                .iter()
                .filter(|it| it.0.node_key != node.node_key)
                .map(|it| format!("`{}`", it.0.name))
                .collect();
            let message = format!(
                "no other node accepts this one: {} began with the same rotation key",
                if others.is_empty() { "another node".to_owned() } else { others.join(", ") }
            );
            let help =
                "one is a copy of the other's state; give the copy a state of its own, and sign it";
            findings.push(Finding::new(code::E0307, about(node), message).help(help));
        }
    }
    findings
}
