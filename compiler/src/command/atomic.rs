//! Files that appear whole or not at all: written beside their place, then renamed.

use std::io::{self, Write as _};
use std::path::Path;

use super::failure::Failure;

/// Writes a file, over an old one where there is one, whose mode it keeps. Pipes and devices are
/// written straight.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::Write(path.to_owned(), error);
    // A link keeps pointing: what it points to is replaced.
    let place = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if std::fs::metadata(&place).is_ok_and(|it| !it.is_file() && !it.is_dir()) {
        return std::fs::write(&place, bytes).map_err(failed);
    }
    if place.is_dir() {
        return Err(failed(io::ErrorKind::IsADirectory.into()));
    }
    let file = beside(&place, bytes).map_err(failed)?;
    if let Ok(old) = std::fs::metadata(&place) {
        let mode = old.permissions();
        // Renaming asks the folder alone.
        if mode.readonly() {
            return Err(failed(io::ErrorKind::PermissionDenied.into()));
        }
        file.as_file().set_permissions(mode).map_err(failed)?;
    }
    file.persist(&place).map_err(|it| failed(it.error)).map(drop)
}

/// Writes a file that must not be there yet.
pub(crate) fn write_new(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::Write(path.to_owned(), error);
    // Said before anything is written; the rename below holds against others at the same moment.
    if std::fs::symlink_metadata(path).is_ok() {
        return Err(failed(io::ErrorKind::AlreadyExists.into()));
    }
    let file = beside(path, bytes).map_err(failed)?;
    file.persist_noclobber(path).map_err(|it| failed(it.error)).map(drop)
}

/// A temporary file in the folder of `path`; it goes away unless it is renamed.
fn beside(path: &Path, bytes: &[u8]) -> io::Result<tempfile::NamedTempFile> {
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".aclc-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // As any file a command writes; the system takes off what the user's mask forbids.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(bytes)?;
    Ok(file)
}
