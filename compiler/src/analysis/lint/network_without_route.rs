//! W1302: a rule for a network to which no device advertises a route.

use super::Subject;
use super::networks::networks;
use super::words::names;
use crate::diagnostic::{Diagnostic, code};

/// One report for each rule that names such networks would repeat itself: one for all of them.
pub(super) fn find(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let Some(devices) = subject.devices() else { return Vec::new() };
    let lost = networks(subject, devices).filter(|it| {
        let waiting = || it.ranges.iter().any(|it| devices.waiting.meeting(*it).is_some());
        !it.served && !waiting()
    });
    let lost: Vec<_> = lost.collect();
    let Some((first, others)) = lost.split_first() else { return Vec::new() };
    let written: Vec<String> = lost.iter().map(|it| subject.policy.describe(it.target)).collect();
    let message = format!("no device advertises a route to {}", names(&written));
    let found = Diagnostic::new(code::W1302, message, first.span);
    let found =
        others.iter().take(8).fold(found, |found, it| found.related(it.span, "nor to this"));
    vec![found.help("let a device advertise it (`tailscale set --advertise-routes=…`) and approve it, or take the rule out")]
}
