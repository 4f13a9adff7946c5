//! Findings → whether a control plane takes the file, and the one message that it answers if not.
//!
//! Tailscale stops at the first problem it comes to. headscale's decoder does the same; what passes
//! it is validated whole, and all that is wrong then is answered together.
//!
//! SOURCE: docs/language.md, "The file"; docs/headscale.md, "What it answers".

use super::{Diagnostic, Refusal, Turn};
use crate::dialect::Dialect;

/// What every answer of headscale begins with.
pub(crate) const FRAME: &str = "parsing policy: ";

/// What stands before the problems that headscale answers together, and between them.
const SEVERAL: (&str, &str) = ("multiple errors:\n\t", "\n\t");

/// What stands above assertions that fail.
const FAILED: &str = "test(s) failed:\n";

/// The refusal that a control plane answers; `None` where nothing found refuses the file.
pub fn answer(dialect: Dialect, diagnostics: &[Diagnostic]) -> Option<Refusal> {
    let refusals = diagnostics.iter().filter_map(|it| Some((it.refusal.as_ref()?, it.span.start)));
    let first = refusals.clone().min_by_key(|(refusal, place)| (refusal.turn, *place))?.0;
    if dialect == Dialect::Tailscale || first.turn <= Turn::Fields {
        return Some(first.clone());
    }
    let mut all: Vec<_> = refusals.filter(|it| it.0.turn != Turn::Shadowed).collect();
    all.sort_by_key(|(refusal, place)| (step(refusal.turn), *place));
    let step_of_first = all.first().map(|it| last_steps(it.0.turn));
    all.retain(|it| Some(last_steps(it.0.turn)) == step_of_first);
    let texts: Option<Vec<&str>> = all.iter().map(|it| it.0.message.as_deref()).collect();
    Some(Refusal { by: first.by, turn: first.turn, message: texts.map(|it| together(&it)) })
}

/// The order in which headscale validates sections.
fn step(turn: Turn) -> usize {
    const ORDER: [Turn; 9] = [
        Turn::Groups,
        Turn::Acls,
        Turn::Ssh,
        Turn::Grants,
        Turn::NodeAttrs,
        Turn::TagOwners,
        Turn::Others,
        Turn::Tests,
        Turn::SshTests,
    ];
    ORDER.iter().position(|it| *it == turn).unwrap_or(ORDER.len() + turn as usize)
}

/// What is only asked where nothing before is wrong: who users are, what attributes they get, what
/// assertions come to.
fn last_steps(turn: Turn) -> u8 {
    match turn {
        Turn::Users => 1,
        Turn::UserAttributes => 2,
        Turn::Assertions => 3,
        _ => 0,
    }
}

/// Several messages as one.
fn together(messages: &[&str]) -> String {
    let texts: Vec<&str> = messages.iter().flat_map(|it| texts(it)).collect();
    match texts.as_slice() {
        [_] => messages.concat(),
        // Each failing assertion is a line below one heading.
        [first, rest @ ..] if first.starts_with(FAILED) => {
            let lines = rest.iter().map(|it| it.strip_prefix(FAILED).unwrap_or(it));
            [*first].into_iter().chain(lines).collect::<Vec<_>>().join("\n")
        }
        _ => format!("{FRAME}{}{}", SEVERAL.0, texts.join(SEVERAL.1)),
    }
}

/// What a message says, without what it begins with.
fn texts(message: &str) -> Vec<&str> {
    let inner = message.strip_prefix(FRAME).unwrap_or(message);
    match inner.strip_prefix(SEVERAL.0) {
        Some(several) => several.split(SEVERAL.1).collect(),
        None => vec![inner],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::code;
    use crate::span::Span;

    fn finding(place: u32, turn: Turn, message: &str) -> Diagnostic {
        Diagnostic::new(code::E0301, "x", Span::at(place)).refused(turn, message)
    }

    #[test]
    fn headscale_answers_all_that_its_validator_finds() {
        let found = [
            finding(1, Turn::Grants, "parsing policy: b"),
            finding(9, Turn::Acls, "parsing policy: a"),
            finding(2, Turn::Users, "parsing policy: c"),
        ];
        let of = |dialect| answer(dialect, &found).unwrap().message.unwrap();
        assert_eq!(of(Dialect::Headscale), "parsing policy: multiple errors:\n\ta\n\tb");
        assert_eq!(of(Dialect::Tailscale), "parsing policy: b");
    }

    #[test]
    fn headscale_stops_at_what_it_cannot_decode() {
        let found = [
            finding(1, Turn::Acls, "parsing policy: a"),
            finding(9, Turn::Fields, "parsing policy: unknown field: \"x\""),
        ];
        let first = answer(Dialect::Headscale, &found).unwrap().message.unwrap();
        assert_eq!(first, "parsing policy: unknown field: \"x\"");
    }
}
