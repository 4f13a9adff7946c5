//! Which peers a locked node drops, and why.
//!
//! A peer must bring a signature that authorizes its node key. Of several peers whose signatures
//! began with one wrapping key only the one that rotated most often is kept: the others are copies of
//! its state, or of an older one.
//!
//! SOURCE: `ipn/ipnlocal/tailnet-lock.go` (`tkaFilterNetmapLocked`, `rotationTracker`).

use std::collections::{BTreeMap, BTreeSet};

use crate::authority::{Authority, Authorized};
use crate::error::NodeKeyError;
use crate::signature::SignatureKind;
use crate::text::NodeKey;

/// A peer as the control server describes it.
#[derive(Clone, Debug)]
pub struct Peer<'a> {
    /// Its node key.
    pub node_key: NodeKey,
    /// Its signature; empty where it has none.
    pub signature: &'a [u8],
    /// Whether it is one of those that need no signature and reach next to nothing.
    pub unsigned_api_only: bool,
}

/// What a locked node does with a peer.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum PeerVerdict {
    /// It is kept: its signature authorizes it.
    Signed(Box<Authorized>),
    /// It is kept without a look at its signature.
    Exempt,
    /// It is dropped: there is no signature.
    NoSignature,
    /// It is dropped: its signature does not authorize it.
    Refused(NodeKeyError),
    /// It is dropped: another peer rotated away from this node key, or has rotated further, or as
    /// far, from the same beginning.
    Obsolete,
}

impl PeerVerdict {
    /// Whether the peer is kept.
    pub fn is_kept(&self) -> bool {
        matches!(self, PeerVerdict::Signed(_) | PeerVerdict::Exempt)
    }
}

/// What a locked node does with each of its peers, in their order.
pub fn filter(authority: &Authority, peers: &[Peer<'_>]) -> Vec<PeerVerdict> {
    let mut tracker = RotationTracker::default();
    let mut verdicts = Vec::with_capacity(peers.len());
    for peer in peers {
        verdicts.push(if peer.unsigned_api_only {
            PeerVerdict::Exempt
        } else if peer.signature.is_empty() {
            PeerVerdict::NoSignature
        } else {
            match authority.authorizes(&peer.node_key, peer.signature) {
                Ok(authorized) => {
                    if let Some(rotation) = &authorized.rotation {
                        let initial = &rotation.initial;
                        let wrapping = (initial.kind == SignatureKind::Direct)
                            .then_some(initial.wrapping_key.as_slice());
                        tracker.add(peer.node_key, wrapping, &rotation.previous);
                    }
                    PeerVerdict::Signed(Box::new(authorized))
                }
                Err(error) => PeerVerdict::Refused(error),
            }
        });
    }
    let obsolete = tracker.obsolete();
    for (peer, verdict) in peers.iter().zip(&mut verdicts) {
        if verdict.is_kept() && obsolete.contains(&peer.node_key) {
            *verdict = PeerVerdict::Obsolete;
        }
    }
    verdicts
}

/// Finds node keys that nobody should use any more.
#[derive(Clone, Debug, Default)]
pub struct RotationTracker {
    obsolete: BTreeSet<NodeKey>,
    /// By the wrapping key that a chain of rotations began with: the node keys, and how often each
    /// was rotated.
    groups: BTreeMap<Vec<u8>, Vec<(NodeKey, usize)>>,
}

impl RotationTracker {
    /// Adds a peer whose signature is a rotation that holds. `wrapping_key` is that of the direct
    /// signature it began with; `None` where it began with a credential, which many nodes may share.
    pub fn add(&mut self, node_key: NodeKey, wrapping_key: Option<&[u8]>, previous: &[NodeKey]) {
        self.obsolete.extend(previous);
        if let Some(wrapping_key) = wrapping_key {
            let group = self.groups.entry(wrapping_key.to_vec()).or_default();
            group.push((node_key, previous.len()));
        }
    }

    /// The node keys that are obsolete. Where two of a group rotated furthest, none of it is kept.
    pub fn obsolete(mut self) -> BTreeSet<NodeKey> {
        for group in self.groups.into_values() {
            let mut group: Vec<_> =
                group.into_iter().filter(|it| !self.obsolete.contains(&it.0)).collect();
            group.sort_by_key(|it| std::cmp::Reverse(it.1));
            let longest = match group.as_slice() {
                [first, second, ..] if first.1 == second.1 => 0,
                _ => 1,
            };
            self.obsolete.extend(group.iter().skip(longest).map(|it| it.0));
        }
        self.obsolete
    }
}
