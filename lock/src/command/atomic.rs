//! Files that appear whole or not at all: written beside their place, synced, then renamed.
//!
//! A cut of power or a kill leaves the old content or the new one, never neither: the bytes are on
//! the disk before the name points to them, and the name is on the disk before we say so.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::failure::Failure;

/// Who may read a file that we write.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Readers {
    /// The owner alone (mode 0600): keys and secrets.
    Owner,
    /// Whom the user's mask allows: what everybody may know.
    Anyone,
}

/// Writes a file, over an old one where there is one. Pipes and devices are written straight.
pub(crate) fn write(path: &Path, bytes: &[u8], readers: Readers) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::Write(path.to_owned(), error);
    // A link keeps pointing: what it points to is replaced.
    let place = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if std::fs::metadata(&place).is_ok_and(|it| !it.is_file() && !it.is_dir()) {
        return std::fs::write(&place, bytes).map_err(failed);
    }
    if place.is_dir() {
        return Err(failed(io::ErrorKind::IsADirectory.into()));
    }
    let file = beside(&place, bytes, readers).map_err(failed)?;
    file.persist(&place).map_err(|it| failed(it.error))?;
    sync_folder(&place).map_err(failed)
}

/// Writes a file that must not be there yet.
pub(crate) fn write_new(path: &Path, bytes: &[u8], readers: Readers) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::Write(path.to_owned(), error);
    absent(path)?;
    let file = beside(path, bytes, readers).map_err(failed)?;
    // The rename holds against others at the same moment.
    file.persist_noclobber(path).map_err(|it| failed(it.error))?;
    sync_folder(path).map_err(failed)
}

/// Refuses a place where something is: asked before work whose result would then be lost.
pub(crate) fn absent(path: &Path) -> Result<(), Failure> {
    if std::fs::symlink_metadata(path).is_ok() {
        return Err(Failure::Write(path.to_owned(), io::ErrorKind::AlreadyExists.into()));
    }
    Ok(())
}

/// A temporary file in the folder of `path`, its bytes on the disk; it goes away unless renamed.
fn beside(path: &Path, bytes: &[u8], readers: Readers) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".tlock-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // Of 0666 the system takes off what the user's mask forbids.
        let mode = if readers == Readers::Owner { 0o600 } else { 0o666 };
        builder.permissions(std::fs::Permissions::from_mode(mode));
    }
    #[cfg(not(unix))]
    let _ = readers;
    let mut file = builder.tempfile_in(folder(path))?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// The folder that a path names a file in.
pub(crate) fn folder(path: &Path) -> PathBuf {
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
    folder.unwrap_or(Path::new(".")).to_owned()
}

/// Lets the new name reach the disk. Systems whose folders cannot be opened have nothing to sync.
fn sync_folder(path: &Path) -> io::Result<()> {
    match File::open(folder(path)) {
        Ok(folder) if cfg!(unix) => folder.sync_all(),
        _ => Ok(()),
    }
}
