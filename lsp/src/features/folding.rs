//! What can be folded away: objects, lists, and comments of more than one line.

use compiler::cst::SyntaxKind;

use super::analysis::Analysis;
use super::site::is_closed;

/// Lines that can be folded into the first of them; lines from 0.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Fold {
    /// The line that stays.
    pub first: u32,
    /// The last line that goes.
    pub last: u32,
    /// Whether it is a comment.
    pub comment: bool,
}

/// Everything that can be folded, in the order of the text; at most one fold begins at a line.
pub fn folds(analysis: &Analysis) -> Vec<Fold> {
    let lines = analysis.lines();
    let line = |offset: u32| lines.line(offset).0;
    let mut folds: Vec<Fold> = Vec::new();
    // Comments that stand alone on lines that follow each other are one.
    let mut run: Option<Fold> = None;
    for node in analysis.tree().nodes() {
        let span = node.span();
        match node.kind() {
            SyntaxKind::Object | SyntaxKind::Array => {
                let (first, end) = (line(span.start), line(span.end.saturating_sub(1)));
                // The closing bracket stays where it has a line of its own.
                let last = if is_closed(node) { end.saturating_sub(1) } else { end };
                if last > first && folds.last().is_none_or(|it| it.first != first) {
                    folds.push(Fold { first, last, comment: false });
                }
            }
            SyntaxKind::Comment => {
                let (first, last) = (line(span.start), line(span.end.saturating_sub(1)));
                if let Some(run) = &mut run
                    && run.last + 1 == first
                {
                    run.last = last;
                    continue;
                }
                folds.extend(run.filter(|it| it.last > it.first));
                let start = lines.line(span.start).1;
                let alone = analysis
                    .text()
                    .get(start as usize..span.start as usize)
                    .is_some_and(|it| it.trim().is_empty());
                run = alone.then_some(Fold { first, last, comment: true });
            }
            _ => {}
        }
    }
    folds.extend(run.filter(|it| it.last > it.first));
    folds.sort_by_key(|it| it.first);
    folds.dedup_by_key(|it| it.first);
    folds
}
