//! What `tlock` remembers on this machine: the last head seen of each tailnet, and what each key
//! signed. Both guard against being shown an old chain and against signing two children of one
//! parent unawares; nothing in them is secret.
//!
//! They lie in `$XDG_STATE_HOME/tlock`, else `~/.local/state/tlock`. Where neither is known, or it
//! cannot be written, nothing is remembered, and a signature says so.

use std::env;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use compiler::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::atomic::{self, Readers};
use super::failure::Failure;

/// One signature, as a line of a key's journal.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Signed {
    /// When, RFC 3339.
    pub(crate) time: String,
    /// `add-key`, `checkpoint` …, or `direct`, `credential` for nodes.
    pub(crate) kind: String,
    /// The digest that was signed, hexadecimal.
    pub(crate) sig_hash: String,
    /// Of an update: its parent, base32; `none` for a genesis.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) parent: Option<String>,
    /// Of an update: which tailnet, `StateID1:StateID2`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tailnet: Option<String>,
    /// Of an endorsement: the node key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) node_key: Option<String>,
}

/// The last head that was seen of a tailnet.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Seen {
    /// The head, base32.
    pub(crate) head: String,
    /// When, RFC 3339.
    pub(crate) time: String,
}

/// The folder of all that is remembered.
pub(crate) struct Memory {
    folder: PathBuf,
}

impl Memory {
    /// The memory of this user; `None` where no home is known.
    pub(crate) fn open() -> Option<Self> {
        let state = env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|it| it.is_absolute());
        let home = || env::home_dir().filter(|it| it.is_absolute());
        let state = state.or_else(|| Some(home()?.join(".local/state")))?;
        Some(Self { folder: state.join("tlock") })
    }

    /// The head last seen of a tailnet. What cannot be read was not seen.
    pub(crate) fn last_seen(&self, tailnet: &str) -> Option<Seen> {
        let text = fs::read_to_string(self.heads(tailnet)).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// Remembers a head. Failing to is no reason not to show a chain.
    pub(crate) fn see(&self, tailnet: &str, head: &str) -> Result<(), Failure> {
        let path = self.heads(tailnet);
        make(&atomic::folder(&path))?;
        let seen = Seen { head: head.to_owned(), time: now() };
        let text = serde_json::to_string(&seen).map_err(io::Error::from)?;
        atomic::write(&path, format!("{text}\n").as_bytes(), Readers::Owner)
    }

    /// What a key signed, oldest first. A line that was cut off by a crash is left out.
    pub(crate) fn journal(&self, key: &str) -> Vec<Signed> {
        let text = fs::read_to_string(self.journal_path(key)).unwrap_or_default();
        text.lines().filter_map(|it| serde_json::from_str(it).ok()).collect()
    }

    /// Adds lines to a key's journal; they are on the disk before the signature leaves us.
    pub(crate) fn record(&self, key: &str, signed: &[Signed]) -> Result<(), Failure> {
        let path = self.journal_path(key);
        make(&atomic::folder(&path))?;
        append(&path, signed).map_err(|it| Failure::Write(path, it))
    }

    fn heads(&self, tailnet: &str) -> PathBuf {
        self.folder.join("heads").join(format!("{}.json", tailnet.replace(':', "-")))
    }

    fn journal_path(&self, key: &str) -> PathBuf {
        let name = key.trim_start_matches("tlpub:");
        self.folder.join("journal").join(format!("{name}.jsonl"))
    }
}

/// The time as RFC 3339, in seconds.
pub(crate) fn now() -> String {
    Timestamp::new(seconds_now(), 0).unwrap_or_default().to_string()
}

/// Seconds since the beginning of 1970; none where a clock stands before it.
pub(crate) fn seconds_now() -> i64 {
    UNIX_EPOCH.elapsed().unwrap_or_default().as_secs() as i64
}

fn append(path: &Path, signed: &[Signed]) -> io::Result<()> {
    let mut file = open(path)?;
    // Two runs at once take turns.
    file.lock()?;
    let mut lines = String::new();
    // A line that a crash cut off must not swallow the next.
    if file.seek(io::SeekFrom::End(0))? > 0 {
        file.seek(io::SeekFrom::End(-1))?;
        let mut last = [0];
        file.read_exact(&mut last)?;
        if last != [b'\n'] {
            lines.push('\n');
        }
    }
    for it in signed {
        lines += &serde_json::to_string(it)?;
        lines.push('\n');
    }
    file.write_all(lines.as_bytes())?;
    file.sync_all()
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path)
}

/// A folder that only its owner can look into.
fn make(folder: &Path) -> Result<(), Failure> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(folder).map_err(|it| Failure::Write(folder.to_owned(), it))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed(sig_hash: &str) -> Signed {
        Signed {
            time: now(),
            kind: "add-key".to_owned(),
            sig_hash: sig_hash.to_owned(),
            parent: None,
            tailnet: None,
            node_key: None,
        }
    }

    #[test]
    fn a_line_cut_off_by_a_crash_swallows_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let memory = Memory { folder: folder.path().to_owned() };
        memory.record("tlpub:aa", &[signed("01")]).unwrap();
        let path = memory.journal_path("tlpub:aa");
        let mut text = fs::read_to_string(&path).unwrap();
        text += "{\"time\": \"20";
        fs::write(&path, text).unwrap();
        memory.record("tlpub:aa", &[signed("02")]).unwrap();
        let hashes: Vec<String> =
            memory.journal("tlpub:aa").into_iter().map(|it| it.sig_hash).collect();
        assert_eq!(hashes, ["01", "02"]);
    }

    #[test]
    fn heads_are_kept_for_each_tailnet() {
        let folder = tempfile::tempdir().unwrap();
        let memory = Memory { folder: folder.path().to_owned() };
        memory.see("1:2", "AA").unwrap();
        memory.see("1:2", "BB").unwrap();
        assert_eq!(memory.last_seen("1:2").unwrap().head, "BB");
        assert!(memory.last_seen("1:3").is_none());
    }
}
