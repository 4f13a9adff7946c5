//! Where a case says that a finding stands → what of it is not so.
//!
//! In the policy itself, a comment underlines a piece of the nearest line above that is no such
//! comment, and names the codes found there; one caret also stands for an empty place:
//! ```text
//!     {"src": ["*"], "dst": ["tag:wbe"], "ip": ["443"]},
//!     //                      ^^^^^^^ acl/E0301
//! ```
//! Where a comment would change the problem, `carets.txt` holds lines such as `3:10-3:20 acl/E0705`,
//! perhaps with the name of the file in front. Lines and columns start at 1, columns count
//! characters, the end is not included.

use std::fmt;

use compiler::diagnostic::{Code, Diagnostic, code};
use compiler::span::{LineColumn, LineIndex};

/// A place and a code that somebody expects there.
#[derive(Clone, Debug)]
pub struct Caret {
    /// The file: `policy.hujson` or `tailnet.json`.
    pub file: String,
    /// Where.
    pub place: Place,
    /// What is found there.
    pub code: Code,
}

/// How a caret names its place.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Place {
    /// Underlined on one line: of a span over several lines, its part on the first.
    Underlined {
        /// The first character.
        start: LineColumn,
        /// How many carets; one for a single character or none.
        width: u32,
    },
    /// The whole span, its end not included.
    Exact(LineColumn, LineColumn),
}

impl fmt::Display for Caret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Place::Underlined { start, width } => {
                write!(f, "{} at {} {start}, {width} wide", self.code, self.file)
            }
            Place::Exact(start, end) => write!(f, "{} at {} {start}-{end}", self.code, self.file),
        }
    }
}

/// The carets in the comments of a policy.
pub fn in_comments(file: &str, text: &str) -> Result<Vec<Caret>, String> {
    let mut carets = Vec::new();
    let mut above = 0;
    for (line, number) in text.split('\n').zip(1..) {
        let Some(comment) = line.trim_start().strip_prefix("//").map(str::trim) else {
            above = number;
            continue;
        };
        if !comment.starts_with('^') {
            above = number;
            continue;
        }
        let found = underlines(line).ok_or_else(|| {
            format!("{file}:{number}: a caret comment is written `// ^^^ acl/E0301`, with codes that exist")
        })?;
        carets.extend(found.into_iter().map(|(column, width, code)| {
            let start = LineColumn { line: above, column };
            Caret { file: file.to_owned(), place: Place::Underlined { start, width }, code }
        }));
    }
    Ok(carets)
}

/// Column, width and code of each underline in a caret comment. Codes belong to all the carets
/// since the last code.
fn underlines(line: &str) -> Option<Vec<(u32, u32, Code)>> {
    let mut found = Vec::new();
    let mut open: Vec<(u32, u32)> = Vec::new();
    let mut complete = false;
    let mut column = 1;
    for word in line.split(' ') {
        let width = word.chars().count() as u32;
        let carets = word.trim_start_matches(['\t', '/']);
        if let Some(code) = word.trim().strip_prefix("acl/").and_then(Code::parse) {
            found.extend(open.iter().map(|(column, width)| (*column, *width, code)));
            complete = !open.is_empty();
        } else if !carets.is_empty() && carets.bytes().all(|it| it == b'^') {
            if std::mem::take(&mut complete) {
                open.clear();
            }
            let carets = carets.len() as u32;
            open.push((column + width - carets, carets));
        } else if !word.trim().is_empty() && word.trim() != "//" {
            return None;
        }
        column += width + 1;
    }
    complete.then_some(found)
}

/// The carets of a `carets.txt`; lines without a file name speak of `policy.hujson`.
pub fn in_list(list: &str) -> Result<Vec<Caret>, String> {
    let lines = list.lines().filter(|line| !line.trim().is_empty());
    let caret = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (file, places, code) = match *words.as_slice() {
            [file, places, code] => (file, places, code),
            [places, code] => ("policy.hujson", places, code),
            _ => return None,
        };
        let (start, end) = places.split_once('-')?;
        let place = Place::Exact(line_column(start)?, line_column(end)?);
        Some(Caret { file: file.to_owned(), place, code: Code::parse(code)? })
    };
    lines
        .map(|line| {
            caret(line).ok_or_else(|| {
                format!("carets.txt: `{line}` is not of the form `[FILE] LINE:COLUMN-LINE:COLUMN acl/CODE`")
            })
        })
        .collect()
}

fn line_column(text: &str) -> Option<LineColumn> {
    let (line, column) = text.split_once(':')?;
    Some(LineColumn { line: line.parse().ok()?, column: column.parse().ok()? })
}

/// A finding and the file and text it stands in.
pub type Found<'a> = (&'a str, &'a str, &'a Diagnostic);

/// What of the carets is not met, and which findings no caret names; one sentence each.
pub fn unmet(carets: &[Caret], found: &[Found<'_>]) -> Vec<String> {
    let mut open: Vec<&Caret> = carets.iter().collect();
    let mut sentences = Vec::new();
    for (file, text, diagnostic) in found {
        let index = LineIndex::new(text);
        let start = index.line_column(text, diagnostic.span.start);
        let end = index.line_column(text, diagnostic.span.end);
        let (line, _) = index.line(diagnostic.span.start);
        let line_end = index.line_span(text, line).of(text).chars().count() as u32 + 1;
        let last = if end.line == start.line { end.column } else { line_end };
        let whole = Place::Exact(start, end);
        let underlined =
            Place::Underlined { start, width: last.saturating_sub(start.column).max(1) };
        let meets = |caret: &&Caret| {
            let there = caret.place == whole || caret.place == underlined;
            caret.file == *file && caret.code == diagnostic.code && there
        };
        match open.iter().position(meets) {
            Some(position) => {
                open.remove(position);
            }
            None => {
                // No comment can underline what stands above its own slashes.
                let place = if start.column < 3 { whole } else { underlined };
                let caret = Caret { file: (*file).to_owned(), place, code: diagnostic.code };
                sentences.push(format!("found without a caret: {caret}: {}", diagnostic.message));
            }
        }
    }
    let rest = open.iter().map(|caret| format!("a caret, but nothing found: {caret}"));
    sentences.extend(rest);
    sentences
}

/// The code that the name of a case or page begins with, as `E0301-unknown-tag` does.
///
/// An error where it looks like a code and is none.
pub fn code_of(name: &str) -> Result<Option<Code>, String> {
    let first = name.split(['-', '.']).next().unwrap_or_default();
    let coded = first.len() == 5
        && first.starts_with(|it: char| it.is_ascii_uppercase())
        && first.bytes().skip(1).all(|it| it.is_ascii_digit());
    match code::ALL.iter().find(|it| it.code.name() == first) {
        Some(entry) => Ok(Some(entry.code)),
        None if coded => Err(format!("{first} is no code of `diagnostic/code.rs`")),
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use compiler::diagnostic::{Diagnostic, code};
    use compiler::span::Span;

    use super::{in_comments, in_list, unmet};

    const POLICY: &str =
        "{\"a\": [1 2]}\n//     ^ ^^ acl/E0103 acl/E0104  ^ acl/E0105\n//   ^ acl/E0106\n";

    fn met(carets: &[super::Caret], code: super::Code, span: Span) -> bool {
        let diagnostic = Diagnostic::new(code, "", span);
        let sentences = unmet(carets, &[("policy.hujson", POLICY, &diagnostic)]);
        !sentences.iter().any(|it| it.starts_with("found"))
    }

    #[test]
    fn codes_belong_to_all_carets_before_them() {
        let carets = in_comments("policy.hujson", POLICY).unwrap();
        let shown: Vec<String> = carets.iter().map(ToString::to_string).collect();
        let expected = [
            "acl/E0103 at policy.hujson 1:8, 1 wide",
            "acl/E0103 at policy.hujson 1:10, 2 wide",
            "acl/E0104 at policy.hujson 1:8, 1 wide",
            "acl/E0104 at policy.hujson 1:10, 2 wide",
            "acl/E0105 at policy.hujson 1:34, 1 wide",
            "acl/E0106 at policy.hujson 1:6, 1 wide",
        ];
        assert_eq!(shown, expected);
    }

    #[test]
    fn one_caret_stands_for_a_character_or_none() {
        let carets = in_comments("policy.hujson", POLICY).unwrap();
        assert!(met(&carets, code::E0103, Span::new(7, 8)));
        assert!(met(&carets, code::E0103, Span::at(7)));
        assert!(!met(&carets, code::E0103, Span::new(7, 9)));
        assert!(!met(&carets, code::E0104, Span::at(8)));
    }

    #[test]
    fn a_list_gives_the_whole_span() {
        let carets = in_list("1:1-2:3 acl/E0101\ntailnet.json 3:10-3:20 E0705\n").unwrap();
        assert!(met(&carets, code::E0101, Span::new(0, 15)));
        assert!(!met(&carets, code::E0101, Span::new(0, 14)));
        assert!(in_list("1:1 acl/E0101").is_err());
    }

    #[test]
    fn what_looks_like_a_caret_comment_must_be_one() {
        assert!(in_comments("policy.hujson", "// ^^^\n").is_err());
        assert!(in_comments("policy.hujson", "// ^ acl/E9999\n").is_err());
        assert!(in_comments("policy.hujson", "// see ^ above\n").unwrap().is_empty());
    }
}
