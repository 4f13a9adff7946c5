//! The daemon's folder, read and written byte for byte.
//!
//! ```text
//! last_active_ancestor      32 bytes: a hash
//! XX/                       the first two characters of a hash
//!    XX…                    a record, named by the hash of its update
//! ```
//!
//! Everything is read once, when the folder is opened, as the daemon does. Every write goes to a
//! temporary file beside its target, is flushed to the disk and then renamed, so a reader, or a
//! crash, meets the old content or the new. Records are written before the file that names one.
//! Nothing is deleted: a purged record keeps its update.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::{Memory, Record, Store};
use crate::aum::{AumHash, Update};
use crate::cbor::{DecodeError, Decoded};
use crate::error::StoreError;
use crate::limits::{MAX_MESSAGE, MAX_RECORDS};

/// The name of the file that names the oldest active update.
const ANCESTOR: &str = "last_active_ancestor";

/// A store in a folder.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    memory: Memory,
}

/// Everything that lies in a folder, for those who want more than its updates.
#[derive(Debug, Default)]
pub struct Scan {
    /// Records that can be read, purged ones and placeholders included, by the hash they are named.
    pub records: Vec<Found>,
    /// Records that cannot.
    pub broken: Vec<(PathBuf, StoreError)>,
    /// Files and folders that have no business there.
    pub strays: Vec<Stray>,
    /// The oldest active update that the folder names.
    pub ancestor: Option<AumHash>,
}

/// A record and where it lies.
#[derive(Debug)]
pub struct Found {
    /// Its file.
    pub path: PathBuf,
    /// The hash it is named by.
    pub hash: AumHash,
    /// What it says, and what is unusual about its bytes.
    pub record: Decoded<Record>,
    /// When it was committed; when the file was changed last, where it does not say so itself.
    pub committed: i64,
}

/// A file that the daemon passes over.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Stray(pub PathBuf);

impl Folder {
    /// Opens a folder as the daemon does: one record that cannot be read makes it fail.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let path = path.into();
        let scan = Scan::of(&path)?;
        if let Some((_, error)) = scan.broken.into_iter().next() {
            return Err(error);
        }
        let mut memory = Memory { ancestor: scan.ancestor, ..Memory::default() };
        for found in scan.records {
            if let Some(aum) = found.record.value.aum
                && found.record.value.purged <= 0
            {
                memory.insert(Update::new(aum), found.committed);
            }
        }
        Ok(Self { path, memory })
    }

    /// Opens a folder, and makes it where there is none.
    pub fn create(path: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let path = path.into();
        make_folder(&path)?;
        Self::open(path)
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Every record, live, purged or broken.
    pub fn scan(&self) -> Result<Scan, StoreError> {
        Scan::of(&self.path)
    }

    fn file_of(&self, hash: &AumHash) -> PathBuf {
        self.path.join(Record::path(hash))
    }

    /// Changes one record on the disk, and gives the time at which it was committed first.
    fn change(
        &self,
        hash: &AumHash,
        now: i64,
        change: impl FnOnce(&mut Record),
    ) -> Result<i64, StoreError> {
        let file = self.file_of(hash);
        let mut record = match read_record(&file, hash)? {
            Some(found) => found.value,
            None => Record { created: now, ..Record::default() },
        };
        change(&mut record);
        if let Some(folder) = file.parent() {
            make_folder(folder)?;
        }
        write_atomically(&file, &record.encode())?;
        // A record that does not say has the time of its file, and that is now.
        Ok(if record.created > 0 { record.created } else { now })
    }
}

impl Store for Folder {
    fn update(&self, hash: &AumHash) -> Result<Option<Update>, StoreError> {
        self.memory.update(hash)
    }

    fn children(&self, hash: &AumHash) -> Result<Vec<Update>, StoreError> {
        self.memory.children(hash)
    }

    fn all(&self) -> Result<Vec<Update>, StoreError> {
        self.memory.all()
    }

    fn committed(&self, hash: &AumHash) -> Result<Option<i64>, StoreError> {
        self.memory.committed(hash)
    }

    fn last_active_ancestor(&self) -> Result<Option<AumHash>, StoreError> {
        self.memory.last_active_ancestor()
    }

    fn commit(&mut self, updates: &[Update], now: i64) -> Result<(), StoreError> {
        for update in updates {
            let hash = update.hash();
            let committed = self.change(&hash, now, |record| {
                record.purged = 0;
                record.aum = Some(update.aum().clone());
            })?;
            self.memory.insert(update.clone(), committed);
        }
        Ok(())
    }

    fn set_last_active_ancestor(&mut self, hash: AumHash) -> Result<(), StoreError> {
        write_atomically(&self.path.join(ANCESTOR), hash.as_bytes())?;
        self.memory.set_last_active_ancestor(hash)
    }

    fn purge(&mut self, hashes: &[AumHash], now: i64) -> Result<(), StoreError> {
        for hash in hashes {
            if self.memory.updates.contains_key(hash) {
                self.change(hash, now, |record| record.purged = now)?;
                self.memory.remove(hash);
            }
        }
        Ok(())
    }
}

impl Scan {
    /// Reads everything in a folder.
    pub fn of(path: &Path) -> Result<Self, StoreError> {
        let mut scan = Self { ancestor: read_ancestor(&path.join(ANCESTOR))?, ..Self::default() };
        let mut count = 0;
        for folder in entries(path)? {
            if !folder.is_dir() {
                if folder.file_name().is_none_or(|it| it != ANCESTOR) {
                    scan.strays.push(Stray(folder));
                }
                continue;
            }
            for file in entries(&folder)? {
                count += 1;
                if count > MAX_RECORDS {
                    let path = path.display().to_string();
                    return Err(StoreError::TooManyRecords { path, max: MAX_RECORDS });
                }
                scan.add(file, path);
            }
        }
        Ok(scan)
    }

    fn add(&mut self, file: PathBuf, root: &Path) {
        let name = file.file_name().and_then(|it| it.to_str()).and_then(|it| it.parse().ok());
        let Some(hash) = name else {
            self.strays.push(Stray(file));
            return;
        };
        // The daemon lists names, and then reads where the name says: a copy in another folder is
        // passed over where the proper one exists, and breaks the store where it does not.
        let proper = root.join(Record::path(&hash));
        match read_record(&proper, &hash) {
            Ok(Some(_)) if file != proper => self.strays.push(Stray(file)),
            Ok(Some(record)) => {
                let own = record.value.created;
                let committed = if own > 0 { own } else { modified(&file) };
                self.records.push(Found { path: file, hash, record, committed });
            }
            Ok(None) => {
                let error = std::io::Error::from(ErrorKind::NotFound);
                self.broken.push((file, io(&proper)(error)));
            }
            Err(error) => self.broken.push((file, error)),
        }
    }
}

/// The entries of a folder, by name.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    // One more than the bound, so that whoever counts notices.
    let listed = fs::read_dir(folder).map_err(io(folder))?.take(MAX_RECORDS + 1);
    let mut paths: Vec<PathBuf> =
        listed.map(|it| it.map(|it| it.path())).collect::<Result<_, _>>().map_err(io(folder))?;
    paths.sort();
    Ok(paths)
}

fn io(path: &Path) -> impl Fn(std::io::Error) -> StoreError + use<> {
    let path = path.display().to_string();
    move |error| StoreError::Io { path: path.clone(), error }
}

/// The record in a file; `None` where there is no file.
fn read_record(file: &Path, hash: &AumHash) -> Result<Option<Decoded<Record>>, StoreError> {
    let Some(bytes) = read(file)? else { return Ok(None) };
    let path = || file.display().to_string();
    let record = Record::decode(&bytes)
        .map_err(|error: DecodeError| StoreError::Record { path: path(), error })?;
    match record.value.aum.as_ref().map(|it| it.hash()) {
        Some(other) if other != *hash => Err(StoreError::WrongName { path: path(), hash: other }),
        _ => Ok(Some(record)),
    }
}

fn read_ancestor(file: &Path) -> Result<Option<AumHash>, StoreError> {
    let Some(bytes) = read(file)? else { return Ok(None) };
    let length = bytes.len();
    bytes
        .try_into()
        .map(|it| Some(AumHash::new(it)))
        .map_err(|_| StoreError::AncestorLength(length))
}

/// The content of a file up to one byte more than any message has; `None` where there is no file.
fn read(file: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    use std::io::Read;

    let opened = match File::open(file) {
        Ok(opened) => opened,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io(file)(error)),
    };
    let mut bytes = Vec::new();
    opened.take(MAX_MESSAGE as u64 + 1).read_to_end(&mut bytes).map_err(io(file))?;
    Ok(Some(bytes))
}

/// When a file was changed last, in seconds since 1970.
fn modified(file: &Path) -> i64 {
    let time = fs::metadata(file).and_then(|it| it.modified()).unwrap_or(UNIX_EPOCH);
    let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |it| it.as_secs());
    i64::try_from(seconds).unwrap_or(i64::MAX)
}

/// Makes a folder that everybody may read, and those above it.
fn make_folder(path: &Path) -> Result<(), StoreError> {
    if path.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(path).map_err(io(path))?;
    like_above(path, 0o755).map_err(io(path))
}

/// Gives a new file or folder the mode of the daemon's, and the owner of the folder it lies in.
#[cfg(unix)]
fn like_above(path: &Path, mode: u32) -> std::io::Result<()> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};

    fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
    let (own, above) = (fs::metadata(path)?, fs::metadata(folder_of(path))?);
    if (own.uid(), own.gid()) != (above.uid(), above.gid()) {
        // Only the superuser can, and whoever cannot has the right to write here all the same.
        chown(path, Some(above.uid()), Some(above.gid())).ok();
    }
    Ok(())
}

#[cfg(not(unix))]
fn like_above(_path: &Path, _mode: u32) -> std::io::Result<()> {
    Ok(())
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Puts a file in place whole, or leaves the old one.
fn write_atomically(file: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    if fs::symlink_metadata(file).is_ok_and(|it| !it.is_file()) {
        return Err(StoreError::NotAFile(file.display().to_string()));
    }
    let (temporary, mut opened) = temporary(file)?;
    let written = opened
        .write_all(bytes)
        .and_then(|()| like_above(&temporary, 0o644))
        .and_then(|()| opened.sync_all());
    drop(opened);
    let moved = written.and_then(|()| fs::rename(&temporary, file));
    if let Err(error) = moved {
        // What is left over would be passed over by every reader.
        fs::remove_file(&temporary).ok();
        return Err(io(file)(error));
    }
    // The rename itself must reach the disk, too; a system that cannot flush a folder does it alone.
    File::open(folder_of(file)).and_then(|it| it.sync_all()).ok();
    Ok(())
}

/// A new file beside `file`, named as the daemon names its own: no hash, so every reader passes it.
fn temporary(file: &Path) -> Result<(PathBuf, File), StoreError> {
    let mut attempt = std::process::id();
    loop {
        let mut name = file.as_os_str().to_owned();
        name.push(format!(".tmp{attempt}"));
        let path = PathBuf::from(name);
        match File::create_new(&path) {
            Ok(opened) => return Ok((path, opened)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                attempt = attempt.wrapping_add(1);
            }
            Err(error) => return Err(io(&path)(error)),
        }
    }
}
