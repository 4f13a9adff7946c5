//! W1201: devices that nobody tagged, which fall through to a rule for everything.

use super::Subject;
use super::access::payload;
use super::devices::Devices;
use super::words::{count, names};
use crate::ast::PortRange;
use crate::diagnostic::{Diagnostic, code};
use crate::policy::{Rule, Target};

/// Only where the policy tells devices apart by tags, and where not everything is open anyway.
pub(super) fn find(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let Some(devices) = subject.devices() else { return Vec::new() };
    if subject.policy.tags.is_empty() || !subject.access().open.is_empty() {
        return Vec::new();
    }
    let Some(rule) = subject.rules().iter().find(|it| is_wide(it)) else { return Vec::new() };
    let Some(dst) = rule.dst.iter().find(|it| it.target == Target::Any) else { return Vec::new() };
    let fallen: Vec<&str> = fallen(devices).collect();
    let [first, ..] = *fallen else { return Vec::new() };
    let message = match fallen.len() {
        1 => format!("nobody tagged `{first}`, so it falls through to this rule for everything"),
        n => format!(
            "nobody tagged {}: {} fall through to this rule for everything",
            names(&fallen),
            count(n, "device")
        ),
    };
    let found = Diagnostic::new(code::W1201, message, dst.span);
    vec![
        found
            .label("no narrower rule speaks of it")
            .help("give it a tag and a rule for that tag; a device without a tag counts as one of its owner's"),
    ]
}

fn fallen<'a>(devices: &'a Devices<'_>) -> impl Iterator<Item = &'a str> {
    devices
        .untagged_servers()
        .filter(|it| devices.reached.contains(*it) && !devices.named.contains(*it))
        .map(|it| devices.name(it))
}

/// Whether a rule leads to every device on every port.
fn is_wide(rule: &Rule) -> bool {
    rule.via.is_empty()
        && payload(rule).any(|(target, protocol, ports)| {
            target == Target::Any && protocol.is_none() && ports == PortRange::ALL
        })
}
