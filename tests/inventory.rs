//! Runs every case of `inventory/`: an inventory in any shape, and what it says in our own.
//!
//! `expected.json` is what is read, written again; `redacted.json`, where there is one, the same
//! under neutral names. `BLESS=1` writes both. What was written must be read as the same facts.

use std::path::{Path, PathBuf};

use compiler::diagnostic::Severity;
use compiler::tailnet::{self, Tailnet};
use libtest_mimic::{Arguments, Failed, Trial};

fn main() -> Result<std::process::ExitCode, std::io::Error> {
    let mut folders = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("inventory"))?
        .map(|it| it.map(|it| it.path()))
        .collect::<Result<Vec<PathBuf>, _>>()?;
    folders.sort();
    let trials = folders.into_iter().map(|folder| {
        let name =
            folder.file_name().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default();
        Trial::test(format!("inventory/{name}"), move || run(&folder))
    });
    Ok(libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code())
}

fn run(folder: &Path) -> Result<(), Failed> {
    let tailnet = read(&std::fs::read_to_string(folder.join("inventory.json"))?)?;
    let written = tailnet::write(&tailnet);
    if read(&written)?.facts() != tailnet.facts() {
        return Err(format!("what was written is not read as the same facts:\n{written}").into());
    }
    expect(&folder.join("expected.json"), &written)?;
    let redacted = folder.join("redacted.json");
    if redacted.exists() {
        let neutral = tailnet::write(&tailnet::redact(&tailnet));
        read(&neutral)?;
        expect(&redacted, &neutral)?;
    }
    Ok(())
}

fn read(text: &str) -> Result<Tailnet, Failed> {
    let inventory = tailnet::read(text);
    let bad = inventory.diagnostics.iter().find(|it| it.severity > Severity::Note);
    match (inventory.tailnet, bad) {
        (Some(tailnet), None) => Ok(tailnet),
        (_, bad) => Err(format!("not read: {bad:?}").into()),
    }
}

/// Compares with a file, or writes it.
fn expect(path: &Path, found: &str) -> Result<(), Failed> {
    if std::env::var_os("BLESS").is_some() {
        return Ok(std::fs::write(path, found)?);
    }
    let expected = std::fs::read_to_string(path)?;
    if expected == found {
        return Ok(());
    }
    Err(format!("{} differs:\n{found}", path.display()).into())
}
