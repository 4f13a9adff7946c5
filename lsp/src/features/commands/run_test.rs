//! The assertion at a place, or all of them → which hold.

use std::fmt::Write as _;

use compiler::analysis::tally::Case;
use compiler::span::Span;

use super::super::analysis::Analysis;
use super::super::words::count;
use super::{Answer, Unanswered, without_tables};

/// Runs the entry of `tests` or `sshTests` at `offset`; all of them where it is none.
pub fn run_test(analysis: &Analysis, offset: Option<u32>) -> Result<Answer, Unanswered> {
    let tally = analysis.checked().tally.as_ref().ok_or_else(|| without_tables(analysis))?;
    let file = &analysis.policy().file;
    let tests = file.tests.iter().map(|it| it.span);
    let all = tests.chain(file.ssh_tests.iter().map(|it| it.span));
    let entry: Option<Span> = offset.and_then(|at| all.into_iter().find(|it| it.touches(at)));
    let within = |it: &&Case| entry.is_none_or(|entry| entry.touches(it.span.start));
    let cases: Vec<&Case> = tally.cases.iter().filter(within).collect();
    let number = |wanted: Option<bool>| cases.iter().filter(|it| it.holds == wanted).count();
    let (held, failed, open) = (number(Some(true)), number(Some(false)), number(None));
    let mut parts = vec![format!("{} hold", held), format!("{failed} fail")];
    if open > 0 {
        parts.push(format!("{open} left open"));
    }
    let mut text =
        format!("# Assertions\n\n{}: {}.\n\n", count(cases.len(), "assertion"), parts.join(", "));
    for case in cases {
        let mark = match case.holds {
            Some(true) => "holds",
            Some(false) => "**fails**",
            None => "left open",
        };
        let line = analysis.lines().line(case.span.start).0 + 1;
        let _ = write!(text, "- {mark} · line {line} · {}", case.name);
        if let Some(message) = case.message.as_ref().filter(|it| **it != case.name) {
            let _ = write!(text, ": {message}");
        }
        text.push('\n');
    }
    let title = if entry.is_some() { "the assertion" } else { "all assertions" };
    Ok(Answer::markdown(title.to_owned(), text))
}
