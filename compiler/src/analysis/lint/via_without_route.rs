//! W1311: a grant through routers of which none serves its destination.

use super::Subject;
use super::words::names;
use crate::ast::Autogroup;
use crate::diagnostic::{Diagnostic, code};
use crate::policy::{Rule, Target};
use crate::tailnet::NodeId;

pub(super) fn find(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let Some(devices) = subject.devices() else { return Vec::new() };
    let grants = subject.rules().iter().filter(|it| !it.via.is_empty());
    grants.flat_map(|it| unserved(subject, devices, it)).collect()
}

fn unserved(
    subject: &Subject<'_>,
    devices: &super::devices::Devices<'_>,
    rule: &Rule,
) -> Option<Diagnostic> {
    let tag = |it: &crate::span::Spanned<crate::policy::TagId>| {
        subject.policy.tags.get(it.value.0 as usize).map(|it| &*it.name.value)
    };
    let tags: Vec<&str> = rule.via.iter().filter_map(tag).collect();
    let tagged = |id: NodeId| {
        let mut via = rule.via.iter().map(|it| Target::Tag(it.value));
        via.any(|it| devices.is_one_of(id, it, subject.policy))
    };
    let routes = devices.tables.routes();
    let served = |target: Target| match target {
        Target::Autogroup(Autogroup::Internet) => devices.exits.iter().any(|it| tagged(*it)),
        Target::Any => true,
        _ => {
            let ranges = devices.tables.addresses(target);
            // A set so large is made by a program.
            ranges.len() > MAX_RANGES
                || ranges.iter().any(|range| {
                    let mut ids = routes.overlapping(*range).filter_map(|it| routes.get(it));
                    ids.any(|it| it.advertisers.iter().any(|it| tagged(*it)))
                })
        }
    };
    let lost = rule.dst.iter().find(|it| !served(it.target))?;
    let written = subject.policy.describe(lost.target);
    let message = format!("no device with {} has an approved route to `{written}`", names(&tags));
    let found = Diagnostic::new(code::W1311, message, lost.span);
    let found = rule
        .via
        .iter()
        .take(3)
        .fold(found, |found, it| found.related(it.span, "goes through this"));
    Some(found.help(
        "approve the route on a device with that tag, or name the tag of the device that has it",
    ))
}

const MAX_RANGES: usize = 1_000;
