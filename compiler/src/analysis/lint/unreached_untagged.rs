//! W1203: devices without a tag that look like servers, and that no rule reaches.

use super::Subject;
use super::words::names;
use crate::diagnostic::{Diagnostic, code};

/// A laptop that nobody reaches is as it should be; a device whose system is not known may be one,
/// so this is a note.
pub(super) fn find(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let Some(devices) = subject.devices() else { return Vec::new() };
    // Where nobody reaches anything, that is another finding.
    if subject.policy.tags.is_empty() || devices.reached.is_empty() {
        return Vec::new();
    }
    let silent = devices.untagged_servers().filter(|it| !devices.reached.contains(*it));
    let silent: Vec<&str> = silent.map(|it| devices.name(it)).collect();
    let message = match *silent {
        [] => return Vec::new(),
        [one] => format!("nobody tagged `{one}`, and no rule reaches it"),
        _ => format!("nobody tagged {}, and no rule reaches them", names(&silent)),
    };
    let found = Diagnostic::new(code::W1203, message, subject.rules_section());
    vec![found.help("if it serves anything, give it a tag and a rule for that tag")]
}
