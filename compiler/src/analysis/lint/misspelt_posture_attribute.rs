//! W1706: an attribute of a posture that looks like one of Tailscale's and is none.

use super::Subject;
use crate::diagnostic::{Diagnostic, code, similar};

/// The attributes that Tailscale itself sets.
const KNOWN: [&str; 7] = [
    "node:os",
    "node:osVersion",
    "node:tsVersion",
    "node:tsReleaseTrack",
    "node:tsAutoUpdate",
    "node:tsStateEncrypted",
    "ip:country",
];

pub(super) fn find(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let assertions = subject.policy.postures.iter().flat_map(|it| &it.assertions);
    assertions
        .filter_map(|it| {
            let attribute = &*it.value.attribute;
            let (space, name) = attribute.split_once(':')?;
            let ours = matches!(space, "node" | "ip") && !KNOWN.contains(&attribute);
            // What is not ours is an integration's or somebody's own.
            if !ours || name.len() > MAX_LENGTH || attribute == "ip:publicAddress" {
                return None;
            }
            let meant = similar(attribute, KNOWN)?;
            let found =
                Diagnostic::new(code::W1706, format!("unknown attribute `{attribute}`"), it.span);
            Some(
                found
                    .label("no device has it, so this never holds")
                    .help(format!("did you mean `{meant}`?")),
            )
        })
        .collect()
}

/// No known name is nearly as long.
const MAX_LENGTH: usize = 64;
