//! `--store`, `--log`, `--tailscaled` → the chain that a command works on, checked against what is
//! expected and what was seen before.

mod from_log;

use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use lock::audit::Oddity;
use lock::aum::{AumHash, Update};
use lock::authority::Authority;
use lock::error::{ChainError, StoreError};
use lock::state::State;
use lock::store::{Folder, Memory, Scan, Store};

use super::daemon::Daemon;
use super::failure::{Failure, shown};
use super::memory::Memory as Remembered;
use super::{blob, output, state_file};

/// Which chain, and what it must be.
#[derive(Args, Clone, Debug)]
pub(crate) struct ChainOptions {
    #[command(flatten)]
    pub(crate) source: Source,

    /// The socket of the daemon, where it is not at its usual place
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) socket: Option<PathBuf>,

    /// Refuse a chain whose newest update is another
    #[arg(long, value_name = "HASH")]
    pub(crate) expect_head: Option<AumHash>,

    /// Refuse a chain that does not go back to this update
    #[arg(long, value_name = "HASH")]
    pub(crate) expect_genesis: Option<AumHash>,
}

/// Where a chain comes from: one of three.
#[derive(Args, Clone, Debug, Default)]
#[group(multiple = false)]
pub(crate) struct Source {
    /// A folder of updates as the daemon keeps it (…/tka-profiles/ID), or the daemon's own folder
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) store: Option<PathBuf>,

    /// An export: what `tailscale lock log --json` prints; `-` is standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) log: Option<PathBuf>,

    /// Ask the daemon on this machine
    #[arg(long)]
    pub(crate) tailscaled: bool,
}

/// A chain that was opened.
pub(crate) struct Chain {
    /// What people call the place it comes from.
    pub(crate) name: String,
    /// The updates.
    pub(crate) store: Box<dyn Store>,
    /// The active chain.
    pub(crate) authority: Authority,
}

/// Updates that were read and perhaps make no chain: what an audit looks at.
pub(crate) struct Loaded {
    /// What people call the place they come from.
    pub(crate) name: String,
    /// Those that could be read and are not purged.
    pub(crate) store: Memory,
    /// What is odd about the bytes they came from.
    pub(crate) oddities: Vec<Oddity>,
}

impl ChainOptions {
    /// The updates as they are, whether or not a chain comes of them.
    pub(crate) fn load(&self) -> Result<Loaded, Failure> {
        let loaded = match &self.source.store {
            Some(path) => Loaded::of_folder(path)?,
            None => {
                let chain = self.open()?;
                let store = Memory::copy_of(&*chain.store).map_err(|it| chain.failed(&it))?;
                return Ok(Loaded { name: chain.name, store, oddities: Vec::new() });
            }
        };
        if let Ok(authority) = Authority::open(&loaded.store) {
            let store = Box::new(loaded.store.clone());
            let chain = Chain { name: loaded.name.clone(), store, authority };
            self.expect(&chain)?;
            chain.remember();
        }
        Ok(loaded)
    }

    /// The chain; an error where none was named.
    pub(crate) fn open(&self) -> Result<Chain, Failure> {
        self.open_if_named()?.ok_or_else(|| {
            Failure::usage(
                "no chain is named",
                "`--store DIR`, `--log FILE`, or `--tailscaled` for the daemon of this machine",
            )
        })
    }

    /// The chain, where one was named.
    pub(crate) fn open_if_named(&self) -> Result<Option<Chain>, Failure> {
        let Source { store, log, tailscaled } = &self.source;
        let chain = match (store, log) {
            (Some(path), _) => Chain::in_folder(path)?,
            (None, Some(path)) => {
                let text = blob::file(path)?;
                Chain::in_memory(shown(path), from_log::read(&text, &shown(path))?)?
            }
            (None, None) if *tailscaled => {
                let daemon = Daemon::at(self.socket.as_deref())?;
                let text = daemon.get(&format!("tka/log?limit={}", lock::limits::MAX_SCAN))?;
                Chain::in_memory("the daemon".to_owned(), from_log::read(&text, "the daemon")?)?
            }
            (None, None) => return Ok(None),
        };
        self.expect(&chain)?;
        chain.remember();
        Ok(Some(chain))
    }

    fn expect(&self, chain: &Chain) -> Result<(), Failure> {
        let head = chain.head();
        if let Some(expected) = self.expect_head.filter(|it| *it != head) {
            return Err(Failure::usage(
                format!("the newest update is {head}, not {expected} as expected"),
                "look at `tlock log` before you go on: somebody changed the authority, or this is an old copy",
            ));
        }
        let Some(expected) = self.expect_genesis else { return Ok(()) };
        let chain_updates = chain.history()?;
        if !chain_updates.iter().any(|it| it.hash() == expected) {
            return Err(Failure::usage(
                format!("the chain does not go back to {expected}"),
                "this is the chain of another tailnet, or its beginning was compacted away",
            ));
        }
        Ok(())
    }
}

impl Loaded {
    fn of_folder(path: &Path) -> Result<Self, Failure> {
        let place = profile_folder(path)?;
        let scan = Scan::of(&place).map_err(|it| unreadable(&place, &it))?;
        let oddities = Oddity::of_scan(&scan);
        let mut store = Memory::new();
        let failed = |it: StoreError| unreadable(&place, &it);
        for found in &scan.records {
            if let Some(aum) =
                found.record.value.aum.clone().filter(|_| found.record.value.is_live())
            {
                store.commit(&[aum.into()], found.committed).map_err(failed)?;
            }
        }
        if let Some(ancestor) = scan.ancestor {
            store.set_last_active_ancestor(ancestor).map_err(failed)?;
        }
        Ok(Self { name: shown(path), store, oddities })
    }
}

impl Chain {
    /// The chain in a folder: the daemon's store of one profile, or the daemon's own folder.
    pub(crate) fn in_folder(path: &Path) -> Result<Self, Failure> {
        let place = profile_folder(path)?;
        let folder = Folder::open(&place).map_err(|it| unreadable(&place, &it))?;
        let authority = Authority::open(&folder).map_err(|it| unopened(&shown(path), &it))?;
        Ok(Self { name: shown(path), store: Box::new(folder), authority })
    }

    fn in_memory(name: String, store: Memory) -> Result<Self, Failure> {
        let authority = Authority::open(&store).map_err(|it| unopened(&name, &it))?;
        Ok(Self { name, store: Box::new(store), authority })
    }

    /// The newest update's hash.
    pub(crate) fn head(&self) -> AumHash {
        self.authority.head()
    }

    /// The state at the head.
    pub(crate) fn state(&self) -> &State {
        self.authority.state()
    }

    /// The active chain as far back as it is stored, newest first. The daemon's log goes back beyond
    /// the oldest update it needs, too.
    pub(crate) fn history(&self) -> Result<Vec<Update>, Failure> {
        let mut history = vec![self.authority.head_update().clone()];
        while let Some(parent) = history.last().and_then(|it| it.parent()) {
            let stored = self.store.update(&parent).map_err(|it| self.failed(&it))?;
            let Some(update) = stored.filter(|_| history.len() < lock::limits::MAX_RECORDS) else {
                break;
            };
            history.push(update);
        }
        Ok(history)
    }

    /// The number of the tailnet's authority, as deny-lists write it.
    pub(crate) fn tailnet(&self) -> String {
        format!("{}:{}", self.state().id1, self.state().id2)
    }

    /// A failure of the store.
    pub(crate) fn failed(&self, error: &StoreError) -> Failure {
        Failure::plain(format!("cannot read the store `{}`: {error}", self.name))
    }

    /// Remembers the head, and warns where this chain does not hold the one seen last.
    fn remember(&self) {
        let Some(memory) = Remembered::open() else { return };
        let head = self.head().to_string();
        if let Some(seen) = memory.last_seen(&self.tailnet()).filter(|it| it.head != head) {
            let known = seen
                .head
                .parse()
                .is_ok_and(|hash: AumHash| matches!(self.store.update(&hash), Ok(Some(_))));
            if !known {
                output::warn(&format!(
                    "{} is older than what was seen of this tailnet, or another branch: on {} its newest update was {}",
                    self.name, seen.time, seen.head
                ));
                return;
            }
        }
        // It is a help, not a condition.
        let _ = memory.see(&self.tailnet(), &head);
    }
}

/// The folder of updates that a path means.
pub(crate) fn profile_folder(path: &Path) -> Result<PathBuf, Failure> {
    let profiles = path.join("tka-profiles");
    if !profiles.is_dir() {
        return Ok(path.to_owned());
    }
    let state = path.join("tailscaled.state");
    let text = match std::fs::read_to_string(&state) {
        Ok(text) => zeroize::Zeroizing::new(text),
        Err(error) => return only_profile(&profiles).ok_or(Failure::Read(state, error)),
    };
    match state_file::current_profile(&text) {
        Ok(id) => Ok(profiles.join(id)),
        Err(why) => only_profile(&profiles).ok_or_else(|| {
            Failure::usage(
                format!("`{}`: {why}", shown(&state)),
                format!("name the profile's folder below `{}`", shown(&profiles)),
            )
        }),
    }
}

/// The one folder in `tka-profiles`, where there is one only.
fn only_profile(profiles: &Path) -> Option<PathBuf> {
    let mut folders = std::fs::read_dir(profiles).ok()?.flatten().map(|it| it.path());
    match (folders.next(), folders.next()) {
        (Some(only), None) if only.is_dir() => Some(only),
        _ => None,
    }
}

fn unreadable(path: &Path, error: &StoreError) -> Failure {
    match error {
        StoreError::Io { error: it, path: at } => {
            Failure::Read(PathBuf::from(at), std::io::Error::from(it.kind()))
        }
        _ => Failure::usage(
            format!("cannot read the store `{}`: {error}", shown(path)),
            "`tlock store repair` looks at every record and says what can be done",
        ),
    }
}

fn unopened(name: &str, error: &ChainError) -> Failure {
    let help = match error {
        ChainError::Empty => {
            "the folder holds no updates: it is no store, or the lock was never on"
        }
        ChainError::MissingParent(_) | ChainError::NotStored => {
            "the chain does not reach back to a checkpoint; take a longer log (`--limit 2000`), or the store itself"
        }
        ChainError::SeveralChains => {
            "updates of several tailnets lie in one folder; `tlock store repair` tells them apart"
        }
        _ => "`tlock store repair` looks at every record and says what can be done",
    };
    Failure::usage(format!("cannot open the chain in `{name}`: {error}"), help)
}
