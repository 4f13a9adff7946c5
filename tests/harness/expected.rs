//! A text → whether it is what the file beside a case says. With `BLESS=1` in the environment the
//! file is made to say it instead.

use std::fs;
use std::path::Path;

use crate::compare::diff;
use crate::{name, read_text};

/// Whether expectations are written rather than compared.
pub fn blessing() -> bool {
    std::env::var_os("BLESS").is_some_and(|it| !it.is_empty() && it != "0")
}

/// Compares `actual` with what the file holds. A missing file stands for an empty text.
///
/// When blessing, writes the file where it differs and takes it away where `actual` is empty.
pub fn expect(file: &Path, actual: &str) -> Result<(), String> {
    let expected = if file.exists() { read_text(file)? } else { String::new() };
    if expected == actual && (actual.is_empty() != file.exists()) {
        return Ok(());
    }
    if blessing() {
        let done = if actual.is_empty() { fs::remove_file(file) } else { fs::write(file, actual) };
        return done.map_err(|error| format!("{}: {error}", file.display()));
    }
    let name = name(file);
    Err(match (file.exists(), actual.is_empty()) {
        (false, _) => format!("{name} is missing (BLESS=1 writes it):\n{}", diff("", actual)),
        (true, true) => {
            format!("{name} should not be there (BLESS=1 removes it):\n{}", diff(&expected, ""))
        }
        (true, false) => {
            format!("{name} differs (BLESS=1 writes it):\n{}", diff(&expected, actual))
        }
    })
}
