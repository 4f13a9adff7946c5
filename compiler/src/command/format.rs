//! What `check` found → one of the forms that people and other programs read; a file for each.

pub(crate) mod fingerprint;
mod github;
mod gitlab;
pub(crate) mod human;
mod json;
mod junit;
mod sarif;
mod short;

use std::cell::Cell;
use std::io::{self, Write};

use clap::ValueEnum;
use compiler::diagnostic::render::Look;
use compiler::diagnostic::{Diagnostic, Severity};
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
}

impl Format {
    /// Whether people read it, so that a summary on standard error helps.
    pub(crate) const fn is_for_people(self) -> bool {
        matches!(self, Self::Human | Self::Short)
    }
}

/// From which severity on a finding fails the run.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum FailLevel {
    Error,
    Warning,
    Note,
    Never,
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
pub(crate) struct FileReport {
    /// The path as shown.
    pub(crate) name: String,
    /// The text that the findings speak of.
    pub(crate) text: String,
    /// In the order of the text.
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// What Tailscale would say of a policy; `None` for an inventory.
    pub(crate) verdict: Option<Verdict>,
}

/// What Tailscale would say of a policy.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Verdict {
    /// Whether it takes the file; `None` where facts decide that were not given.
    pub(crate) accepted: Option<bool>,
    /// The one message that its API would answer, where it refuses and the text is known.
    pub(crate) api: Option<String>,
}

impl Verdict {
    /// The verdict on one file. The API reports the problem it comes to first.
    pub(crate) fn of(diagnostics: &[Diagnostic], undecided: bool) -> Self {
        let refusals =
            diagnostics.iter().filter_map(|it| Some((it.refusal.as_ref()?, it.span.start)));
        match refusals.min_by_key(|(refusal, place)| (refusal.turn, *place)) {
            Some((first, _)) => Self { accepted: Some(false), api: first.message.clone() },
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

/// Lines and columns in one text, fast for places that come in order.
pub(crate) struct Places<'t> {
    text: &'t str,
    lines: LineIndex,
    /// The last offset asked for and its column from 0: many findings may share one long line.
    last: Cell<(u32, u32)>,
}

impl<'t> Places<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        Self { text, lines: LineIndex::new(text), last: Cell::new((0, 0)) }
    }

    /// The line and column of an offset.
    pub(crate) fn at(&self, offset: u32) -> LineColumn {
        let place = self.locate(offset);
        self.last.set((offset.min(self.text.len() as u32), place.column - 1));
        place
    }

    /// Where a span starts and ends. Only the start is remembered: the next may start before this end.
    pub(crate) fn range(&self, span: Span) -> (LineColumn, LineColumn) {
        (self.at(span.start), self.locate(span.end.max(span.start)))
    }

    fn locate(&self, offset: u32) -> LineColumn {
        let offset = offset.min(self.text.len() as u32);
        let (line, start) = self.lines.line(offset);
        let (known, column) = self.last.get();
        let (from, column) =
            if (start..=offset).contains(&known) { (known, column) } else { (start, 0) };
        let column = column + Span::new(from, offset).of(self.text).chars().count() as u32;
        LineColumn { line: line + 1, column: column + 1 }
    }

    /// The text of the line that holds `offset`.
    pub(crate) fn line_text(&self, offset: u32) -> &'t str {
        self.lines.line_span(self.text, self.lines.line(offset).0).of(self.text)
    }
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
    }
}
