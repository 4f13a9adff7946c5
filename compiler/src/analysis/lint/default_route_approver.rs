//! W1309: `0.0.0.0/0` among the routes that are approved without asking.

use super::Subject;
use crate::diagnostic::{Diagnostic, code};

/// One report for both families.
pub(super) fn find(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let routes = &subject.policy.auto_approvers.routes;
    let wide = routes.iter().find(|(net, who)| net.value.prefix_len() == 0 && !who.is_empty());
    let Some((net, who)) = wide else { return Vec::new() };
    let whose =
        subject.policy.describe(who.first().map_or(crate::policy::Target::Any, |it| it.value));
    let message = format!(
        "`{}` approves every subnet route that `{whose}` advertises, and no exit node",
        net.value
    );
    let found = Diagnostic::new(code::W1309, message, net.span);
    vec![
        found.label("one device can take over any network").help(
            "list the networks that are meant; exit nodes belong in `autoApprovers.exitNode`",
        ),
    ]
}
