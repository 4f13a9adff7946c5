//! A store's folder, written by a process that is killed at any moment: whoever opens it afterwards
//! finds each update that the writer said was kept, and nothing half written.
//!
//! The writer is this program again, started with the folder's path in the environment.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use libtest_mimic::{Arguments, Failed, Trial};
use lock::aum::{Aum, AumKind, Update};
use lock::authority::Authority;
use lock::store::{Folder, Store};

/// Names the folder that the writer writes.
const WRITER: &str = "TESTS_LOCK_STORE_WRITER";

/// How often the writer is killed.
const KILLS: u64 = 500;

fn main() -> Result<std::process::ExitCode, String> {
    if let Some(folder) = std::env::var_os(WRITER) {
        write(Path::new(&folder)).map_err(|it| it.to_string())?;
        return Ok(std::process::ExitCode::SUCCESS);
    }
    let arguments = Arguments::from_args();
    let trials = vec![Trial::test("a killed writer leaves old content or new", killed)];
    Ok(libtest_mimic::run(&arguments, trials).exit_code())
}

/// The update of a number, and so the chain of all before it.
fn chain(length: usize) -> Vec<Update> {
    let mut updates: Vec<Update> = Vec::new();
    for _ in 0..length {
        let parent = updates.last().map(|it| it.hash().as_bytes().to_vec());
        updates.push(Update::new(Aum { kind: AumKind::NoOp, parent, ..Aum::default() }));
    }
    updates
}

/// Longest chain that is written, and how many updates of it are kept before the oldest are purged.
const LENGTH: usize = 40;
const KEPT: usize = 8;

/// Commits, purges and sets the oldest update over and over, saying after each what is there.
fn write(folder: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let mut store = Folder::create(folder)?;
    let chain = chain(LENGTH);
    let mut out = std::io::stdout();
    loop {
        for (index, update) in chain.iter().enumerate() {
            store.commit(std::slice::from_ref(update), 1 + index as i64)?;
            writeln!(out, "{index}")?;
            out.flush()?;
            if let Some(old) = index.checked_sub(KEPT).and_then(|it| chain.get(it)) {
                store.set_last_active_ancestor(update.hash())?;
                store.purge(&[old.hash()], 100)?;
            }
        }
    }
}

fn killed() -> Result<(), Failed> {
    let place = tempfile::tempdir()?;
    let folder = place.path().join("tka-profiles/1ab3");
    let chain = chain(LENGTH);
    let program = std::env::current_exe()?;
    for round in 0..KILLS {
        let mut writer = Command::new(&program)
            .env(WRITER, &folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let lines = BufReader::new(writer.stdout.take().ok_or("no output")?);
        // The first line says that it has begun; a few more, and then turns of a loop, make the
        // moment another one each time.
        let mut lines = lines.lines();
        let mut first = lines.next().ok_or("the writer wrote nothing")??;
        for _ in 0..round % 4 {
            first = lines.next().ok_or("the writer stopped")??;
        }
        for _ in 0..round * 7_919 % 300_000 {
            std::hint::spin_loop();
        }
        writer.kill()?;
        writer.wait()?;
        let last = lines.map_while(Result::ok).last().unwrap_or(first);
        check(&folder, &chain, last.parse()?)?;
    }
    Ok(())
}

/// Opens what the writer left; `last` is the newest update that it said was kept.
fn check(folder: &Path, chain: &[Update], last: usize) -> Result<(), Failed> {
    let store = Folder::open(folder)?;
    let update = chain.get(last).ok_or("no such update")?;
    if store.update(&update.hash())?.is_none() {
        return Err(format!("update {last} was said to be kept and is not there").into());
    }
    if let Some(ancestor) = store.last_active_ancestor()?
        && !chain.iter().any(|it| it.hash() == ancestor)
    {
        return Err("the file that names the oldest update holds something else".into());
    }
    // Rounds overlap, so what is there need not be one chain; but it opens or says why not.
    Authority::open(&store).ok();
    Ok(())
}
