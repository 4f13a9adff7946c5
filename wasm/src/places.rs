//! Places of the compiler, in bytes, ↔ places of JavaScript, in UTF-16 units.

use compiler::span::{LineIndex, Span};
use serde::Serialize;

/// Where something stands in a text.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Place {
    /// The first unit.
    from: u32,
    /// The unit after the last.
    to: u32,
    /// The line of the first, from 1.
    line: u32,
    /// Its character within the line, from 1.
    column: u32,
}

/// The units of one text.
#[derive(Clone, Debug, Default)]
pub(crate) struct Units {
    lines: LineIndex,
    /// How many bytes there are.
    end: u32,
    /// Characters that take more bytes than units: the byte after each, and how many bytes more all
    /// up to it take.
    wide: Vec<(u32, u32)>,
}

impl Units {
    pub(crate) fn new(text: &str) -> Self {
        let mut wide = Vec::new();
        let mut more = 0;
        if !text.is_ascii() {
            for (at, char) in text.char_indices().filter(|it| !it.1.is_ascii()) {
                more += (char.len_utf8() - char.len_utf16()) as u32;
                wide.push(((at + char.len_utf8()) as u32, more));
            }
        }
        Self { lines: LineIndex::new(text), end: text.len() as u32, wide }
    }

    /// The unit at a byte.
    pub(crate) fn unit(&self, byte: u32) -> u32 {
        let before = self.wide.partition_point(|it| it.0 <= byte);
        let more = before.checked_sub(1).and_then(|it| self.wide.get(it)).map_or(0, |it| it.1);
        byte.saturating_sub(more)
    }

    /// The byte at a unit; of a unit within a character the byte after it.
    pub(crate) fn byte(&self, unit: u32) -> u32 {
        let before = self.wide.partition_point(|it| it.0 - it.1 <= unit);
        let more = before.checked_sub(1).and_then(|it| self.wide.get(it)).map_or(0, |it| it.1);
        unit.saturating_add(more).min(self.end)
    }

    pub(crate) fn place(&self, text: &str, span: Span) -> Place {
        let start = self.lines.line_column(text, span.start);
        Place {
            from: self.unit(span.start),
            to: self.unit(span.end),
            line: start.line,
            column: start.column,
        }
    }
}
