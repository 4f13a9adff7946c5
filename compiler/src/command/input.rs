//! Files and standard input → bytes and texts, never more of them than their bounds.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use compiler::cst;
use compiler::diagnostic::{Diagnostic, code};
use compiler::span::Span;
use compiler::tailnet::{self, Inventory};

use super::failure::{Failure, shown};

/// The longest inventory. Spans are 32 bits wide, which allows a byte less.
const MAX_INVENTORY: u64 = (4 << 30) - 1;

/// An inventory, and what it takes to show its findings.
pub(crate) struct ReadInventory {
    /// The path as shown.
    pub(crate) name: String,
    /// The text the places refer to.
    pub(crate) text: String,
    /// The facts, and what was wrong with them.
    pub(crate) inventory: Inventory,
    /// How many bytes were read.
    pub(crate) bytes: usize,
}

/// Whether a path means standard input.
pub(crate) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Refuses command lines that would read standard input twice.
pub(crate) fn stdin_once<'a>(paths: impl IntoIterator<Item = &'a PathBuf>) -> Result<(), Failure> {
    match paths.into_iter().filter(|it| is_stdin(it)).count() {
        0 | 1 => Ok(()),
        _ => Err(Failure::usage(
            "standard input can be read only once",
            "give a file for all but one `-`",
        )),
    }
}

/// The bytes of a policy; one more than allowed where it is too long, so that checking says so.
pub(crate) fn policy(path: &Path) -> Result<Vec<u8>, Failure> {
    bytes(path, cst::MAX_BYTES as u64 + 1)
}

/// Reads an inventory in any of its shapes.
pub(crate) fn inventory(path: &Path) -> Result<ReadInventory, Failure> {
    let name = shown(path);
    let refused = |message: &str| ReadInventory {
        name: name.clone(),
        text: String::new(),
        inventory: Inventory {
            tailnet: None,
            diagnostics: vec![Diagnostic::new(code::E0001, message, Span::at(0))],
        },
        bytes: 0,
    };
    let known = std::fs::metadata(path).map_or(0, |it| it.len());
    if known > MAX_INVENTORY && !is_stdin(path) {
        return Ok(refused("the inventory is larger than 4 GiB"));
    }
    let bytes = bytes(path, MAX_INVENTORY + 1)?;
    if bytes.len() as u64 > MAX_INVENTORY {
        return Ok(refused("the inventory is larger than 4 GiB"));
    }
    let length = bytes.len();
    let (text, problems) = decode(bytes);
    let mut inventory = tailnet::read(&text);
    if !problems.is_empty() {
        inventory.diagnostics.extend(problems.iter().map(cst::Problem::report));
        inventory.tailnet = None;
    }
    Ok(ReadInventory { name, text, inventory, bytes: length })
}

/// The text of an inventory. Windows PowerShell writes `>` as UTF-16 with a mark in front; both
/// are understood, because that is how many inventories are made.
fn decode(bytes: Vec<u8>) -> (String, Vec<cst::Problem>) {
    if let Some(rest) = bytes.strip_prefix(&[0xff, 0xfe]) {
        let units = rest
            .chunks(2)
            .map(|it| it.iter().rev().fold(0, |unit, byte| unit << 8 | u16::from(*byte)));
        return (
            char::decode_utf16(units).map(|it| it.unwrap_or(char::REPLACEMENT_CHARACTER)).collect(),
            Vec::new(),
        );
    }
    let bytes = match bytes.strip_prefix(b"\xef\xbb\xbf") {
        Some(rest) => rest.to_vec(),
        None => bytes,
    };
    String::from_utf8(bytes)
        .map_or_else(|error| cst::decode(error.as_bytes()), |text| (text, Vec::new()))
}

/// At most `limit` bytes of a file, a pipe or standard input.
fn bytes(path: &Path, limit: u64) -> Result<Vec<u8>, Failure> {
    let failed = |error: io::Error| Failure::Read(path.to_owned(), error);
    let mut bytes = Vec::new();
    if is_stdin(path) {
        io::stdin().lock().take(limit).read_to_end(&mut bytes).map_err(failed)?;
        return Ok(bytes);
    }
    let file = File::open(path).map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len().min(limit);
    // A file may say zero and hold more, as those of /proc do; this is only a hint.
    bytes
        .try_reserve_exact(length as usize)
        .map_err(|_| failed(io::ErrorKind::OutOfMemory.into()))?;
    file.take(limit).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}
