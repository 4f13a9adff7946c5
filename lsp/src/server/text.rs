//! A text that an editor changes, and its places as the protocol counts them: lines and columns from 0,
//! a column in bytes or in UTF-16 code units.
//!
//! A line ends with LF, CR LF, or CR alone. The starts of lines are kept up to date: an edit costs what
//! it moves, not another look at the whole text.

use compiler::span::Span;
use tower_lsp::ls_types::{Position, PositionEncodingKind, Range};

/// How columns are counted.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Encoding {
    /// In bytes.
    Utf8,
    /// In UTF-16 code units, which every client can.
    #[default]
    Utf16,
}

impl Encoding {
    /// The best of those that a client offers.
    pub(super) fn of(offered: Option<&[PositionEncodingKind]>) -> Self {
        let bytes = offered.is_some_and(|it| it.contains(&PositionEncodingKind::UTF8));
        if bytes { Self::Utf8 } else { Self::Utf16 }
    }

    /// As the protocol names it.
    pub(super) const fn kind(self) -> PositionEncodingKind {
        match self {
            Self::Utf8 => PositionEncodingKind::UTF8,
            Self::Utf16 => PositionEncodingKind::UTF16,
        }
    }
}

/// Where each line of a text starts.
#[derive(Clone, Debug)]
pub(super) struct Lines {
    starts: Vec<u32>,
    encoding: Encoding,
}

impl Lines {
    pub(super) fn new(text: &str, encoding: Encoding) -> Self {
        let mut starts = vec![0];
        push_starts(text, 0, &mut starts);
        Self { starts, encoding }
    }

    /// The place of a byte.
    pub(super) fn position(&self, text: &str, offset: u32) -> Position {
        let line = self.starts.partition_point(|it| *it <= offset).saturating_sub(1);
        let start = self.starts.get(line).copied().unwrap_or_default();
        let before = Span::new(start, offset).of(text);
        let column = match self.encoding {
            Encoding::Utf8 => before.len(),
            Encoding::Utf16 if before.is_ascii() => before.len(),
            Encoding::Utf16 => before.chars().map(char::len_utf16).sum(),
        };
        Position::new(line as u32, column as u32)
    }

    /// The byte of a place. Behind the end of its line that end is meant, behind the last line the end of
    /// the text, and within a character its beginning.
    pub(super) fn offset(&self, text: &str, position: Position) -> u32 {
        let line = position.line as usize;
        let Some(start) = self.starts.get(line).copied() else { return text.len() as u32 };
        let end = self.starts.get(line + 1).copied().unwrap_or(text.len() as u32);
        let whole = Span::new(start, end).of(text);
        let body = whole.trim_end_matches(['\r', '\n']);
        let wanted = position.character as usize;
        let mut units = 0;
        for (at, char) in body.char_indices() {
            units += match self.encoding {
                Encoding::Utf8 => char.len_utf8(),
                Encoding::Utf16 => char.len_utf16(),
            };
            if units > wanted {
                return start + at as u32;
            }
        }
        start + body.len() as u32
    }

    pub(super) fn range(&self, text: &str, span: Span) -> Range {
        Range::new(self.position(text, span.start), self.position(text, span.end))
    }

    pub(super) fn span(&self, text: &str, range: Range) -> Span {
        let (start, end) = (self.offset(text, range.start), self.offset(text, range.end));
        Span::new(start, end.max(start))
    }
}

/// The starts of the lines of `text` but the first, which begins at `offset`.
fn push_starts(text: &str, offset: u32, starts: &mut Vec<u32>) {
    let bytes = text.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        let ends = match byte {
            b'\n' => true,
            b'\r' => bytes.get(at + 1) != Some(&b'\n'),
            _ => false,
        };
        if ends {
            starts.push(offset + at as u32 + 1);
        }
    }
}

/// A text and its lines.
#[derive(Clone, Debug)]
pub(super) struct Text {
    text: String,
    lines: Lines,
}

impl Text {
    pub(super) fn new(text: String, encoding: Encoding) -> Self {
        let lines = Lines::new(&text, encoding);
        Self { text, lines }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    pub(super) fn lines(&self) -> &Lines {
        &self.lines
    }

    /// Replaces a range; without one, everything.
    pub(super) fn change(&mut self, range: Option<Range>, new: &str) {
        let Some(range) = range else {
            *self = Self::new(new.to_owned(), self.lines.encoding);
            return;
        };
        let span = self.lines.span(&self.text, range);
        self.text.replace_range(span.range(), new);
        // The lines that the edit touches are read again, with a neighbour on either side: a CR and an LF
        // may have come together or apart.
        let first = self.lines.starts.partition_point(|it| *it < span.start).saturating_sub(1);
        let begin = self.lines.starts.get(first).copied().unwrap_or_default();
        let behind = self.lines.starts.partition_point(|it| *it <= span.end + 1);
        let moved = |it: u32| it + new.len() as u32 - span.len();
        let old_end = self.lines.starts.get(behind).copied();
        let end = old_end.map_or(self.text.len() as u32, moved);
        let mut again = Vec::new();
        push_starts(Span::new(begin, end).of(&self.text), begin, &mut again);
        // The line behind begins where the last of these ends, and is in the list already.
        again.retain(|it| old_end.is_none() || *it < end);
        let tail = self.lines.starts.split_off(behind.min(self.lines.starts.len()));
        self.lines.starts.truncate(first + 1);
        self.lines.starts.extend(again);
        self.lines.starts.extend(tail.into_iter().map(moved));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_bytes_or_code_units() {
        let text = "a𝒳ü\r\nb";
        let cases = [(0, 0, 0), (1, 1, 1), (5, 5, 3), (7, 7, 4)];
        for (offset, bytes, units) in cases {
            for (encoding, column) in [(Encoding::Utf8, bytes), (Encoding::Utf16, units)] {
                let lines = Lines::new(text, encoding);
                let position = Position::new(0, column);
                assert_eq!(lines.position(text, offset), position);
                assert_eq!(lines.offset(text, position), offset);
            }
        }
        let lines = Lines::new(text, Encoding::Utf16);
        // In the middle of a character, behind a line, behind the text.
        assert_eq!(lines.offset(text, Position::new(0, 2)), 1);
        assert_eq!(lines.offset(text, Position::new(0, 99)), 7);
        assert_eq!(lines.offset(text, Position::new(7, 0)), 10);
    }

    #[test]
    fn lines_are_kept_up_to_date() {
        // Every edit of every place of a short text.
        let pieces = ["", "\n", "\r", "x", "\r\n", "y\nz", "\n\r"];
        for text in ["", "a", "a\nb", "a\r\nb\r\n", "\r\r\n\n", "ab\ncd\nef"] {
            for start in 0..=text.len() as u32 {
                for end in start..=text.len() as u32 {
                    for piece in pieces {
                        let mut changed = Text::new(text.to_owned(), Encoding::Utf8);
                        let lines = changed.lines().clone();
                        let range = lines.range(text, Span::new(start, end));
                        changed.change(Some(range), piece);
                        let fresh = Lines::new(changed.as_str(), Encoding::Utf8);
                        assert_eq!(
                            changed.lines().starts,
                            fresh.starts,
                            "{text:?} {range:?} {piece:?}"
                        );
                    }
                }
            }
        }
    }
}
