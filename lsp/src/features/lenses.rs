//! Lines above rules and assertions: how much a rule is about, and a way to run a test.

use compiler::span::Span;

use super::analysis::Analysis;

/// A line above a text that does something.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Lens {
    /// Above what.
    pub span: Span,
    /// What is shown.
    pub title: String,
    /// What it does.
    pub run: Run,
}

/// What a lens does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Run {
    /// Shows who reaches what the rule is about.
    WhoCan,
    /// Runs the assertion.
    Test,
}

/// The lenses of a file, in the order of the text; none without an inventory, where nothing can be
/// counted or run.
pub fn lenses(analysis: &Analysis) -> Vec<Lens> {
    let mut lenses = Vec::new();
    let policy = analysis.policy();
    if let Some(reach) = analysis.reach() {
        let rules = policy.rules.iter().flatten().enumerate();
        lenses.extend(rules.filter_map(|(at, rule)| {
            let title = reach.of(at)?.sentence();
            Some(Lens { span: rule.span.opening(), title, run: Run::WhoCan })
        }));
        let tests = policy.file.tests.iter().map(|it| it.span);
        let all = tests.chain(policy.file.ssh_tests.iter().map(|it| it.span));
        lenses.extend(all.map(|it| Lens {
            span: it.opening(),
            title: "run test".to_owned(),
            run: Run::Test,
        }));
    }
    lenses.sort_by_key(|it| it.span.start);
    lenses
}
