//! Findings as workflow commands, which GitHub shows as annotations in a pull request.

use std::io::{self, Write};

use compiler::diagnostic::Severity;

use super::{FileReport, Places};

/// Writes a command for each finding.
pub(super) fn write(out: &mut impl Write, files: &[FileReport]) -> io::Result<()> {
    for file in files {
        let places = Places::new(&file.text);
        for diagnostic in &file.diagnostics {
            let command = match diagnostic.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Note => "notice",
            };
            let (start, end) = places.range(diagnostic.span);
            write!(
                out,
                "::{command} file={},line={},endLine={}",
                property(&file.name),
                start.line,
                end.line
            )?;
            // Columns are only understood within one line; the last one is included.
            if start.line == end.line {
                let last = end.column.saturating_sub(1).max(start.column);
                write!(out, ",col={},endColumn={last}", start.column)?;
            }
            let help =
                diagnostic.help.as_ref().map(|it| format!("\nhelp: {it}")).unwrap_or_default();
            let message = data(&format!("{}{help}", diagnostic.message));
            writeln!(out, ",title={}::{message}", property(&diagnostic.code.to_string()))?;
        }
    }
    Ok(())
}

/// Text of a command: no line may end inside.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Text of a property: it must not end the property either.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
