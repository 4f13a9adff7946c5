//! Places in a bundle → places in its fragments.

use crate::diagnostic::Diagnostic;
use crate::span::{LineIndex, Span};

/// A piece of a bundle that was copied.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Piece {
    /// Where it stands in the bundle.
    pub bundle: Span,
    /// The position of the fragment that it comes from.
    pub fragment: usize,
    /// Where it stands there. As long as `bundle`, except where the formatter wrote the escapes of a
    /// string or the lines of a comment otherwise.
    pub from: Span,
}

/// Where each piece of a bundle came from; what lies between two pieces was written by bundling.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct SourceMap {
    /// By place; they do not overlap.
    pieces: Vec<Piece>,
}

/// A fragment that findings are to speak of.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// As shown.
    pub name: &'a str,
    /// Its text.
    pub text: &'a str,
}

impl SourceMap {
    /// A map of pieces, in any order.
    pub fn new(mut pieces: Vec<Piece>) -> Self {
        pieces.sort_by_key(|it| (it.bundle.start, it.bundle.end));
        Self { pieces }
    }

    /// Every piece, in the order of the bundle.
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// The fragment and the place that a span of the bundle was copied from, as one piece.
    pub fn copied(&self, span: Span) -> Option<(usize, Span)> {
        let piece = self.around(span.start).filter(|it| span.end <= it.bundle.end)?;
        Some((piece.fragment, from(piece, span)))
    }

    /// The fragment and the place that a person would look at for a span of the bundle: what was
    /// copied, else what stands behind it. `None` where nothing was copied at all.
    pub fn place(&self, span: Span) -> Option<(usize, Span)> {
        let next = self.pieces.partition_point(|it| it.bundle.end <= span.start);
        let piece = self.around(span.start).or(self.pieces.get(next)).or(self.pieces.last())?;
        let start = from(piece, Span::at(span.start.max(piece.bundle.start))).start;
        if span.end <= piece.bundle.end {
            let end =
                from(piece, Span::new(piece.bundle.start, span.end.max(piece.bundle.start))).end;
            return Some((piece.fragment, Span::new(start, end.max(start))));
        }
        // As far as all of it is from this fragment.
        let end = self
            .pieces
            .iter()
            .skip(next)
            .take_while(|it| it.fragment == piece.fragment && it.bundle.start < span.end)
            .map(|it| from(it, Span::new(it.bundle.start, span.end.min(it.bundle.end))).end)
            .take_while(|end| *end >= start)
            .last();
        Some((piece.fragment, Span::new(start, end.unwrap_or(piece.from.end).max(start))))
    }

    /// A finding in the bundle as one in a fragment, whose position is given. Places in other
    /// fragments are said in words, and fixes stay where they lie in copied text of this one.
    pub fn relocate(
        &self,
        finding: Diagnostic,
        sources: &[Source<'_>],
    ) -> Option<(usize, Diagnostic)> {
        let (fragment, span) = self.place(finding.span)?;
        let mut moved = Diagnostic { span, related: Vec::new(), fixes: Vec::new(), ..finding };
        let mut elsewhere = Vec::new();
        for label in finding.related {
            match self.place(label.span) {
                Some((at, span)) if at == fragment => moved = moved.related(span, label.text),
                Some((at, span)) => {
                    let Some(source) = sources.get(at) else { continue };
                    let lines = LineIndex::new(source.text);
                    let place = lines.line_column(source.text, span.start);
                    elsewhere.push(format!("at {}:{place}: {}", source.name, label.text));
                }
                None => {}
            }
        }
        let title = finding.fixes.first().map(|it| it.title.clone());
        for mut fix in finding.fixes {
            let mut here = true;
            for edit in &mut fix.edits {
                match self.copied(edit.span).filter(|it| it.0 == fragment) {
                    Some((_, span)) => edit.span = span,
                    None => here = false,
                }
            }
            if here {
                moved.fixes.push(fix);
            }
        }
        // The first fix is what is shown where there is no help.
        let advice = moved.help.take().or(title);
        elsewhere.splice(0..0, advice);
        moved.help = (!elsewhere.is_empty()).then(|| elsewhere.join("\n"));
        Some((fragment, moved))
    }

    /// The piece that holds an offset, or ends at it where none begins there.
    fn around(&self, offset: u32) -> Option<&Piece> {
        let behind = self.pieces.partition_point(|it| it.bundle.start <= offset);
        let piece = self.pieces.get(behind.checked_sub(1)?)?;
        piece.bundle.touches(offset).then_some(piece)
    }
}

/// The place that a span within a piece was copied from; all of it where the lengths differ.
fn from(piece: &Piece, span: Span) -> Span {
    let Piece { bundle, from, .. } = piece;
    if bundle.len() != from.len() {
        return *from;
    }
    let at =
        |offset: u32| from.start.saturating_add(offset.saturating_sub(bundle.start)).min(from.end);
    Span::new(at(span.start), at(span.end))
}
