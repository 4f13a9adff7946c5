//! Fragments and contracts, in a folder or as texts → what bundling finds in each.

use std::path::Path;

use compiler::Dialect;
use compiler::bundle::{self, Fragment, contracts};
use compiler::diagnostic::Diagnostic;

use crate::{entries, name, read};

/// One file: its name, its text, what was found in it.
pub type Found = (String, String, Vec<Diagnostic>);

/// The files of a folder and of those below it, by their names as contracts know them.
pub fn files(folder: &Path) -> Result<Vec<(String, Vec<u8>)>, String> {
    let mut files = Vec::new();
    for path in entries(folder)? {
        if path.is_dir() {
            let below = self::files(&path)?.into_iter();
            files.extend(below.map(|(inner, bytes)| (format!("{}/{inner}", name(&path)), bytes)));
        } else {
            files.push((name(&path).to_owned(), read(&path)?));
        }
    }
    files.sort();
    Ok(files)
}

/// Bundles files, of which `contracts.toml` holds the contracts; and the bundle, where there is one.
pub fn check(files: Vec<(String, Vec<u8>)>) -> (Vec<Found>, Option<bundle::Bundle>) {
    let (contracts, fragments): (Vec<_>, Vec<_>) =
        files.into_iter().partition(|it| it.0 == contracts::FILE_NAME);
    let fragments: Vec<Fragment> =
        fragments.iter().map(|(name, bytes)| Fragment::new(name, bytes)).collect();
    let mut found = Vec::new();
    let mut read = None;
    for (name, bytes) in contracts {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (contracts, wrong) = contracts::read(&text);
        found.push((name, text, wrong));
        read = Some(contracts);
    }
    if found.iter().any(|it| !it.2.is_empty()) {
        return (found, None);
    }
    let bundled = bundle::bundle(&fragments, read.as_ref(), Dialect::Tailscale);
    for (at, fragment) in fragments.iter().enumerate() {
        let own = bundled.findings.iter().filter(|it| it.0 == at).map(|it| it.1.clone());
        found.push((fragment.name.clone(), fragment.text().to_owned(), own.collect()));
    }
    (found, bundled.bundle)
}
