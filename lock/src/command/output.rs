//! What goes to standard output for programs, and to standard error for people.

use std::io::{self, Write as _};

use serde::Serialize;

use super::failure::Failure;

/// Prints a JSON document, indented by two.
pub(crate) fn json(document: &impl Serialize) -> Result<(), Failure> {
    let mut text = serde_json::to_string_pretty(document).map_err(io::Error::from)?;
    text.push('\n');
    Ok(io::stdout().lock().write_all(text.as_bytes())?)
}

/// Prints text as it is.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    Ok(io::stdout().lock().write_all(text.as_bytes())?)
}

/// Tells the person something that is no result; a closed standard error is nobody to tell.
pub(crate) fn say(sentence: &str) {
    let _ = writeln!(io::stderr().lock(), "{sentence}");
}

/// Tells the person of something doubtful.
pub(crate) fn warn(sentence: &str) {
    let _ = writeln!(io::stderr().lock(), "warning: {sentence}");
}
