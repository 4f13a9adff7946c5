//! Files and standard input → bytes and texts, never more of them than their bounds; and the clock.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use compiler::cst;
use compiler::diagnostic::{self, Diagnostic};
use compiler::span::Span;
use compiler::tailnet::problem::Problem;
use compiler::tailnet::{self, Inventory};
use compiler::time::Timestamp;

use super::failure::{Failure, shown};

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

/// Today in UTC, where nobody gave another day.
pub(crate) fn today() -> compiler::Date {
    now().date()
}

/// Now; the beginning of 1970 where a clock stands before it.
pub(crate) fn now() -> Timestamp {
    let since = UNIX_EPOCH.elapsed().unwrap_or_default();
    Timestamp::new(since.as_secs() as i64, since.subsec_nanos() as i32).unwrap_or_default()
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
    const MAX: u64 = tailnet::MAX_BYTES as u64;
    let name = shown(path);
    let known = std::fs::metadata(path).map_or(0, |it| it.len());
    let bytes = if known > MAX && !is_stdin(path) { None } else { Some(bytes(path, MAX + 1)?) };
    let Some(bytes) = bytes.filter(|it| it.len() as u64 <= MAX) else {
        let diagnostics = vec![Problem::TooLarge.report(Span::at(0), None)];
        let inventory = Inventory { tailnet: None, diagnostics };
        return Ok(ReadInventory { name, text: String::new(), inventory, bytes: 0 });
    };
    let length = bytes.len();
    let (text, problem) = decode(bytes);
    let mut inventory = tailnet::read(&text);
    if let Some(problem) = problem {
        inventory.diagnostics.push(problem);
        diagnostic::sort(&mut inventory.diagnostics);
        inventory.tailnet = None;
    }
    Ok(ReadInventory { name, text, inventory, bytes: length })
}

/// The text of an inventory, and what of it is none. Windows PowerShell writes `>` as UTF-16 with a
/// mark in front; both are understood, because that is how many inventories are made.
fn decode(bytes: Vec<u8>) -> (String, Option<Diagnostic>) {
    match bytes.as_slice() {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => utf8(rest.to_vec()),
        _ => utf8(bytes),
    }
}

/// Places stay true: each byte that is no text becomes one character of one byte.
fn utf8(bytes: Vec<u8>) -> (String, Option<Diagnostic>) {
    let bytes = match String::from_utf8(bytes) {
        Ok(text) => return (text, None),
        Err(error) => error.into_bytes(),
    };
    let mut text = String::with_capacity(bytes.len());
    let mut wrong = Wrong::default();
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        let start = text.len();
        text.extend(chunk.invalid().iter().map(|_| '?'));
        wrong.add(start, text.len());
    }
    (text, wrong.report("UTF-8"))
}

/// What is no text becomes U+FFFD: halves of a surrogate pair, and half a unit at the end.
fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> (String, Option<Diagnostic>) {
    let (units, rest) = bytes.as_chunks();
    let mut text = String::with_capacity(units.len());
    let mut wrong = Wrong::default();
    let halves = rest.iter().map(|_| None);
    let chars = char::decode_utf16(units.iter().map(|it| unit(*it))).map(Result::ok);
    for char in chars.chain(halves) {
        let start = text.len();
        text.push(char.unwrap_or(char::REPLACEMENT_CHARACTER));
        if char.is_none() {
            wrong.add(start, text.len());
        }
    }
    (text, wrong.report("UTF-16"))
}

/// What of an inventory is no text: the first piece, and how many there are.
#[derive(Default)]
struct Wrong {
    first: Option<Span>,
    count: usize,
}

impl Wrong {
    /// Counts a piece of the text, unless it is empty.
    fn add(&mut self, start: usize, end: usize) {
        if start < end {
            self.first.get_or_insert(Span::new(start as u32, end as u32));
            self.count += 1;
        }
    }

    fn report(self, encoding: &'static str) -> Option<Diagnostic> {
        let problem = Problem::NotText { encoding, count: self.count };
        self.first.map(|it| problem.report(it, None))
    }
}

/// At most `limit` bytes of a file, a pipe or standard input.
pub(crate) fn bytes(path: &Path, limit: u64) -> Result<Vec<u8>, Failure> {
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
