//! A finding of one text → the same finding of another, where neither its place nor that of a fix was
//! touched.

use compiler::cst::edit;
use compiler::diagnostic::Diagnostic;
use compiler::span::Span;

/// Whether a finding comes from reading a policy as a critic would, or from its assertions.
pub(super) fn is_critic(finding: &Diagnostic) -> bool {
    let family = finding.code.name().get(1..3).unwrap_or_default();
    family.starts_with('1') || family == "05"
}

/// Which part of a text is another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shift {
    /// The end of what is the same before.
    head: u32,
    /// The beginning of what is the same behind, in the old text.
    tail: u32,
    /// How much longer the new text is.
    added: i64,
}

impl Shift {
    pub(super) fn between(old: &str, new: &str) -> Self {
        let (head, tail) = edit::difference(old, new);
        Self { head: head as u32, tail: tail as u32, added: new.len() as i64 - old.len() as i64 }
    }

    /// A place in the new text; `None` where it was touched.
    fn span(self, span: Span) -> Option<Span> {
        if span.end < self.head {
            return Some(span);
        }
        let moved = |it: u32| u32::try_from(i64::from(it) + self.added).ok();
        (span.start > self.tail).then_some(())?;
        Some(Span::new(moved(span.start)?, moved(span.end)?))
    }

    /// A finding in the new text; `None` where its place was touched. Fixes and other places that were
    /// are left out of it.
    pub(super) fn diagnostic(self, finding: &Diagnostic) -> Option<Diagnostic> {
        let mut moved = finding.clone();
        // A rule that is edited within is still the same rule to whoever reads on.
        moved.span = self.span(finding.span)?;
        moved.related.retain_mut(|it| match self.span(it.span) {
            Some(span) => {
                it.span = span;
                true
            }
            None => false,
        });
        moved.fixes.retain_mut(|fix| {
            fix.edits.iter_mut().all(|it| match self.span(it.span) {
                Some(span) => {
                    it.span = span;
                    true
                }
                None => false,
            })
        });
        Some(moved)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_move_with_the_text_around_them() {
        let shift = Shift::between("one two three", "one 2 three");
        assert_eq!(shift.span(Span::new(0, 3)), Some(Span::new(0, 3)));
        assert_eq!(shift.span(Span::new(4, 7)), None);
        assert_eq!(shift.span(Span::new(8, 13)), Some(Span::new(6, 11)));
        let same = Shift::between("aa", "aaa");
        assert_eq!(same.span(Span::new(0, 1)), Some(Span::new(0, 1)));
    }
}
