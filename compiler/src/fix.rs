//! A policy and what was found in it → the same policy with the fixes applied, every other byte kept.
//!
//! Fixes that do not overlap are applied together; then the text is checked again, because one fix
//! may make room for another or uncover what the problem hid, until none is left. A fix that brings an
//! error is a bug of ours: it is left out, and told.

use std::slice;

use crate::cst::{self, edit};
use crate::diagnostic::{Code, Diagnostic, Edit, Fix, Severity};
use crate::span::{LineColumn, LineIndex, Span};
use crate::{Checked, Options, check_parsed};

/// How often a text is mended and checked again. Real ones need two or three; a text that is broken
/// everywhere may show the next error only where one is mended.
const MAX_ROUNDS: usize = 100;

/// Which fixes are applied.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reach {
    /// Those that cannot change who reaches what unasked.
    Safe,
    /// All that are the only one offered; a person should look at the result.
    All,
}

/// A policy after its fixes.
#[derive(Clone, Debug)]
pub struct Fixed {
    /// What is found in it now; the text is that of its tree.
    pub checked: Checked,
    /// What was done, in the order it was done.
    pub applied: Vec<Applied>,
    /// Fixes that would have brought errors and were left out.
    pub harmful: Vec<Harmful>,
}

/// A fix that was applied.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Applied {
    /// What it mended.
    pub code: Code,
    /// What it did, as an order.
    pub title: String,
}

/// A fix that would have brought an error: a bug of ours.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Harmful {
    /// What it was to mend.
    pub code: Code,
    /// What it would have done, as an order.
    pub title: String,
    /// Where, in the text as it was then.
    pub at: LineColumn,
    /// An error it would have brought.
    pub brought: Code,
}

impl Harmful {
    fn is(&self, fix: &Applied) -> bool {
        self.code == fix.code && self.title == fix.title
    }
}

impl Fixed {
    /// The text.
    pub fn text(&self) -> &str {
        self.checked.tree.text()
    }
}

/// Applies the fixes of a policy, checking it as `options` say.
///
/// Line ends that are inserted are those of the text. A finding with several fixes is left to a
/// person, unless exactly one of them is safe.
pub fn fix(text: &str, options: &Options<'_>, reach: Reach) -> Fixed {
    let check = |text: &str| check_parsed(cst::parse(text), options);
    let mut fixed = Fixed { checked: check(text), applied: Vec::new(), harmful: Vec::new() };
    // A text that comes back would come back for ever.
    let mut seen = vec![text.to_owned()];
    let mut left_out: Vec<Applied> = Vec::new();
    for _ in 0..MAX_ROUNDS {
        let batch = batch(&fixed, reach, &left_out);
        if batch.is_empty() {
            break;
        }
        match attempt(&fixed.checked, &batch, check) {
            Ok(checked) if seen.iter().any(|it| it == checked.tree.text()) => break,
            Ok(checked) => {
                seen.push(checked.tree.text().to_owned());
                fixed.applied.extend(batch.iter().map(Proposal::applied));
                fixed.checked = checked;
                // What did not help before may help now.
                left_out.retain(|it| fixed.harmful.iter().any(|bad| bad.is(it)));
            }
            Err(_) => {
                let mut alone = 0;
                for it in &batch {
                    match attempt(&fixed.checked, slice::from_ref(it), check) {
                        Ok(_) => continue,
                        Err(Failed::Useless) => {}
                        Err(Failed::Brings(code)) => {
                            let harmful = it.harmful(fixed.text(), code);
                            fixed.harmful.push(harmful);
                        }
                    }
                    alone += 1;
                    left_out.push(it.applied());
                }
                // Good alone and bad together: the last one waits for ever.
                if alone == 0 {
                    left_out.extend(batch.last().map(Proposal::applied));
                }
            }
        }
    }
    fixed
}

/// A fix that may be applied.
#[derive(Clone, Debug)]
struct Proposal {
    code: Code,
    severity: Severity,
    at: Span,
    title: String,
    edits: Vec<Edit>,
}

impl Proposal {
    fn applied(&self) -> Applied {
        Applied { code: self.code, title: self.title.clone() }
    }

    fn harmful(&self, text: &str, brought: Code) -> Harmful {
        let at = LineIndex::new(text).line_column(text, self.at.start);
        Harmful { code: self.code, title: self.title.clone(), at, brought }
    }

    /// Everything from its first to its last edit.
    fn hull(&self) -> Option<Span> {
        self.edits.iter().map(|it| it.span).reduce(Span::to)
    }
}

/// The fixes to apply next: none overlaps another, and none has failed before.
fn batch(fixed: &Fixed, reach: Reach, left_out: &[Applied]) -> Vec<Proposal> {
    let harmless =
        |it: &Proposal| !left_out.iter().any(|bad| bad.code == it.code && bad.title == it.title);
    let line_end = line_end(fixed.text());
    let mut proposals: Vec<(Span, Proposal)> = fixed
        .checked
        .diagnostics
        .iter()
        .filter_map(|it| Some(proposal(it, chosen(it, reach)?, line_end)))
        .filter(harmless)
        .filter_map(|it| Some((it.hull()?, it)))
        .collect();
    // Errors first and those of the first stage before others: they may be what the others come from.
    let turn = |it: &Proposal| (it.severity != Severity::Error, stage(it.code));
    let first = proposals.iter().map(|(_, it)| turn(it)).min();
    proposals.retain(|(_, it)| Some(turn(it)) == first);
    proposals.sort_by_key(|(hull, _)| (hull.start, hull.end));
    let mut batch: Vec<Proposal> = Vec::new();
    let mut done: Option<Span> = None;
    for (hull, proposal) in proposals {
        // Of two that insert at one place the second waits, because nobody can say which is first.
        let inserts = proposal.edits.first().is_some_and(|it| it.span.is_empty());
        let is_free = done.is_none_or(|it| {
            hull.start > it.end || hull.start == it.end && !(inserts && it.is_empty())
        });
        if is_free {
            done = proposal.edits.last().map(|it| it.span);
            batch.push(proposal);
        }
    }
    batch
}

/// The one fix of a finding that is right, if there is one within reach.
fn chosen(diagnostic: &Diagnostic, reach: Reach) -> Option<&Fix> {
    fn only<'d>(mut fixes: impl Iterator<Item = &'d Fix>) -> Option<&'d Fix> {
        fixes.next().filter(|_| fixes.next().is_none())
    }
    let safe = only(diagnostic.fixes.iter().filter(|it| it.safe));
    match reach {
        Reach::Safe => safe,
        Reach::All => safe.or_else(|| only(diagnostic.fixes.iter())),
    }
}

fn proposal(diagnostic: &Diagnostic, fix: &Fix, line_end: &str) -> Proposal {
    let mut edits = fix.edits.clone();
    if line_end != "\n" {
        for edit in edits.iter_mut().filter(|it| it.text.contains('\n')) {
            edit.text = edit.text.replace("\r\n", "\n").replace('\n', line_end);
        }
    }
    Proposal {
        code: diagnostic.code,
        severity: diagnostic.code.severity(),
        at: diagnostic.span,
        title: fix.title.clone(),
        edits,
    }
}

/// How the first line of a text ends, and so the others.
fn line_end(text: &str) -> &'static str {
    let line = text.split_inclusive('\n').next().unwrap_or_default();
    if line.ends_with("\r\n") { "\r\n" } else { "\n" }
}

/// Why fixes were not applied.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Failed {
    /// What they were to mend is still found: in a text that is broken in several ways some are
    /// guesses.
    Useless,
    /// They bring this error.
    Brings(Code),
}

/// The policy after some fixes.
fn attempt(
    before: &Checked,
    batch: &[Proposal],
    check: impl Fn(&str) -> Checked,
) -> Result<Checked, Failed> {
    let edits: Vec<Edit> = batch.iter().flat_map(|it| it.edits.iter().cloned()).collect();
    let text = edit::apply(before.tree.text(), &edits).map_err(|_| Failed::Useless)?;
    let after = check(&text);
    for mended in batch {
        let start = moved(mended.at.start, &edits);
        let mut others = after.diagnostics.iter();
        if others.any(|it| it.code == mended.code && it.span.start == start) {
            return Err(Failed::Useless);
        }
    }
    // Mending an error may uncover what it hid, in its own stage and in later ones; only nothing
    // before it may come up. Whoever mends no error has nothing to uncover.
    let errors = batch.iter().filter(|it| it.severity == Severity::Error);
    let end = errors.map(|it| stage(it.code)).min().unwrap_or(u8::MAX);
    let watched = |checked: &Checked| -> Vec<Code> {
        let codes = checked.diagnostics.iter().map(|it| it.code);
        codes.filter(|it| it.severity() == Severity::Error && stage(*it) < end).collect()
    };
    let (old, new) = (watched(before), watched(&after));
    if new.len() <= old.len() {
        return Ok(after);
    }
    let count = |all: &[Code], code: Code| all.iter().filter(|it| **it == code).count();
    let brought = new.iter().find(|it| count(&new, **it) > count(&old, **it));
    Err(brought.copied().map_or(Failed::Useless, Failed::Brings))
}

/// Where a place of a text is after edits.
fn moved(offset: u32, edits: &[Edit]) -> u32 {
    let before = edits.iter().filter(|it| it.span.end <= offset);
    before.fold(offset, |place, it| place + it.text.len() as u32 - it.span.len())
}

/// The stage that finds a kind of problem. Whether a text is within bounds and whether it is HuJSON
/// is known at the same time.
fn stage(code: Code) -> u8 {
    code.stage().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(text: &str, reach: Reach) -> String {
        let fixed = fix(text, &Options { lints: true, ..Options::default() }, reach);
        assert_eq!(fixed.harmful, []);
        fixed.text().to_owned()
    }

    #[test]
    fn one_fix_makes_room_for_the_next() {
        // Two commas too many, and below them what only a whole text shows.
        let text = "{\"hosts\": {\"a\": \"10.0.0.1/8\",,,},}";
        assert_eq!(after(text, Reach::Safe), "{\"hosts\": {\"a\": \"10.0.0.0/8\",},}");
    }

    #[test]
    fn only_what_is_within_reach() {
        let text = "{\"tagOwners\": {\"tag:web\": []}, \"grants\": [{\"src\": [\"tag:wbe\"], \"dst\": [\"*\"], \"ip\": [\"*\"]}]}";
        assert_eq!(after(text, Reach::Safe), text);
        assert_eq!(after(text, Reach::All), text.replace("tag:wbe", "tag:web"));
    }

    #[test]
    fn inserted_line_ends_are_those_of_the_text() {
        assert_eq!(after("{\r\n}\r\n// end", Reach::Safe), "{\r\n}\r\n// end\r\n");
        assert_eq!(after("{\n}\n// end", Reach::Safe), "{\n}\n// end\n");
    }

    #[test]
    fn a_fix_that_brings_an_error_is_left_out() {
        let checked =
            check_parsed(cst::parse("{\"hosts\": {\"a\": \"10.0.0.1/8\"}}"), &Options::default());
        let mut bad = proposal(&checked.diagnostics[0], &checked.diagnostics[0].fixes[0], "\n");
        bad.edits[0].text = "nonsense".to_owned();
        let check = |text: &str| check_parsed(cst::parse(text), &Options::default());
        let failed = attempt(&checked, &[bad], check).expect_err("an error");
        assert!(matches!(failed, Failed::Brings(_)), "{failed:?}");
    }
}
