//! Findings about a lock as SARIF 2.1.0. They are of updates, keys and nodes, not of lines, so each has a
//! logical location and the store as its file.

use std::collections::BTreeSet;

use lock::audit::{Code, Finding};
use serde_json::{Value, json};

use super::{Report, about, fingerprint};
use crate::command::explain;

/// One log with one run.
pub(super) fn log(report: &Report<'_>) -> Value {
    let codes: BTreeSet<Code> = report.findings.iter().map(|it| it.code).collect();
    let codes: Vec<Code> = codes.into_iter().collect();
    let rules: Vec<Value> = codes.iter().map(|it| rule(*it)).collect();
    let results: Vec<Value> = report.findings.iter().map(|it| result(report, &codes, it)).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "tlock",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            } },
            "results": results,
        }],
    })
}

fn rule(code: Code) -> Value {
    let page = explain::page(code);
    json!({
        "id": code.to_string(),
        "shortDescription": { "text": code.title() },
        "help": {
            "text": page.map_or_else(|| code.title().to_owned(), explain::plain),
            "markdown": page.unwrap_or(code.title()),
        },
        "defaultConfiguration": { "level": code.severity().name() },
    })
}

fn result(report: &Report<'_>, codes: &[Code], finding: &Finding) -> Value {
    let (kind, id) = about(&finding.about);
    let help = finding.help.as_ref().map(|it| format!("\nhelp: {it}")).unwrap_or_default();
    json!({
        "ruleId": finding.code.to_string(),
        "ruleIndex": codes.binary_search(&finding.code).unwrap_or_default(),
        "level": finding.severity().name(),
        "message": { "text": format!("{}: {}{help}", finding.about, finding.message) },
        "locations": [{
            "physicalLocation": { "artifactLocation": { "uri": uri(report.name) } },
            "logicalLocations": [{ "fullyQualifiedName": id, "kind": kind }],
        }],
        "partialFingerprints": { "tlockFinding/v1": fingerprint(finding) },
    })
}

/// A path as a reference, everything unusual escaped.
fn uri(path: &str) -> String {
    let mut uri = String::from(if path.starts_with('/') { "file://" } else { "" });
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(byte));
            }
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}
