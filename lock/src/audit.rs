//! Findings about a chain and about the nodes that live by it.
//!
//! An audit believes nothing: each stored update is checked again, against the state at its parent,
//! on whatever branch it lies. What it finds never changes a verdict of the network; it says where
//! that verdict is one to think about.

mod chain;
pub mod code;
mod messages;
mod nodes;
mod recheck;

use std::fmt;

pub use code::{Code, Severity};
pub use nodes::{Node, Rotatable, Standing, standings};
pub use recheck::{Unsound, UnsoundReason, recheck};

use crate::aum::AumHash;
use crate::authority::Authority;
use crate::cbor::Quirk;
use crate::error::{ChainError, StoreError};
use crate::store::{Scan, Store};
use crate::text::hex;

/// What is audited.
pub struct Subject<'a> {
    /// The updates.
    pub store: &'a dyn Store,
    /// What was odd about the bytes they were read from.
    pub oddities: &'a [Oddity],
    /// The nodes, as far as they are known.
    pub nodes: &'a [Node<'a>],
    /// The time, in seconds since 1970.
    pub now: i64,
    /// What is thought of as long, old or soon.
    pub thresholds: Thresholds,
}

/// What is thought of as long, old or soon.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Thresholds {
    /// Rotations of one node key. The network's own tool speaks up at as many.
    pub rotations: usize,
    /// Seconds since a pre-signed auth key was made. Ordinary ones live 90 days at most.
    pub auth_key_age: i64,
    /// Seconds until a node key expires.
    pub expires_within: i64,
    /// Updates that a chain can still grow by.
    pub updates_left: usize,
}

const DAY: i64 = 24 * 60 * 60;

impl Default for Thresholds {
    fn default() -> Self {
        Self { rotations: 10, auth_key_age: 90 * DAY, expires_within: 14 * DAY, updates_left: 200 }
    }
}

/// Something odd about the bytes that updates were read from.
#[derive(Clone, Debug)]
pub struct Oddity {
    /// The file, or whatever else the bytes came from.
    pub place: String,
    /// What is odd.
    pub kind: OddityKind,
}

/// What can be odd about bytes.
#[derive(Clone, Debug)]
pub enum OddityKind {
    /// They are no update; a sentence says why.
    Unreadable(String),
    /// They are not those that a canonical writer would have chosen.
    Quirk(Quirk),
    /// They lie where updates lie, and do not claim to be one.
    Stray,
}

impl Oddity {
    /// What is odd about the encoding of one update.
    pub fn of_quirks(place: &str, quirks: &[Quirk]) -> Vec<Self> {
        let oddity = |it: &Quirk| Self { place: place.to_owned(), kind: OddityKind::Quirk(*it) };
        quirks.iter().map(oddity).collect()
    }

    /// What is odd about a folder.
    pub fn of_scan(scan: &Scan) -> Vec<Self> {
        let mut oddities = Vec::new();
        for (path, error) in &scan.broken {
            let place = path.display().to_string();
            oddities.push(Self { place, kind: OddityKind::Unreadable(error.to_string()) });
        }
        for found in &scan.records {
            let place = found.path.display().to_string();
            oddities.extend(Self::of_quirks(&place, &found.record.quirks));
        }
        for stray in &scan.strays {
            let place = stray.0.display().to_string();
            oddities.push(Self { place, kind: OddityKind::Stray });
        }
        oddities
    }
}

/// What a finding is about.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum About {
    /// A file, or whatever else bytes came from.
    Place(String),
    /// An update.
    Update(AumHash),
    /// A key, by its ID.
    Key(Vec<u8>),
    /// A node, by its name.
    Node(String),
    /// The authority as a whole.
    Authority,
}

impl fmt::Display for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            About::Place(place) => write!(f, "{place}"),
            About::Update(hash) => write!(f, "update {hash}"),
            About::Key(id) => write!(f, "key tlpub:{}", hex(id)),
            About::Node(name) => write!(f, "node {name}"),
            About::Authority => f.write_str("authority"),
        }
    }
}

/// One finding.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Finding {
    /// The stable code; its page is `docs/diagnostics/lock-CODE.md`.
    pub code: Code,
    /// What it is about.
    pub about: About,
    /// One lower-case sentence without a final stop.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

impl Finding {
    fn new(code: Code, about: About, message: impl Into<String>) -> Self {
        Self { code, about, message: message.into(), help: None }
    }

    fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    /// How grave it is.
    pub fn severity(&self) -> Severity {
        self.code.severity()
    }
}

/// Everything worth knowing, by the number of its code: about encodings, updates and keys,
/// signatures, the chain.
///
/// A chain that cannot be opened is a finding, and then nothing is said about nodes.
pub fn audit(subject: &Subject<'_>) -> Result<Vec<Finding>, StoreError> {
    let mut findings = messages::encodings(subject.oddities);
    let updates = subject.store.all()?;
    findings.extend(messages::updates(&updates));
    findings.extend(chain::signatures(subject.store)?);
    let opened = Authority::open(subject.store).and_then(|authority| {
        let states = authority.states(subject.store)?;
        Ok((authority, states))
    });
    match opened {
        Ok((authority, states)) => {
            findings.extend(messages::keys(authority.state(), subject));
            findings.extend(nodes::findings(&authority, subject));
            findings.extend(chain::shape(&authority, subject.store, &updates)?);
            findings.extend(chain::checkpoints(&authority, subject.store, &states)?);
            findings.extend(chain::history(&authority, &states, subject));
        }
        Err(ChainError::Store(error)) => return Err(error),
        Err(error) => findings.push(
            Finding::new(
                code::E0401,
                About::Authority,
                format!("the chain cannot be opened: {error}"),
            )
            .help("a node with this store trusts nobody; import the chain of another node"),
        ),
    }
    findings.sort_by_key(|it| it.code.number());
    Ok(findings)
}
