//! W1111: a rule without anybody on one of its sides, which Tailscale takes and forgets.

use super::Subject;
use crate::diagnostic::{Diagnostic, code};
use crate::span::Span;

pub(super) fn find(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let rules = subject.rules().iter();
    let rules = rules.map(|it| (it.span, it.src.is_empty(), it.dst.is_empty()));
    let ssh = subject.policy.file.ssh.iter();
    let ssh = ssh.map(|it| (it.span, it.src.is_empty(), it.dst.is_empty()));
    rules
        .chain(ssh)
        .filter(|it| it.1 || it.2)
        .map(|(span, src, dst)| report(span, src, dst))
        .collect()
}

fn report(span: Span, src: bool, dst: bool) -> Diagnostic {
    let missing = match (src, dst) {
        (true, true) => "neither a source nor a destination",
        (true, false) => "no source",
        _ => "no destination",
    };
    let message = format!("this rule has {missing}, so it does nothing");
    let found = Diagnostic::new(code::W1111, message, span.opening());
    found.help("name who reaches whom in `src` and `dst`, or take the rule out")
}
