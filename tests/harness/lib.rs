//! What the runners beside this folder share: where things lie, what the compiler finds in a
//! policy, how a text is compared with the file that holds what is expected, how carets name
//! places. Every answer is a `Result` with a sentence for the person who reads the failure.

pub mod aclc;
pub mod addresses;
pub mod bundles;
pub mod carets;
pub mod compare;
pub mod editor;
pub mod evaluator;
pub mod expected;
pub mod findings;
pub mod generator;
pub mod interop;
pub mod layout;
pub mod packets;
pub mod scenario;
pub mod secrets;
pub mod slow_compiler;
pub mod texts;

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

/// The folder of the whole repository.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// A folder of material that lies outside the repository: `conformance`, `corpus`.
///
/// `ACLC_SHARED` says where to look, and then the folder must be there. Otherwise it is looked
/// for in `shared` beside the repository; `None` where there is none.
pub fn shared(folder: &str) -> Result<Option<PathBuf>, String> {
    let named = std::env::var_os("ACLC_SHARED").filter(|it| !it.is_empty());
    let place = match &named {
        Some(named) => root().join(named).join(folder),
        None => root().join("../shared").join(folder),
    };
    match (place.is_dir(), named) {
        (true, _) => Ok(Some(place)),
        (false, None) => Ok(None),
        (false, Some(_)) => {
            Err(format!("ACLC_SHARED is set, but {} is not a folder", place.display()))
        }
    }
}

/// What a folder holds, sorted by name; nothing where there is no such folder.
pub fn entries(folder: &Path) -> Result<Vec<PathBuf>, String> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let listing = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut paths = listing
        .map(|entry| {
            entry.map(|it| it.path()).map_err(|error| format!("{}: {error}", folder.display()))
        })
        .collect::<Result<Vec<_>, _>>()?;
    paths.sort();
    Ok(paths)
}

/// The last part of a path, as text.
pub fn name(path: &Path) -> &str {
    path.file_name().and_then(OsStr::to_str).unwrap_or_default()
}

/// The bytes of a file.
pub fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// The text of a file.
pub fn read_text(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}
