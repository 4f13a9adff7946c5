//! `contracts.toml` → who may write what: which fragments a contract speaks of, and what it lets them
//! say.
//!
//! Reading is strict: a contract that is half understood would let through what it was written to
//! keep out, so every word that is not known is an error.

use ipnet::IpNet;

use super::problem::Problem;
use crate::ast::SECTIONS;
use crate::configuration::values::{self, Member, Value};
use crate::diagnostic::{Diagnostic, similar};
use crate::span::{LineIndex, Span, Spanned};

/// The name of the file, in the folder of the fragments.
pub const FILE_NAME: &str = "contracts.toml";

/// The members of a contract.
const MEMBERS: [&str; 5] = ["files", "owner", "sections", "defines", "grants-to"];

/// All contracts of a folder; every one that speaks of a fragment must be kept.
#[derive(Clone, Debug, Default)]
pub struct Contracts {
    pub(super) list: Vec<Contract>,
}

/// What some fragments may say.
#[derive(Clone, Debug, Default)]
pub(super) struct Contract {
    /// The line it starts in, from 1.
    pub(super) line: u32,
    /// The fragments it speaks of.
    files: Vec<String>,
    /// Whom to ask.
    pub(super) owner: Option<String>,
    /// The sections they may have; `None` is all.
    pub(super) sections: Option<Vec<String>>,
    /// The names they may define; `None` is all.
    pub(super) defines: Option<Vec<String>>,
    /// What they may grant access to; `None` is all.
    pub(super) grants_to: Option<Vec<String>>,
}

impl Contract {
    /// Whether it speaks of a fragment.
    pub(super) fn is_about(&self, file: &str) -> bool {
        self.files.iter().any(|it| {
            let all_below = if it.ends_with('/') { "**" } else { "" };
            matches(&format!("{it}{all_below}"), file, Some('/'))
        })
    }
}

/// Whether a name is one of those that patterns mean.
pub(super) fn names(patterns: &[String], name: &str) -> bool {
    patterns.iter().any(|it| matches(it, name, None))
}

/// Whether an address or prefix lies within one of those that patterns mean. Words with a star mean
/// no addresses, save the star alone: `10.1*` has `10.128.0.0/9` in it, which nobody would guess.
pub(super) fn holds(patterns: &[String], literal: &IpNet) -> bool {
    let within = |pattern: &String| {
        let single = || pattern.parse().ok().map(|it: std::net::IpAddr| IpNet::from(it));
        let prefix: Option<IpNet> = pattern.parse().ok().or_else(single);
        prefix.is_some_and(|it| it.trunc().contains(literal))
    };
    patterns.iter().any(|it| it == "*" || within(it))
}

/// Reads contracts, and says what is wrong with them; then they must not be used.
pub fn read(text: &str) -> (Contracts, Vec<Diagnostic>) {
    let (members, syntax) = values::from_toml(text);
    let mut reader = Reader { lines: LineIndex::new(text), problems: Vec::new() };
    for problem in syntax {
        let at = problem.report();
        reader.wrong(
            at.span,
            at.message,
            "contracts are TOML: `[[contract]]`, then `files = [\"…\"]`",
        );
    }
    let mut contracts = Contracts::default();
    // What could not be read is wrong for that reason alone.
    if reader.problems.is_empty() {
        for Member { name, value } in members {
            match (name.value.as_str(), value.value) {
                ("contract", Value::List(all)) => {
                    contracts.list.extend(all.into_iter().filter_map(|it| reader.contract(it)));
                }
                ("contract", _) => {
                    reader.wrong(name.span, "`contract` is a list", "write `[[contract]]`");
                }
                (other, _) => reader.unknown(&Spanned::new(other, name.span), &["contract"]),
            }
        }
    }
    let mut diagnostics: Vec<Diagnostic> = reader.problems.iter().map(Problem::report).collect();
    crate::diagnostic::sort(&mut diagnostics);
    (contracts, diagnostics)
}

struct Reader {
    lines: LineIndex,
    problems: Vec<Problem>,
}

impl Reader {
    fn contract(&mut self, value: Spanned<Value>) -> Option<Contract> {
        let Spanned { value, span } = value;
        let Value::Table(members) = value else {
            self.wrong(span, "a contract is a table", "write `[[contract]]`");
            return None;
        };
        let first = members.iter().map(|it| it.name.span.start).min().unwrap_or(span.start);
        let mut contract =
            Contract { line: self.lines.line(span.start.min(first)).0 + 1, ..Contract::default() };
        let (mut files, mut named) = (None, false);
        for Member { name, value } in members {
            match name.value.as_str() {
                "files" => {
                    named = true;
                    files = self.texts(&name.value, value);
                }
                "owner" => match value.value {
                    Value::Text(text) => contract.owner = Some(text),
                    _ => self.wrong(value.span, "`owner` takes a text", "say whom to ask"),
                },
                "sections" => contract.sections = self.sections(value),
                "defines" => contract.defines = self.patterns(&name.value, value),
                "grants-to" => contract.grants_to = self.patterns(&name.value, value),
                other => self.unknown(&Spanned::new(other, name.span), &MEMBERS),
            }
        }
        // Where it is there and wrong, that has been said.
        if !named {
            let help = "name the fragments it speaks of: `files = [\"team-web/\"]`";
            self.wrong(span, "a contract without `files`", help);
        }
        let files = files?;
        contract.files = files.into_iter().map(|it| it.value).collect();
        Some(contract)
    }

    fn sections(&mut self, value: Spanned<Value>) -> Option<Vec<String>> {
        let texts = self.texts("sections", value)?;
        for text in &texts {
            if !SECTIONS.contains(&text.value.as_str()) {
                let help = match similar(&text.value, SECTIONS) {
                    Some(it) => format!("did you mean `{it}`?"),
                    None => format!("the sections are `{}`", SECTIONS.join("`, `")),
                };
                self.wrong(text.span, format!("unknown section `{}`", text.value), help);
            }
        }
        Some(texts.into_iter().map(|it| it.value).collect())
    }

    fn patterns(&mut self, member: &str, value: Spanned<Value>) -> Option<Vec<String>> {
        Some(self.texts(member, value)?.into_iter().map(|it| it.value).collect())
    }

    fn texts(&mut self, member: &str, value: Spanned<Value>) -> Option<Vec<Spanned<String>>> {
        let Value::List(list) = value.value else {
            let example = "for example `[\"tag:web-*\"]`";
            self.wrong(value.span, format!("`{member}` takes a list of texts"), example);
            return None;
        };
        let mut texts = Vec::new();
        for item in list {
            match item.value {
                Value::Text(text) if !text.is_empty() => texts.push(Spanned::new(text, item.span)),
                _ => self.wrong(
                    item.span,
                    format!("`{member}` takes texts"),
                    "write it between quotes",
                ),
            }
        }
        Some(texts)
    }

    fn unknown(&mut self, name: &Spanned<&str>, known: &[&str]) {
        let help = match similar(name.value, known.iter().copied()) {
            Some(it) => format!("did you mean `{it}`?"),
            None => format!("here stands `{}`", known.join("`, `")),
        };
        self.wrong(name.span, format!("unknown member `{}` of the contracts", name.value), help);
    }

    fn wrong(&mut self, span: Span, what: impl Into<String>, help: impl Into<String>) {
        self.problems.push(Problem::Malformed { span, what: what.into(), help: help.into() });
    }
}

/// Whether a pattern means a text: `?` is one character, `*` any number of them, neither of them the
/// separator; `**` is any number of any. Takes time in proportion to the product of both lengths.
fn matches(pattern: &str, text: &str, separator: Option<char>) -> bool {
    let text: Vec<char> = text.chars().collect();
    // Whether the pattern so far means the first n characters, for each n.
    let mut reached = vec![false; text.len() + 1];
    if let Some(start) = reached.first_mut() {
        *start = true;
    }
    let mut pattern = pattern.chars().peekable();
    while let Some(sign) = pattern.next() {
        let any = sign == '*' && pattern.next_if_eq(&'*').is_some();
        let mut next = vec![false; text.len() + 1];
        let mut before = false;
        for (index, slot) in next.iter_mut().enumerate() {
            let here = reached.get(index).copied().unwrap_or_default();
            let char = index.checked_sub(1).and_then(|it| text.get(it).copied());
            let crosses = char.is_some() && char == separator;
            let step =
                index.checked_sub(1).and_then(|it| reached.get(it).copied()).unwrap_or_default();
            *slot = match sign {
                '*' => here || before && (any || !crosses),
                '?' => step && !crosses,
                sign => step && char == Some(sign),
            };
            before = *slot;
        }
        reached = next;
    }
    reached.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{holds, matches, read};

    #[test]
    fn stars_stay_within_a_name() {
        let file = |pattern, text| matches(pattern, text, Some('/'));
        assert!(file("*.hujson", "base.hujson") && !file("*.hujson", "web/base.hujson"));
        assert!(file("web/**", "web/a/b.hujson") && !file("web/*", "web/a/b.hujson"));
        assert!(file("**/x-?.hujson", "a/b/x-1.hujson") && !file("x-?", "x-/"));
        assert!(file("**", "") && file("", "") && !file("?", ""));
        assert!(matches("tag:web-*", "tag:web-", None) && !matches("tag:web-*", "tag:we", None));
        assert!(matches("*", "a/b", None));
    }

    #[test]
    fn addresses_are_those_within_a_prefix() {
        let holds = |pattern: &str, net: &str| holds(&[pattern.to_owned()], &net.parse().unwrap());
        assert!(holds("10.1.0.0/16", "10.1.2.0/24") && holds("10.1.2.3", "10.1.2.3/32"));
        assert!(!holds("10.1.0.0/16", "10.0.0.0/8") && !holds("10.1*", "10.128.0.0/9"));
        assert!(holds("*", "0.0.0.0/0"));
    }

    #[test]
    fn a_folder_means_all_below_it() {
        let (contracts, wrong) = read("[[contract]]\nfiles = [\"web/\"]\n");
        assert!(wrong.is_empty());
        let contract = contracts.list.first().unwrap();
        assert!(contract.is_about("web/a/b.hujson") && !contract.is_about("webs/a.hujson"));
        assert_eq!(contract.line, 1);
    }
}
