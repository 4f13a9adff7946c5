//! `tlock audit`: what is weak, old or doubtful in a chain and in the signatures of its nodes.

mod format;

use std::io::{self, Write as _};
use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};
use lock::audit::{self, Finding, Node, Severity, Subject, Thresholds};

use super::chain::ChainOptions;
use super::failure::Failure;
use super::node_list::NodeList;
use super::terminal::{ColorChoice, Paint};
use super::{Exit, memory, nodes, output};
use format::{Counts, Format, Report};

/// Check every signature of a chain again, and report what is weak, old or doubtful
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    chain: ChainOptions,

    /// Also judge these nodes: a network map, a lock status or an inventory
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    nodes: Option<PathBuf>,

    /// The form of what is found
    #[arg(long, value_enum, default_value_t = Format::Human, value_name = "FORM")]
    format: Format,

    /// The same as `--format json`
    #[arg(long, conflicts_with = "format")]
    json: bool,

    /// From which severity on the exit code is 1
    #[arg(long, value_enum, default_value_t = FailLevel::Error, value_name = "SEVERITY")]
    fail_level: FailLevel,

    /// Rotations of a node from which on they are reported
    #[arg(long, value_name = "N", default_value_t = Thresholds::default().rotations)]
    rotations: usize,

    /// Days before the end of a node key from which on it is reported
    #[arg(long, value_name = "DAYS", default_value_t = Thresholds::default().expires_within / DAY)]
    expires_within: i64,

    /// Days after which a pre-signed auth key is reported as old
    #[arg(long, value_name = "DAYS", default_value_t = Thresholds::default().auth_key_age / DAY)]
    auth_key_age: i64,
}

const EXAMPLES: &str = "\
Examples:
  tlock audit --store /var/lib/tailscale
  tlock audit --tailscaled --fail-level warning
  tlock audit --store DIR --nodes netmap.json --format sarif > lock.sarif

Exit code 1 where something is found at or above the fail level. A finding never changes what nodes
accept: it says where that is worth a thought.";

const DAY: i64 = 24 * 60 * 60;

/// From which severity on a finding fails the run.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum FailLevel {
    Error,
    Warning,
    Note,
    Never,
}

impl FailLevel {
    /// Whether a finding of this severity fails the run.
    pub(crate) fn fails(self, severity: Severity) -> bool {
        match self {
            Self::Error => severity >= Severity::Error,
            Self::Warning => severity >= Severity::Warning,
            Self::Note => true,
            Self::Never => false,
        }
    }
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, color: ColorChoice) -> Result<Exit, Failure> {
    let loaded = arguments.chain.load()?;
    let list = match (&arguments.nodes, arguments.chain.source.tailscaled) {
        (Some(_), _) | (None, true) => nodes::gather(arguments.nodes.as_ref(), &arguments.chain)?,
        (None, false) => NodeList::default(),
    };
    for skipped in &list.skipped {
        output::warn(&format!("left out: {skipped}"));
    }
    let listed: Vec<Node<'_>> = list.nodes.iter().map(|it| it.for_audit()).collect();
    let subject = Subject {
        store: &loaded.store,
        oddities: &loaded.oddities,
        nodes: &listed,
        now: memory::seconds_now(),
        thresholds: Thresholds {
            rotations: arguments.rotations,
            expires_within: arguments.expires_within.saturating_mul(DAY),
            auth_key_age: arguments.auth_key_age.saturating_mul(DAY),
            ..Thresholds::default()
        },
    };
    let findings: Vec<Finding> = audit::audit(&subject)
        .map_err(|it| Failure::plain(format!("cannot read the store `{}`: {it}", loaded.name)))?;
    let format = if arguments.json { Format::Json } else { arguments.format };
    let report = Report { name: &loaded.name, findings: &findings };
    let paint = Paint::new(color, &io::stdout());
    format::write(&mut io::stdout().lock(), format, &report, paint, arguments.fail_level)?;
    if matches!(format, Format::Human | Format::Short) {
        // Where standard error is closed there is nobody to tell.
        let _ = writeln!(io::stderr().lock(), "{}", Counts::of(&findings).sentence());
    }
    let fails = findings.iter().any(|it| arguments.fail_level.fails(it.severity()));
    Ok(if fails { Exit::Findings } else { Exit::Clean })
}
