//! What a node may do by itself: the part of its capability map that every node has, and what its
//! role and the tailnet's settings add.
//!
//! SOURCE: docs/language.md, "SSH, node attributes, assertions".

use crate::tailnet::{Node, Owner, Role, Tailnet};

/// What the control plane gives every node. It is its own choice and no policy's, so it stands here
/// as one list to be replaced when it changes.
const BASELINE: [&str; 7] = [
    "https://tailscale.com/cap/file-sharing",
    "https://tailscale.com/cap/ssh",
    "https://tailscale.com/cap/tailnet-lock",
    "probe-udp-lifetime",
    "ssh-behavior-v1",
    "ssh-env-vars",
    "store-appc-routes",
];

/// The capability map of a node: names in order, and the value of each as JSON.
pub fn self_capabilities(
    tailnet: &Tailnet,
    node: &Node,
    randomize_client_port: bool,
) -> Vec<(String, String)> {
    let none = || "null".to_owned();
    let mut caps: Vec<(String, String)> =
        BASELINE.iter().map(|it| ((*it).to_owned(), none())).collect();
    let role = match node.owner {
        Owner::User(user) => tailnet.user(user).and_then(|it| it.role),
        _ => None,
    };
    // Tagged nodes bear the mark of the owner, for reasons of the control plane's own.
    if role == Some(Role::Owner) || matches!(node.owner, Owner::Tags(_)) {
        caps.push(("https://tailscale.com/cap/is-owner".to_owned(), none()));
    }
    if matches!(role, Some(Role::Owner | Role::Admin)) {
        caps.push(("https://tailscale.com/cap/is-admin".to_owned(), none()));
    }
    if randomize_client_port {
        caps.push(("randomize-client-port".to_owned(), none()));
    }
    if let Some(on) = tailnet.settings().devices_auto_updates_on {
        caps.push(("default-auto-update".to_owned(), format!("[{on}]")));
    }
    if let Some(name) = &tailnet.settings().display_name {
        caps.push(("tailnet-display-name".to_owned(), format!("[{}]", super::wire::quoted(name))));
    }
    caps.sort();
    caps
}
