//! Findings as a JUnit test report: a suite for each file, a case for each finding in it.

use std::io::{self, Write};

use compiler::emit::xml::escaped;

use super::{FailLevel, FileReport, Places};

/// Writes the report. A finding below the fail level is a case that passes and says so.
pub(super) fn write(
    out: &mut impl Write,
    files: &[FileReport],
    fail_level: FailLevel,
) -> io::Result<()> {
    let failures = |file: &FileReport| {
        file.diagnostics.iter().filter(|it| fail_level.fails(it.severity)).count()
    };
    // A file without findings is one case, which passes.
    let tests = |file: &FileReport| file.diagnostics.len().max(1);
    writeln!(out, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
    writeln!(
        out,
        r#"<testsuites name="aclc" tests="{}" failures="{}">"#,
        files.iter().map(tests).sum::<usize>(),
        files.iter().map(failures).sum::<usize>()
    )?;
    for file in files {
        let name = escaped(&file.name);
        let (tests, failures) = (tests(file), failures(file));
        writeln!(
            out,
            r#"  <testsuite name="{name}" tests="{tests}" failures="{failures}" errors="0" skipped="0">"#
        )?;
        if file.diagnostics.is_empty() {
            writeln!(out, r#"    <testcase name="no findings" classname="{name}"/>"#)?;
        }
        cases(out, file, fail_level)?;
        writeln!(out, "  </testsuite>")?;
    }
    writeln!(out, "</testsuites>")
}

fn cases(out: &mut impl Write, file: &FileReport, fail_level: FailLevel) -> io::Result<()> {
    let places = Places::new(&file.text);
    let name = escaped(&file.name);
    for diagnostic in &file.diagnostics {
        let place = places.at(diagnostic.span.start);
        let (code, message) = (diagnostic.code, escaped(&diagnostic.message));
        let help = diagnostic
            .help
            .as_ref()
            .map(|it| format!("\nhelp: {}", escaped(it)))
            .unwrap_or_default();
        let line =
            format!("{name}:{place}: {}[{code}]: {message}{help}", diagnostic.severity.name());
        writeln!(out, r#"    <testcase name="{code} at {place}" classname="{name}">"#)?;
        if fail_level.fails(diagnostic.severity) {
            let attribute = message.replace('\n', "&#10;");
            writeln!(
                out,
                r#"      <failure type="{code}" message="{attribute}">{line}</failure>"#
            )?;
        } else {
            writeln!(out, "      <system-out>{line}</system-out>")?;
        }
        writeln!(out, "    </testcase>")?;
    }
    Ok(())
}
