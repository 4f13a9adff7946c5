//! `node:os == 'macos'`, `ip:country IN ['DE']` → [`Assertion`]: what a device must be like.
//!
//! SOURCE: docs/language.md, "Postures". Evaluating one needs the facts of a tailnet and is not
//! done here.

pub mod attributes;

use std::fmt;

use pest::Parser;
use pest::iterators::Pair;

use super::Text;
use super::selector::{Grammar, Rule, shared};

/// One condition on one attribute of a device.
#[derive(Clone, Debug, PartialEq)]
pub struct Assertion {
    /// `node:os`, `custom:tier` …
    pub attribute: Text,
    /// What must hold of it.
    pub condition: Condition,
}

impl Assertion {
    /// What the attribute is compared with.
    pub fn operands(&self) -> impl Iterator<Item = &Operand> {
        let (many, one) = match &self.condition {
            Condition::In(many) | Condition::NotIn(many) => (many.as_slice(), None),
            Condition::Compare(_, one) => (&[][..], Some(one)),
            Condition::IsSet | Condition::NotSet => (&[][..], None),
        };
        many.iter().chain(one)
    }
}

/// What must hold of an attribute.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// It has some value.
    IsSet,
    /// It has none.
    NotSet,
    /// Its value is one of these.
    In(Vec<Operand>),
    /// It has a value that is none of these.
    NotIn(Vec<Operand>),
    /// Its value compares so.
    Compare(Comparison, Operand),
}

/// How an attribute is compared.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Comparison {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
}

/// What an attribute is compared with.
#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    /// `'text'`
    Text(Text),
    /// A number.
    Number(f64),
    /// `true` or `false`
    Bool(bool),
}

impl fmt::Display for Assertion {
    /// As the file would write it, spaced as in the documentation.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |operands: &[Operand]| {
            operands.iter().map(Operand::to_string).collect::<Vec<_>>().join(", ")
        };
        f.write_str(&self.attribute)?;
        match &self.condition {
            Condition::IsSet => f.write_str(" IS SET"),
            Condition::NotSet => f.write_str(" NOT SET"),
            Condition::In(operands) => write!(f, " IN [{}]", list(operands)),
            Condition::NotIn(operands) => write!(f, " NOT IN [{}]", list(operands)),
            Condition::Compare(comparison, operand) => {
                let sign = match comparison {
                    Comparison::Equal => "==",
                    Comparison::NotEqual => "!=",
                    Comparison::Less => "<",
                    Comparison::AtMost => "<=",
                    Comparison::Greater => ">",
                    Comparison::AtLeast => ">=",
                };
                write!(f, " {sign} {operand}")
            }
        }
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Operand::Text(text) => write!(f, "'{text}'"),
            Operand::Number(number) => number.fmt(f),
            Operand::Bool(truth) => truth.fmt(f),
        }
    }
}

/// Reads one assertion. A bare attribute means that it is true.
///
/// `None` when the text is none; the grammar is in `selector.pest`.
pub fn read(text: &str) -> Option<Assertion> {
    let mut parts = Grammar::parse(Rule::assertion, text).ok()?.next()?.into_inner();
    let attribute = shared(parts.next()?.as_str());
    let condition = match parts.next().filter(|it| it.as_rule() != Rule::EOI) {
        None => Condition::Compare(Comparison::Equal, Operand::Bool(true)),
        Some(found) => match found.as_rule() {
            Rule::is_set => Condition::IsSet,
            Rule::not_set => Condition::NotSet,
            Rule::is_in => Condition::In(found.into_inner().filter_map(operand).collect()),
            Rule::not_in => Condition::NotIn(found.into_inner().filter_map(operand).collect()),
            _ => {
                let mut inner = found.into_inner();
                let comparison = comparison(inner.next()?.as_str());
                let operand = operand(inner.next()?)?;
                let ordered = !matches!(comparison, Comparison::Equal | Comparison::NotEqual);
                if ordered && !is_ordered(&attribute, &operand) {
                    return None;
                }
                Condition::Compare(comparison, operand)
            }
        },
    };
    Some(Assertion { attribute, condition })
}

/// Only numbers and the two versions have an order.
fn is_ordered(attribute: &str, operand: &Operand) -> bool {
    match operand {
        Operand::Number(_) => true,
        Operand::Text(_) => matches!(attribute, "node:osVersion" | "node:tsVersion"),
        Operand::Bool(_) => false,
    }
}

fn comparison(text: &str) -> Comparison {
    match text {
        "==" => Comparison::Equal,
        "!=" => Comparison::NotEqual,
        "<" => Comparison::Less,
        "<=" => Comparison::AtMost,
        ">" => Comparison::Greater,
        _ => Comparison::AtLeast,
    }
}

fn operand(pair: Pair<'_, Rule>) -> Option<Operand> {
    let text = pair.as_str();
    Some(match pair.as_rule() {
        Rule::quoted => Operand::Text(shared(text.trim_matches('\''))),
        Rule::number => Operand::Number(text.parse().ok()?),
        Rule::truth => Operand::Bool(text.eq_ignore_ascii_case("true")),
        _ => return None,
    })
}
