//! W1508: `localpart:` in a rule for other devices, which opens the sources' own devices too.

use super::Subject;
use crate::Dialect;
use crate::ast::{Autogroup, Selector, SshRule};
use crate::diagnostic::{Diagnostic, code};

/// So it is with Tailscale; nobody has seen headscale do it.
pub(super) fn find(subject: &Subject<'_>) -> Vec<Diagnostic> {
    if subject.options.dialect != Dialect::Tailscale {
        return Vec::new();
    }
    subject.policy.file.ssh.iter().filter_map(report).collect()
}

/// Where the rule names one's own devices as well, nothing is opened that it does not say.
fn report(rule: &SshRule) -> Option<Diagnostic> {
    let own = Selector::Autogroup(Autogroup::OwnDevices);
    if rule.dst.is_empty() || rule.dst.iter().any(|it| it.value == own) {
        return None;
    }
    let user = rule
        .users
        .iter()
        .find(|it| it.value.strip_prefix("localpart:*@").is_some_and(|it| !it.is_empty()))?;
    let message = "with `localpart:` this rule also opens the sources' own devices to them";
    let found = Diagnostic::new(code::W1508, message, user.span);
    Some(found.help("nothing to mend if that is wanted; else name the accounts"))
}
