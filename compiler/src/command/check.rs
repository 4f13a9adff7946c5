//! `aclc check`: policies, perhaps with an inventory → everything that is wrong with them.

use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use compiler::diagnostic::render::Look;
use compiler::tailnet::Tailnet;
use compiler::{Date, Options, check_bytes};

use super::failure::{Failure, shown};
use super::format::{self, Counts, FailLevel, FileReport, Format, Verdict};
use super::progress::Progress;
use super::terminal::{self, ColorChoice};
use super::{Exit, input, report, watch};

/// Find everything that is wrong with policies, in one run
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The policies; `-` is standard input
    #[arg(value_name = "FILE", default_value = "policy.hujson", value_hint = ValueHint::FilePath)]
    pub(crate) files: Vec<PathBuf>,

    /// The inventory: users, devices, routes. Also checks what depends on them
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) nodes: Option<PathBuf>,

    /// The form of what is found
    #[arg(long, value_enum, default_value_t = Format::Human, value_name = "FORM")]
    pub(crate) format: Format,

    /// The severity from which on findings end in exit code 1
    #[arg(long, value_enum, default_value_t = FailLevel::Error, value_name = "LEVEL")]
    pub(crate) fail_level: FailLevel,

    /// The day on which expiry comments are judged, as 2026-12-31; today where it is missing
    #[arg(long, value_name = "DATE")]
    pub(crate) today: Option<Date>,

    /// Check again whenever a file changes, until interrupted
    #[arg(long)]
    pub(crate) watch: bool,
}

const EXAMPLES: &str = "\
Examples:
  aclc check                                   policy.hujson in this folder
  aclc check a.hujson b.hujson                 several at once
  git show HEAD:policy.hujson | aclc check -   from standard input
  aclc check --nodes nodes.json                with the devices of the tailnet
  aclc check --format github                   annotations in a pull request
  aclc check --format sarif > aclc.sarif       for code scanning
  aclc check --fail-level warning              warnings fail as well
  aclc check --watch                           while you write

An inventory comes from `tailscale status --json > nodes.json`, from the devices list of
Tailscale's API, or from `headscale nodes list -o json`. Without one, nothing that depends on
devices or users is judged, and a note says so.

A finding that is meant to stay is allowed by a comment at the end of its line or on the line above:
  // aclc: allow(W0224) the router owns the whole block
What Tailscale refuses cannot be allowed. A comment `// aclc: expires=2026-12-31 why` is a warning
once its day has passed.

Exit codes: 0 nothing at or above the fail level; 1 findings; 2 a file that cannot be read, or an
inventory that is none; 3 a bug of ours.";

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, color: ColorChoice) -> Result<Exit, Failure> {
    input::stdin_once(arguments.files.iter().chain(&arguments.nodes))?;
    let look = terminal::look(color, &io::stdout());
    let once = || once(arguments, look);
    if !arguments.watch {
        return once();
    }
    let paths: Vec<&PathBuf> = arguments.files.iter().chain(&arguments.nodes).collect();
    watch::run(&paths, once)
}

/// Checks every file once and prints what was found.
fn once(arguments: &Arguments, look: Look) -> Result<Exit, Failure> {
    let progress = Progress::start("checking");
    let Outcome { reports, failures } = gather(arguments);
    drop(progress);
    failures.iter().for_each(report);
    let mut out = BufWriter::new(io::stdout().lock());
    let printed = format::write(&mut out, arguments.format, &reports, look, arguments.fail_level)
        .and_then(|()| out.flush())
        .map_err(Failure::Print);
    // Whoever closed our output still asks for the exit code.
    printed.or_else(|it| if it.is_reader_gone() { Ok(()) } else { Err(it) })?;
    if arguments.format.is_for_people() && !reports.is_empty() {
        summarize(&reports);
    }
    let bad_inventory = reports.iter().any(|it| it.verdict.is_none() && has_errors(it));
    let found = reports
        .iter()
        .flat_map(|it| &it.diagnostics)
        .any(|it| arguments.fail_level.fails(it.severity));
    Ok(match (failures.is_empty() && !bad_inventory, found) {
        (false, _) => Exit::Unreadable,
        (true, true) => Exit::Findings,
        (true, false) => Exit::Clean,
    })
}

/// What could be checked, and what could not be read.
struct Outcome {
    reports: Vec<FileReport>,
    failures: Vec<Failure>,
}

/// Reads the inventory beside the policies, then checks one after the other.
fn gather(arguments: &Arguments) -> Outcome {
    let (mut reports, mut failures) = (Vec::new(), Vec::new());
    let (policies, inventory) = std::thread::scope(|scope| {
        let inventory = arguments.nodes.as_ref().map(|path| scope.spawn(|| input::inventory(path)));
        let policies: Vec<_> = arguments.files.iter().map(|it| (it, input::policy(it))).collect();
        // A thread of ours cannot have panicked: a panic ends the process.
        (policies, inventory.and_then(|it| it.join().ok()))
    });
    let tailnet = match inventory.transpose() {
        Err(failure) => return Outcome { reports, failures: vec![failure] },
        Ok(None) => None,
        Ok(Some(read)) => {
            let tailnet = read.inventory.tailnet;
            let unusable = tailnet.is_none();
            if unusable || !read.inventory.diagnostics.is_empty() {
                let diagnostics = read.inventory.diagnostics;
                reports.push(FileReport {
                    name: read.name,
                    text: read.text,
                    diagnostics,
                    verdict: None,
                });
            }
            // Policies judged without the facts that were given would only confuse.
            if unusable {
                return Outcome { reports, failures };
            }
            tailnet
        }
    };
    let today = arguments.today.unwrap_or_else(input::today);
    for (path, bytes) in policies {
        match bytes {
            Ok(bytes) => reports.push(check(path, &bytes, tailnet.as_ref(), today)),
            Err(failure) => failures.push(failure),
        }
    }
    Outcome { reports, failures }
}

/// Checks one policy.
fn check(path: &Path, bytes: &[u8], tailnet: Option<&Tailnet>, today: Date) -> FileReport {
    let options = Options {
        tailnet,
        assertions: true,
        lints: true,
        today: Some(today),
        ..Options::default()
    };
    let checked = check_bytes(bytes, &options);
    let verdict = Verdict::of(&checked.diagnostics, checked.undecided);
    FileReport {
        name: shown(path),
        text: checked.tree.text().to_owned(),
        diagnostics: checked.diagnostics,
        verdict: Some(verdict),
    }
}

fn has_errors(file: &FileReport) -> bool {
    file.diagnostics.iter().any(|it| FailLevel::Error.fails(it.severity))
}

/// The last line, for people: on standard error, so that it never mixes with what was found.
fn summarize(reports: &[FileReport]) {
    let place = match reports {
        [file] => file.name.clone(),
        files => format!("{} files", files.len()),
    };
    // Where standard error is closed there is nobody to tell.
    let _ = writeln!(io::stderr().lock(), "{} in {place}", Counts::of(reports).sentence());
}
