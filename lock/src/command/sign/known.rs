//! What is known of the nodes beside the one that is signed: who signed it before, and whether
//! another has the same rotation key, as a copy of its disk has.

use std::fmt::Write as _;

use lock::signature::NodeKeySignature;
use lock::text::NodeKey;

use super::{Arguments, Request};
use crate::command::blob;
use crate::command::daemon::Daemon;
use crate::command::describe::key_text;
use crate::command::failure::{Failure, shown};
use crate::command::local_api::Status;
use crate::command::node_list::{self, ListedNode, NodeList};
use crate::command::visible::visible;

/// The nodes that are known.
#[derive(Debug, Default)]
pub(super) struct Known {
    list: NodeList,
    /// Whether anything was asked at all.
    asked: bool,
}

impl Known {
    /// The nodes of `--nodes`, else those of the daemon where it is asked anyway.
    pub(super) fn gather(arguments: &Arguments) -> Result<Self, Failure> {
        if let Some(path) = &arguments.nodes {
            let list = node_list::read(&blob::file(path)?, &shown(path))?;
            return Ok(Self { list, asked: true });
        }
        if arguments.chain.source.tailscaled {
            let daemon = Daemon::at(arguments.chain.socket.as_deref())?;
            return Ok(Self::of_status(&Status::ask(&daemon)?));
        }
        Ok(Self::default())
    }

    /// The nodes of a daemon's status.
    pub(super) fn of_status(status: &Status) -> Self {
        Self { list: node_list::of_status(status), asked: true }
    }

    /// The node with a key.
    pub(super) fn node(&self, node_key: &NodeKey) -> Option<&ListedNode> {
        self.list.nodes.iter().find(|it| it.node_key == *node_key)
    }

    /// What a signer should know before signing.
    pub(super) fn lines(&self, request: &Request) -> String {
        let mut text = String::new();
        if !self.asked {
            return text;
        }
        // Writing to a string does not fail.
        let _ = match self.node(&request.node_key) {
            None => writeln!(
                text,
                "No node with this key is known here: compare it with the node's own screen."
            ),
            Some(node) => {
                let name = visible(&node.name);
                match NodeKeySignature::decode(&node.signature) {
                    Ok(old) if !node.signature.is_empty() => {
                        let by = old.value.authorizing_key_id().map(key_text);
                        let by = by.unwrap_or_else(|_| "nobody".to_owned());
                        writeln!(text, "It is `{name}`, and was signed by {by} before.")
                    }
                    _ => writeln!(text, "It is `{name}`, and was not signed before."),
                }
            }
        };
        for twin in self.twins(request) {
            let _ = writeln!(
                text,
                "`{}` ({}) has the same rotation key: one of the two may be a copy, and nodes will drop both or one.",
                visible(&twin.name),
                twin.node_key
            );
        }
        text
    }

    /// Other nodes with the same rotation key.
    fn twins<'s>(&'s self, request: &'s Request) -> impl Iterator<Item = &'s ListedNode> {
        let others = self.list.nodes.iter().filter(|it| it.node_key != request.node_key);
        others.filter(|node| {
            let Some(key) = &request.rotation_key else { return false };
            let signed = NodeKeySignature::decode(&node.signature).ok();
            let wraps = signed.as_ref().and_then(|it| it.value.effective_wrapping_key());
            node.lock_key.as_ref() == Some(key) || wraps == Some(key.as_bytes().as_slice())
        })
    }
}
