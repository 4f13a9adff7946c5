//! Conditions on devices that can decide nothing: an attribute that nobody sets, or a value that the
//! attribute never has.
//!
//! SOURCE: docs/language.md, "Posture attributes". Names of postures are resolved with the rules.

use super::names::Names;
use super::problem::Problem;
use super::*;
use crate::ast::posture::attributes::{self, ATTRIBUTES, Values};
use crate::ast::posture::{Comparison, Condition, Operand};
use crate::diagnostic::similar;

/// Checks every condition of every posture.
pub(super) fn check(names: &mut Names, file: &PolicyFile) {
    for assertion in file.postures.iter().flat_map(|it| &it.value) {
        let Spanned { value: Assertion { attribute, condition }, span } = assertion;
        match attributes::values(attribute) {
            Some(values) => {
                let problems = useless(values, condition).into_iter().map(|(operand, always)| {
                    Problem::ConditionWithoutChoice {
                        span: *span,
                        attribute: Arc::clone(attribute),
                        operand,
                        values,
                        always,
                    }
                });
                names.problems.extend(problems);
            }
            None if attributes::is_open(attribute) => {}
            None => {
                let known = ATTRIBUTES.iter().map(|it| it.0);
                let similar = similar(attribute, known);
                let (span, attribute) = (*span, Arc::clone(attribute));
                names.problems.push(Problem::UnknownAttribute { span, attribute, similar });
            }
        }
    }
}

/// The operands that an attribute never is, and whether the condition holds for that reason.
fn useless(values: Values, condition: &Condition) -> Vec<(Operand, bool)> {
    let never = |it: &&Operand| !values.can_be(it);
    match condition {
        Condition::IsSet | Condition::NotSet => Vec::new(),
        Condition::In(operands) => {
            operands.iter().filter(never).map(|it| (it.clone(), false)).collect()
        }
        Condition::NotIn(operands) => {
            operands.iter().filter(never).map(|it| (it.clone(), true)).collect()
        }
        Condition::Compare(comparison, operand) => {
            let always = *comparison == Comparison::NotEqual;
            Some(operand).filter(never).map(|it| (it.clone(), always)).into_iter().collect()
        }
    }
}
