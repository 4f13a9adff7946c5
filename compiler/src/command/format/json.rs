//! Findings as our own JSON, version 1: `docs/json.md`. A member is added, never changed.

use std::io::{self, Write};

use compiler::analysis::Tally;
use compiler::span::Span;
use serde::Serialize;

use super::{Counts, FileReport, Places, Verdict};

#[derive(Serialize)]
struct Document<'d> {
    version: u32,
    diagnostics: Vec<Finding<'d>>,
    summary: Summary,
    files: Vec<File<'d>>,
    #[serde(flatten)]
    tests: Option<Tests<'d>>,
}

/// What `aclc test` says besides.
#[derive(Serialize)]
struct Tests<'d> {
    assertions: Vec<Assertion<'d>>,
    coverage: Option<Coverage>,
    mutants: Option<Mutants>,
}

#[derive(Serialize)]
struct Assertion<'d> {
    name: &'d str,
    line: u32,
    holds: Option<bool>,
    message: Option<&'d str>,
}

#[derive(Serialize)]
struct Coverage {
    rules: usize,
    #[serde(rename = "rulesUsed")]
    rules_used: usize,
    destinations: usize,
    #[serde(rename = "destinationsUsed")]
    destinations_used: usize,
}

#[derive(Serialize)]
struct Mutants {
    made: usize,
    noticed: usize,
}

#[derive(Serialize)]
struct Finding<'d> {
    code: String,
    severity: &'static str,
    message: &'d str,
    file: &'d str,
    range: Range,
    help: Option<&'d str>,
    label: Option<&'d str>,
    related: Vec<Related<'d>>,
    fixes: Vec<Fix<'d>>,
    api: Option<&'d str>,
}

#[derive(Serialize)]
struct Related<'d> {
    message: &'d str,
    file: &'d str,
    range: Range,
}

#[derive(Serialize)]
struct Fix<'d> {
    title: &'d str,
    safe: bool,
    edits: Vec<Edit<'d>>,
}

#[derive(Serialize)]
struct Edit<'d> {
    range: Range,
    text: &'d str,
}

#[derive(Serialize)]
struct Range {
    start: Place,
    end: Place,
}

#[derive(Serialize)]
struct Place {
    line: u32,
    column: u32,
    offset: u32,
}

#[derive(Serialize)]
struct Summary {
    errors: usize,
    warnings: usize,
    notes: usize,
    accepted: Option<bool>,
    api: Option<String>,
}

#[derive(Serialize)]
struct File<'d> {
    file: &'d str,
    #[serde(flatten)]
    summary: Summary,
}

/// Writes one document for all files.
pub(super) fn write(out: &mut impl Write, files: &[FileReport]) -> io::Result<()> {
    write_document(out, files, None)
}

/// The same with what came of the assertions of the last file.
pub(crate) fn write_with(
    out: &mut impl Write,
    files: &[FileReport],
    tally: &Tally,
) -> io::Result<()> {
    let places = files.last().map(|it| Places::new(&it.text));
    let line = |span: Span| places.as_ref().map_or(1, |it| it.at(span.start).line);
    let assertions = tally.cases.iter().map(|it| Assertion {
        name: &it.name,
        line: line(it.span),
        holds: it.holds,
        message: it.message.as_deref(),
    });
    let tests = Tests {
        assertions: assertions.collect(),
        coverage: tally.coverage.map(|it| Coverage {
            rules: it.rules,
            rules_used: it.rules_used,
            destinations: it.destinations,
            destinations_used: it.destinations_used,
        }),
        mutants: tally.mutants.map(|it| Mutants { made: it.made, noticed: it.noticed }),
    };
    write_document(out, files, Some(tests))
}

fn write_document(
    out: &mut impl Write,
    files: &[FileReport],
    tests: Option<Tests<'_>>,
) -> io::Result<()> {
    let document = Document {
        version: 1,
        diagnostics: files.iter().flat_map(findings).collect(),
        summary: summary(files, Verdict::of_all(files)),
        files: files.iter().filter_map(policy).collect(),
        tests,
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}

/// The line on one policy; inventories have no verdict.
fn policy(file: &FileReport) -> Option<File<'_>> {
    let verdict = file.verdict.clone()?;
    Some(File { file: &file.name, summary: summary(std::slice::from_ref(file), verdict) })
}

fn summary(files: &[FileReport], verdict: Verdict) -> Summary {
    let Counts { errors, warnings, notes } = Counts::of(files);
    Summary { errors, warnings, notes, accepted: verdict.accepted, api: verdict.api }
}

fn findings(file: &FileReport) -> Vec<Finding<'_>> {
    let places = Places::new(&file.text);
    let mut found = Vec::with_capacity(file.diagnostics.len());
    for it in &file.diagnostics {
        let related = it.related.iter();
        found.push(Finding {
            code: it.code.to_string(),
            severity: it.severity.name(),
            message: &it.message,
            file: &file.name,
            range: range(&places, it.span),
            help: it.help.as_deref(),
            label: it.label.as_deref(),
            related: related
                .map(|label| Related {
                    message: &label.text,
                    file: &file.name,
                    range: range(&places, label.span),
                })
                .collect(),
            fixes: it.fixes.iter().map(|fix| convert(&places, fix)).collect(),
            api: it.refusal.as_ref().and_then(|it| it.message.as_deref()),
        });
    }
    found
}

fn convert<'d>(places: &Places<'_>, fix: &'d compiler::diagnostic::Fix) -> Fix<'d> {
    let edits =
        fix.edits.iter().map(|it| Edit { range: range(places, it.span), text: &it.text }).collect();
    Fix { title: &fix.title, safe: fix.safe, edits }
}

fn range(places: &Places<'_>, span: Span) -> Range {
    let (start, end) = places.range(span);
    Range {
        start: Place { line: start.line, column: start.column, offset: span.start },
        end: Place { line: end.line, column: end.column, offset: span.end },
    }
}
