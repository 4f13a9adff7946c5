//! Proposals as files: one update as CBOR or as text, several as a folder in chain order.

use std::io;
use std::path::{Path, PathBuf};

use data_encoding::{BASE64, HEXUPPER};
use lock::aum::{Aum, Update};
use serde_json::json;

use crate::command::atomic::{self, Readers};
use crate::command::describe::key_text;
use crate::command::failure::{Failure, shown};
use crate::command::{Exit, blob, output};

/// Refuses a place where something is, before any work is done for it.
pub(crate) fn check_output(path: Option<&Path>) -> Result<(), Failure> {
    path.map_or(Ok(()), atomic::absent)
}

/// Writes what was made: one update to a file, several to a folder, in chain order; as text where
/// no file is named.
pub(crate) fn deliver(
    updates: &[Update],
    place: Option<&Path>,
    as_json: bool,
) -> Result<Exit, Failure> {
    match (place, updates) {
        (Some(path), [update]) => {
            atomic::write_new(path, &update.encode(), Readers::Anyone)?;
        }
        (Some(path), _) => write_batch(path, updates)?,
        (None, _) => {}
    }
    if as_json {
        let updates: Vec<_> = updates.iter().map(expanded).collect();
        output::json(&json!({ "version": 1, "updates": updates }))?;
        return Ok(Exit::Clean);
    }
    let line = |it: &Update| match place {
        // As the reference's own command reads it.
        None => HEXUPPER.encode(&it.encode()) + "\n",
        Some(_) => format!("{} {}\n", it.hash(), it.kind),
    };
    output::print(&updates.iter().map(line).collect::<String>())?;
    Ok(Exit::Clean)
}

/// A folder of updates whose names sort in chain order.
fn write_batch(path: &Path, updates: &[Update]) -> Result<(), Failure> {
    std::fs::create_dir(path).map_err(|it| Failure::Write(path.to_owned(), it))?;
    for (index, update) in updates.iter().enumerate() {
        let file = path.join(format!("{:04}-{}.cbor", index + 1, update.kind));
        atomic::write_new(&file, &update.encode(), Readers::Anyone)?;
    }
    Ok(())
}

/// An update as scripts get it.
fn expanded(update: &Update) -> serde_json::Value {
    json!({
        "hash": update.hash().to_string(),
        "kind": update.kind.to_string(),
        "parent": update.parent().map(|it| it.to_string()),
        "raw": BASE64.encode(&update.encode()),
        "signedBy": signed_by(update),
    })
}

/// The keys that signed an update, as text.
pub(crate) fn signed_by(aum: &Aum) -> Vec<String> {
    aum.signatures.iter().map(|it| key_text(it.key_id.as_deref().unwrap_or_default())).collect()
}

/// The updates in a file, or in a folder in the order of its names.
pub(crate) fn read(path: &Path) -> Result<Vec<Update>, Failure> {
    files(&[path.to_owned()])?.iter().map(|it| read_one(it)).collect()
}

/// The files that paths name; those of a folder in the order of their names.
pub(crate) fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let failed = |it: io::Error| Failure::Read(path.clone(), it);
        let entries = std::fs::read_dir(path).map_err(failed)?;
        let mut inside: Vec<PathBuf> =
            entries.map(|it| it.map(|it| it.path())).collect::<Result<_, _>>().map_err(failed)?;
        inside.sort();
        files.extend(inside);
    }
    Ok(files)
}

fn read_one(path: &Path) -> Result<Update, Failure> {
    let content = blob::file(path)?;
    let text = std::str::from_utf8(&content).ok().map(str::trim).filter(|it| !it.is_empty());
    let bytes = text.and_then(blob::decode).unwrap_or(content);
    let name = shown(path);
    let decoded =
        Aum::decode(&bytes).map_err(|it| Failure::plain(format!("`{name}` is no update: {it}")))?;
    if let Some(quirk) = decoded.quirks.first() {
        output::warn(&format!(
            "`{name}` is not canonical at byte {}: {}; what follows speaks of its canonical form",
            quirk.at, quirk.kind
        ));
    }
    Ok(Update::new(decoded.value))
}
