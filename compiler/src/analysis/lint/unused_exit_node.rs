//! W1306: an approved exit node that nobody may use.

use super::Subject;
use super::words::names;
use crate::ast::Autogroup;
use crate::diagnostic::{Diagnostic, code};
use crate::policy::Target;

pub(super) fn find(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let Some(devices) = subject.devices() else { return Vec::new() };
    let mut targets = subject.rules().iter().flat_map(|it| &it.dst).map(|it| it.target);
    let internet = |it: Target| {
        matches!(it, Target::Any | Target::Ipset(_) | Target::Autogroup(Autogroup::Internet))
    };
    if subject.policy.rules.is_none() || targets.any(internet) || devices.exits.is_empty() {
        return Vec::new();
    }
    let exits: Vec<&str> = devices.exits.iter().map(|it| devices.name(*it)).collect();
    let noun = if exits.len() == 1 { "exit node" } else { "exit nodes" };
    let message = format!("nobody may use the {noun} {}", names(&exits));
    let found = Diagnostic::new(code::W1306, message, subject.rules_section());
    vec![found.help("a rule with the destination `autogroup:internet` lets its sources use exit nodes; a rule for the exit node's tag only reaches the device itself")]
}
