//! W1801: a capability for devices that its sources do not reach.

use super::Subject;
use crate::diagnostic::{Diagnostic, code};
use crate::policy::{Rule, Target};

/// Capabilities of the client itself: they need no port.
const BUILT_IN: [&str; 3] =
    ["tailscale.com/cap/drive", "tailscale.com/cap/relay", "tailscale.com/cap/file-sharing"];

/// At most so many pairs of one grant are looked at.
const MAX_PAIRS: usize = 100;

pub(super) fn find(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let grants = subject.rules().iter();
    let bare = grants.filter(|it| it.ip.is_empty() && it.via.is_empty() && !it.app.is_empty());
    bare.filter_map(|it| report(subject, it)).collect()
}

fn report(subject: &Subject<'_>, grant: &Rule) -> Option<Diagnostic> {
    let cap = grant.app.iter().find(|it| !BUILT_IN.contains(&&*it.name.value))?;
    let (access, atoms) = (subject.access(), subject.atoms());
    let pairs = grant.src.iter().flat_map(|src| grant.dst.iter().map(move |dst| (src, dst)));
    let (src, dst) = pairs.take(MAX_PAIRS).find(|(src, dst)| {
        // Of all that there is, everybody reaches something or other.
        dst.target != Target::Any
            && access.reaches(atoms.of(src.value), atoms.of(dst.target), atoms).is_none()
    })?;
    let (src, dst) = (subject.policy.describe(src.value), subject.policy.describe(dst.target));
    let message = format!("no rule lets all of `{src}` reach `{dst}`, so some cannot use this");
    let found = Diagnostic::new(code::W1801, message, cap.name.span);
    Some(
        found
            .label("a capability opens no port")
            .help("add the port of the application to this grant: `\"ip\": [\"tcp:443\"]`"),
    )
}
