//! W1505: a `checkPeriod` on a rule that checks nothing.

use super::Subject;
use crate::ast::SshAction;
use crate::diagnostic::{Diagnostic, code};

pub(super) fn find(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let rules = subject.policy.file.ssh.iter();
    let accepting = rules.filter_map(|it| {
        let action = it.action.filter(|it| it.value == SshAction::Accept)?;
        Some((action, it.check_period.as_ref()?.span))
    });
    accepting
        .map(|(action, span)| {
            let found = Diagnostic::new(
                code::W1505,
                "`checkPeriod` does nothing in a rule that accepts without a check",
                span,
            );
            found
                .related(action.span, "no check")
                .help("write the action `check`, or take the period out")
        })
        .collect()
}
