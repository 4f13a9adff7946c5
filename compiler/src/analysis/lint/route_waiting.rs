//! W1301: a rule for a network whose route a device advertises and nobody approved.

use ipnet::IpNet;
use rustc_hash::FxHashSet;

use super::Subject;
use super::devices::Devices;
use super::networks::networks;
use crate::diagnostic::{Diagnostic, code};
use crate::tailnet::NodeId;

pub(super) fn find(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let Some(devices) = subject.devices() else { return Vec::new() };
    // However many rules wait for a route, it is one route that waits.
    let mut told = FxHashSet::default();
    let mut found = Vec::new();
    for network in networks(subject, devices) {
        if network.served {
            continue;
        }
        let Some((net, router)) = network.ranges.iter().find_map(|it| devices.waiting.meeting(*it))
        else {
            continue;
        };
        if !told.insert((net, router)) {
            continue;
        }
        let name = devices.name(router);
        let written = subject.policy.describe(network.target);
        let message = format!(
            "this rule allows `{written}`, but nobody approved the route `{net}` of `{name}`"
        );
        found.push(
            Diagnostic::new(code::W1301, message, network.span)
                .label("reaches nothing until then")
                .help(advice(subject, devices, net, router)),
        );
    }
    found
}

/// What brings an advertised route into effect.
fn advice(subject: &Subject<'_>, devices: &Devices<'_>, net: IpNet, router: NodeId) -> String {
    let name = devices.name(router);
    let routes = subject.policy.auto_approvers.routes.iter();
    let mut who = routes.filter(|(key, _)| key.value.contains(&net)).flat_map(|it| &it.1);
    if who.any(|it| devices.is_one_of(router, it.value, subject.policy)) {
        format!(
            "`autoApprovers` approves only what is advertised from then on: let `{name}` advertise it again, or approve it in the admin console"
        )
    } else {
        format!(
            "approve it in the admin console, or let `autoApprovers` do so for devices such as `{name}`"
        )
    }
}
