//! Text → the values in it, each with the white space and comments around it, and which objects and
//! arrays are opened up.

use super::extra::{Breaks, Extra, Measure};
use crate::cst::unescape;
use crate::span::Span;

/// The widest line, in bytes: an object or array that makes one wider is opened up.
const MAX_WIDTH: usize = 80;

/// What separates two entries, or a name and its value. It counts behind the last entry as well.
const SEPARATOR: usize = 2;

/// The pieces of a text that is valid.
#[derive(Debug)]
pub(super) struct Pieces<'t> {
    pub(super) text: &'t str,
    /// Names and values in the order of the text: a name stands before its value, an object or
    /// array before its entries.
    pub(super) values: Vec<Value>,
    /// Strings whose escapes were replaced.
    pub(super) rewritten: Vec<String>,
    /// What stands behind the last value.
    pub(super) after: Extra,
    /// Whether the text is JSON: no comments, no trailing commas. Then it stays JSON.
    pub(super) is_standard: bool,
}

/// A value or a name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Value {
    pub(super) body: Body,
    /// What stands before it.
    pub(super) before: Extra,
    /// What stands between it and the comma or colon that follows it.
    pub(super) after: Extra,
    /// Whether the member whose value it is takes more than one line.
    pub(super) breaks: bool,
    /// The index after its last entry.
    pub(super) end: u32,
}

impl Value {
    /// A name, a string, a number or a word as it is written.
    pub(super) fn literal<'p>(&self, pieces: &'p Pieces<'_>) -> &'p str {
        match self.body {
            Body::Literal(span) => span.of(pieces.text),
            Body::Rewritten(index) => {
                pieces.rewritten.get(index as usize).map_or("", String::as_str)
            }
            Body::Composite { .. } => "",
        }
    }
}

/// What a value is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Body {
    /// A number, a word, or a string as it stands in the text.
    Literal(Span),
    /// A string that stands in [`Pieces::rewritten`].
    Rewritten(u32),
    /// An object or array.
    Composite {
        is_object: bool,
        /// Whether each entry has its own line.
        is_open: bool,
        /// What stands behind the last entry and its comma.
        tail: Extra,
    },
}

/// Reads the pieces of a text that Tailscale's parser takes and whose nesting is bounded.
pub(super) fn read(text: &str) -> Pieces<'_> {
    let pieces = Pieces {
        text,
        // Policies have a piece for each eight bytes or so.
        values: Vec::with_capacity(text.len() / 8),
        rewritten: Vec::new(),
        after: Extra::default(),
        is_standard: true,
    };
    let mut reader = Reader { pieces, at: 0 };
    let before = reader.extra();
    reader.value(before);
    reader.pieces.after = reader.extra();
    reader.pieces
}

struct Reader<'t> {
    pieces: Pieces<'t>,
    at: usize,
}

impl Reader<'_> {
    fn byte(&self) -> Option<u8> {
        self.pieces.text.as_bytes().get(self.at).copied()
    }

    fn extra(&mut self) -> Extra {
        let extra = Extra::read(self.pieces.text, self.at);
        self.at = extra.span.end as usize;
        self.pieces.is_standard &= !extra.has_comments;
        extra
    }

    /// Reads a value without what follows it.
    fn value(&mut self, before: Extra) -> Measure {
        match self.byte() {
            Some(b'{') => self.composite(before, true),
            Some(b'[') => self.composite(before, false),
            _ => Measure::line(self.literal(before)),
        }
    }

    fn push(&mut self, before: Extra, body: Body) -> usize {
        let index = self.pieces.values.len();
        let after = Extra::default();
        let end = index as u32 + 1;
        self.pieces.values.push(Value { body, before, after, breaks: false, end });
        index
    }

    /// Reads a string, a number or a word, and gives its width.
    fn literal(&mut self, before: Extra) -> usize {
        let rest = self.pieces.text.get(self.at..).unwrap_or_default();
        let (length, escapes) = match rest.strip_prefix('"') {
            Some(inner) => string(inner.as_bytes()),
            None => {
                let is_part = |it: &u8| it.is_ascii_alphanumeric() || b"-+.".contains(it);
                (rest.bytes().take_while(is_part).count(), false)
            }
        };
        let span = Span::new(self.at as u32, (self.at + length) as u32);
        self.at += length.max(1);
        if !escapes {
            self.push(before, Body::Literal(span));
            return length;
        }
        let string = normalized(span.of(self.pieces.text));
        let width = string.len();
        self.push(before, Body::Rewritten(self.pieces.rewritten.len() as u32));
        self.pieces.rewritten.push(string);
        width
    }

    fn composite(&mut self, before: Extra, is_object: bool) -> Measure {
        let tail = Extra::default();
        let index = self.push(before, Body::Composite { is_object, is_open: false, tail });
        self.at += 1;
        let mut line = Line::new();
        let mut is_open = false;
        let mut last = None;
        let tail = loop {
            let before = self.extra();
            if matches!(self.byte(), None | Some(b'}' | b']')) {
                // Behind a comma, unless there is no entry at all.
                self.pieces.is_standard &= last.is_none();
                break before;
            }
            is_open |= before.breaks > 0;
            line.add(before.measure(self.pieces.text));
            let breaks = line.breaks;
            let value = self.entry(before, is_object, &mut line);
            last = Some(value);
            let after = self.extra();
            let has_comma = self.byte() == Some(b',');
            self.end_entry(value, if has_comma { after } else { tail }, breaks, &mut line);
            if !has_comma {
                // What stands behind the last entry belongs to the composite: the comma that may be
                // added comes before it.
                break after;
            }
            self.at += 1;
        };
        self.at += 1;
        line.width += 1;
        let after_last = last.and_then(|it| self.pieces.values.get(it)).map(|it| it.after);
        let comment_breaks = after_last.is_some_and(|it| it.has_comments && it.breaks > 0);
        let is_open =
            last.is_some() && (is_open || tail.breaks > 0 || comment_breaks || line.is_too_wide());
        let end = self.pieces.values.len() as u32;
        if let Some(value) = self.pieces.values.get_mut(index) {
            value.body = Body::Composite { is_object, is_open, tail };
            value.end = end;
        }
        let Some(first) = self.pieces.values.get(index + 1) else {
            let has_comments = tail.has_comments;
            let tail = tail.measure(self.pieces.text);
            if !has_comments || tail.breaks == Breaks::No {
                return line.measure();
            }
            return Measure { first: 1 + tail.first, last: 1, breaks: Breaks::InTail };
        };
        if !is_open {
            return line.measure();
        }
        // The bracket and the comments behind it, which may stay on its line.
        let comments = first.before.measure(self.pieces.text);
        Measure { first: 1 + comments.first, last: 1, breaks: Breaks::Yes }
    }

    /// Reads an element, or a name and its value, and gives the index of the value.
    fn entry(&mut self, before: Extra, is_object: bool, line: &mut Line) -> usize {
        let name = self.pieces.values.len();
        if !is_object {
            line.add(self.value(before));
            return name;
        }
        line.width += self.literal(before);
        let after = self.extra();
        line.add_comments(after, self.pieces.text);
        if let Some(it) = self.pieces.values.get_mut(name) {
            it.after = after;
        }
        self.at += 1;
        line.width += SEPARATOR;
        let before = self.extra();
        line.add(before.measure(self.pieces.text));
        let value = self.pieces.values.len();
        line.add(self.value(before));
        value
    }

    /// Notes what follows an entry, and whether it went over the end of a line since there were so
    /// many `breaks`.
    fn end_entry(&mut self, value: usize, after: Extra, breaks: usize, line: &mut Line) {
        line.add_comments(after, self.pieces.text);
        line.width += SEPARATOR;
        if let Some(it) = self.pieces.values.get_mut(value) {
            it.after = after;
            it.breaks = line.breaks > breaks;
        }
    }
}

/// The line that an object or array is being put together on.
#[derive(Debug)]
struct Line {
    width: usize,
    /// How wide the first was, once there is another.
    first: Option<usize>,
    /// How many breaks there were, those in empty composites left out.
    breaks: usize,
    /// Whether one that is complete was too wide.
    was_too_wide: bool,
}

impl Line {
    /// With a bracket on it.
    const fn new() -> Self {
        Self { width: 1, first: None, breaks: 0, was_too_wide: false }
    }

    fn add(&mut self, measure: Measure) {
        self.width += measure.first;
        if measure.breaks != Breaks::No {
            self.was_too_wide = self.is_too_wide();
            self.first.get_or_insert(self.width);
            self.breaks += usize::from(measure.breaks == Breaks::Yes);
            self.width = measure.last;
        }
    }

    /// Adds what stands before a comma or colon. White space alone goes away there.
    fn add_comments(&mut self, extra: Extra, text: &str) {
        if extra.has_comments {
            self.add(extra.measure(text));
        }
    }

    const fn is_too_wide(&self) -> bool {
        self.was_too_wide || self.width > MAX_WIDTH
    }

    fn measure(&self) -> Measure {
        let (first, last) = (self.first.unwrap_or(self.width), self.width);
        let breaks = match (self.first, self.breaks) {
            (None, _) => Breaks::No,
            (Some(_), 0) => Breaks::InTail,
            (Some(_), _) => Breaks::Yes,
        };
        Measure { first, last, breaks }
    }
}

/// The length of a string given what follows its opening quote, both quotes included; and whether
/// there are escapes in it.
fn string(inner: &[u8]) -> (usize, bool) {
    let mut escapes = false;
    let mut at = 0;
    loop {
        let rest = inner.get(at..).unwrap_or_default();
        match rest.iter().position(|it| matches!(it, b'"' | b'\\')) {
            Some(length) if rest.get(length) == Some(&b'"') => return (at + length + 2, escapes),
            Some(length) => at += length + 2,
            None => return (inner.len() + 1, escapes),
        }
        escapes = true;
    }
}

/// A string with the escapes that it needs and no others.
fn normalized(string: &str) -> String {
    let inner = string.get(1..string.len().saturating_sub(1)).unwrap_or_default();
    let mut text = String::with_capacity(string.len());
    text.push('"');
    for char in unescape(inner).chars() {
        match char {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\u{8}' => text.push_str("\\b"),
            '\u{c}' => text.push_str("\\f"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\0'..='\u{1f}' => text.push_str(&format!("\\u{:04x}", char as u32)),
            _ => text.push(char),
        }
    }
    text.push('"');
    text
}
