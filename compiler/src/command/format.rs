//! What `check` found → one of the forms that people and other programs read; a file for each.

pub(crate) mod fingerprint;
mod github;
mod gitlab;
pub(crate) mod human;
pub(crate) mod json;
pub(crate) mod junit;
pub(crate) mod markdown;
mod sarif;
mod short;

use std::io::{self, Write};

use clap::ValueEnum;
use compiler::Dialect;
use compiler::diagnostic::render::Look;
use compiler::diagnostic::{Diagnostic, Severity, answer};
use compiler::span::{LineColumn, LineIndex, Span};

/// A form of what was found.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Format {
    /// With the place drawn, for people
    Human,
    /// One line a finding: file:line:col: error[acl/E0301]: message
    Short,
    /// Everything, for scripts (docs/json.md)
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Workflow commands, for annotations on GitHub
    Github,
    /// A code quality report, for GitLab
    Gitlab,
    /// A test report, for everything else that runs in CI
    Junit,
    /// A summary, for the page of a job
    Markdown,
}

impl Format {
    /// Whether people read it, so that a summary on standard error helps.
    pub(crate) const fn is_for_people(self) -> bool {
        matches!(self, Self::Human | Self::Short)
    }
}

/// From which severity on a finding fails the run. The order is that of strictness.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, ValueEnum)]
pub(crate) enum FailLevel {
    Never,
    Error,
    Warning,
    Note,
}

impl From<Option<Severity>> for FailLevel {
    fn from(severity: Option<Severity>) -> Self {
        match severity {
            None => Self::Never,
            Some(Severity::Error) => Self::Error,
            Some(Severity::Warning) => Self::Warning,
            Some(Severity::Note) => Self::Note,
        }
    }
}

impl FailLevel {
    /// Whether a finding of this severity fails the run.
    pub(crate) fn fails(self, severity: Severity) -> bool {
        match self {
            Self::Error => severity >= Severity::Error,
            Self::Warning => severity >= Severity::Warning,
            Self::Note => true,
            Self::Never => false,
        }
    }
}

/// One text that was looked at, and what was found in it.
#[derive(Clone)]
pub(crate) struct FileReport {
    /// The path as shown.
    pub(crate) name: String,
    /// The text that the findings speak of.
    pub(crate) text: String,
    /// In the order of the text.
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// What the control plane would say of a policy; `None` for an inventory.
    pub(crate) verdict: Option<Verdict>,
}

/// What the control plane would say of a policy.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Verdict {
    /// Whether it takes the file; `None` where facts decide that were not given.
    pub(crate) accepted: Option<bool>,
    /// The one message that its API would answer, where it refuses and the text is known.
    pub(crate) api: Option<String>,
}

impl Verdict {
    /// The verdict of a control plane on one file.
    pub(crate) fn of(dialect: Dialect, diagnostics: &[Diagnostic], undecided: bool) -> Self {
        match answer(dialect, diagnostics) {
            Some(refusal) => Self { accepted: Some(false), api: refusal.message },
            None => Self { accepted: if undecided { None } else { Some(true) }, api: None },
        }
    }

    /// The verdict on several files together: refused when one is, else unknown when one is.
    pub(crate) fn of_all(files: &[FileReport]) -> Self {
        let verdicts = || files.iter().filter_map(|it| it.verdict.as_ref());
        if let Some(refused) = verdicts().find(|it| it.accepted == Some(false)) {
            return refused.clone();
        }
        let known = verdicts().count() > 0 && verdicts().all(|it| it.accepted.is_some());
        Self { accepted: known.then_some(true), api: None }
    }
}

/// How many findings there are of each severity.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Counts {
    pub(crate) errors: usize,
    pub(crate) warnings: usize,
    pub(crate) notes: usize,
}

impl Counts {
    /// Counts the findings of all files.
    pub(crate) fn of(files: &[FileReport]) -> Self {
        let mut counts = Self::default();
        for diagnostic in files.iter().flat_map(|it| &it.diagnostics) {
            *match diagnostic.severity {
                Severity::Error => &mut counts.errors,
                Severity::Warning => &mut counts.warnings,
                Severity::Note => &mut counts.notes,
            } += 1;
        }
        counts
    }

    /// `2 errors, 1 warning`; `no findings` when there are none.
    pub(crate) fn sentence(self) -> String {
        let parts = [(self.errors, "error"), (self.warnings, "warning"), (self.notes, "note")];
        let parts: Vec<String> = parts
            .iter()
            .filter(|(number, _)| *number > 0)
            .map(|(number, name)| format!("{number} {name}{}", if *number == 1 { "" } else { "s" }))
            .collect();
        if parts.is_empty() { "no findings".to_owned() } else { parts.join(", ") }
    }
}

/// Lines and columns in one text, each found in the same time however long its line is: many
/// findings may share one.
pub(crate) struct Places<'t> {
    text: &'t str,
    lines: LineIndex,
    /// How many characters start before each [`STEP`]th byte.
    counted: Vec<u32>,
}

/// Chosen so that the rest is counted in less time than a finding takes to be written.
const STEP: usize = 512;

impl<'t> Places<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        let mut before = 0;
        let steps = text.as_bytes().chunks(STEP).map(|it| {
            before += starts(it);
            before
        });
        let counted = std::iter::once(0).chain(steps).collect();
        Self { text, lines: LineIndex::new(text), counted }
    }

    /// The line and column of an offset.
    pub(crate) fn at(&self, offset: u32) -> LineColumn {
        let offset = offset.min(self.text.len() as u32);
        let (line, start) = self.lines.line(offset);
        LineColumn { line: line + 1, column: self.before(offset) - self.before(start) + 1 }
    }

    /// Where a span starts and ends.
    pub(crate) fn range(&self, span: Span) -> (LineColumn, LineColumn) {
        (self.at(span.start), self.at(span.end.max(span.start)))
    }

    /// How many characters start before `offset`.
    fn before(&self, offset: u32) -> u32 {
        let step = offset as usize / STEP;
        let rest = self.text.as_bytes().get(step * STEP..offset as usize).unwrap_or_default();
        self.counted.get(step).copied().unwrap_or_default() + starts(rest)
    }

    /// The text of the line that holds `offset`.
    pub(crate) fn line_text(&self, offset: u32) -> &'t str {
        self.lines.line_span(self.text, self.lines.line(offset).0).of(self.text)
    }
}

/// How many characters start in some bytes of a text: as many as are not the second byte of one, or
/// a later one.
fn starts(bytes: &[u8]) -> u32 {
    bytes.iter().map(|it| u32::from(it & 0xc0 != 0x80)).sum()
}

/// Writes all that was found.
pub(crate) fn write(
    out: &mut impl Write,
    format: Format,
    files: &[FileReport],
    look: Look,
    fail_level: FailLevel,
) -> io::Result<()> {
    match format {
        Format::Human => human::write(out, files, look),
        Format::Short => short::write(out, files, look),
        Format::Json => json::write(out, files),
        Format::Sarif => sarif::write(out, files),
        Format::Github => github::write(out, files),
        Format::Gitlab => gitlab::write(out, files),
        Format::Junit => junit::write(out, files, fail_level),
        Format::Markdown => markdown::write(out, files),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_on_lines_of_any_length() {
        let line = "aä“𝄞".repeat(STEP);
        let text = format!("ä\n{line}\n{line}");
        let places = Places::new(&text);
        let lines = LineIndex::new(&text);
        for (at, _) in text.char_indices().step_by(7) {
            assert_eq!(places.at(at as u32), lines.line_column(&text, at as u32));
        }
    }
}
