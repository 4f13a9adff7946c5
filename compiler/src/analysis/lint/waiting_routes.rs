//! W1305: routes and exit nodes that wait for somebody to approve them, and that no rule asks for yet.

use super::Subject;
use super::exit_node_waiting::internet;
use super::networks::networks;
use super::words::list;
use crate::diagnostic::{Diagnostic, code};
use crate::tables::ip_set::IpSet;

/// Those that a rule names are reported there.
pub(super) fn find(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let Some(devices) = subject.devices() else { return Vec::new() };
    let mut named = IpSet::default();
    for network in networks(subject, devices).filter(|it| !it.served) {
        network.ranges.into_iter().for_each(|it| named.add(it));
    }
    let routes = devices.tables.routes();
    let mut waiting: Vec<String> = Vec::new();
    for (net, router) in devices.waiting.all() {
        let told = named.overlaps((*net).into());
        // Another router may serve it: then nothing is missing.
        if !told && routes.find(*net).is_none() {
            waiting.push(format!("`{net}` of `{}`", devices.name(*router)));
        }
    }
    if internet(subject).is_none() || !devices.exits.is_empty() {
        let exits = devices.waiting_exits.iter();
        waiting.extend(exits.map(|it| format!("the exit node `{}`", devices.name(*it))));
    }
    if waiting.is_empty() {
        return Vec::new();
    }
    let message = format!("advertised, but nobody approved: {}", list(waiting.into_iter()));
    let place = if subject.policy.file.sections.iter().any(|it| it.value == "autoApprovers") {
        subject.section("autoApprovers")
    } else {
        subject.rules_section()
    };
    let found = Diagnostic::new(code::W1305, message, place);
    vec![found.help("approve them in the admin console, or stop advertising them")]
}
