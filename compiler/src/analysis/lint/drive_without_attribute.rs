//! W1802: shared folders are granted, and no device may share or open any.

use super::Subject;
use crate::diagnostic::{Diagnostic, code};

const DRIVE: &str = "tailscale.com/cap/drive";

/// Attributes may also come with a device posture or by arrangement, but not these two.
pub(super) fn find(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let caps = subject.rules().iter().flat_map(|it| &it.app);
    let Some(cap) = caps.into_iter().find(|it| &*it.name.value == DRIVE) else { return Vec::new() };
    let has = |name: &str| {
        let mut entries = subject.policy.file.node_attrs.iter().flat_map(|it| &it.attr);
        entries.any(|it| &*it.value == name)
    };
    let missing = match (has("drive:share"), has("drive:access")) {
        (true, true) => return Vec::new(),
        (true, false) => "`drive:access`, so no device may open the folders",
        (false, true) => "`drive:share`, so no device may share a folder",
        (false, false) => {
            "`drive:share` and `drive:access`, so no device may share or open a folder"
        }
    };
    let message = format!("`nodeAttrs` gives nobody {missing}");
    let found = Diagnostic::new(code::W1802, message, cap.name.span);
    vec![found.help("give `drive:share` to the devices with the folders and `drive:access` to those of the people")]
}
