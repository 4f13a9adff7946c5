//! Findings about a lock in the forms that people and other programs read: the shapes of `aclc
//! check`, with what a finding is about in place of a line.

mod sarif;

use std::io::{self, Write};

use clap::ValueEnum;
use compiler::emit::xml::escaped;
use lock::audit::{About, Finding, Severity};
use serde_json::{Value, json};

use super::FailLevel;
use crate::command::terminal::{Paint, Tone};
use crate::command::visible::visible;

/// A form of what was found.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Human,
    /// One line a finding
    Short,
    /// Everything, for scripts (docs/tlock.md)
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

/// What was audited, and what was found.
pub(crate) struct Report<'r> {
    /// The place as shown.
    pub(crate) name: &'r str,
    /// In the order of the audit.
    pub(crate) findings: &'r [Finding],
}

/// How many findings there are of each severity.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Counts {
    errors: usize,
    warnings: usize,
    notes: usize,
}

impl Counts {
    /// Counts findings.
    pub(crate) fn of(findings: &[Finding]) -> Self {
        let mut counts = Self::default();
        for finding in findings {
            *match finding.severity() {
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

/// Writes all that was found.
pub(crate) fn write(
    out: &mut impl Write,
    format: Format,
    report: &Report<'_>,
    paint: Paint,
    fail_level: FailLevel,
) -> io::Result<()> {
    match format {
        Format::Human => human(out, report, paint),
        Format::Short => short(out, report, paint),
        Format::Json => pretty(out, &json(report)),
        Format::Sarif => pretty(out, &sarif::log(report)),
        Format::Github => github(out, report),
        Format::Gitlab => pretty(out, &gitlab(report)),
        Format::Junit => junit(out, report, fail_level),
    }
}

fn pretty(out: &mut impl Write, value: &Value) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    writeln!(out)
}

fn tone(severity: Severity) -> Tone {
    match severity {
        Severity::Error => Tone::Bad,
        Severity::Warning => Tone::Doubtful,
        Severity::Note => Tone::Quiet,
    }
}

/// `error[lock/E0301]`
fn label(finding: &Finding) -> String {
    format!("{}[{}]", finding.severity().name(), finding.code)
}

fn human(out: &mut impl Write, report: &Report<'_>, paint: Paint) -> io::Result<()> {
    for finding in report.findings {
        let label = paint.tone(tone(finding.severity()), &label(finding));
        writeln!(out, "{label}: {}", visible(&finding.message))?;
        writeln!(out, "  in {}: {}", report.name, visible(&finding.about.to_string()))?;
        if let Some(help) = &finding.help {
            writeln!(out, "  help: {}", visible(help))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn short(out: &mut impl Write, report: &Report<'_>, paint: Paint) -> io::Result<()> {
    for finding in report.findings {
        let label = paint.tone(tone(finding.severity()), &label(finding));
        let about = finding.about.to_string();
        writeln!(
            out,
            "{}: {label}: {}: {}",
            report.name,
            visible(&about),
            visible(&finding.message)
        )?;
    }
    Ok(())
}

fn json(report: &Report<'_>) -> Value {
    let counts = Counts::of(report.findings);
    let diagnostics: Vec<Value> = report
        .findings
        .iter()
        .map(|it| {
            let (kind, id) = about(&it.about);
            json!({
                "code": it.code.to_string(),
                "severity": it.severity().name(),
                "message": it.message,
                "about": { "kind": kind, "id": id },
                "help": it.help,
            })
        })
        .collect();
    json!({
        "version": 1,
        "source": report.name,
        "diagnostics": diagnostics,
        "summary": {
            "errors": counts.errors,
            "warnings": counts.warnings,
            "notes": counts.notes,
        },
    })
}

/// The kind of what a finding is about, and its name.
fn about(about: &About) -> (&'static str, String) {
    match about {
        About::Place(place) => ("file", place.clone()),
        About::Update(hash) => ("update", hash.to_string()),
        About::Key(id) => ("key", crate::command::describe::key_text(id)),
        About::Node(name) => ("node", name.clone()),
        About::Authority => ("authority", String::new()),
        // One that a later library knows still has its words.
        #[allow(unreachable_patterns, reason = "the library may add kinds")]
        other => ("other", other.to_string()),
    }
}

fn github(out: &mut impl Write, report: &Report<'_>) -> io::Result<()> {
    for finding in report.findings {
        let command = match finding.severity() {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "notice",
        };
        let help = finding.help.as_ref().map(|it| format!("\nhelp: {it}")).unwrap_or_default();
        let message = data(&format!("{}: {}{help}", finding.about, finding.message));
        let title = data(&finding.code.to_string()).replace(':', "%3A").replace(',', "%2C");
        writeln!(out, "::{command} title={title}::{message}")?;
    }
    Ok(())
}

/// Text of a workflow command: no line may end inside.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn gitlab(report: &Report<'_>) -> Value {
    let issues = report.findings.iter().map(|it| {
        let severity = match it.severity() {
            Severity::Error => "major",
            Severity::Warning => "minor",
            Severity::Note => "info",
        };
        json!({
            "type": "issue",
            "check_name": it.code.to_string(),
            "description": format!("{}: {}", it.about, it.message),
            "categories": ["Security"],
            "severity": severity,
            "fingerprint": fingerprint(it),
            "location": { "path": report.name, "lines": { "begin": 1 } },
        })
    });
    Value::Array(issues.collect())
}

/// A number that stays from run to run, so that an old finding is not taken for a new one: a digest
/// of code and subject. The message may count days.
fn fingerprint(finding: &Finding) -> String {
    use blake2::{Blake2s256, Digest as _};
    let (kind, id) = about(&finding.about);
    let digest = Blake2s256::digest(format!("{}\0{kind}\0{id}", finding.code).as_bytes());
    data_encoding::HEXLOWER.encode(digest.get(..16).unwrap_or_default())
}

fn junit(out: &mut impl Write, report: &Report<'_>, fail_level: FailLevel) -> io::Result<()> {
    let name = escaped(&visible(report.name));
    let tests = report.findings.len().max(1);
    let failures = report.findings.iter().filter(|it| fail_level.fails(it.severity())).count();
    writeln!(out, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
    writeln!(out, r#"<testsuites name="tlock" tests="{tests}" failures="{failures}">"#)?;
    writeln!(
        out,
        r#"  <testsuite name="{name}" tests="{tests}" failures="{failures}" errors="0" skipped="0">"#
    )?;
    if report.findings.is_empty() {
        writeln!(out, r#"    <testcase name="no findings" classname="{name}"/>"#)?;
    }
    for finding in report.findings {
        let (code, about) = (finding.code, escaped(&visible(&finding.about.to_string())));
        let line = escaped(&visible(&format!("{}: {}", label(finding), finding.message)));
        writeln!(out, r#"    <testcase name="{code} of {about}" classname="{name}">"#)?;
        if fail_level.fails(finding.severity()) {
            let message = escaped(&visible(&finding.message));
            writeln!(out, r#"      <failure type="{code}" message="{message}">{line}</failure>"#)?;
        } else {
            writeln!(out, "      <system-out>{line}</system-out>")?;
        }
        writeln!(out, "    </testcase>")?;
    }
    writeln!(out, "  </testsuite>")?;
    writeln!(out, "</testsuites>")
}
