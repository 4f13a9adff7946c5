//! A text as miette reads it: by windows, found through the line index.
//!
//! miette's own sources are read from their first byte for every label, and whole lines are drawn.
//! Policies come as one line of a megabyte too, so a window here ends some hundred bytes beside the
//! place. Offsets stay those of the text, which is why signs are replaced by others as long.

use std::borrow::Cow;

use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

use super::is_unprintable;
use crate::span::{LineColumn, LineIndex, Span};

/// A neighbouring line is shown whole when it starts or ends at most this many bytes away.
const NEAR: u32 = 300;

/// Of a longer line, so many bytes are shown on each side of the place.
const MARGIN: u32 = 80;

/// A finding longer than this, or longer than `MAX_LINES`, is marked at its start only.
const MAX_LENGTH: u32 = 1000;

/// See [`MAX_LENGTH`].
const MAX_LINES: u32 = 12;

/// A named text, made harmless for terminals.
pub(super) struct Excerpt<'t> {
    name: String,
    text: Cow<'t, str>,
    lines: LineIndex,
    /// Where the text itself ends; a blank of ours may follow.
    end: u32,
}

impl<'t> Excerpt<'t> {
    pub(super) fn new(name: &str, text: &'t str) -> Self {
        let harmful = |it: char| is_unprintable(it) && !matches!(it, '\n' | '\r' | '\t');
        // A CR alone moves the cursor; before LF it is a line end.
        let lone_cr =
            text.bytes().filter(|it| *it == b'\r').count() != text.matches("\r\n").count();
        let mut text = if lone_cr || text.chars().any(harmful) {
            Cow::Owned(harmless(text))
        } else {
            Cow::Borrowed(text)
        };
        let end = text.len() as u32;
        // miette has no line for what stands behind the last line end; a blank makes it one.
        if text.is_empty() || text.ends_with('\n') {
            text.to_mut().push(' ');
        }
        Self { name: super::visible(name).into_owned(), lines: LineIndex::new(&text), text, end }
    }

    /// The line and column of an offset.
    pub(super) fn line_column(&self, offset: u32) -> LineColumn {
        self.lines.line_column(&self.text, offset)
    }

    /// The part of a span that is marked: all of it, unless it is too long to be looked at.
    pub(super) fn clip(&self, span: Span) -> Span {
        let start = span.start.min(self.end);
        let span = Span::new(start, span.end.clamp(start, self.end));
        let (first, last) = (self.lines.line(span.start).0, self.lines.line(span.end).0);
        if span.len() <= MAX_LENGTH && last - first < MAX_LINES {
            return span;
        }
        let line = self.lines.line_span(&self.text, first);
        let limit = span.start.saturating_add(MARGIN).min(line.end).max(span.start);
        Span::new(span.start, self.boundary(limit))
    }

    /// Whether a label can be drawn besides that of `primary`: not where both lie far apart in one long line.
    pub(super) fn fits(&self, primary: Span, other: Span) -> bool {
        let apart = self.lines.line(primary.start).0.abs_diff(self.lines.line(other.start).0);
        apart > 3 || primary.to(other).len() <= MAX_LENGTH
    }

    /// The first character boundary at or before `offset`.
    fn boundary(&self, offset: u32) -> u32 {
        (0..=offset).rev().find(|it| self.text.is_char_boundary(*it as usize)).unwrap_or_default()
    }

    /// What is shown around a span: its lines and `before` and `after` more, cut where they are long.
    fn window(&self, span: Span, before: u32, after: u32) -> Span {
        let (first, start) = self.lines.line(span.start);
        let (last, _) = self.lines.line(span.end);
        let context = self.lines.line_span(&self.text, first.saturating_sub(before)).start;
        let start = match span.start {
            place if place - context <= NEAR => context,
            place if place - start <= NEAR => start,
            place => self.boundary(place.saturating_sub(MARGIN).max(start)),
        };
        let context =
            self.lines.line_span(&self.text, last.saturating_add(after)).end.max(span.end);
        let own = self.lines.line_span(&self.text, last).end.max(span.end);
        let end = match span.end {
            place if context - place <= NEAR => context,
            place if own - place <= NEAR => own,
            place => self.boundary(place.saturating_add(MARGIN).min(own)),
        };
        // The blank is only shown where the finding stands on it.
        Span::new(start, if span.end < self.end { end.min(self.end) } else { end })
    }
}

impl SourceCode for Excerpt<'_> {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let span = Span::new(span.offset() as u32, (span.offset() + span.len()) as u32);
        // miette asks for two labels at once when they are near; it takes no for an answer.
        if span.len() > MAX_LENGTH * 2 || span.end as usize > self.text.len() {
            return Err(MietteError::OutOfBounds);
        }
        // Without context it asks for the place itself, to name it.
        let window =
            if before + after == 0 { span } else { self.window(span, before as u32, after as u32) };
        let place = self.line_column(window.start);
        let last = self.lines.line(window.end).0 as usize;
        let line = place.line as usize - 1;
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.clone(),
            window.of(&self.text).as_bytes(),
            SourceSpan::from(window.range()),
            line,
            place.column as usize - 1,
            last - line + 1,
        )))
    }
}

/// The text with every mark that a terminal would obey replaced by a sign of the same length.
fn harmless(text: &str) -> String {
    let mut rest = text.chars().peekable();
    let mut clean = String::with_capacity(text.len());
    while let Some(char) = rest.next() {
        clean.push(match char {
            '\n' | '\t' => char,
            '\r' if rest.peek() == Some(&'\n') => char,
            _ if !is_unprintable(char) => char,
            _ => match char.len_utf8() {
                1 => '?',
                2 => '·',
                _ => char::REPLACEMENT_CHARACTER,
            },
        });
    }
    clean
}
