//! Codes ↔ pages ↔ cases, counted against `diagnostic/code.rs`; and the examples of each page,
//! compiled: the first gives the code, the second does not.

use compiler::configuration::{self, Form};
use compiler::cst::{MAX_BYTES, MAX_DEPTH};
use compiler::diagnostic::{Code, code};
use compiler::tailnet;
use libtest_mimic::{Failed, Trial};
use tests::bundles;
use tests::carets::code_of;
use tests::findings::Lints;
use tests::{entries, findings, name, read_text, root};

use crate::none_of;

/// The headings of a page, below its title.
const HEADINGS: [&str; 4] = ["## Avoid", "## Prefer", "## Why", "## Source"];

/// A text that has a code.
type Maker = fn() -> Vec<u8>;

/// Codes whose text no page can hold, and how the text is made instead.
const MADE: &[(Code, Maker)] = &[
    (code::E0001, || vec![b' '; MAX_BYTES + 1]),
    (code::E0002, || [vec![b'['; MAX_DEPTH + 1], vec![b']'; MAX_DEPTH + 1]].concat()),
    (code::E0003, || b"{\"groups\": {\"group:caf\xe9\": []}}".to_vec()),
];

/// Codes without a folder in `tests/diagnostics`: its text would be larger than the repository.
const WITHOUT_A_CASE: &[Code] = &[code::E0001];

pub(crate) fn trials() -> Vec<Trial> {
    let trial = |it: &'static code::Entry| {
        let check = if it.retired { page_of_a_retired } else { page };
        Trial::test(format!("page of {}", it.code.name()), move || check(it.code))
    };
    let mut trials: Vec<Trial> = code::ALL.iter().map(trial).collect();
    trials.push(Trial::test("every code has a case", every_code_has_a_case));
    trials.push(Trial::test("every page and case has a code", no_strays));
    trials.push(Trial::test("codes are unique and sorted within their family", sorted));
    trials
}

fn page(code: Code) -> Result<(), Failed> {
    let file = root().join(format!("docs/diagnostics/acl-{}.md", code.name()));
    let text = read_text(&file)?;
    let mut wrong = outline(&text, &format!("# {code}: {}", code.title()));
    let avoid = Example::of(section(&text, "## Avoid"));
    let prefer = Example::of(section(&text, "## Prefer"));
    let given = match MADE.iter().find(|it| it.0 == code) {
        Some((_, make)) => {
            findings::check(&make(), None, Lints::No).1.iter().map(|it| it.code).collect()
        }
        None => avoid.codes(code, None)?,
    };
    if !given.contains(&code) {
        wrong.push(format!("the first example gives {}", list(&given)));
    }
    let given = prefer.codes(code, avoid.inventory.as_deref())?;
    if given.contains(&code) {
        wrong.push("the second example gives the code, too".to_owned());
    }
    none_of(wrong)
}

/// What is wrong with the title and the headings of a page.
pub(crate) fn outline(text: &str, title: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    if text.lines().next() != Some(title) {
        wrong.push(format!("the first line is not `{title}`"));
    }
    let headings: Vec<&str> = text.lines().filter(|it| it.starts_with("## ")).collect();
    if headings != HEADINGS {
        wrong.push(format!("the headings are {headings:?}, not {HEADINGS:?}"));
    }
    for heading in std::iter::once(title).chain(HEADINGS) {
        if section(text, heading).trim().is_empty() {
            wrong.push(format!("nothing stands below `{heading}`"));
        }
    }
    wrong
}

/// Old findings lead there, so it says what became of the code; there is nothing to avoid any more.
fn page_of_a_retired(code: Code) -> Result<(), Failed> {
    let text = read_text(&root().join(format!("docs/diagnostics/acl-{}.md", code.name())))?;
    let title = format!("# {code}: {} (retired)", code.title());
    let mut wrong = Vec::new();
    if text.lines().next() != Some(&title) {
        wrong.push(format!("the first line is not `{title}`"));
    }
    if text.lines().skip(1).all(|it| it.trim().is_empty()) || text.contains("\n## ") {
        wrong.push("below the title stands what became of the code, without headings".to_owned());
    }
    none_of(wrong)
}

fn list(codes: &[Code]) -> String {
    let names: Vec<&str> = codes.iter().map(|it| it.name()).collect();
    if names.is_empty() { "no code".to_owned() } else { format!("only {}", names.join(", ")) }
}

/// What stands between a heading and the next.
pub(crate) fn section<'a>(text: &'a str, heading: &str) -> &'a str {
    let lines = text.split_inclusive('\n');
    let mut start = None;
    let mut offset = 0;
    let mut fenced = false;
    for line in lines {
        let next = offset + line.len();
        if line.starts_with("```") {
            fenced = !fenced;
        }
        match start {
            None if line.trim_end() == heading => start = Some(next),
            Some(start) if !fenced && line.starts_with("## ") => {
                return text.get(start..offset).unwrap_or_default();
            }
            _ => {}
        }
        offset = next;
    }
    start.and_then(|it| text.get(it..)).unwrap_or_default()
}

/// The code blocks of a section.
struct Example {
    /// The first block marked `hujson`.
    policy: Option<String>,
    /// The first block marked `json`: what the policy is compiled against, or the subject itself.
    inventory: Option<String>,
    /// The first block marked `toml`: the settings that the policy is checked under, or the subject.
    settings: Option<String>,
    /// Blocks whose first line is a comment with a file name: fragments of a policy and their contracts.
    fragments: Vec<(String, Vec<u8>)>,
}

impl Example {
    fn of(section: &str) -> Self {
        Self {
            policy: block(section, "hujson"),
            inventory: block(section, "json"),
            settings: block(section, "toml"),
            fragments: fragments(section),
        }
    }

    /// The codes it gives. `inventory` stands in where the example of a policy has none.
    fn codes(&self, code: Code, inventory: Option<&str>) -> Result<Vec<Code>, String> {
        if !self.fragments.is_empty() {
            let found = bundles::check(self.fragments.clone()).0;
            return Ok(found.iter().flat_map(|it| &it.2).map(|it| it.code).collect());
        }
        let about_inventories = code.name().get(1..3) == Some("07");
        let own = self.inventory.as_deref();
        let inventory = if about_inventories { own } else { own.or(inventory) }.map(tailnet::read);
        let tailnet = inventory.as_ref().and_then(|it| it.tailnet.as_ref());
        let mut codes = Vec::new();
        let settings = self.settings.as_deref().map(|it| configuration::read(it, Form::Toml));
        let (settings, about_settings) = settings.unwrap_or_default();
        codes.extend(about_settings.iter().map(|it| it.code));
        match (&self.policy, &inventory) {
            (Some(policy), _) => {
                let lints = Lints::about(Some(code));
                let found = findings::check_under(policy.as_bytes(), tailnet, &settings, lints).1;
                codes.extend(found.iter().map(|it| it.code));
            }
            (None, _) if self.settings.is_some() => {}
            (None, Some(_)) if about_inventories => {}
            (None, _) if about_inventories => {
                return Err("an example has no block marked `json`".to_owned());
            }
            (None, _) => return Err("an example has no block marked `hujson`".to_owned()),
        }
        codes.extend(inventory.iter().flat_map(|it| &it.diagnostics).map(|it| it.code));
        Ok(codes)
    }
}

/// Every block that begins with `// NAME.hujson` or `# contracts.toml`, under that name.
fn fragments(section: &str) -> Vec<(String, Vec<u8>)> {
    let blocks = section.split("\n```").map(|it| it.split_once('\n').map_or("", |it| it.1));
    let named = blocks.filter_map(|text| {
        let first = text.lines().next()?;
        let name = first.strip_prefix("// ").or(first.strip_prefix("# "))?;
        let is_name = name.ends_with(".hujson") || name == "contracts.toml";
        is_name.then(|| (name.to_owned(), format!("{text}\n").into_bytes()))
    });
    named.collect()
}

/// The first block of a language, without the line end before its closing fence.
pub(crate) fn block(section: &str, language: &str) -> Option<String> {
    let mut lines = section.split('\n');
    lines.find(|it| it.strip_prefix("```") == Some(language))?;
    let inside: Vec<&str> = lines.take_while(|it| !it.starts_with("```")).collect();
    Some(inside.join("\n"))
}

fn every_code_has_a_case() -> Result<(), Failed> {
    let mut cased = Vec::new();
    for folder in entries(&root().join("tests/diagnostics"))? {
        let quiet = name(&folder).get(5..12) == Some("-quiet-");
        cased.extend(code_of(name(&folder))?.filter(|_| !quiet));
    }
    let codes = code::ALL.iter().filter(|it| !it.retired).map(|it| it.code);
    let without = codes.filter(|it| !cased.contains(it) && !WITHOUT_A_CASE.contains(it));
    none_of(without.map(|it| format!("no folder tests/diagnostics/{}-…", it.name())).collect())
}

fn no_strays() -> Result<(), Failed> {
    let mut wrong = Vec::new();
    // Pages of the lock's codes are looked at beside those codes.
    let pages = entries(&root().join("docs/diagnostics"))?.into_iter();
    for page in pages.filter(|it| !name(it).starts_with("lock-")) {
        let code = name(&page)
            .strip_prefix("acl-")
            .and_then(|it| it.strip_suffix(".md"))
            .and_then(Code::parse);
        if code.is_none_or(|it| name(&page) != format!("acl-{}.md", it.name())) {
            wrong.push(format!("docs/diagnostics/{} is the page of no code", name(&page)));
        }
    }
    for case in entries(&root().join("tests/diagnostics"))? {
        if let Err(error) = code_of(name(&case)) {
            wrong.push(format!("tests/diagnostics/{}: {error}", name(&case)));
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
