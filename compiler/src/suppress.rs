//! Comments that allow a finding: `// aclc: allow(E0224) the router owns the whole block`.
//!
//! Takes a tree and what was found in it, gives the findings without those a comment allows, and
//! with what is wrong with the comments themselves. A comment behind something speaks of its own
//! line; a comment alone on its line speaks of the next line that has more than comments.
//!
//! What Tailscale refuses cannot be allowed: the comment would only hide the refusal until upload.

use std::collections::BTreeMap;

use crate::cst::SyntaxTree;
use crate::diagnostic::{self, Code, Diagnostic, Edit, Severity, code, similar};
use crate::span::{LineIndex, Span, Spanned};

/// The findings of a text after its comments had their say, in the order they are shown.
///
/// `judged` says of which codes all that there is has been found: a comment that allows another may
/// have its use elsewhere.
pub fn suppress(
    tree: &SyntaxTree,
    diagnostics: Vec<Diagnostic>,
    judged: impl Fn(Code) -> bool,
) -> Vec<Diagnostic> {
    Suppressions::of(tree).apply(diagnostics, &judged)
}

/// Whether there is an error among the findings that no comment allows.
pub(crate) fn has_errors(tree: &SyntaxTree, diagnostics: &[Diagnostic]) -> bool {
    let mut errors = diagnostics.iter().filter(|it| it.severity == Severity::Error).peekable();
    if errors.peek().is_none() {
        return false;
    }
    let suppressions = Suppressions::of(tree);
    errors.any(|it| is_refused(it) || !suppressions.met.contains_key(&suppressions.key(it)))
}

/// The suppressions of a text, and what each of them met.
#[derive(Debug)]
struct Suppressions {
    lines: LineIndex,
    list: Vec<Suppression>,
    /// What is allowed in which line, counted from 0. A map, because one line may hold a policy.
    met: BTreeMap<(u32, Code), Met>,
}

impl Suppressions {
    fn of(tree: &SyntaxTree) -> Self {
        // Nearly every text has none; then the walk is not worth its while.
        if !tree.text().contains("aclc:") {
            return Self { lines: LineIndex::default(), list: Vec::new(), met: BTreeMap::new() };
        }
        let lines = LineIndex::new(tree.text());
        let list = list(tree, &lines);
        let codes = list.iter().flat_map(|it| it.entries.iter().map(|entry| (it.line, entry.code)));
        let met = codes.filter_map(|(line, code)| Some(((line, code?), Met::Nothing))).collect();
        Self { lines, list, met }
    }

    fn apply(
        mut self,
        diagnostics: Vec<Diagnostic>,
        judged: &dyn Fn(Code) -> bool,
    ) -> Vec<Diagnostic> {
        if self.list.is_empty() {
            return diagnostics;
        }
        let mut kept = diagnostics;
        kept.retain(|finding| {
            let key = self.key(finding);
            let Some(met) = self.met.get_mut(&key) else { return true };
            let refused = is_refused(finding);
            *met = (*met).max(if refused { Met::Refused } else { Met::Allowed });
            refused
        });
        kept.extend(
            self.list.iter().flat_map(|it| it.problems(&self.met, judged)).map(|it| it.report()),
        );
        diagnostic::sort(&mut kept);
        kept
    }

    fn key(&self, finding: &Diagnostic) -> (u32, Code) {
        (self.lines.line(finding.span.start).0, finding.code)
    }
}

/// Whether Tailscale refuses the file because of a finding.
fn is_refused(finding: &Diagnostic) -> bool {
    finding.severity == Severity::Error && finding.refusal.is_some()
}

/// What can be wrong with a suppression.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Problem {
    /// Nothing with this code is found where the comment looks.
    #[error("no `{}` is found here to be allowed", code.value)]
    Unused {
        /// The code as listed.
        code: Spanned<Code>,
        /// The comment, where it holds no other code.
        alone: Option<Span>,
    },
    /// There is no such code.
    #[error("unknown code `{}`", written.value)]
    UnknownCode {
        /// What stands in the comment.
        written: Spanned<String>,
        /// A code that looks alike.
        similar: Option<Code>,
    },
    /// The brackets with the codes are missing or empty.
    #[error("a suppression without a code")]
    NoCode(Span),
    /// Tailscale refuses the file because of the finding.
    #[error("`{}` cannot be allowed: Tailscale refuses the file because of it", .0.value)]
    Refused(Spanned<Code>),
}

impl Problem {
    /// The report a person reads.
    pub fn report(&self) -> Diagnostic {
        match self {
            Problem::Unused { code: found, alone } => {
                let finding = Diagnostic::new(code::W0801, self, found.span);
                let finding = finding.help(
                    "remove it, or move it to the end of the line or the line above the finding",
                );
                match alone {
                    Some(span) => finding.fix(
                        "remove the comment",
                        true,
                        Edit { span: *span, text: String::new() },
                    ),
                    None => finding,
                }
            }
            Problem::UnknownCode { written, similar } => {
                let finding = Diagnostic::new(code::W0802, self, written.span);
                match similar {
                    Some(code) => finding.help(format!("did you mean `{}`?", code.name())).fix(
                        format!("replace `{}` by `{}`", written.value, code.name()),
                        true,
                        Edit { span: written.span, text: code.name().to_owned() },
                    ),
                    None => finding.help("`aclc explain` lists all codes"),
                }
            }
            Problem::NoCode(span) => Diagnostic::new(code::W0802, self, *span)
                .help("name the codes in brackets, as in `// aclc: allow(W0224) the reason`"),
            Problem::Refused(code) => Diagnostic::new(code::W0803, self, code.span)
                .help("mend the error and remove the comment"),
        }
    }
}

/// One `allow(…)` and the line it speaks of, counted from 0.
#[derive(Debug)]
struct Suppression {
    line: u32,
    comment: Span,
    entries: Vec<Entry>,
    /// Where `allow` stands.
    keyword: Span,
}

/// One code within the brackets.
#[derive(Debug)]
struct Entry {
    written: Spanned<String>,
    code: Option<Code>,
}

/// What an entry came across.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Met {
    Nothing,
    Allowed,
    Refused,
}

impl Suppression {
    fn problems(
        &self,
        met: &BTreeMap<(u32, Code), Met>,
        judged: &dyn Fn(Code) -> bool,
    ) -> impl Iterator<Item = Problem> {
        let none = self.entries.is_empty().then_some(Problem::NoCode(self.keyword));
        self.entries.iter().filter_map(|it| self.problem(it, met, judged)).chain(none)
    }

    fn problem(
        &self,
        entry: &Entry,
        met: &BTreeMap<(u32, Code), Met>,
        judged: &dyn Fn(Code) -> bool,
    ) -> Option<Problem> {
        let Some(code) = entry.code else {
            let written = entry.written.clone();
            let name = written.value.to_ascii_uppercase();
            let all = code::ALL.iter().map(|it| it.code.name());
            let similar = similar(name.trim_start_matches("ACL/"), all).and_then(Code::parse);
            return Some(Problem::UnknownCode { written, similar });
        };
        let met = met.get(&(self.line, code)).copied().unwrap_or(Met::Nothing);
        let code = Spanned::new(code, entry.written.span);
        match met {
            Met::Allowed => None,
            Met::Refused => Some(Problem::Refused(code)),
            Met::Nothing if !judged(code.value) => None,
            Met::Nothing => {
                let alone = (self.entries.len() == 1).then_some(self.comment);
                Some(Problem::Unused { code, alone })
            }
        }
    }
}

/// Every suppression of a text, in its order.
fn list(tree: &SyntaxTree, lines: &LineIndex) -> Vec<Suppression> {
    let text = tree.text();
    let comments: Vec<Span> = tree.comments().map(|it| it.span()).collect();
    let mut found = Vec::new();
    // From the last to the first: each comment hands to the one before it what comes next, so that
    // a stack of comments is walked once. So is the indentation of a line with many.
    let mut next = Next { start: text.len() as u32, content: text.len() as u32 };
    let mut indent = Span::at(text.len() as u32);
    for comment in comments.iter().rev() {
        let behind = first(text, Span::new(comment.end, next.start));
        let content = if behind < next.start { behind } else { next.content };
        next = Next { start: comment.start, content };
        let Some((keyword, entries)) = allow(text, *comment) else { continue };
        let (own, start) = lines.line(comment.start);
        if indent.start != start {
            indent = Span::new(start, first(text, Span::new(start, comment.start)));
        }
        let alone = comment.start <= indent.end;
        let line = if alone { lines.line(content).0 } else { own };
        found.push(Suppression { line, comment: *comment, entries, keyword });
    }
    found.reverse();
    found
}

/// A comment, or the end of the text, and the first place from there on that is neither comment nor
/// white space.
struct Next {
    start: u32,
    content: u32,
}

/// The first place in a span that is not white space; its end where there is none.
fn first(text: &str, span: Span) -> u32 {
    span.end - span.of(text).trim_start().len() as u32
}

/// The word `allow` and the codes of a comment `aclc: allow(CODE, CODE) reason`; `None` for any other comment.
fn allow(text: &str, comment: Span) -> Option<(Span, Vec<Entry>)> {
    let body = comment.of(text);
    let inner = body.trim_start_matches(['/', '*', ' ', '\t']);
    let order = inner.strip_prefix("aclc:")?.trim_start();
    let rest =
        order.strip_prefix("allow").filter(|it| !it.starts_with(|c: char| c.is_alphanumeric()))?;
    // `order` and `rest` are the ends of `body`, so their lengths say where they start.
    let at = |tail: &str| comment.end - tail.len() as u32;
    let keyword = Span::new(at(order), at(rest));
    let list = rest.trim_start().strip_prefix('(').and_then(|it| Some((it, it.split_once(')')?.0)));
    let Some((tail, list)) = list else { return Some((keyword, Vec::new())) };
    let mut entries = Vec::new();
    let mut start = at(tail);
    for part in list.split(',') {
        let name = part.trim();
        let first = start + (part.len() - part.trim_start().len()) as u32;
        start += part.len() as u32 + 1;
        if !name.is_empty() {
            let written =
                Spanned::new(name.to_owned(), Span::new(first, first + name.len() as u32));
            entries.push(Entry { written, code: Code::parse(name) });
        }
    }
    Some((keyword, entries))
}
