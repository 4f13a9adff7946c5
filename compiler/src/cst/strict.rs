//! Text → the first thing Tailscale's own parser would stop at, in its words.
//!
//! Our tree takes any text and reports everything; an API answer holds one sentence. This walks the
//! text as the library behind it does, in the same order of checks, without recursion.
//! SOURCE: docs/language.md, "The file"; github.com/tailscale/hujson, parse.go. `tests/hujson.rs`
//! compares every message with the library itself.

use super::literal;

/// Where Tailscale's parser stops, and what it says of the place.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Stop {
    pub(super) offset: usize,
    pub(super) what: String,
}

impl Stop {
    /// The message as its API gives it; lines and columns count from 1, columns count bytes.
    pub(super) fn message(&self, bytes: &[u8]) -> String {
        let before = bytes.get(..self.offset).unwrap_or(bytes);
        let line = 1 + before.iter().filter(|it| **it == b'\n').count();
        let column = before.iter().rev().take_while(|it| **it != b'\n').count() + 1;
        format!("line {line}, column {column}: {}", self.what)
    }
}

/// What a value is for, and so what may follow it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Role {
    Document,
    Name,
    Member,
    Element,
}

/// An object or array that is not yet closed: where it starts and what it is for.
#[derive(Clone, Copy, Debug)]
struct Open {
    start: usize,
    role: Role,
}

/// The first thing Tailscale's parser would stop at; `None` for a text it takes.
///
/// Bytes and not text, because it reads what is not UTF-8 as well.
pub(super) fn stop(bytes: &[u8]) -> Option<Stop> {
    Strict { bytes, at: 0 }.document().err()
}

struct Strict<'t> {
    bytes: &'t [u8],
    at: usize,
}

impl Strict<'_> {
    fn document(&mut self) -> Result<(), Stop> {
        let mut open: Vec<Open> = Vec::new();
        let mut role = Role::Document;
        loop {
            self.extra()?;
            let mut start = self.at;
            let mut is_string = false;
            match (self.byte(), role) {
                (None, _) => return Err(self.end("parsing value")),
                (Some(bracket @ (b'{' | b'[')), _) => {
                    open.push(Open { start, role });
                    role = if bracket == b'{' { Role::Name } else { Role::Element };
                    self.at += 1;
                    continue;
                }
                // Empty, or after a trailing comma.
                (Some(b'}'), Role::Name) | (Some(b']'), Role::Element) => {
                    self.at += 1;
                    (start, role) = close(&mut open);
                }
                (Some(b'}' | b']'), _) => return Err(self.unexpected("at start of value")),
                (Some(b'"'), _) => {
                    self.string()?;
                    is_string = true;
                }
                (Some(_), _) => self.word()?,
            }
            // A value is complete; now for what follows it, which may complete others.
            loop {
                self.extra()?;
                let next = self.byte();
                match (role, next) {
                    (Role::Document, None) => return Ok(()),
                    (Role::Document, _) => return Err(self.unexpected("after top-level value")),
                    (Role::Name, _) if !is_string => {
                        self.at = start;
                        return Err(self.unexpected("at start of object name"));
                    }
                    (Role::Name, None) => return Err(self.end("parsing object after name")),
                    (Role::Name, Some(b':')) => role = Role::Member,
                    (Role::Name, _) => return Err(self.unexpected("after object name")),
                    (Role::Member, None) => return Err(self.end("parsing object after value")),
                    (Role::Member, Some(b',')) => role = Role::Name,
                    (Role::Element, None) => return Err(self.end("parsing array after value")),
                    (Role::Element, Some(b',')) => {}
                    (Role::Member, Some(b'}')) | (Role::Element, Some(b']')) => {
                        self.at += 1;
                        (start, role) = close(&mut open);
                        is_string = false;
                        continue;
                    }
                    (Role::Member, _) => {
                        return Err(self.unexpected("after object value (expecting ',' or '}')"));
                    }
                    (Role::Element, _) => {
                        return Err(self.unexpected("after array value (expecting ',' or ']')"));
                    }
                }
                self.at += 1;
                break;
            }
        }
    }

    fn rest(&self) -> &[u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    fn byte(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// White space and comments.
    fn extra(&mut self) -> Result<(), Stop> {
        loop {
            let blank = self.rest().iter().take_while(|it| b" \t\r\n".contains(it)).count();
            self.at += blank;
            let (length, is_line) = match self.rest() {
                [b'/', b'/', rest @ ..] => {
                    (rest.iter().position(|it| *it == b'\n').map(|it| it + 3), true)
                }
                [b'/', b'*', rest @ ..] => {
                    (rest.windows(2).position(|it| it == b"*/").map(|it| it + 4), false)
                }
                _ => return Ok(()),
            };
            let comment = length.and_then(|it| self.rest().get(..it)).unwrap_or(self.rest());
            if length.is_some() && std::str::from_utf8(comment).is_err() {
                return Err(self.stop("invalid UTF-8 in comment"));
            }
            if is_line && let Some(separator) = line_separator(comment) {
                self.at += separator;
                return Err(self.unexpected("in line comment"));
            }
            let Some(length) = length else { return Err(self.end("parsing comment")) };
            self.at += length;
        }
    }

    fn string(&mut self) -> Result<(), Stop> {
        let start = self.at;
        let mut escaped = false;
        let inner = self.rest().get(1..).unwrap_or_default();
        let length = inner.iter().position(|it| {
            let closes = !escaped && *it == b'"';
            escaped = !escaped && *it == b'\\';
            closes
        });
        let Some(inner) = length.and_then(|it| inner.get(..it)) else {
            self.at = self.bytes.len();
            return Err(self.end("parsing string"));
        };
        if literal::Flaws::new(inner).next().is_some() {
            return Err(self.invalid_literal(start..start + inner.len() + 2));
        }
        self.at += inner.len() + 2;
        Ok(())
    }

    fn word(&mut self) -> Result<(), Stop> {
        let is_part = |it: &&u8| it.is_ascii_alphanumeric() || b"-+.".contains(it);
        let length = self.rest().iter().take_while(is_part).count();
        let word = self.rest().get(..length).unwrap_or_default();
        match word {
            [] => Err(self.unexpected("at start of value")),
            word if !literal::is_literal(word) => {
                Err(self.invalid_literal(self.at..self.at + length))
            }
            _ => {
                self.at += length;
                Ok(())
            }
        }
    }

    fn stop(&self, what: impl Into<String>) -> Stop {
        Stop { offset: self.at, what: what.into() }
    }

    fn end(&self, doing: &str) -> Stop {
        self.stop(format!("{doing}: unexpected EOF"))
    }

    fn invalid_literal(&self, range: std::ops::Range<usize>) -> Stop {
        let mut what = "invalid literal: ".to_owned();
        for chunk in self.bytes.get(range).unwrap_or_default().utf8_chunks() {
            what.push_str(chunk.valid());
            // The API answers in JSON, for which Go replaces each wrong byte.
            what.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
        }
        self.stop(what)
    }

    fn unexpected(&self, place: &str) -> Stop {
        self.stop(format!("invalid character {} {place}", quoted_char(self.rest())))
    }
}

/// Takes the innermost open value off the list: where it starts and what it is for.
fn close(open: &mut Vec<Open>) -> (usize, Role) {
    open.pop().map_or((0, Role::Document), |it| (it.start, it.role))
}

/// Where U+2028 or U+2029 first stands.
fn line_separator(comment: &[u8]) -> Option<usize> {
    comment.windows(3).position(|it| matches!(it, [0xe2, 0x80, 0xa8 | 0xa9]))
}

/// The first character as Go writes it between single quotes.
fn quoted_char(bytes: &[u8]) -> String {
    let head = bytes.get(..bytes.len().min(4)).unwrap_or_default();
    let Some(char) = head.utf8_chunks().next().and_then(|it| it.valid().chars().next()) else {
        return head.first().map_or_else(String::new, |it| format!("'\\x{it:02x}'"));
    };
    match char {
        '\'' | '\\' => format!("'\\{char}'"),
        _ if is_printable(char) => format!("'{char}'"),
        '\u{10000}'.. => format!("'\\U{:08x}'", char as u32),
        _ => format!("'\\u{:04x}'", char as u32),
    }
}

/// Whether Go calls a character printable: letters, marks, numbers, punctuation, symbols and the
/// common blank.
fn is_printable(char: char) -> bool {
    // Rust's rule is the same, save that it escapes a mark which has no letter before it.
    let with_letter: String = ['a', char].into_iter().collect();
    char == '"' || with_letter.escape_debug().eq(with_letter.chars())
}
