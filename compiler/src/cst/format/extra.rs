//! What may stand between any two pieces: white space and comments, measured and laid out.

use crate::span::Span;

/// White space and comments in a row, perhaps nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Extra {
    /// Where.
    pub(super) span: Span,
    /// How many line breaks it has, those in comments included.
    pub(super) breaks: u32,
    /// Whether there is more than white space.
    pub(super) has_comments: bool,
}

impl Extra {
    /// Reads what stands at `start` of a text whose comments are closed.
    pub(super) fn read(text: &str, start: usize) -> Self {
        let bytes = text.as_bytes();
        let mut at = start;
        let mut breaks = 0;
        let mut has_comments = false;
        loop {
            match bytes.get(at) {
                Some(b' ' | b'\t' | b'\r') => at += 1,
                Some(b'\n') => {
                    breaks += 1;
                    at += 1;
                }
                Some(b'/') => {
                    has_comments = true;
                    let comment = comment(text.get(at..).unwrap_or_default());
                    breaks += comment.bytes().filter(|it| *it == b'\n').count() as u32;
                    at += comment.len().max(1);
                }
                _ => break,
            }
        }
        Self { span: Span::new(start as u32, at as u32), breaks, has_comments }
    }

    /// How wide it is on the line where it begins and on the line where it ends.
    pub(super) fn measure(self, text: &str) -> Measure {
        if !self.has_comments {
            let breaks = if self.breaks > 0 { Breaks::Yes } else { Breaks::No };
            return Measure { first: 0, last: 0, breaks };
        }
        let text = self.span.of(text);
        match (text.split_once('\n'), text.rsplit_once('\n')) {
            (Some((first, _)), Some((_, last))) => {
                Measure { first: width(first), last: width(last), breaks: Breaks::Yes }
            }
            _ => Measure::line(width(text)),
        }
    }
}

/// How wide something is on its first and on its last line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measure {
    pub(super) first: usize,
    /// The same as `first` where there is only one line.
    pub(super) last: usize,
    pub(super) breaks: Breaks,
}

/// Whether something goes over more than one line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Breaks {
    No,
    /// Only by comments in empty composites, which aligning does not look at.
    InTail,
    Yes,
}

impl Measure {
    /// Something on one line.
    pub(super) const fn line(width: usize) -> Self {
        Self { first: width, last: width, breaks: Breaks::No }
    }
}

/// The comment that a text begins with, without the line break that ends it.
fn comment(text: &str) -> &str {
    let end = if text.starts_with("//") {
        text.find('\n')
    } else {
        text.get(2..).and_then(|it| it.find("*/")).map(|it| it + 4)
    };
    end.and_then(|end| text.get(..end)).unwrap_or(text)
}

/// The width of comments on one line, each with a blank before it, and one behind the last.
///
/// A block comment that goes on in the next line counts up to the break; what it has on its last
/// line counts nothing, unless that looks like a comment of its own. So the library does it.
fn width(line: &str) -> usize {
    let mut width = 0;
    let mut rest = line;
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\r']);
        if !rest.starts_with("//") && !rest.starts_with("/*") {
            return if width > 0 { width + 1 } else { 0 };
        }
        let comment = comment(rest);
        width += 1 + comment.len();
        let closed = comment.len() >= 4 && comment.starts_with("/*") && comment.ends_with("*/");
        if !closed {
            return width;
        }
        rest = rest.get(comment.len()..).unwrap_or_default();
    }
}

/// What stands at the two ends of an [`Extra`] when it is written: how many line breaks, at least
/// and at most, and how far what follows is indented.
#[derive(Clone, Copy, Debug)]
pub(super) struct Edges {
    pub(super) start: (usize, usize),
    pub(super) end: (usize, usize),
    /// The indentation of the comments.
    pub(super) depth: usize,
    /// The indentation of what follows them.
    pub(super) end_depth: usize,
}

impl Edges {
    /// What stands on lines of its own, indented to `depth`.
    pub(super) const fn lines(start: (usize, usize), end: (usize, usize), depth: usize) -> Self {
        Self { start, end, depth, end_depth: depth }
    }

    /// What stands within an entry of a composite on a line indented to `depth`.
    pub(super) const fn within(depth: usize) -> Self {
        Self::lines((0, 1), (0, 1), depth + 2)
    }
}

/// Writes comments with the white space around them; between two of them one empty line may stay.
pub(super) fn write(out: &mut String, text: &str, edges: Edges) {
    let mut rest = text;
    let (mut least, mut most) = edges.start;
    loop {
        let start = rest.find('/').unwrap_or(rest.len());
        let (blank, comments) = rest.split_at_checked(start).unwrap_or((rest, ""));
        let breaks = blank.bytes().filter(|it| *it == b'\n').count();
        if comments.is_empty() {
            let (least, most) = edges.end;
            return gap(out, breaks.clamp(least, most), edges.end_depth);
        }
        gap(out, breaks.clamp(least, most), edges.depth);
        let comment = comment(comments);
        write_comment(out, comment, edges.depth);
        rest = comments.get(comment.len()..).unwrap_or_default();
        (least, most) = (0, 2);
    }
}

/// Writes so many line breaks and the indentation behind them, or one blank instead. Before the
/// first piece of a text there is no gap.
pub(super) fn gap(out: &mut String, breaks: usize, depth: usize) {
    if out.is_empty() {
        return;
    }
    if breaks == 0 {
        out.push(' ');
        return;
    }
    out.extend(std::iter::repeat_n('\n', breaks));
    out.extend(std::iter::repeat_n('\t', depth));
}

/// Writes one comment; the later lines of a block are moved to the indentation.
fn write_comment(out: &mut String, comment: &str, depth: usize) {
    let without_returns;
    let comment = if comment.contains('\r') {
        let lines = comment.replace("\r\n", "\n").replace("\n\r", "\n");
        without_returns = lines.replace('\r', " ");
        &without_returns
    } else {
        comment
    };
    let mut lines = comment.split('\n').map(str::trim_end);
    out.push_str(lines.next().unwrap_or_default());
    let later: Vec<&str> = lines.collect();
    let block = Block::of(&later);
    for (index, line) in later.iter().enumerate() {
        out.push('\n');
        let is_last = index + 1 == later.len();
        let line = match block {
            Block::Starred => blanks_off(line),
            Block::Plain { .. } if is_last && blanks_off(line) == "*/" => "*/",
            Block::Plain { indent } => line.get(indent..).unwrap_or_default(),
        };
        if !line.is_empty() {
            out.extend(std::iter::repeat_n('\t', depth));
            out.push_str(if matches!(block, Block::Starred) { " " } else { "" });
            out.push_str(line);
        }
    }
}

/// How the lines of a block comment below its first are aligned.
enum Block {
    /// Each begins with a star, which stands below that of the first line.
    Starred,
    /// They keep their places relative to each other; so many blanks are common to all.
    Plain { indent: usize },
}

impl Block {
    fn of(lines: &[&str]) -> Self {
        if lines.iter().all(|it| blanks_off(it).starts_with('*')) {
            return Self::Starred;
        }
        let (last, others) = lines.split_last().unwrap_or((&"", &[]));
        // An end that stands alone is put below the beginning, wherever it was.
        let last = Some(last).filter(|it| blanks_off(it) != "*/");
        let mut texts = others.iter().chain(last).filter(|it| !it.is_empty());
        let Some(first) = texts.next() else { return Self::Plain { indent: 0 } };
        let blanks = |line: &str| line.len() - blanks_off(line).len();
        let common = texts.fold(blanks(first), |common, line| {
            let same = first.bytes().zip(line.bytes()).take_while(|(one, two)| one == two).count();
            common.min(same).min(blanks(line))
        });
        Self::Plain { indent: common }
    }
}

fn blanks_off(line: &str) -> &str {
    line.trim_start_matches([' ', '\t'])
}
