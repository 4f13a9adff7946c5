//! How secrets come in and go out: never as an argument, never into the environment, never shown
//! unless asked for.

use std::fs::File;
use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use zeroize::Zeroizing;

use super::atomic::{self, Readers};
use super::failure::Failure;

/// Longer secrets are files that were named by mistake.
const MAX_BYTES: u64 = 64 * 1024;

/// Bytes that are wiped when they go.
pub(crate) type Secret = Zeroizing<Vec<u8>>;

/// Where a secret that exists to be kept goes.
#[derive(Args)]
pub(crate) struct SecretOutput {
    /// Write the secret to a new file that only you can read
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,

    /// Print the secret on standard output, where others may see it
    #[arg(long, conflicts_with = "output")]
    pub(crate) print_secret: bool,
}

impl SecretOutput {
    /// Asked before the work: whether there is a place for what it gives.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        match (&self.output, self.print_secret) {
            (Some(path), _) => atomic::absent(path),
            (None, true) => Ok(()),
            (None, false) => Err(Failure::usage(
                "this makes a secret, and no place for it is given",
                "`-o FILE` writes a new file that only you can read; `--print-secret` shows it",
            )),
        }
    }

    /// Writes the secret where it was asked for.
    pub(crate) fn put(&self, secret: &[u8]) -> Result<(), Failure> {
        match &self.output {
            Some(path) => atomic::write_new(path, secret, Readers::Owner),
            None => Ok(io::stdout().lock().write_all(secret)?),
        }
    }
}

/// A secret from `@FILE`, from `-`, or from `prompt` on the terminal where nothing is given.
pub(crate) fn argument(given: Option<&str>, what: &str) -> Result<Secret, Failure> {
    match given {
        Some("-") => standard_input(what),
        Some(text) => match text.strip_prefix('@') {
            Some(path) => file(Path::new(path)),
            None => Err(Failure::usage(
                format!(
                    "{what} is not taken as an argument: process lists and histories keep those"
                ),
                "write it to a file and give `@FILE`, or `-` for standard input",
            )),
        },
        None => typed(what),
    }
}

/// The passphrase of a key file: from a file, `-` being standard input, or from the terminal.
pub(crate) fn passphrase(from: Option<&Path>, what: &str) -> Result<Secret, Failure> {
    match from {
        Some(path) if path.as_os_str() == "-" => standard_input(what),
        Some(path) => file(path),
        None => typed(what),
    }
}

/// A passphrase for a new file: typed twice, unless it comes from a file.
pub(crate) fn new_passphrase(from: Option<&Path>) -> Result<Secret, Failure> {
    let first = passphrase(from, "a new passphrase")?;
    if first.is_empty() {
        return Err(Failure::usage(
            "an empty passphrase protects nothing",
            "take a few words that nobody else would put together",
        ));
    }
    if from.is_none() && *typed("the passphrase again")? != *first {
        return Err(Failure::plain("the two passphrases differ; nothing is written"));
    }
    Ok(first)
}

/// What a file holds, without the end of its last line.
fn file(path: &Path) -> Result<Secret, Failure> {
    let failed = |it: io::Error| Failure::Read(path.to_owned(), it);
    read(File::open(path).map_err(failed)?).map_err(failed)
}

fn standard_input(what: &str) -> Result<Secret, Failure> {
    if io::stdin().is_terminal() {
        return typed(what);
    }
    read(io::stdin().lock()).map_err(|it| Failure::Read("-".into(), it))
}

fn read(from: impl io::Read) -> io::Result<Secret> {
    let mut secret = Zeroizing::new(Vec::with_capacity(MAX_BYTES as usize + 1));
    from.take(MAX_BYTES + 1).read_to_end(&mut secret)?;
    if secret.len() as u64 > MAX_BYTES {
        return Err(io::Error::other("it is too long for a secret"));
    }
    secret.pop_if(|it| *it == b'\n');
    secret.pop_if(|it| *it == b'\r');
    Ok(secret)
}

/// Types a secret at the terminal, which shows none of it.
fn typed(what: &str) -> Result<Secret, Failure> {
    let nobody = || {
        Failure::usage(
            format!("{what} is needed, and there is no terminal to type it at"),
            "give it in a file: `--passphrase-file FILE` for a passphrase, `@FILE` or `-` for other secrets",
        )
    };
    let mut terminal = super::confirm::terminal().ok_or_else(nobody)?;
    typed_at(&mut terminal, what)
        .map_err(|it| Failure::Read("/dev/tty".into(), it))?
        .ok_or_else(|| Failure::plain("interrupted; nothing is done"))
}

/// `None` where the person interrupted.
#[cfg(unix)]
fn typed_at(terminal: &mut File, what: &str) -> io::Result<Option<Secret>> {
    use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

    /// Sets the terminal back, however the typing ends.
    struct Restored<'t>(&'t File, Termios);
    impl Drop for Restored<'_> {
        fn drop(&mut self) {
            let _ = tcsetattr(self.0, OptionalActions::Flush, &self.1);
        }
    }

    write!(terminal, "{what}: ")?;
    terminal.flush()?;
    let before = tcgetattr(&*terminal)?;
    let mut silent = before.clone();
    // An interrupt comes as a character, so that the terminal is never left silent.
    silent.local_modes -= LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG;
    let mut secret: Secret = Zeroizing::new(Vec::with_capacity(4096));
    {
        let restored = Restored(terminal, before);
        tcsetattr(restored.0, OptionalActions::Flush, &silent)?;
        let mut reader = restored.0;
        let mut byte = [0];
        loop {
            if reader.read(&mut byte)? == 0 {
                break;
            }
            match byte {
                [b'\n' | b'\r' | 0x04] => break,
                [0x03 | 0x1a | 0x1c] => return Ok(None),
                [0x7f | 0x08] => {
                    // A whole character, not a byte of it.
                    while secret.pop_if(|it| *it & 0xc0 == 0x80).is_some() {}
                    secret.pop();
                }
                [0x15] => secret.clear(),
                // The vector must not move: what it left behind would not be wiped.
                [it] if secret.len() < 4096 => secret.push(it),
                _ => return Err(io::Error::other("it is too long for a secret")),
            }
        }
    }
    writeln!(terminal)?;
    Ok(Some(secret))
}

#[cfg(not(unix))]
fn typed_at(_: &mut File, _: &str) -> io::Result<Option<Secret>> {
    Err(io::Error::other("secrets are typed on Unix only; give them in a file"))
}
