//! W1304: a rule for the internet in a tailnet without an exit node.

use super::Subject;
use super::exit_node_waiting::internet;
use crate::diagnostic::{Diagnostic, code};

pub(super) fn find(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let Some(devices) = subject.devices() else { return Vec::new() };
    if !devices.exits.is_empty() || !devices.waiting_exits.is_empty() {
        return Vec::new();
    }
    let Some(span) = internet(subject) else { return Vec::new() };
    let message = "this rule allows the internet, but no device offers itself as an exit node";
    let found = Diagnostic::new(code::W1304, message, span);
    vec![found.help("let one do so (`tailscale set --advertise-exit-node`) and approve it")]
}
