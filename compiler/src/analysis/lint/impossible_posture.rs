//! W1704: a posture whose conditions no device can meet together.

use super::Subject;
use crate::ast::posture::{Assertion, Comparison, Condition, Operand};
use crate::diagnostic::{Diagnostic, code};
use crate::policy::Posture;

/// At most so many conditions of one posture are compared with each other.
const MAX_CONDITIONS: usize = 64;

pub(super) fn find(subject: &Subject<'_>) -> Vec<Diagnostic> {
    subject.policy.postures.iter().filter_map(report).collect()
}

fn report(posture: &Posture) -> Option<Diagnostic> {
    let all = posture.assertions.get(..MAX_CONDITIONS.min(posture.assertions.len()))?;
    let pairs = all.iter().zip(1..).flat_map(|(one, next)| {
        all.get(next..).unwrap_or_default().iter().map(move |other| (one, other))
    });
    let (one, other) =
        pairs.filter(|(one, other)| one.value.attribute == other.value.attribute).find(
            |(one, other)| exclude(&one.value, &other.value) || exclude(&other.value, &one.value),
        )?;
    let message = format!("no device can meet both conditions of `{}`", posture.name.value);
    let found = Diagnostic::new(code::W1704, message, other.span);
    Some(found.related(one.span, "excludes this").help(
        "all conditions of a posture must hold; for one or the other write `IN`, or two postures and name both in the rule",
    ))
}

/// Whether what the first demands is what the second forbids.
fn exclude(one: &Assertion, other: &Assertion) -> bool {
    let demanded: &[Operand] = match &one.condition {
        Condition::In(values) => values,
        Condition::Compare(Comparison::Equal, value) => std::slice::from_ref(value),
        Condition::IsSet => return other.condition == Condition::NotSet,
        // What is not set meets no other condition at all.
        Condition::NotSet => return other.condition != Condition::NotSet,
        _ => return false,
    };
    match &other.condition {
        Condition::In(values) => !demanded.iter().any(|it| values.contains(it)),
        Condition::NotIn(values) => demanded.iter().all(|it| values.contains(it)),
        Condition::Compare(Comparison::Equal, value) => !demanded.contains(value),
        Condition::Compare(Comparison::NotEqual, value) => demanded.iter().all(|it| it == value),
        _ => false,
    }
}
