//! What a run over the assertions of a policy comes to: which hold, which rules they make use of, and
//! which changes they notice.

use crate::span::Span;
use crate::tables::assertions::{AssertionProblem, Assertions, Holds};

/// The outcome of a run over all assertions.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Tally {
    /// Every demand of every assertion, in the order of the file, `tests` before `sshTests`; then what
    /// could not be understood.
    pub cases: Vec<Case>,
    /// Where it was asked for.
    pub coverage: Option<Coverage>,
    /// Where it was asked for.
    pub mutants: Option<Mutants>,
}

/// One demand of an assertion.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Case {
    /// `tests[0]: ann@example.com accept tag:db:22`
    pub name: String,
    /// Where it is written.
    pub span: Span,
    /// Whether it holds; `None` depends on facts that the inventory lacks.
    pub holds: Option<bool>,
    /// What is wrong, where it does not.
    pub message: Option<String>,
}

/// How much of a policy its assertions make use of. Only what an assertion can speak of is counted.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Coverage {
    /// Rules about packets and about SSH.
    pub rules: usize,
    /// Those of which an assertion that holds makes use.
    pub rules_used: usize,
    /// Destinations of all rules.
    pub destinations: usize,
    /// Those that an assertion reaches through their rule.
    pub destinations_used: usize,
}

/// How many changes of rules the assertions notice. Changes without a meaning are not counted.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Mutants {
    /// Changes that were tried.
    pub made: usize,
    /// Those after which an assertion would fail.
    pub noticed: usize,
}

impl Tally {
    pub(super) fn new(assertions: &Assertions<'_>) -> Self {
        let message = |at: Option<usize>| {
            at.and_then(|it| assertions.problems.get(it)).map(AssertionProblem::to_string)
        };
        let flows = assertions.flows.iter().map(|it| {
            let demand = if it.accept { "accept" } else { "deny" };
            Case {
                name: format!("tests[{}]: {} {demand} {}", it.entry, it.from, it.to),
                span: it.span,
                holds: answer(&it.holds),
                message: message(it.problem),
            }
        });
        let sessions = assertions.sessions.iter().map(|it| Case {
            name: format!(
                "sshTests[{}]: {} at {} {} {}",
                it.entry,
                it.from,
                it.at,
                it.outcome.name(),
                it.user
            ),
            span: it.span,
            holds: answer(&it.holds),
            message: message(it.problem),
        });
        let mut cases: Vec<Case> = flows.chain(sessions).collect();
        let judged = assertions.flows.iter().filter_map(|it| it.problem);
        let mut judged: Vec<usize> =
            judged.chain(assertions.sessions.iter().filter_map(|it| it.problem)).collect();
        judged.sort_unstable();
        for (at, problem) in assertions.problems.iter().enumerate() {
            if judged.binary_search(&at).is_err() {
                let holds = if problem.is_undecided() { None } else { Some(false) };
                let (name, span) = (problem.to_string(), problem.report().span);
                cases.push(Case { message: Some(name.clone()), name, span, holds });
            }
        }
        Self { cases, coverage: None, mutants: None }
    }
}

const fn answer(holds: &Holds) -> Option<bool> {
    match holds {
        Holds::Yes => Some(true),
        Holds::No => Some(false),
        Holds::Depends => None,
    }
}
