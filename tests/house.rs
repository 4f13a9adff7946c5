//! Checks the house: every code has its page and its case, every import points the right way,
//! every path that a page names exists, pages say what the compiler does, and no file outgrows its
//! subject.

#[path = "house/codes.rs"]
mod codes;
#[path = "house/files.rs"]
mod files;
#[path = "house/imports.rs"]
mod imports;
#[path = "house/inventory.rs"]
mod inventory;
#[path = "house/known.rs"]
mod known;
#[path = "house/lock_codes.rs"]
mod lock_codes;
#[path = "house/places.rs"]
mod places;

use std::path::{Path, PathBuf};

use libtest_mimic::{Arguments, Failed};
use tests::{entries, name, root};

fn main() -> Result<std::process::ExitCode, String> {
    let arguments = Arguments::from_args();
    let files = walk(&root())?;
    let mut trials = codes::trials();
    trials.extend(lock_codes::trials());
    trials.extend(imports::trials(&files));
    trials.extend(files::trials(&files));
    trials.extend(inventory::trials());
    trials.extend(places::trials());
    trials.extend(known::trials());
    Ok(libtest_mimic::run(&arguments, trials).exit_code())
}

/// Every file of the repository, by path; without what is built, fetched or hidden by the checkout.
fn walk(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for path in entries(&folder)? {
            if !path.is_dir() {
                files.push(path);
            } else if !["target", ".git", "node_modules"].contains(&name(&path)) {
                folders.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

/// The path as the repository's pages write it.
fn relative(path: &Path) -> String {
    let root = root();
    path.strip_prefix(&root).unwrap_or(path).to_string_lossy().replace('\\', "/")
}

/// Passes where nothing is wrong; otherwise a line for each thing.
fn none_of(wrong: Vec<String>) -> Result<(), Failed> {
    if wrong.is_empty() { Ok(()) } else { Err(format!("\n{}", wrong.join("\n")).into()) }
}
