//! Text → what each closing bracket closes, and whether the nesting stays within bounds.
//!
//! Runs before the grammar, which closes brackets as they come. Where a person mistyped one
//! (`[1}`), the text is mended here by a byte of the same width, so that the tree around it is the
//! one that was meant; the tree still holds the text as it was written.

use super::problem::{Fault, MAX_REPORTS, Problem};
use super::{MAX_DEPTH, MAX_PIECES};
use crate::span::Span;

/// What the brackets of a text say.
#[derive(Debug, Default)]
pub(super) struct Brackets {
    /// The problem of a text beyond a bound; nothing else is known of it.
    pub(super) beyond: Option<Problem>,
    /// The text to give to the grammar instead, of the same length.
    pub(super) mended: Option<String>,
    /// What was mended.
    pub(super) problems: Vec<Problem>,
    /// Opening brackets whose partner stands at another indentation, by place: where a bracket
    /// is missing somewhere, it is most likely theirs.
    pub(super) suspects: Vec<u32>,
}

/// Reads all brackets outside of strings and comments.
pub(super) fn scan(text: &str) -> Brackets {
    let bytes = text.as_bytes();
    let mut lexer = Lexer::new(bytes);
    let mut open = Open::default();
    let mut matching = true;
    let (mut opened, mut closed) = (0_usize, 0_usize);
    while let Some((at, bracket)) = lexer.next() {
        if matches!(bracket, b'{' | b'[') {
            opened += 1;
            open.push(at, bracket, 0);
            if open.stack.len() > MAX_DEPTH {
                let problem = Problem::new(Fault::TooDeep, Span::new(at, at + 1));
                return Brackets { beyond: Some(problem), ..Brackets::default() };
            }
        } else {
            closed += 1;
            matching &= open.close(bracket);
        }
    }
    if lexer.pieces > MAX_PIECES {
        let problem = Problem::new(Fault::TooMany { pieces: lexer.pieces }, Span::at(0));
        return Brackets { beyond: Some(problem), ..Brackets::default() };
    }
    if matching && open.stack.is_empty() {
        return Brackets::default();
    }
    mend(text, opened == closed)
}

/// The second look, at a text whose brackets do not match.
///
/// Where there are as many closing as opening brackets, each closes the last one open, whatever its
/// kind. Otherwise one is missing or too many: a bracket that closes nothing is junk.
fn mend(text: &str, balanced: bool) -> Brackets {
    let mut brackets = Brackets::default();
    let mut mended: Option<Vec<u8>> = None;
    let mut replace = |at: u32, byte: u8| {
        if let Some(it) =
            mended.get_or_insert_with(|| text.as_bytes().to_vec()).get_mut(at as usize)
        {
            *it = byte;
        }
    };
    let mut lexer = Lexer::new(text.as_bytes());
    let mut indents = Indents::new(text.as_bytes());
    let mut open = Open::default();
    while let Some((at, bracket)) = lexer.next() {
        let (indent, leads) = indents.at(at);
        if matches!(bracket, b'{' | b'[') {
            open.push(at, bracket, indent);
            continue;
        }
        let Some(top) = open.stack.last().copied() else { continue };
        if top.bracket != opening(bracket) && balanced {
            replace(at, closing(top.bracket));
            if brackets.problems.len() <= MAX_REPORTS {
                let fault = Fault::WrongCloser {
                    open: Span::new(top.at, top.at + 1),
                    right: closing(top.bracket),
                };
                brackets.problems.push(Problem::new(fault, Span::new(at, at + 1)));
            }
            open.pop();
        } else if open.count(opening(bracket)) == 0 {
            replace(at, b';');
        } else {
            if leads && indent != top.indent && brackets.suspects.len() < MAX_REPORTS {
                brackets.suspects.push(top.at);
            }
            open.close(bracket);
        }
        if open.stack.is_empty() {
            // The value of the file ends here; what follows is not looked at as brackets.
            break;
        }
    }
    brackets.suspects.sort_unstable();
    brackets.mended = mended.and_then(|it| String::from_utf8(it).ok());
    brackets
}

const fn opening(closer: u8) -> u8 {
    if closer == b'}' { b'{' } else { b'[' }
}

/// The bracket that closes `opener`.
pub(super) const fn closing(opener: u8) -> u8 {
    if opener == b'{' { b'}' } else { b']' }
}

#[derive(Clone, Copy, Debug)]
struct Opened {
    at: u32,
    bracket: u8,
    /// The indentation of its line.
    indent: usize,
}

/// The brackets open at a place, with their numbers, so that a bracket which closes nothing costs
/// no search.
#[derive(Debug, Default)]
struct Open {
    stack: Vec<Opened>,
    braces: usize,
}

impl Open {
    fn push(&mut self, at: u32, bracket: u8, indent: usize) {
        self.stack.push(Opened { at, bracket, indent });
        self.braces += usize::from(bracket == b'{');
    }

    fn pop(&mut self) -> Option<Opened> {
        let opened = self.stack.pop()?;
        self.braces -= usize::from(opened.bracket == b'{');
        Some(opened)
    }

    fn count(&self, opener: u8) -> usize {
        if opener == b'{' { self.braces } else { self.stack.len() - self.braces }
    }

    /// Closes the last bracket of the kind, and those inside it with it. Whether that was the last
    /// one open.
    fn close(&mut self, closer: u8) -> bool {
        let opener = opening(closer);
        if self.count(opener) == 0 {
            return false;
        }
        let mut innermost = true;
        while let Some(opened) = self.pop() {
            if opened.bracket == opener {
                break;
            }
            innermost = false;
        }
        innermost
    }
}

/// How far the line is indented that was asked for last. Each line is looked at once.
struct Indents<'t> {
    bytes: &'t [u8],
    read: usize,
    line: usize,
    indent: usize,
}

impl<'t> Indents<'t> {
    fn new(bytes: &'t [u8]) -> Self {
        let mut indents = Self { bytes, read: 0, line: 0, indent: 0 };
        indents.measure();
        indents
    }

    fn measure(&mut self) {
        let rest = self.bytes.get(self.line..).unwrap_or_default();
        self.indent = rest.iter().take_while(|it| matches!(it, b' ' | b'\t')).count();
    }

    /// The indentation of the line of `at`, and whether nothing but it stands before. Asked in
    /// order of place.
    fn at(&mut self, at: u32) -> (usize, bool) {
        let at = at as usize;
        let passed = self.bytes.get(self.read..at).unwrap_or_default();
        if let Some(newline) = passed.iter().rposition(|it| *it == b'\n') {
            self.line = self.read + newline + 1;
            self.measure();
        }
        self.read = at;
        (self.indent, self.line + self.indent == at)
    }
}

/// What the lexer tells apart.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Piece {
    /// One of `{ [ } ]`.
    Bracket(u8),
    /// A string in any quotes.
    String,
    /// A comment.
    Comment,
    /// Anything else: a byte, or a `#` line.
    Other,
}

/// Walks a text from bracket to bracket, past strings, comments and `#` lines as the grammar has
/// them.
pub(super) struct Lexer<'t> {
    bytes: &'t [u8],
    pub(super) at: usize,
    /// How many pieces it has passed, which is how many nodes the tree will have, nearly.
    pieces: usize,
    in_word: bool,
}

impl<'t> Lexer<'t> {
    pub(super) const fn new(bytes: &'t [u8]) -> Self {
        Self { bytes, at: 0, pieces: 0, in_word: false }
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    /// The next bracket and its place.
    fn next(&mut self) -> Option<(u32, u8)> {
        loop {
            let at = self.at;
            if let Piece::Bracket(bracket) = self.step()? {
                return Some((at as u32, bracket));
            }
        }
    }

    /// The next piece; it ends where `at` stands afterwards.
    pub(super) fn step(&mut self) -> Option<Piece> {
        let at = self.at;
        let was_word = std::mem::take(&mut self.in_word);
        let (end, piece, counts) = match self.byte(at)? {
            bracket @ (b'{' | b'[') => (at + 1, Piece::Bracket(bracket), true),
            bracket @ (b'}' | b']') => (at + 1, Piece::Bracket(bracket), false),
            quote @ (b'"' | b'\'') => (self.string(at, quote), Piece::String, true),
            0xe2 if self.curly(at) => {
                (self.curly_quoted(at + 3).unwrap_or(at + 3), Piece::String, true)
            }
            b'/' if self.byte(at + 1) == Some(b'/') => (self.line_end(at), Piece::Comment, true),
            b'/' if self.byte(at + 1) == Some(b'*') => {
                (self.block_end(at + 2), Piece::Comment, true)
            }
            b'#' => (self.line_end(at), Piece::Other, true),
            b' ' | b'\n' | b'\t' | b'\r' | b':' => (at + 1, Piece::Other, false),
            b',' | b'=' => (at + 1, Piece::Other, true),
            _ => {
                self.in_word = true;
                (at + 1, Piece::Other, !was_word)
            }
        };
        self.pieces += usize::from(counts);
        self.at = end;
        Some(piece)
    }

    fn line_end(&self, from: usize) -> usize {
        let rest = self.bytes.get(from..).unwrap_or_default();
        from + rest.iter().position(|it| *it == b'\n').unwrap_or(rest.len())
    }

    fn block_end(&self, from: usize) -> usize {
        let rest = self.bytes.get(from..).unwrap_or_default();
        from + rest.windows(2).position(|it| it == b"*/").map_or(rest.len(), |it| it + 2)
    }

    /// The end of the string that starts at `at`, closed or not.
    ///
    /// All that is searched in vain is taken, but for the end of a line, in which no quote is left:
    /// so no byte is looked at once for each quote before it.
    fn string(&self, at: usize, quote: u8) -> usize {
        let mut end = at + 1;
        let mut continued = false;
        loop {
            match self.byte(end) {
                None | Some(b'\n') => break,
                Some(b'\\') => {
                    continued |= self.byte(end + 1) == Some(b'\n');
                    end += 2;
                }
                Some(byte) if byte == quote => return end + 1,
                Some(_) => end += 1,
            }
        }
        if continued { end.min(self.bytes.len()) } else { self.unclosed(at) }
    }

    /// The end of a string that its line does not close: before what most likely is none of it.
    fn unclosed(&self, at: usize) -> usize {
        let is_tail = |it: &u8| b" \t\r,:[]{}".contains(it);
        let line = self.bytes.get(at..self.line_end(at)).unwrap_or_default();
        // The quote itself counts as what may stand before a comment.
        let comment =
            line.windows(3).position(|it| matches!(it, [before, b'/', b'/'] if is_tail(before)));
        let comment = if line.get(1..3) == Some(b"//") { Some(0) } else { comment };
        let line = line.get(1..comment.map_or(line.len(), |it| it + 1)).unwrap_or_default();
        let tail = line.iter().rev().take_while(|it| is_tail(it)).count();
        at + 1 + line.len() - tail
    }

    fn curly(&self, at: usize) -> bool {
        matches!(self.bytes.get(at..at + 3), Some([0xe2, 0x80, 0x9c..=0x9e]))
    }

    fn curly_quoted(&self, from: usize) -> Option<usize> {
        let mut at = from;
        loop {
            match self.byte(at)? {
                b'\n' => return None,
                b'"' => return Some(at + 1),
                0xe2 if self.curly(at) => return Some(at + 3),
                _ => at += 1,
            }
        }
    }
}
