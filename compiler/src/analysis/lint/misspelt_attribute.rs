//! W1703: an attribute that nobody knows, and that looks like one that is known.

use super::Subject;
use crate::ast::words::ATTRIBUTES;
use crate::diagnostic::{Diagnostic, Edit, code, similar};

/// Attributes that clients read besides those that people write: Tailscale gives them itself.
const GIVEN: [&str; 6] =
    ["mullvad", "nextdns", "ssh-behavior-v1", "ssh-env-vars", "store-appc-routes", "tailnet-lock"];

/// All known names, without their values.
fn names() -> impl Iterator<Item = &'static str> {
    let written = ATTRIBUTES.iter().filter_map(|it| it.split('?').next());
    written.filter(|it| !it.contains('/')).chain(GIVEN)
}

pub(super) fn find(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let attributes = subject.policy.file.node_attrs.iter().flat_map(|it| &it.attr);
    attributes
        .filter_map(|it| {
            // Names with a path or a namespace of one's own are nobody's slip.
            let name = it.value.split(['?', '=']).next().unwrap_or_default();
            let known =
                names().any(|it| it == name) || name.starts_with("nextdns:") || name.contains('/');
            if known || name.len() > MAX_LENGTH || name.starts_with("custom:") {
                return None;
            }
            let meant = similar(name, names())?;
            let span = it.span;
            let message = format!("unknown attribute `{name}`");
            let found = Diagnostic::new(code::W1703, message, span);
            let text = it.value.replacen(name, meant, 1);
            Some(
                found
                    .label("Tailscale takes any text here; this one does nothing")
                    .help(format!("did you mean `{meant}`?"))
                    .fix(format!("write `{meant}`"), false, Edit { span, text }),
            )
        })
        .collect()
}

/// No known name is nearly as long.
const MAX_LENGTH: usize = 64;
