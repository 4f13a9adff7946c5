//! Findings as SARIF 2.1.0, which code scanning services take.
//!
//! Columns are Unicode code points, as the log says of itself. Pages come along as help; links to
//! them are left out until they have an address.

use std::collections::BTreeSet;
use std::io::{self, Write};

use compiler::diagnostic::{Code, Diagnostic, Fix};
use compiler::span::Span;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::fingerprint::fingerprints;
use super::{FileReport, Places};
use crate::command::explain;

#[derive(Serialize)]
struct Log<'d> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run<'d>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'d> {
    tool: Value,
    column_kind: &'static str,
    artifacts: Vec<Value>,
    results: Results<'d>,
}

/// The findings of all files, each made only when it is written: in this form one takes kilobytes.
struct Results<'d> {
    files: &'d [FileReport],
    codes: &'d [Code],
}

impl Serialize for Results<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.files.iter().flat_map(|file| {
            let places = Places::new(&file.text);
            let findings = file.diagnostics.iter().zip(fingerprints(file));
            findings.map(move |(it, print)| result(file, &places, self.codes, it, &print))
        }))
    }
}

/// Writes one log with one run.
pub(super) fn write(out: &mut impl Write, files: &[FileReport]) -> io::Result<()> {
    let codes: BTreeSet<Code> =
        files.iter().flat_map(|it| &it.diagnostics).map(|it| it.code).collect();
    let codes: Vec<Code> = codes.into_iter().collect();
    let driver = json!({
        "name": "aclc",
        "semanticVersion": env!("CARGO_PKG_VERSION"),
        "rules": codes.iter().map(|it| rule(*it)).collect::<Vec<_>>(),
    });
    let run = Run {
        tool: json!({ "driver": driver }),
        column_kind: "unicodeCodePoints",
        artifacts: files.iter().map(|it| json!({ "location": { "uri": uri(&it.name) } })).collect(),
        results: Results { files, codes: &codes },
    };
    let log = Log {
        schema: "https://json.schemastore.org/sarif-2.1.0.json",
        version: "2.1.0",
        runs: [run],
    };
    serde_json::to_writer_pretty(&mut *out, &log)?;
    writeln!(out)
}

fn rule(code: Code) -> Value {
    let page = explain::page(code);
    json!({
        "id": code.to_string(),
        "shortDescription": { "text": code.title() },
        "help": { "text": page.map_or_else(|| code.title().to_owned(), explain::plain), "markdown": page.unwrap_or(code.title()) },
        "defaultConfiguration": { "level": code.severity().name() },
    })
}

fn result(
    file: &FileReport,
    places: &Places<'_>,
    codes: &[Code],
    it: &Diagnostic,
    fingerprint: &str,
) -> Value {
    let text = match &it.help {
        Some(help) => format!("{}\nhelp: {help}", it.message),
        None => it.message.clone(),
    };
    let mut result = json!({
        "ruleId": it.code.to_string(),
        "ruleIndex": codes.binary_search(&it.code).unwrap_or_default(),
        "level": it.severity.name(),
        "message": { "text": text },
        "locations": [location(file, places, it.span)],
        "partialFingerprints": { "aclcFinding/v1": fingerprint },
    });
    let related = it.related.iter().zip(1..).map(|(label, id): (_, u32)| {
        let mut location = location(file, places, label.span);
        add(&mut location, "id", json!(id));
        add(&mut location, "message", json!({ "text": label.text }));
        location
    });
    let related: Vec<Value> = related.collect();
    if !related.is_empty() {
        add(&mut result, "relatedLocations", json!(related));
    }
    if !it.fixes.is_empty() {
        add(&mut result, "fixes", it.fixes.iter().map(|fix| convert(file, places, fix)).collect());
    }
    if let Some(message) = it.refusal.as_ref().and_then(|it| it.message.as_ref()) {
        add(&mut result, "properties", json!({ "api": message }));
    }
    result
}

fn add(object: &mut Value, name: &str, value: Value) {
    if let Some(members) = object.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
}

fn convert(file: &FileReport, places: &Places<'_>, fix: &Fix) -> Value {
    let replacements: Vec<Value> = fix
        .edits
        .iter()
        .map(|it| json!({ "deletedRegion": region(places, it.span), "insertedContent": { "text": it.text } }))
        .collect();
    json!({
        "description": { "text": fix.title },
        "artifactChanges": [{ "artifactLocation": { "uri": uri(&file.name) }, "replacements": replacements }],
    })
}

fn location(file: &FileReport, places: &Places<'_>, span: Span) -> Value {
    json!({ "physicalLocation": {
        "artifactLocation": { "uri": uri(&file.name) },
        "region": region(places, span),
    }})
}

fn region(places: &Places<'_>, span: Span) -> Value {
    let (start, end) = places.range(span);
    json!({
        "startLine": start.line, "startColumn": start.column,
        "endLine": end.line, "endColumn": end.column,
        "byteOffset": span.start, "byteLength": span.len(),
    })
}

/// A path as a reference: `/` between folders, everything unusual escaped.
fn uri(path: &str) -> String {
    let path = if cfg!(windows) { path.replace('\\', "/") } else { path.to_owned() };
    let path = path.strip_prefix("./").unwrap_or(&path);
    let mut uri = String::from(if path.starts_with('/') { "file://" } else { "" });
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(byte))
            }
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}
