//! Places in a text: byte spans, values that remember where they stood, and lines with columns.

use std::fmt;
use std::ops::Range;

/// A piece of a text: bytes, zero-based, half-open, on character boundaries.
///
/// Offsets are 32 bits wide, which is why no input may be longer than 4 GiB less a byte.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Span {
    /// The first byte.
    pub start: u32,
    /// The byte after the last.
    pub end: u32,
}

impl Span {
    /// The span from `start` up to but without `end`.
    pub const fn new(start: u32, end: u32) -> Self {
        Self { start, end }
    }

    /// The empty span before the byte at `offset`.
    pub const fn at(offset: u32) -> Self {
        Self { start: offset, end: offset }
    }

    /// How many bytes it covers.
    pub const fn len(self) -> u32 {
        self.end.saturating_sub(self.start)
    }

    /// Whether it covers no byte.
    pub const fn is_empty(self) -> bool {
        self.end <= self.start
    }

    /// Its first byte: the opening bracket of what is too long to underline.
    pub const fn opening(self) -> Span {
        Span::new(self.start, self.start + 1)
    }

    /// The same bytes as a range of indices.
    pub const fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// The smallest span that covers both.
    pub fn to(self, other: Span) -> Span {
        Span::new(self.start.min(other.start), self.end.max(other.end))
    }

    /// Whether `offset` lies inside, or directly at the end.
    pub const fn touches(self, offset: u32) -> bool {
        self.start <= offset && offset <= self.end
    }

    /// The covered part of `text`; empty where the span does not fit it.
    pub fn of(self, text: &str) -> &str {
        text.get(self.range()).unwrap_or_default()
    }
}

/// A value and the place in the text that gave it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Spanned<T> {
    /// What was written.
    pub value: T,
    /// Where; for a string, the characters between the quotes.
    pub span: Span,
}

impl<T> Spanned<T> {
    /// `value`, written at `span`.
    pub const fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }

    /// The same place with another value.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Spanned<U> {
        Spanned { value: f(self.value), span: self.span }
    }

    /// The same place, the value borrowed.
    pub const fn as_ref(&self) -> Spanned<&T> {
        Spanned { value: &self.value, span: self.span }
    }
}

/// A place as people count it: both numbers start at 1, columns count Unicode characters.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct LineColumn {
    /// The line.
    pub line: u32,
    /// The character within it.
    pub column: u32,
}

impl fmt::Display for LineColumn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// Where each line of a text starts, so that an offset becomes a line and a column.
#[derive(Clone, Debug)]
pub struct LineIndex {
    /// The offset of the first byte of each line; never empty.
    starts: Vec<u32>,
}

impl Default for LineIndex {
    /// The index of an empty text.
    fn default() -> Self {
        Self { starts: vec![0] }
    }
}

impl LineIndex {
    /// Reads the line ends of `text` once. A line ends with LF; a CR before it belongs to the line.
    pub fn new(text: &str) -> Self {
        let mut starts = vec![0];
        starts.extend(
            text.bytes()
                .zip(1..)
                .filter(|(byte, _)| *byte == b'\n')
                .map(|(_, next): (u8, u32)| next),
        );
        Self { starts }
    }

    /// How many lines the text has; an empty text has one.
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// Whether the index has no line; never true.
    pub fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// The line that holds `offset`, from 0, and the offset of its first byte.
    pub fn line(&self, offset: u32) -> (u32, u32) {
        let line = self.starts.partition_point(|start| *start <= offset).saturating_sub(1);
        (line as u32, self.starts.get(line).copied().unwrap_or_default())
    }

    /// The line and column of `offset` in `text`, which must be the text the index was made of.
    pub fn line_column(&self, text: &str, offset: u32) -> LineColumn {
        let (line, start) = self.line(offset);
        let column = Span::new(start, offset).of(text).chars().count() as u32;
        LineColumn { line: line + 1, column: column + 1 }
    }

    /// The bytes of a line (from 0) without its line end; empty beyond the last line.
    pub fn line_span(&self, text: &str, line: u32) -> Span {
        let end_of_text = text.len() as u32;
        let start = self.starts.get(line as usize).copied().unwrap_or(end_of_text);
        let next = self.starts.get(line as usize + 1).copied();
        let span = Span::new(start, next.map_or(end_of_text, |it| it.saturating_sub(1)));
        let without_cr =
            span.of(text).strip_suffix('\r').map_or(span.end, |it| start + it.len() as u32);
        Span::new(start, without_cr)
    }
}
