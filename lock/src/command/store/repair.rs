//! `tlock store repair`: what is wrong with a folder of updates, and what of it can be mended.
//!
//! Nothing is deleted. A record that cannot be read is renamed, so that the daemon passes it over; a
//! record in the wrong folder is written to its place; a missing or wrong `last_active_ancestor` is
//! written anew where exactly one chain is there.

use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use lock::aum::AumHash;
use lock::authority::Authority;
use lock::store::{Folder, Memory, Record, Scan, Store};
use serde_json::json;

use super::writable;
use crate::command::chain::profile_folder;
use crate::command::confirm::Consent;
use crate::command::failure::{Failure, shown};
use crate::command::{Exit, output};

/// Say what is wrong with a store, and with --apply mend what can be mended
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The store
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    store: PathBuf,

    /// Mend it
    #[arg(long)]
    apply: bool,

    /// The daemon whose folder this is does not run
    #[arg(long)]
    daemon_stopped: bool,

    /// The socket of that daemon, where it is not at its usual place
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    socket: Option<PathBuf>,

    #[command(flatten)]
    consent: Consent,

    /// Print what is wrong as JSON
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  tlock store repair --store DIR
  tlock store repair --store /var/lib/tailscale/tka-profiles/1ab3 --apply --daemon-stopped

Exit code 1 where something is wrong and was not mended. Take a copy of the folder first.";

/// Something that is wrong.
struct Fault {
    what: String,
    mend: Option<Mend>,
}

/// What can be done about it.
enum Mend {
    /// Give an unreadable record a name that the daemon passes over.
    SetAside(PathBuf),
    /// Write a record where its name belongs, and set the other aside.
    Move { from: PathBuf, record: Box<Record>, to: PathBuf },
    /// Name the oldest update of the only chain.
    Ancestor(AumHash),
}

impl Mend {
    fn sentence(&self) -> String {
        match self {
            Self::SetAside(_) => "rename it, so that the daemon passes it over".to_owned(),
            Self::Move { to, .. } => format!("write it to `{}`", shown(to)),
            Self::Ancestor(hash) => format!("set `last_active_ancestor` to {hash}"),
        }
    }
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    let folder = profile_folder(&arguments.store)?;
    if arguments.apply {
        writable(&folder, arguments.daemon_stopped, arguments.socket.as_deref())?;
    }
    let faults = faults(&folder)?;
    let mendable = faults.iter().filter(|it| it.mend.is_some()).count();
    if arguments.json {
        let list: Vec<_> = faults
            .iter()
            .map(|it| json!({ "what": it.what, "mend": it.mend.as_ref().map(Mend::sentence) }))
            .collect();
        output::json(
            &json!({ "version": 1, "faults": list, "applied": arguments.apply && mendable > 0 }),
        )?;
    } else if faults.is_empty() {
        output::print("nothing is wrong\n")?;
    } else {
        for fault in &faults {
            output::print(&format!("{}\n", fault.what))?;
            if let Some(mend) = &fault.mend {
                output::print(&format!("  can be mended: {}\n", mend.sentence()))?;
            }
        }
    }
    if !arguments.apply || mendable == 0 {
        return Ok(if faults.is_empty() { Exit::Clean } else { Exit::Findings });
    }
    arguments.consent.ask(&format!("Mend {mendable} of {} faults?", faults.len()))?;
    let mut left = faults;
    let mut mended = 0;
    // What was set aside may have hidden more.
    for _ in 0..ROUNDS {
        let mends: Vec<&Mend> = left.iter().filter_map(|it| it.mend.as_ref()).collect();
        mends.iter().try_for_each(|it| apply(&folder, it))?;
        mended += mends.len();
        left = self::faults(&folder)?;
    }
    output::say(&format!("{mended} mended, {} left", left.len()));
    for fault in &left {
        output::say(&fault.what);
    }
    Ok(if left.is_empty() { Exit::Clean } else { Exit::Findings })
}

/// The records, then the file that names the oldest, then nothing.
const ROUNDS: usize = 3;

/// Everything that is wrong with a folder.
fn faults(folder: &Path) -> Result<Vec<Fault>, Failure> {
    let mut faults = Vec::new();
    let scan = match Scan::of(folder) {
        Ok(scan) => scan,
        // The one file whose damage hides all others.
        Err(lock::error::StoreError::AncestorLength(length)) => {
            let what = format!("`last_active_ancestor` has {length} bytes in place of 32");
            let mend = Some(Mend::SetAside(folder.join("last_active_ancestor")));
            return Ok(vec![Fault { what, mend }]);
        }
        Err(error) => {
            return Err(Failure::plain(format!("cannot read `{}`: {error}", shown(folder))));
        }
    };
    for (path, error) in &scan.broken {
        faults.push(match misplaced(folder, path) {
            Some(mend) => {
                let what = format!(
                    "`{}` lies in the wrong folder, so the daemon opens nothing",
                    shown(path)
                );
                Fault { what, mend: Some(mend) }
            }
            None => Fault {
                what: format!("a record cannot be read, so the daemon opens nothing: {error}"),
                mend: Some(Mend::SetAside(path.clone())),
            },
        });
    }
    // What hides records hides what the chain would be with them.
    if faults.is_empty() {
        faults.extend(of_chain(&scan));
    }
    Ok(faults)
}

/// How to mend a good record that lies where its name does not belong; `None` where it is no such.
fn misplaced(folder: &Path, path: &Path) -> Option<Mend> {
    let hash: AumHash = path.file_name()?.to_str()?.parse().ok()?;
    let to = folder.join(Record::path(&hash));
    let record = Record::decode(&std::fs::read(path).ok()?).ok()?.value;
    let named = record.aum.as_ref().is_some_and(|it| it.hash() == hash);
    (named && to != path).then(|| Mend::Move {
        from: path.to_owned(),
        record: Box::new(record),
        to,
    })
}

/// What is wrong with the chain that the readable records make.
fn of_chain(scan: &Scan) -> Option<Fault> {
    let mut store = Memory::new();
    for found in scan.records.iter().filter(|it| it.record.value.is_live()) {
        if let Some(aum) = found.record.value.aum.clone() {
            // Memory takes everything.
            store.commit(&[aum.into()], found.committed).ok()?;
        }
    }
    if let Some(ancestor) = scan.ancestor {
        store.set_last_active_ancestor(ancestor).ok()?;
    }
    let stored = |hash| matches!(store.update(&hash), Ok(Some(_)));
    match Authority::open(&store) {
        Err(error) => Some(Fault { what: format!("the chain does not open: {error}"), mend: None }),
        Ok(authority) if !scan.ancestor.is_some_and(stored) => {
            let what = match scan.ancestor {
                None => "`last_active_ancestor` is missing".to_owned(),
                Some(hash) => format!("`last_active_ancestor` names {hash}, which is not stored"),
            };
            Some(Fault { what, mend: Some(Mend::Ancestor(authority.oldest().hash())) })
        }
        Ok(_) => None,
    }
}

fn apply(folder: &Path, mend: &Mend) -> Result<(), Failure> {
    match mend {
        Mend::SetAside(path) => set_aside(path),
        Mend::Move { from, record, to } => {
            if !to.exists() {
                if let Some(parent) = to.parent() {
                    std::fs::create_dir_all(parent)
                        .map_err(|it| Failure::Write(parent.to_owned(), it))?;
                }
                crate::command::atomic::write(
                    to,
                    &record.encode(),
                    crate::command::atomic::Readers::Anyone,
                )?;
            }
            set_aside(from)
        }
        Mend::Ancestor(hash) => {
            let failed = |it| Failure::plain(format!("cannot mend `{}`: {it}", shown(folder)));
            let mut store = Folder::open(folder).map_err(failed)?;
            store.set_last_active_ancestor(*hash).map_err(failed)
        }
    }
}

/// Renames a file to what is no hash, beside its place, never over another.
fn set_aside(path: &Path) -> Result<(), Failure> {
    for number in 0..1000 {
        let mut name = path.as_os_str().to_owned();
        name.push(if number == 0 { ".broken".to_owned() } else { format!(".broken{number}") });
        let aside = PathBuf::from(name);
        if std::fs::symlink_metadata(&aside).is_err() {
            return std::fs::rename(path, aside).map_err(|it| Failure::Write(path.to_owned(), it));
        }
    }
    Err(Failure::plain(format!("`{}` cannot be set aside", shown(path))))
}
