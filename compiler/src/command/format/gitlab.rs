//! Findings as a code quality report, which GitLab shows in a merge request.

use std::io::{self, Write};

use compiler::diagnostic::Severity;
use serde_json::{Value, json};

use super::fingerprint::fingerprints;
use super::{FileReport, Places};

/// Writes the list of all findings.
pub(super) fn write(out: &mut impl Write, files: &[FileReport]) -> io::Result<()> {
    let issues: Vec<Value> = files.iter().flat_map(issues).collect();
    serde_json::to_writer_pretty(&mut *out, &issues)?;
    writeln!(out)
}

fn issues(file: &FileReport) -> Vec<Value> {
    let places = Places::new(&file.text);
    let mut issues = Vec::with_capacity(file.diagnostics.len());
    for (it, fingerprint) in file.diagnostics.iter().zip(fingerprints(file)) {
        let (start, end) = places.range(it.span);
        let severity = match it.severity {
            Severity::Error => "major",
            Severity::Warning => "minor",
            Severity::Note => "info",
        };
        issues.push(json!({
            "type": "issue",
            "check_name": it.code.to_string(),
            "description": it.message,
            "categories": ["Bug Risk"],
            "severity": severity,
            "fingerprint": fingerprint,
            // The report must name files as the repository does, without `./`.
            "location": {
                "path": file.name.strip_prefix("./").unwrap_or(&file.name),
                "lines": { "begin": start.line, "end": end.line },
            },
        }));
    }
    issues
}
