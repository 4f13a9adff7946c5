//! The built page: a folder of files, listed once, so that a request can name no other.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::command::failure::{Failure, shown};

/// Every file of the page by its name in an address: `index.html`, `assets/index.js`.
#[derive(Debug)]
pub(super) struct Page(BTreeMap<String, PathBuf>);

/// Where the page lies beside the program: as it is installed, as a package has it, as it is built.
const PLACES: [&str; 3] = ["preview", "../share/aclc/preview", "../preview"];

/// What tells the page that it is served here and not by a file server.
const MARK: &str = "<head><meta name=\"aclc-preview\" content=\"live\">";

impl Page {
    /// The page in a folder, or beside the program.
    ///
    /// Errors: there is none.
    pub(super) fn find(folder: Option<&Path>) -> Result<Self, Failure> {
        let folder = match folder {
            Some(folder) => folder.to_owned(),
            None => beside().ok_or_else(|| missing("there is no page beside the program"))?,
        };
        if !folder.join("index.html").is_file() {
            return Err(missing(format!("there is no page in `{}`", shown(&folder))));
        }
        let mut files = BTreeMap::new();
        list(&folder, "", &mut files).map_err(|it| Failure::Read(folder.clone(), it))?;
        Ok(Self(files))
    }

    /// The bytes of a file and what they are; nothing where the page has no such file.
    pub(super) fn file(&self, name: &str) -> Option<io::Result<(&'static str, Vec<u8>)>> {
        let name = if name.is_empty() { "index.html" } else { name };
        let bytes = fs::read(self.0.get(name)?);
        Some(bytes.map(|bytes| match name {
            "index.html" => (
                kind(name),
                String::from_utf8_lossy(&bytes).replacen("<head>", MARK, 1).into_bytes(),
            ),
            _ => (kind(name), bytes),
        }))
    }
}

fn beside() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    let real = program.canonicalize().unwrap_or_else(|_| program.clone());
    let folders = [program, real];
    let folders = folders.iter().filter_map(|it| it.parent());
    let mut places = folders.flat_map(|it| PLACES.map(|place| it.join(place)));
    places.find(|it| it.join("index.html").is_file())
}

fn missing(sentence: impl Into<String>) -> Failure {
    Failure::usage(
        sentence,
        "`wasm/build` in the repository makes it, in target/preview; `--page DIR` names its folder",
    )
}

fn list(folder: &Path, below: &str, files: &mut BTreeMap<String, PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{below}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            list(&entry.path(), &format!("{name}/"), files)?;
        } else {
            files.insert(name, entry.path());
        }
    }
    Ok(())
}

fn kind(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|it| it.1) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("wasm") => "application/wasm",
        _ => "application/octet-stream",
    }
}
