//! Findings as workflow commands, which GitHub shows as annotations in a pull request.

use std::io::{self, Write};

use compiler::diagnostic::{Diagnostic, Severity};
use compiler::span::LineColumn;

use super::{FileReport, Places};

/// How many annotations of a severity GitHub shows for a step; it drops the others without a word.
///
/// SOURCE: github.com/actions/toolkit, docs/problem-matchers.md, "Limitations".
const MAX_SHOWN: usize = 10;

/// Writes a command for each of the first findings of a severity, and the others as plain lines of
/// the log. The summary of the job has them all (`markdown.rs`).
pub(super) fn write(out: &mut impl Write, files: &[FileReport]) -> io::Result<()> {
    let mut shown = [0; 3];
    let mut left = 0;
    for file in files {
        let places = Places::new(&file.text);
        for diagnostic in &file.diagnostics {
            let range = places.range(diagnostic.span);
            let count = shown.get_mut(diagnostic.severity as usize);
            if count.is_some_and(|it| std::mem::replace(it, *it + 1) >= MAX_SHOWN) {
                left += 1;
                let (severity, place) = (diagnostic.severity.name(), range.0);
                let message = data(&diagnostic.message);
                writeln!(
                    out,
                    "{}:{place}: {severity}[{}]: {message}",
                    data(&file.name),
                    diagnostic.code
                )?;
            } else {
                annotation(out, file, diagnostic, range)?;
            }
        }
    }
    if left > 0 {
        let findings = if left == 1 { "finding is" } else { "findings are" };
        writeln!(
            out,
            "{left} {findings} not annotated, because GitHub shows ten of a severity; the summary of the job lists all"
        )?;
    }
    Ok(())
}

fn annotation(
    out: &mut impl Write,
    file: &FileReport,
    diagnostic: &Diagnostic,
    (start, end): (LineColumn, LineColumn),
) -> io::Result<()> {
    let command = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    let name = property(&file.name);
    write!(out, "::{command} file={name},line={},endLine={}", start.line, end.line)?;
    // Columns are only understood within one line; the last one is included.
    if start.line == end.line {
        let last = end.column.saturating_sub(1).max(start.column);
        write!(out, ",col={},endColumn={last}", start.column)?;
    }
    let help = diagnostic.help.as_ref().map(|it| format!("\nhelp: {it}")).unwrap_or_default();
    let message = data(&format!("{}{help}", diagnostic.message));
    writeln!(out, ",title={}::{message}", property(&diagnostic.code.to_string()))
}

/// Text of a command: no line may end inside.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Text of a property: it must not end the property either.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
