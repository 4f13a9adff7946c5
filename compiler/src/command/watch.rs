//! `aclc check --watch`: checks again when a file changes, until interrupted.

use std::fs;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use super::failure::Failure;
use super::{Exit, input, report};

/// How often the files are looked at. Asking for a date costs nothing, and unlike a notification
/// from the system it works on shared folders and with editors that replace files.
const BEAT: Duration = Duration::from_millis(250);

/// What tells one state of a file from another: date and length, or that it is not there.
type Stamp = Option<(Option<SystemTime>, u64)>;

/// Checks now and after each change of a file; only an interruption or a closed output ends it.
///
/// `plan` says what there is to do, `files` which files that depends on. Where no plan can be made,
/// `wanted` are looked at until one can.
pub(super) fn run<P>(
    wanted: &[PathBuf],
    plan: impl Fn() -> Result<P, Failure>,
    files: impl Fn(&P) -> Vec<PathBuf>,
    check: impl Fn(&P) -> Result<Exit, Failure>,
) -> Result<Exit, Failure> {
    if wanted.iter().any(|it| input::is_stdin(it)) {
        return Err(Failure::usage("standard input cannot be watched", "name the files"));
    }
    loop {
        let planned = plan();
        let paths = planned.as_ref().map_or_else(|_| wanted.to_vec(), &files);
        // Taken before reading, so that a change during the check is not missed.
        let stamps = stamps(&paths);
        clear().map_err(Failure::Print)?;
        match planned.and_then(|it| check(&it)) {
            Ok(_) => {}
            Err(failure) if failure.is_reader_gone() => return Ok(Exit::Clean),
            Err(failure) => report(&failure),
        }
        while stamps == self::stamps(&paths) {
            std::thread::sleep(BEAT);
        }
    }
}

fn stamps(paths: &[PathBuf]) -> Vec<Stamp> {
    paths.iter().map(|it| fs::metadata(it).ok().map(|it| (it.modified().ok(), it.len()))).collect()
}

/// Begins a new page on a terminal, and a new paragraph elsewhere.
fn clear() -> io::Result<()> {
    let mut out = io::stdout().lock();
    if out.is_terminal() {
        out.write_all(b"\x1b[2J\x1b[H")?;
    } else {
        out.write_all(b"\n")?;
    }
    out.flush()
}
