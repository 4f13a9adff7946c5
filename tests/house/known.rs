//! What `docs/language.md` lists of Tailscale's own attributes and capabilities ↔ what the compiler
//! knows of them.

use compiler::ast::capability::{CAPABILITIES, Kind, Member};
use compiler::ast::posture::attributes::{ATTRIBUTES, Values};
use libtest_mimic::{Failed, Trial};
use tests::{read_text, root};

use crate::none_of;

/// The page that lists them.
const PAGE: &str = "docs/language.md";

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("posture attributes, as in docs/language.md", attributes),
        Trial::test("parameters of capabilities, as in docs/language.md", capabilities),
    ]
}

fn attributes() -> Result<(), Failed> {
    let text = read_text(&root().join(PAGE))?;
    let rows: Vec<String> = ATTRIBUTES
        .iter()
        .map(|(name, values)| {
            let values = match values {
                Values::Flag => "true or false".to_owned(),
                Values::Number => "a number".to_owned(),
                Values::Version => "a version".to_owned(),
                Values::Text => "a text".to_owned(),
                Values::Country => "a country".to_owned(),
                Values::OneOf(all) => words(all),
            };
            format!("| `{name}` | {values} |")
        })
        .collect();
    none_of(rows.into_iter().filter(|it| !text.lines().any(|line| line == it)).collect())
}

fn capabilities() -> Result<(), Failed> {
    let text = read_text(&root().join(PAGE))?;
    let section = text.split("#### Capabilities with known values").nth(1).unwrap_or_default();
    let section = section.split("\n#").next().unwrap_or_default();
    let mut missing = Vec::new();
    for capability in CAPABILITIES {
        let rows = section.split("\n| `tailscale.com/");
        let short = capability.name.trim_start_matches("tailscale.com/");
        let rows: Vec<&str> = rows.filter(|it| it.starts_with(&format!("{short}`"))).collect();
        match rows.as_slice() {
            [rows] => missing.extend(unmentioned(rows, capability.members, "")),
            _ => missing.push(capability.name.to_owned()),
        }
    }
    none_of(missing)
}

/// The members, with what may stand there, that the rows of a capability do not show.
fn unmentioned(rows: &str, members: &[Member], within: &str) -> Vec<String> {
    let mut missing = Vec::new();
    for member in members {
        let name = format!("{within}{}", member.name);
        if let Kind::Object(inner) = member.value {
            missing.extend(unmentioned(rows, inner, &format!("{name}.")));
            continue;
        }
        let values = match member.value {
            Kind::OneOf(all) => words(all),
            Kind::SomeOf(all) => format!("some of {}", words(all)),
            other => other.to_string(),
        };
        let shown = |row: &str| row.contains(&format!("`{name}`")) && row.contains(&values);
        if !rows.lines().any(shown) {
            missing.push(format!("{name}: {values}"));
        }
    }
    missing
}

fn words(all: &[&str]) -> String {
    all.iter().map(|it| format!("`{it}`")).collect::<Vec<_>>().join(", ")
}
