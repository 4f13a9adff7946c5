//! Tree → problems: one walk over the nodes, with a stack of what is open.
//!
//! One cause, one report: after a stray word or character nothing more is said of the entry it
//! stands in, up to the next comma.

use std::borrow::Cow;

use super::collect::Problems;
use super::literal::{self, Flaw, Flaws};
use super::problem::{Fault, Problem, Unexpected, excerpt};
use super::{NodeData, SyntaxKind, SyntaxNode, SyntaxTree, closing_quote, rewrite};
use crate::diagnostic::{Code, code};
use crate::span::Span;

/// Reports what the grammar tolerated. `suspects` are opening brackets whose partner stands at
/// another indentation, by place.
pub(super) fn check(tree: &SyntaxTree, suspects: &[u32], problems: &mut Problems) {
    let mut check =
        Check { tree, text: &tree.text, suspects, problems, names: Vec::new(), frames: Vec::new() };
    for (index, node) in (0..).zip(&tree.nodes) {
        check.node(index, *node);
    }
    check.close(u32::MAX);
    let has_value = tree.root().values().next().is_some();
    if !has_value && (check.problems.is_empty() || check.problems.has(code::E0115)) {
        check.report(Fault::Empty, Span::at(0));
    }
}

/// A node whose children are being looked at.
struct Frame {
    kind: SyntaxKind,
    span: Span,
    /// The index after its last descendant.
    end: u32,
    /// Where the last entry ended, if no comma has come since. In a member: the name, then the value.
    entry: Option<u32>,
    /// Whether this entry has had its report.
    quiet: bool,
    /// In a member: its name.
    name: Span,
    /// How many names were known when it began.
    names: usize,
}

struct Check<'t, 'p> {
    tree: &'t SyntaxTree,
    text: &'t str,
    suspects: &'p [u32],
    problems: &'p mut Problems,
    /// The names of all open objects, the innermost last.
    names: Vec<(Cow<'t, str>, Span)>,
    frames: Vec<Frame>,
}

impl<'t> Check<'t, '_> {
    fn report(&mut self, fault: Fault, span: Span) {
        self.problems.push(Problem::new(fault, span));
    }

    /// Reports what takes some work to put into words; a hostile text has millions.
    fn report_with(&mut self, code: Code, span: Span, fault: impl FnOnce(&'t str) -> Fault) {
        if self.problems.has_room(code, span) {
            self.problems.push_counted(Problem::new(fault(span.of(self.text)), span));
        }
    }

    fn node(&mut self, index: u32, node: NodeData) {
        self.close(index);
        match self.frames.last().map(|it| it.kind) {
            Some(SyntaxKind::Object | SyntaxKind::Array) => self.entry(node),
            Some(SyntaxKind::Member) => self.part(index, node),
            Some(_) => self.top(node),
            None => {}
        }
        match node.kind {
            SyntaxKind::String => self.string(node.span),
            SyntaxKind::Comment => self.comment(node.span),
            SyntaxKind::File | SyntaxKind::Object | SyntaxKind::Array | SyntaxKind::Member => {
                let NodeData { kind, span, end } = node;
                let names = self.names.len();
                self.frames.push(Frame {
                    kind,
                    span,
                    end,
                    entry: None,
                    quiet: false,
                    name: Span::at(span.start),
                    names,
                });
            }
            _ => {}
        }
    }

    /// Leaves the nodes that end before `index`.
    fn close(&mut self, index: u32) {
        while let Some(frame) = self.frames.pop_if(|it| it.end <= index) {
            if frame.kind == SyntaxKind::Object {
                self.duplicates(frame.names);
            }
        }
    }

    /// A child of the file.
    fn top(&mut self, node: NodeData) {
        let Some(frame) = self.frames.last_mut() else { return };
        match node.kind {
            SyntaxKind::Comma => self.report(Fault::ExtraComma, node.span),
            SyntaxKind::Junk if frame.entry.is_some() => self.after_end(node.span),
            SyntaxKind::Junk => self.junk(node.span),
            kind if kind.is_value() => {
                frame.entry = Some(node.span.end);
                if kind == SyntaxKind::Scalar {
                    self.word(node.span);
                }
            }
            _ => {}
        }
    }

    /// A child of an object or an array.
    fn entry(&mut self, node: NodeData) {
        let NodeData { kind, span, .. } = node;
        let Some(frame) = self.frames.last_mut() else { return };
        match kind {
            SyntaxKind::Comma => {
                let lonely = frame.entry.take().is_none() && !frame.quiet;
                frame.quiet = false;
                if lonely {
                    self.report(Fault::ExtraComma, span);
                }
            }
            SyntaxKind::Junk => {
                if !std::mem::replace(&mut frame.quiet, !is_blank(span.of(self.text))) {
                    self.junk(span);
                }
            }
            SyntaxKind::Missing => self.unclosed(span.start),
            SyntaxKind::Comment => {}
            _ => {
                let before = frame.entry.replace(span.end);
                let quiet = frame.quiet;
                if let Some(before) = before
                    && !quiet
                {
                    self.report(Fault::MissingComma, Span::at(before));
                }
                if kind == SyntaxKind::Scalar && !quiet && self.word(span) {
                    self.hush();
                }
            }
        }
    }

    /// Says no more about the entry that is being looked at.
    fn hush(&mut self) {
        if let Some(frame) = self.frames.last_mut() {
            frame.quiet = true;
        }
    }

    /// A child of a member.
    fn part(&mut self, index: u32, node: NodeData) {
        let NodeData { kind, span, .. } = node;
        let Some(frame) = self.frames.last_mut() else { return };
        let name = frame.name;
        match kind {
            SyntaxKind::Missing if frame.quiet => {}
            SyntaxKind::Missing => {
                let colon = Some(span.start) == frame.entry;
                let (code, text) = (if colon { code::E0106 } else { code::E0107 }, self.text);
                self.report_with(code, span, |_| {
                    let name = excerpt(node_name(name.of(text)));
                    if colon {
                        Fault::MissingColon { name, replaced: false }
                    } else {
                        Fault::MissingValue { name }
                    }
                });
                // The comma that lacks as well belongs to what has yet to be written.
                if let [.., outer, _] = self.frames.as_mut_slice() {
                    outer.quiet = true;
                }
            }
            SyntaxKind::Junk if !span.of(self.text).starts_with('=') => self.junk(span),
            SyntaxKind::Junk => {
                let text = self.text;
                self.report_with(code::E0106, span, |_| {
                    let name = excerpt(node_name(name.of(text)));
                    Fault::MissingColon { name, replaced: true }
                });
            }
            SyntaxKind::Comment => {}
            // The first value is the name.
            _ if frame.entry.is_none() => {
                frame.entry = Some(span.end);
                frame.name = span;
                if kind == SyntaxKind::String {
                    let node = SyntaxNode { tree: self.tree, id: index };
                    let inner = Some(node.inner_span()).filter(|it| !it.is_empty()).unwrap_or(span);
                    self.names.extend(node.string().map(|it| (it, inner)));
                } else {
                    self.odd_name(kind, span);
                }
            }
            SyntaxKind::Scalar => {
                if self.word(span)
                    && let [.., outer, _] = self.frames.as_mut_slice()
                {
                    outer.quiet = true;
                }
            }
            _ => {}
        }
    }

    fn odd_name(&mut self, kind: SyntaxKind, span: Span) {
        self.hush();
        let text = span.of(self.text);
        if kind == SyntaxKind::Scalar {
            self.names.push((Cow::Borrowed(text), span));
        }
        // Of a whole object only the bracket is shown.
        let shown =
            if kind == SyntaxKind::Scalar { span } else { Span::new(span.start, span.start + 1) };
        self.report_with(code::E0109, shown, |_| Fault::NameNotString {
            name: excerpt(text),
            instead: (kind == SyntaxKind::Scalar).then(|| rewrite::string(text)),
        });
    }

    fn unclosed(&mut self, at: u32) {
        let Some(frame) = self.frames.last() else { return };
        let open = Span::new(frame.span.start, frame.span.start + 1);
        let bracket = open.of(self.text).chars().next().unwrap_or('{');
        let closer = if bracket == '{' { '}' } else { ']' };
        // Brackets that end at one place are one report, at the innermost.
        if let Some(Problem { fault: Fault::Unclosed { outer, closers, at: place, .. }, .. }) =
            self.problems.last_mut()
            && *place == at
        {
            if outer.len() < 5 {
                outer.push(open);
            }
            closers.push(closer);
            return;
        }
        // A bracket further in that took the partner of this one is the more honest place.
        let inner = self.suspects.get(self.suspects.partition_point(|it| *it <= open.start));
        let fault = |bracket, thief| Fault::Unclosed {
            bracket,
            outer: Vec::new(),
            at,
            closers: closer.to_string(),
            thief,
        };
        match inner.filter(|it| **it < at) {
            Some(inner) => {
                let inner = Span::new(*inner, *inner + 1);
                let bracket = inner.of(self.text).chars().next().unwrap_or('{');
                self.report(fault(bracket, Some(open)), inner);
            }
            None => self.report(fault(bracket, None), open),
        }
    }

    fn after_end(&mut self, span: Span) {
        // Where a bracket is wrong further up, the end is only where we think it is.
        if self.problems.has(code::E0101) || self.problems.has(code::E0117) {
            return;
        }
        let text = span.of(self.text);
        let odd: usize =
            text.chars().take_while(|it| blank_name(*it).is_some()).map(char::len_utf8).sum();
        if odd > 0 {
            return self.junk(Span::new(span.start, span.start + odd as u32));
        }
        let line = text.lines().next().unwrap_or_default().trim_end();
        let line = Span::new(span.start, span.start + line.len() as u32);
        match text.chars().next() {
            Some('#') => self.junk(line),
            first => self.report(Fault::AfterEnd { first: first.unwrap_or(' ') }, line),
        }
    }

    fn junk(&mut self, span: Span) {
        let text = span.of(self.text);
        let mut chars = text.chars();
        let Some(first) = chars.next() else { return };
        let fault = match first {
            '\u{feff}' if span.start == 0 => Fault::ByteOrderMark,
            '#' => Fault::Unexpected(Unexpected::Hash),
            '}' | ']' => Fault::Unexpected(Unexpected::Closer(first)),
            ':' if chars.next().is_none() => Fault::Unexpected(Unexpected::Colon),
            _ if is_blank(text) => {
                let name = blank_name(first).unwrap_or("a blank");
                Fault::Unexpected(Unexpected::Blank(format!("{name}, U+{:04X},", first as u32)))
            }
            _ => Fault::Unexpected(Unexpected::Other(visible(&excerpt(text)))),
        };
        self.report(fault, span);
    }

    /// Reports a word that is no value; whether it did.
    fn word(&mut self, span: Span) -> bool {
        let word = span.of(self.text);
        let bad = !literal::is_literal(word.as_bytes());
        if bad {
            self.report_with(code::E0113, span, |word| Fault::BadWord {
                word: excerpt(word),
                instead: rewrite::word(word),
            });
        }
        bad
    }

    fn comment(&mut self, span: Span) {
        let comment = span.of(self.text);
        if comment.starts_with("/*") {
            if comment.len() < 4 || !comment.ends_with("*/") {
                self.report(Fault::UnclosedComment, Span::new(span.start, span.start + 2));
            }
            return;
        }
        if span.end as usize == self.text.len() {
            self.report(Fault::CommentAtEnd, Span::at(span.end));
        }
        // Both begin with the same byte, which few comments contain.
        if comment.as_bytes().contains(&0xe2) {
            for (at, char) in
                comment.char_indices().filter(|(_, it)| matches!(it, '\u{2028}' | '\u{2029}'))
            {
                let start = span.start + at as u32;
                self.report(Fault::LineSeparator, Span::new(start, start + char.len_utf8() as u32));
            }
        }
    }

    fn string(&mut self, span: Span) {
        let string = span.of(self.text);
        let closed = closing_quote(string);
        if closed == 0 {
            let quote = string.chars().next().unwrap_or('"');
            self.report(Fault::UnclosedString { quote }, span);
        }
        let Some(inner) = string.strip_prefix('"') else {
            if closed > 0 {
                self.odd_quotes(string, span);
            }
            return;
        };
        let inner = inner.get(..inner.len() - closed).unwrap_or(inner);
        let base = span.start + 1;
        for (flaw, range) in Flaws::new(inner.as_bytes()) {
            let span = Span::new(base + range.start as u32, base + range.end as u32);
            let text = span.of(self.text);
            match flaw {
                Flaw::Control => {
                    let char = text.chars().next().unwrap_or_default();
                    self.report(Fault::ControlCharacter(char), span);
                }
                Flaw::Escape => {
                    self.report_with(code::E0112, span, |text| {
                        let certain = matches!(text, "\\'" | "\\`" | "\\$")
                            || text.len() == 4 && text.starts_with("\\x");
                        let instead = certain.then(|| rewrite::inner(text));
                        Fault::BadEscape { escape: text.to_owned(), instead }
                    });
                }
            }
        }
    }

    fn odd_quotes(&mut self, string: &str, span: Span) {
        self.report_with(code::E0104, span, |_| {
            let mut chars = string.chars();
            let curly = chars.next() != Some('\'');
            chars.next_back();
            Fault::Unexpected(Unexpected::Quotes {
                curly,
                instead: rewrite::string(chars.as_str()),
            })
        });
    }

    /// Reports the names beyond the first `from` that came before, and forgets them.
    fn duplicates(&mut self, from: usize) {
        /// Up to here comparing every pair is faster than sorting.
        const FEW: usize = 8;
        let names = self.names.get(from..).unwrap_or_default();
        let mut found: Vec<(Span, Span)> = Vec::new();
        if names.len() <= FEW {
            for (at, (name, span)) in names.iter().enumerate() {
                let first = names.iter().take(at).find(|it| it.0 == *name);
                found.extend(first.map(|it| (it.1, *span)));
            }
        } else {
            let mut sorted: Vec<&(Cow<'_, str>, Span)> = names.iter().collect();
            sorted.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.cmp(&b.1)));
            for group in sorted.chunk_by(|a, b| a.0 == b.0) {
                let mut spans = group.iter().map(|it| it.1);
                if let Some(first) = spans.next() {
                    found.extend(spans.map(|it| (first, it)));
                }
            }
            found.sort_unstable_by_key(|it| it.1);
        }
        self.names.truncate(from);
        for (first, span) in found {
            self.report_with(code::E0110, span, |name| Fault::Duplicate {
                name: excerpt(name),
                first,
            });
        }
    }
}

/// A name without its quotes.
fn node_name(text: &str) -> &str {
    text.trim_matches('"')
}

/// Whether a text only looks as if there were nothing.
fn is_blank(text: &str) -> bool {
    text.chars().all(|it| blank_name(it).is_some())
}

/// The name of a character that looks like a blank, or like nothing.
fn blank_name(char: char) -> Option<&'static str> {
    Some(match char {
        '\u{a0}' => "a no-break space",
        '\u{b}' => "a vertical tab",
        '\u{c}' => "a form feed",
        '\u{85}' => "a next-line character",
        '\u{ad}' => "a soft hyphen",
        '\u{200b}' => "a zero-width space",
        '\u{200c}' | '\u{200d}' => "a zero-width joiner",
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            "a mark of text direction"
        }
        '\u{2028}' => "a line separator",
        '\u{2029}' => "a paragraph separator",
        '\u{2060}' => "a word joiner",
        '\u{feff}' => "a zero-width no-break space",
        '\u{3000}' => "a wide blank",
        '\u{1680}' | '\u{180e}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' => {
            "an odd blank"
        }
        '\0'..='\u{8}' | '\u{e}'..='\u{1f}' | '\u{7f}'..='\u{9f}' => "a control character",
        _ => return None,
    })
}

/// A text whose invisible characters are shown.
fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for char in text.chars() {
        match blank_name(char) {
            Some(_) => shown.extend(char.escape_unicode()),
            None => shown.push(char),
        }
    }
    shown
}
