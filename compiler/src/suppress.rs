//! Comments that allow a finding: `// aclc: allow(E0224) the router owns the whole block`.
//!
//! Takes a tree and what was found in it, gives the findings without those a comment allows, and
//! with what is wrong with the comments themselves. A comment behind something speaks of its own
//! line; a comment alone on its line speaks of the next line that has more than comments.
//!
//! What Tailscale refuses cannot be allowed: the comment would only hide the refusal until upload.

use crate::cst::SyntaxTree;
use crate::diagnostic::{self, Code, Diagnostic, Edit, Severity, code, similar};
use crate::span::{LineIndex, Span, Spanned};

/// The findings of a text after its comments had their say, in the order they are shown.
pub fn suppress(tree: &SyntaxTree, diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut suppressions = suppressions(tree);
    if suppressions.is_empty() {
        return diagnostics;
    }
    let lines = LineIndex::new(tree.text());
    // By line, so that each finding looks only at the comments of its own.
    suppressions.sort_by_key(|it| it.line);
    let mut kept: Vec<Diagnostic> = diagnostics
        .into_iter()
        .filter(|finding| !allowed(finding, lines.line(finding.span.start).0, &mut suppressions))
        .collect();
    kept.extend(suppressions.iter().flat_map(Suppression::problems).map(|it| it.report()));
    diagnostic::sort(&mut kept);
    kept
}

/// Whether a comment takes the finding away; remembers in the comment that it met one.
fn allowed(finding: &Diagnostic, line: u32, suppressions: &mut [Suppression]) -> bool {
    let first = suppressions.partition_point(|it| it.line < line);
    let here = suppressions.iter_mut().skip(first).take_while(|it| it.line == line);
    let mut allowed = false;
    for entry in here.flat_map(|it| &mut it.entries) {
        if entry.code == Some(finding.code) {
            let refused = finding.severity == Severity::Error && finding.refusal.is_some();
            entry.met = entry.met.max(if refused { Met::Refused } else { Met::Allowed });
            allowed |= !refused;
        }
    }
    allowed
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
struct Suppression {
    line: u32,
    comment: Span,
    entries: Vec<Entry>,
    /// Where `allow` stands.
    keyword: Span,
}

/// One code within the brackets.
struct Entry {
    written: Spanned<String>,
    code: Option<Code>,
    met: Met,
}

/// What an entry came across.
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
enum Met {
    Nothing,
    Allowed,
    Refused,
}

impl Suppression {
    fn problems(&self) -> impl Iterator<Item = Problem> {
        let none = self.entries.is_empty().then_some(Problem::NoCode(self.keyword));
        self.entries.iter().filter_map(|it| self.problem(it)).chain(none)
    }

    fn problem(&self, entry: &Entry) -> Option<Problem> {
        let Some(code) = entry.code else {
            let written = entry.written.clone();
            let name = written.value.to_uppercase();
            let all = code::ALL.iter().map(|it| it.code.name());
            let similar = similar(name.trim_start_matches("ACL/"), all).and_then(Code::parse);
            return Some(Problem::UnknownCode { written, similar });
        };
        let code = Spanned::new(code, entry.written.span);
        match entry.met {
            Met::Allowed => None,
            Met::Refused => Some(Problem::Refused(code)),
            // What hangs on the facts of a tailnet may well be found with another inventory.
            Met::Nothing if code.value.name().get(1..3) == Some("06") => None,
            Met::Nothing => {
                let alone = (self.entries.len() == 1).then_some(self.comment);
                Some(Problem::Unused { code, alone })
            }
        }
    }
}

/// Every suppression of a text.
fn suppressions(tree: &SyntaxTree) -> Vec<Suppression> {
    let text = tree.text();
    // Nearly every text has none; then the walk is not worth its while.
    if !text.contains("aclc:") {
        return Vec::new();
    }
    let lines = LineIndex::new(text);
    let comments: Vec<Span> = tree.comments().map(|it| it.span()).collect();
    let mut found = Vec::new();
    for (index, comment) in comments.iter().enumerate() {
        let Some((keyword, entries)) = allow(text, *comment) else { continue };
        let (line, start) = lines.line(comment.start);
        let before = Span::new(start, comment.start).of(text);
        let alone = before.trim().is_empty();
        let following = comments.get(index + 1..).unwrap_or_default();
        let line =
            if alone { lines.line(next_content(text, comment.end, following)).0 } else { line };
        found.push(Suppression { line, comment: *comment, entries, keyword });
    }
    found
}

/// The offset of what comes first after `offset`, white space and the comments that follow left out.
fn next_content(text: &str, mut offset: u32, comments: &[Span]) -> u32 {
    let mut comments = comments.iter();
    loop {
        let rest = Span::new(offset, text.len() as u32).of(text);
        offset += (rest.len() - rest.trim_start().len()) as u32;
        match comments.next() {
            Some(comment) if comment.start == offset => offset = comment.end,
            _ => return offset,
        }
    }
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
            entries.push(Entry { written, code: Code::parse(name), met: Met::Nothing });
        }
    }
    Some((keyword, entries))
}
