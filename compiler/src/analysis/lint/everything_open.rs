//! W1001: a rule that lets every device reach every other on every port.

use super::Subject;
use super::words::count;
use crate::ast::Autogroup;
use crate::diagnostic::{Diagnostic, code};
use crate::policy::Target;

/// One report, however many such rules there are: the first makes the others pointless as well.
pub(super) fn find(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let rules = subject.rules();
    let open = &subject.access().open;
    let Some(rule) = open.first().and_then(|it| rules.get(*it as usize)) else { return Vec::new() };
    let anybody = |it: Target| matches!(it, Target::Any | Target::Autogroup(Autogroup::DangerAll));
    let src = rule.src.iter().find(|it| anybody(it.value));
    let dst = rule.dst.iter().find(|it| it.target == Target::Any);
    let (Some(src), Some(dst)) = (src, dst) else { return Vec::new() };
    let others = rules.len().saturating_sub(1);
    let help = match others {
        0 => "name who needs what, one rule for each need, and take this one out".to_owned(),
        _ => format!(
            "take it out once the other rules say who needs what; while it stands, the {} after or before it change nothing for packets",
            count(others, "rule")
        ),
    };
    let found = Diagnostic::new(
        code::W1001,
        "everything is open to everyone: any device may reach any other on every port",
        src.span,
    );
    vec![
        found
            .label("whoever is in the tailnet")
            .related(dst.span, "every device and network")
            .help(help),
    ]
}
