//! W1303: a rule for the internet, and a device that offers itself as an exit node without anybody's
//! approval.

use super::Subject;
use super::words::names;
use crate::ast::Autogroup;
use crate::diagnostic::{Diagnostic, code};
use crate::policy::Target;
use crate::span::Span;

pub(super) fn find(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let Some(devices) = subject.devices() else { return Vec::new() };
    let Some(span) = internet(subject).filter(|_| devices.exits.is_empty()) else {
        return Vec::new();
    };
    let waiting: Vec<&str> = devices.waiting_exits.iter().map(|it| devices.name(*it)).collect();
    if waiting.is_empty() {
        return Vec::new();
    }
    let (noun, it) =
        if waiting.len() == 1 { ("the exit node", "it") } else { ("the exit nodes", "one") };
    let message =
        format!("this rule allows the internet, but nobody approved {noun} {}", names(&waiting));
    let found = Diagnostic::new(code::W1303, message, span).label("leads nowhere until then");
    vec![found.help(format!("approve {it} in the admin console, or name its tag in `autoApprovers.exitNode` and advertise it again"))]
}

/// The first place where a rule allows the internet.
pub(super) fn internet(subject: &Subject<'_>) -> Option<Span> {
    let mut all = subject.rules().iter().flat_map(|it| &it.dst);
    all.find(|it| it.target == Target::Autogroup(Autogroup::Internet)).map(|it| it.span)
}
