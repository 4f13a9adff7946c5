//! W1705: a value that an attribute of Tailscale never has.

use super::Subject;
use crate::ast::Text;
use crate::ast::posture::{Assertion, Operand};
use crate::diagnostic::{Diagnostic, code, similar};
use crate::span::Spanned;

const SYSTEMS: [&str; 9] =
    ["macos", "windows", "linux", "ios", "android", "freebsd", "openbsd", "illumos", "js"];
const TRACKS: [&str; 2] = ["stable", "unstable"];

/// What people write for those.
const OTHER_NAMES: [(&str, &str); 8] = [
    ("mac", "macos"),
    ("osx", "macos"),
    ("darwin", "macos"),
    ("win", "windows"),
    ("iphone", "ios"),
    ("ipad", "ios"),
    ("ipados", "ios"),
    ("ubuntu", "linux"),
];

pub(super) fn find(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let assertions = subject.policy.postures.iter().flat_map(|it| &it.assertions);
    assertions.filter_map(report).collect()
}

fn report(assertion: &Spanned<Assertion>) -> Option<Diagnostic> {
    let attribute = &assertion.value.attribute;
    let texts = assertion.value.operands().filter_map(|it| match it {
        Operand::Text(text) => Some(text),
        _ => None,
    });
    let (wrong, help) = texts.into_iter().find_map(|it| Some((it, advice(attribute, it)?)))?;
    let message = format!("`{attribute}` is never `{wrong}`");
    Some(Diagnostic::new(code::W1705, message, assertion.span).help(help))
}

/// What to write instead, where a value can never be.
fn advice(attribute: &str, value: &Text) -> Option<String> {
    let known: &[&str] = match attribute {
        "node:os" => &SYSTEMS,
        "node:tsReleaseTrack" => &TRACKS,
        "ip:country" => {
            let code = value.len() == 2 && value.bytes().all(|it| it.is_ascii_uppercase());
            return (!code).then(|| "countries are two capital letters, such as `DE`".to_owned());
        }
        _ => return None,
    };
    if known.contains(&&**value) {
        return None;
    }
    let lower = value.to_lowercase();
    let meant = OTHER_NAMES.iter().find(|it| it.0 == lower).map(|it| it.1);
    let meant = meant.or_else(|| similar(value, known.iter().copied()));
    Some(match meant {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("it is one of {}", known.join(", ")),
    })
}
