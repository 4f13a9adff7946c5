//! Assertions as a JUnit test report: a case for each of them, and one for each other finding.

use std::io::{self, Write};

use compiler::analysis::Tally;
use compiler::diagnostic::{Diagnostic, Severity};
use compiler::emit::xml::escaped;

use super::super::format::{FileReport, Places};

/// Writes the report of one policy. A warning, such as a gap in the coverage, is a case that passes and
/// says so.
pub(super) fn write(out: &mut impl Write, file: &FileReport, tally: &Tally) -> io::Result<()> {
    let places = Places::new(&file.text);
    let name = escaped(&file.name);
    let of_case = |it: &Diagnostic| tally.cases.iter().any(|case| case.span == it.span);
    let (own, others): (Vec<&Diagnostic>, Vec<&Diagnostic>) =
        file.diagnostics.iter().partition(|it| of_case(it));
    let failing = |it: &&&Diagnostic| it.severity == Severity::Error;
    let failures = tally.cases.iter().filter(|it| it.holds == Some(false)).count()
        + others.iter().filter(failing).count();
    let skipped = tally.cases.iter().filter(|it| it.holds.is_none()).count();
    let tests = tally.cases.len() + others.len();
    let counts = format!(r#"tests="{tests}" failures="{failures}""#);
    writeln!(out, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
    writeln!(out, r#"<testsuites name="aclc test" {counts}>"#)?;
    writeln!(out, r#"  <testsuite name="{name}" {counts} errors="0" skipped="{skipped}">"#)?;
    for case in &tally.cases {
        let line = places.at(case.span.start).line;
        let title = escaped(&case.name);
        write!(
            out,
            r#"    <testcase name="{title}" classname="{name}" file="{name}" line="{line}""#
        )?;
        let finding = own.iter().find(|it| it.span == case.span);
        match (case.holds, finding) {
            (Some(true), _) => writeln!(out, "/>")?,
            (None, _) => writeln!(out, "><skipped/></testcase>")?,
            (Some(false), finding) => {
                let message = finding.map_or_else(String::new, |it| escaped(&it.message));
                let place = places.at(case.span.start);
                writeln!(
                    out,
                    "><failure message=\"{message}\">{name}:{place}: {message}</failure></testcase>"
                )?;
            }
        }
    }
    for finding in others {
        let place = places.at(finding.span.start);
        let (code, message) = (finding.code, escaped(&finding.message));
        let line = format!("{name}:{place}: {}[{code}]: {message}", finding.severity.name());
        write!(
            out,
            r#"    <testcase name="{code} at {place}" classname="{name}" file="{name}" line="{}">"#,
            place.line
        )?;
        match finding.severity {
            Severity::Error => {
                write!(out, r#"<failure type="{code}" message="{message}">{line}</failure>"#)?;
            }
            _ => write!(out, "<system-out>{line}</system-out>")?,
        }
        writeln!(out, "</testcase>")?;
    }
    writeln!(out, "  </testsuite>\n</testsuites>")
}
