//! One line a finding: `file:line:col: error[acl/E0301]: message`.

use std::io::{self, Write};

use compiler::diagnostic::Severity;
use compiler::diagnostic::render::{Look, visible};

use super::{FileReport, Places};

/// Writes a line for each finding.
pub(super) fn write(out: &mut impl Write, files: &[FileReport], look: Look) -> io::Result<()> {
    for file in files {
        let places = Places::new(&file.text);
        for diagnostic in &file.diagnostics {
            let place = places.at(diagnostic.span.start);
            let (on, off) =
                if look.color { (color(diagnostic.severity), "\x1b[0m") } else { ("", "") };
            let message = visible(&diagnostic.message).replace('\n', " ");
            writeln!(
                out,
                "{}:{place}: {on}{}[{}]{off}: {message}",
                file.name,
                diagnostic.severity.name(),
                diagnostic.code
            )?;
        }
    }
    Ok(())
}

const fn color(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "\x1b[31m",
        Severity::Warning => "\x1b[33m",
        Severity::Note => "\x1b[36m",
    }
}
