//! Pieces → text: brackets, commas and indentation, the values of neighbouring members aligned.

use super::extra::{Edges, Extra, gap, write};
use super::pieces::{Body, Pieces, Value};

/// Writes a text anew.
pub(super) fn print(pieces: &Pieces<'_>) -> String {
    let out = String::with_capacity(pieces.text.len() + pieces.text.len() / 4);
    let mut printer = Printer { pieces, out };
    let root = pieces.values.first();
    if let Some(root) = root {
        if root.before.has_comments {
            printer.comments(root.before, Edges::lines((0, 2), (0, 2), 0));
        }
        printer.value(0, root, 0);
    }
    if pieces.after.has_comments {
        printer.comments(pieces.after, Edges::lines((0, 2), (1, 1), 0));
    } else {
        printer.out.push('\n');
    }
    printer.out
}

struct Printer<'p> {
    pieces: &'p Pieces<'p>,
    out: String,
}

/// An object or array that is being written.
#[derive(Clone, Copy)]
struct Composite {
    /// The index of its first entry, and the one after its last.
    start: u32,
    end: u32,
    is_object: bool,
    is_open: bool,
    tail: Extra,
    /// The indentation of the line it stands on.
    depth: usize,
}

impl<'p> Printer<'p> {
    fn at(&self, index: u32) -> Option<&'p Value> {
        self.pieces.values.get(index as usize)
    }

    fn comments(&mut self, extra: Extra, edges: Edges) {
        write(&mut self.out, extra.span.of(self.pieces.text), edges);
    }

    /// Writes a value without what surrounds it.
    fn value(&mut self, index: u32, value: &Value, depth: usize) {
        let Body::Composite { is_object, is_open, tail } = value.body else {
            return self.out.push_str(value.literal(self.pieces));
        };
        let (open, close) = if is_object { ('{', '}') } else { ('[', ']') };
        let (start, end) = (index + 1, value.end);
        let composite = Composite { start, end, is_object, is_open, tail, depth };
        self.out.push(open);
        if is_open {
            self.lines(composite);
        } else {
            self.inline(composite);
        }
        self.out.push(close);
    }

    /// Writes entries, each on its own line.
    fn lines(&mut self, composite: Composite) {
        let Composite { start, end, is_object, tail, depth, .. } = composite;
        let mut column = Column::default();
        let mut next = start;
        while let Some(entry) = self.at(next).filter(|_| next < end) {
            // No empty line below the bracket.
            let most = if next == start { 1 } else { 2 };
            if entry.before.has_comments {
                let least = usize::from(entry.before.breaks == 0);
                self.comments(entry.before, Edges::lines((least, most), (0, 2), depth + 1));
            } else {
                gap(&mut self.out, (entry.before.breaks as usize).clamp(1, most), depth + 1);
            }
            let padding = if is_object { column.padding(self.pieces, next, end) } else { 0 };
            let Some(value) = self.entry(next, composite, padding) else { return };
            next = value.end;
            // JSON stays JSON; in any other file a new line needs no change of the line above it.
            if next < end || !self.pieces.is_standard {
                self.out.push(',');
            }
        }
        if tail.has_comments {
            let edges = Edges::lines((0, 2), (1, 1), depth + 1);
            self.comments(tail, Edges { end_depth: depth, ..edges });
        } else {
            gap(&mut self.out, 1, depth);
        }
    }

    /// Writes entries one behind the other.
    fn inline(&mut self, composite: Composite) {
        let Composite { start, end, tail, depth, .. } = composite;
        let mut next = start;
        while let Some(entry) = self.at(next).filter(|_| next < end) {
            if entry.before.has_comments {
                self.comments(entry.before, Edges::lines((0, 0), (0, 0), depth + 1));
            } else if next > start {
                self.out.push(' ');
            }
            let Some(value) = self.entry(next, composite, 0) else { return };
            next = value.end;
            // Between comments a trailing comma stays, so that they stay two.
            if next < end || value.after.has_comments && tail.has_comments {
                self.out.push(',');
            }
        }
        if tail.has_comments {
            let least = usize::from(tail.breaks > 0);
            let edges = Edges::lines((0, 1), (least, 1), depth + 1);
            self.comments(tail, Edges { end_depth: depth, ..edges });
        }
    }

    /// Writes one entry without what stands before it, and gives its value.
    fn entry(&mut self, index: u32, composite: Composite, padding: usize) -> Option<&'p Value> {
        let Composite { is_object, is_open, depth, .. } = composite;
        let mut inner = depth + usize::from(is_open);
        let (mut index, mut value) = (index, self.at(index)?);
        if is_object {
            let name = value;
            self.out.push_str(name.literal(self.pieces));
            self.after(name.after, depth);
            self.out.push(':');
            index += 1;
            value = self.at(index)?;
            if value.before.has_comments {
                self.comments(value.before, Edges::within(depth));
            } else {
                gap(&mut self.out, value.before.breaks.min(1) as usize, depth + 2);
            }
            self.out.extend(std::iter::repeat_n(' ', padding));
            let breaks = name.after.has_comments && name.after.breaks > 0;
            inner += usize::from(breaks || value.before.breaks > 0);
        }
        self.value(index, value, inner);
        self.after(value.after, depth);
        Some(value)
    }

    /// Writes what stands before a comma or colon; white space alone goes away there.
    fn after(&mut self, after: Extra, depth: usize) {
        if after.has_comments {
            self.comments(after, Edges::within(depth));
        }
    }
}

/// The column that the values of neighbouring members begin in.
///
/// Neighbours are on one line each, without an empty line or a line of comments between them.
#[derive(Default)]
struct Column {
    width: usize,
    /// The index of the first member that is no neighbour of those before it.
    end: u32,
}

impl Column {
    /// How many blanks the value of the member at `index` needs before it.
    fn padding(&mut self, pieces: &Pieces<'_>, index: u32, end: u32) -> usize {
        if index >= self.end {
            *self = Self::from(pieces, index, end);
        }
        member(pieces, index).map_or(0, |it| self.width.saturating_sub(it.width))
    }

    /// The column of the member at `index` and its neighbours below.
    fn from(pieces: &Pieces<'_>, index: u32, end: u32) -> Self {
        let mut column = Self { width: 0, end: index };
        while let Some(it) = member(pieces, column.end).filter(|_| column.end < end) {
            let is_first = column.end == index;
            if !is_first && (it.is_apart || it.breaks) {
                break;
            }
            column.width = column.width.max(it.width);
            column.end = it.end;
            if it.breaks {
                break;
            }
        }
        column
    }
}

/// What aligning has to know of a member.
struct Member {
    /// How wide everything before its value is.
    width: usize,
    /// Whether it is no neighbour of the one above.
    is_apart: bool,
    /// Whether it goes over several lines.
    breaks: bool,
    end: u32,
}

/// The member whose name stands at `index`.
fn member(pieces: &Pieces<'_>, index: u32) -> Option<Member> {
    let name = pieces.values.get(index as usize)?;
    let value = pieces.values.get(index as usize + 1)?;
    let colon = name.literal(pieces).len() + name.after.measure(pieces.text).first + 1;
    let before = value.before.measure(pieces.text).first.max(1);
    Some(Member {
        width: colon + before,
        is_apart: name.before.breaks > 1,
        breaks: value.breaks,
        end: value.end,
    })
}
