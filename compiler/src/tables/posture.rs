//! Whether a device meets a posture: yes, no, or unknown where the inventory does not say.
//!
//! SOURCE: docs/language.md, "Postures".

use std::cell::RefCell;
use std::cmp::Ordering;
use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::node_set::NodeSet;
use crate::ast::Text;
use crate::ast::posture::{Assertion, Comparison, Condition, Operand};
use crate::policy::{Policy, PostureId};
use crate::span::Spanned;
use crate::tailnet::{Fact, Node, Tailnet};

/// An answer that may be unknown.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Answer {
    /// Certainly not.
    No,
    /// The inventory does not say.
    Unknown,
    /// Certainly.
    Yes,
}

/// Which nodes meet a list of postures; each list is asked once for all nodes.
#[derive(Debug, Default)]
pub(super) struct Qualified(RefCell<FxHashMap<Vec<PostureId>, Rc<Answers>>>);

/// The nodes that meet one of some postures.
#[derive(Debug)]
pub(super) struct Answers {
    /// Those that certainly do.
    pub(super) certain: NodeSet,
    /// Those of which the inventory does not say.
    pub(super) unknown: NodeSet,
}

impl Qualified {
    pub(super) fn get(
        &self,
        policy: &Policy,
        tailnet: &Tailnet,
        postures: &[PostureId],
    ) -> Rc<Answers> {
        if let Some(known) = self.0.borrow().get(postures) {
            return Rc::clone(known);
        }
        let (mut certain, mut unknown) = (Vec::new(), Vec::new());
        for (node, id) in tailnet.nodes().iter().zip(0..).filter(|(node, _)| !node.has_left()) {
            match meets_any(policy, postures, node) {
                Answer::Yes => certain.push(id),
                Answer::Unknown => unknown.push(id),
                Answer::No => {}
            }
        }
        let (certain, unknown) = (NodeSet::new(certain), NodeSet::new(unknown));
        let answers = Rc::new(Answers { certain, unknown });
        self.0.borrow_mut().insert(postures.to_vec(), Rc::clone(&answers));
        answers
    }
}

/// Whether a node certainly meets one of the postures, where any is asked for.
pub(super) fn qualifies(policy: &Policy, postures: &[PostureId], node: &Node) -> bool {
    !node.has_left() && meets_any(policy, postures, node) == Answer::Yes
}

/// Whether a node meets one of the postures; yes where none is asked for.
pub(super) fn meets_any(policy: &Policy, postures: &[PostureId], node: &Node) -> Answer {
    if postures.is_empty() {
        return Answer::Yes;
    }
    let meets = |id: &PostureId| {
        let posture = policy.postures.get(id.0 as usize);
        posture.map_or(Answer::No, |it| {
            it.assertions.iter().map(|it| meets(&it.value, node)).min().unwrap_or(Answer::Yes)
        })
    };
    postures.iter().map(meets).max().unwrap_or(Answer::Yes)
}

/// Whether a device with these attributes, and no others, meets a posture.
pub(super) fn met_by(
    policy: &Policy,
    id: PostureId,
    attributes: &[(Spanned<Text>, Option<Operand>)],
) -> bool {
    let fact = |name: &str| {
        let value = attributes.iter().find(|it| *it.0.value == *name).and_then(|it| it.1.as_ref());
        value.map_or(Fact::NotSet, |it| match it {
            Operand::Text(text) => Fact::Text((**text).into()),
            Operand::Number(number) => Fact::Number(*number),
            Operand::Bool(value) => Fact::Bool(*value),
        })
    };
    let posture = policy.postures.get(id.0 as usize);
    posture.is_some_and(|it| {
        it.assertions.iter().all(|it| holds(&it.value.condition, &fact(&it.value.attribute)))
    })
}

/// Whether a node meets one assertion.
fn meets(assertion: &Assertion, node: &Node) -> Answer {
    let details = node.details.as_deref();
    let attributes = details.map_or(&[][..], |it| it.attributes.as_slice());
    let listed =
        attributes.iter().find(|(name, _)| **name == *assertion.attribute).map(|(_, fact)| fact);
    let os = details.and_then(|it| it.os.as_deref()).filter(|_| &*assertion.attribute == "node:os");
    let reported = os.map(|it| Fact::Text(it.to_lowercase().into()));
    let Some(fact) = listed.or(reported.as_ref()) else { return Answer::Unknown };
    if holds(&assertion.condition, fact) { Answer::Yes } else { Answer::No }
}

/// Whether a condition holds of what is known.
fn holds(condition: &Condition, fact: &Fact) -> bool {
    match (condition, fact) {
        (Condition::NotSet, Fact::NotSet) => true,
        // What is not set satisfies nothing else, not even a `!=`.
        (Condition::NotSet, _) | (_, Fact::NotSet) => false,
        (Condition::IsSet, _) => true,
        (Condition::In(operands), fact) => operands.iter().any(|it| equal(fact, it)),
        (Condition::NotIn(operands), fact) => !operands.iter().any(|it| equal(fact, it)),
        (Condition::Compare(comparison, operand), fact) => compare(fact, *comparison, operand),
    }
}

fn equal(fact: &Fact, operand: &Operand) -> bool {
    match (fact, operand) {
        (Fact::Text(fact), Operand::Text(operand)) => **fact == **operand,
        (Fact::Number(fact), Operand::Number(operand)) => fact == operand,
        (Fact::Bool(fact), Operand::Bool(operand)) => fact == operand,
        _ => false,
    }
}

fn compare(fact: &Fact, comparison: Comparison, operand: &Operand) -> bool {
    match comparison {
        Comparison::Equal => return equal(fact, operand),
        Comparison::NotEqual => return !equal(fact, operand),
        _ => {}
    }
    let order = match (fact, operand) {
        (Fact::Number(fact), Operand::Number(operand)) => fact.partial_cmp(operand),
        (Fact::Text(fact), Operand::Text(operand)) => Some(compare_versions(fact, operand)),
        _ => None,
    };
    order.is_some_and(|order| match comparison {
        Comparison::Less => order == Ordering::Less,
        Comparison::AtMost => order != Ordering::Greater,
        Comparison::Greater => order == Ordering::Greater,
        _ => order != Ordering::Less,
    })
}

/// Compares versions field by field: numbers as numbers, everything else as text.
fn compare_versions(one: &str, other: &str) -> Ordering {
    let (mut one, mut other) = (fields(one), fields(other));
    loop {
        let order = match (one.next(), other.next()) {
            (None, None) => return Ordering::Equal,
            (a, b) => {
                let number = |it: Option<&str>| it.map_or(Some(0), |it| it.parse::<u64>().ok());
                match (number(a), number(b)) {
                    (Some(a), Some(b)) => a.cmp(&b),
                    _ => a.cmp(&b),
                }
            }
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

/// The runs of digits and of other characters in a version; dots, dashes and blanks only separate.
fn fields(version: &str) -> impl Iterator<Item = &str> {
    version.split(['.', '-', '+', ' ']).flat_map(runs)
}

fn runs(mut rest: &str) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        let digits = rest.chars().next()?.is_ascii_digit();
        let end = rest.find(|it: char| it.is_ascii_digit() != digits).unwrap_or(rest.len());
        let (run, tail) = rest.split_at_checked(end)?;
        rest = tail;
        Some(run)
    })
}
