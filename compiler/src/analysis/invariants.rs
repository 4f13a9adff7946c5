//! The invariants of a text against a policy → what is wrong, and the answer for each.

use super::describe::Vocabulary;
use super::flow_text::Row;
use super::problem::Problem;
use super::prove::{Counterexample, Prover, Tags};
use crate::ast::invariant::{Claim, Invariant, Malformed};
use crate::diagnostic::Diagnostic;
use crate::policy::Valid;
use crate::span::Span;

/// What became of one invariant.
#[derive(Debug)]
pub struct Judged {
    /// As written.
    pub invariant: Invariant,
    /// Whether it holds; false as well where it could not be judged.
    pub proved: bool,
    /// Whether it speaks of nobody.
    pub vacuous: bool,
    /// The access that shows that it does not hold, and one flow of it.
    pub counterexample: Option<(Row, Counterexample)>,
}

/// Where the rules of the policy are, seen from the invariants.
#[derive(Clone, Copy, Debug)]
pub enum Rules<'a> {
    /// In the same text.
    Here,
    /// In this file, and where its lines start.
    In(&'a str, &'a crate::span::LineIndex),
}

/// Judges all invariants of a text, in their order.
pub fn judge(
    policy: Valid<'_>,
    read: Vec<Result<Invariant, Malformed>>,
    rules: Rules<'_>,
    tags: Tags,
) -> (Vec<Judged>, Vec<Diagnostic>) {
    let (mut judged, mut problems) = (Vec::new(), Vec::new());
    if read.is_empty() {
        return (judged, Vec::new());
    }
    let prover = Prover::new(policy, read.iter().flatten(), tags);
    let vocabulary = Vocabulary::new(&prover.universe, [policy.policy()]);
    let access = prover.access();
    for invariant in read {
        let invariant = match invariant {
            Ok(invariant) => invariant,
            Err(malformed) => {
                problems.push(Problem::Malformed(malformed));
                continue;
            }
        };
        let proof = match prover.prove(&invariant, &access) {
            Ok(proof) => proof,
            Err(names) => {
                problems.extend(names.into_iter().map(Problem::UnknownName));
                judged.push(Judged {
                    invariant,
                    proved: false,
                    vacuous: true,
                    counterexample: None,
                });
                continue;
            }
        };
        if proof.vacuous {
            problems.push(Problem::Vacuous(invariant.span));
        }
        let counterexample = proof.counterexample.map(|it| {
            let mut row = Row::of(&it.region, &vocabulary, &prover.conditions);
            for (names, also) in [&mut row.src, &mut row.dst].into_iter().zip(&it.also) {
                for (name, also) in names.iter_mut().zip(also.iter().cycle()) {
                    *name = format!("a device with `{name}` and `{also}`");
                }
            }
            problems.push(broken(policy, &invariant, &row, rules));
            (row, it)
        });
        judged.push(Judged {
            proved: counterexample.is_none(),
            vacuous: proof.vacuous,
            invariant,
            counterexample,
        });
    }
    (judged, problems.iter().map(Problem::report).collect())
}

fn broken(policy: Valid<'_>, invariant: &Invariant, row: &Row, rules: Rules<'_>) -> Problem {
    let many = row.src.len() > 1
        || row.src.iter().any(|it| it.starts_with("group:") || it.starts_with("autogroup:"));
    let verb = match (invariant.claim, many) {
        (Claim::Always, true) => "do not reach",
        (Claim::Always, false) => "does not reach",
        (_, true) => "reach",
        (_, false) => "reaches",
    };
    let all = policy.policy().rules.as_deref().unwrap_or_default();
    let rule = row.rules.first().and_then(|it| all.get(*it as usize)).map(|it| it.span);
    let (rule, line) = match rules {
        Rules::Here => (rule, None),
        Rules::In(file, lines) => (None, rule.map(|it| line(file, lines, it))),
    };
    Problem::Broken {
        span: invariant.span,
        claim: invariant.claim,
        sentence: row.sentence(verb),
        rule,
        line,
    }
}

fn line(file: &str, lines: &crate::span::LineIndex, rule: Span) -> String {
    format!("{file}:{}", lines.line(rule.start).0 + 1)
}
