//! Codes ↔ pages ↔ cases of Tailnet Lock, counted against `lock/src/audit/code.rs`; and the chains of
//! each page, audited: the first gives the code, the second does not.

use libtest_mimic::{Failed, Trial};
use lock::audit::{Code, code};
use tests::scenario::Scenario;
use tests::{entries, name, read_text, root};

use crate::codes::{block, outline, section};
use crate::none_of;

pub(crate) fn trials() -> Vec<Trial> {
    let page =
        |code: Code| Trial::test(format!("page of lock {}", code.name()), move || page(code));
    let mut trials: Vec<Trial> = code::ALL.iter().map(|it| page(it.code)).collect();
    trials.push(Trial::test("every code of the lock has a case", every_code_has_a_case));
    trials.push(Trial::test("every page and case of the lock has a code", no_strays));
    trials.push(Trial::test("codes of the lock are unique and sorted", sorted));
    trials
}

fn page(code: Code) -> Result<(), Failed> {
    let text = read_text(&root().join(format!("docs/diagnostics/lock-{}.md", code.name())))?;
    let mut wrong = outline(&text, &format!("# {code}: {}", code.title()));
    for (heading, gives) in [("## Avoid", true), ("## Prefer", false)] {
        let chain = block(section(&text, heading), "chain");
        let chain = chain.ok_or(format!("no block marked `chain` stands below `{heading}`"))?;
        let findings = Scenario::parse(&chain)?.findings()?;
        if findings.iter().any(|it| it.0 == code) != gives {
            let given: Vec<&str> = findings.iter().map(|it| it.0.name()).collect();
            wrong.push(format!("the chain below `{heading}` gives {given:?}"));
        }
    }
    none_of(wrong)
}

fn every_code_has_a_case() -> Result<(), Failed> {
    let cases = entries(&root().join("tests/lock/audit"))?;
    let has_case =
        |it: &Code| cases.iter().any(|case| name(case).starts_with(&format!("{}-", it.name())));
    let without = code::ALL.iter().map(|it| it.code).filter(|it| !has_case(it));
    none_of(without.map(|it| format!("no folder tests/lock/audit/{}-…", it.name())).collect())
}

fn no_strays() -> Result<(), Failed> {
    let mut wrong = Vec::new();
    for page in entries(&root().join("docs/diagnostics"))? {
        let named = name(&page).strip_prefix("lock-").map(|it| it.trim_end_matches(".md"));
        if named.is_some_and(|it| Code::parse(it).is_none_or(|code| code.name() != it)) {
            wrong.push(format!("docs/diagnostics/{} is the page of no code", name(&page)));
        }
    }
    for case in entries(&root().join("tests/lock/audit"))? {
        let named = name(&case).split('-').next().unwrap_or_default();
        if Code::parse(named).is_none_or(|code| code.name() != named) {
            wrong.push(format!("tests/lock/audit/{} is named after no code", name(&case)));
        }
    }
    none_of(wrong)
}

/// A number is used once, whatever the letter before it, and found where one looks for it.
fn sorted() -> Result<(), Failed> {
    let numbers: Vec<&str> = code::ALL.iter().filter_map(|it| it.code.name().get(1..)).collect();
    let pairs = numbers.iter().zip(numbers.iter().skip(1)).filter(|(a, b)| a >= b);
    none_of(pairs.map(|(a, b)| format!("{b} stands after {a}")).collect())
}
