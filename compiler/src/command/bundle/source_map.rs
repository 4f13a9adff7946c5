//! The source map of a bundle as a file (docs/json.md), and findings moved by it.

use std::io;
use std::path::{Path, PathBuf};

use compiler::bundle::Bundle;
use compiler::bundle::source_map::{Piece, Source, SourceMap};
use compiler::diagnostic::{self, Diagnostic};
use compiler::span::Span;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::super::failure::{Failure, shown};
use super::super::format::{FileReport, Places, Verdict};
use super::super::input;

/// A fragment that findings are moved to.
pub(crate) struct Origin {
    /// The path as shown.
    pub(super) name: String,
    pub(super) path: PathBuf,
    pub(super) text: String,
}

#[derive(Deserialize, Serialize)]
struct Document {
    version: u32,
    /// Of the bundle.
    sha256: String,
    fragments: Vec<File>,
    pieces: Vec<Copied>,
}

#[derive(Deserialize, Serialize)]
struct File {
    file: String,
    sha256: String,
}

#[derive(Deserialize, Serialize)]
struct Copied {
    range: Range,
    fragment: usize,
    from: Range,
}

#[derive(Deserialize, Serialize)]
struct Range {
    start: Place,
    end: Place,
}

#[derive(Deserialize, Serialize)]
struct Place {
    line: u32,
    column: u32,
    offset: u32,
}

/// The longest map: that of the longest policy, a piece for each of its words.
const MAX_BYTES: u64 = 1 << 32;

/// The map of a bundle as JSON, a piece to a line.
pub(super) fn document(bundle: &Bundle, origins: &[Origin]) -> Result<Vec<u8>, Failure> {
    let places = Places::new(&bundle.text);
    let sources: Vec<Places<'_>> = origins.iter().map(|it| Places::new(&it.text)).collect();
    let files = origins
        .iter()
        .map(|it| File { file: it.path.to_string_lossy().into_owned(), sha256: sha256(&it.text) });
    let pieces = bundle.map.pieces().iter().filter_map(|it| {
        let from = range(sources.get(it.fragment)?, it.from);
        Some(Copied { range: range(&places, it.bundle), fragment: it.fragment, from })
    });
    let failed = |it: serde_json::Error| Failure::Print(io::Error::from(it));
    let mut json =
        format!("{{\"version\":1,\"sha256\":\"{}\",\"fragments\":[", sha256(&bundle.text));
    lines(&mut json, files).map_err(failed)?;
    json.push_str("],\"pieces\":[");
    lines(&mut json, pieces).map_err(failed)?;
    json.push_str("]}\n");
    Ok(json.into_bytes())
}

/// Values as JSON, each on its line.
fn lines<T: Serialize>(
    json: &mut String,
    values: impl Iterator<Item = T>,
) -> serde_json::Result<()> {
    let mut separator = "\n";
    for value in values {
        json.push_str(separator);
        json.push_str(&serde_json::to_string(&value)?);
        separator = ",\n";
    }
    Ok(())
}

fn range(places: &Places<'_>, span: Span) -> Range {
    let (start, end) = places.range(span);
    Range {
        start: Place { line: start.line, column: start.column, offset: span.start },
        end: Place { line: end.line, column: end.column, offset: span.end },
    }
}

fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().map(|it| format!("{it:02x}")).collect()
}

/// Findings in a bundle as findings in its fragments, each with the position of its fragment.
pub(super) fn relocate(
    map: &SourceMap,
    found: Vec<Diagnostic>,
    origins: &[Origin],
) -> Vec<(usize, Diagnostic)> {
    let sources: Vec<Source<'_>> =
        origins.iter().map(|it| Source { name: &it.name, text: &it.text }).collect();
    found.into_iter().filter_map(|it| map.relocate(it, &sources)).collect()
}

/// A report for each fragment, with the verdict on the whole.
pub(super) fn by_fragment(
    origins: &[Origin],
    found: Vec<(usize, Diagnostic)>,
    verdict: &Verdict,
) -> Vec<FileReport> {
    let mut reports: Vec<FileReport> = origins
        .iter()
        .map(|it| FileReport {
            name: it.name.clone(),
            text: it.text.clone(),
            diagnostics: Vec::new(),
            verdict: Some(verdict.clone()),
        })
        .collect();
    for (at, finding) in found {
        if let Some(report) = reports.get_mut(at) {
            report.diagnostics.push(finding);
        }
    }
    reports.iter_mut().for_each(|it| diagnostic::sort(&mut it.diagnostics));
    reports
}

/// A map that was read from a file, with the fragments it names.
pub(crate) struct ReadMap {
    path: PathBuf,
    sha256: String,
    map: SourceMap,
    origins: Vec<Origin>,
}

impl ReadMap {
    /// Reads a map and its fragments, which must be those it was made of.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let bytes = input::bytes(path, MAX_BYTES)?;
        let document: Document = serde_json::from_slice(&bytes).map_err(|it| {
            Failure::usage(
                format!("`{}` is no source map: {it}", shown(path)),
                "`aclc bundle DIR -o FILE --map MAP` writes one",
            )
        })?;
        if document.version != 1 {
            return Err(Failure::usage(
                format!("`{}` has version {}, and 1 is known", shown(path), document.version),
                "write it again with this `aclc`",
            ));
        }
        let mut origins = Vec::new();
        for File { file, sha256: expected } in document.fragments {
            let path = PathBuf::from(file);
            let text = String::from_utf8_lossy(&input::policy(&path)?).into_owned();
            if sha256(&text) != expected {
                return Err(Failure::usage(
                    format!("`{}` has changed since it was bundled", shown(&path)),
                    "bundle again; until then the places of the map are not true",
                ));
            }
            origins.push(Origin { name: shown(&path), path, text });
        }
        let span = |it: &Range| Span::new(it.start.offset, it.end.offset);
        let pieces = document.pieces.iter().map(|it| Piece {
            bundle: span(&it.range),
            fragment: it.fragment,
            from: span(&it.from),
        });
        let map = SourceMap::new(pieces.collect());
        Ok(Self { path: path.to_owned(), sha256: document.sha256, map, origins })
    }

    /// The findings of the bundle, told in its fragments; reports on other files stay.
    pub(crate) fn relocate(&self, reports: Vec<FileReport>) -> Result<Vec<FileReport>, Failure> {
        let mut moved = Vec::new();
        for report in reports {
            let Some(verdict) = &report.verdict else {
                moved.push(report);
                continue;
            };
            if sha256(&report.text) != self.sha256 {
                return Err(Failure::usage(
                    format!("`{}` is not the bundle of `{}`", report.name, shown(&self.path)),
                    "a map belongs to one text: bundle again, or check without `--map`",
                ));
            }
            let found = relocate(&self.map, report.diagnostics, &self.origins);
            moved.extend(by_fragment(&self.origins, found, verdict));
        }
        Ok(moved)
    }
}
