//! `aclc check`: policies, perhaps with an inventory → everything that is wrong with them.

mod fixes;
mod jobs;

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::PathBuf;

use clap::{Args, ValueHint};
use compiler::Date;
use compiler::diagnostic::render::Look;

use super::bundle::source_map::ReadMap;
use super::failure::Failure;
use super::format::{self, Counts, FailLevel, FileReport, Format};
use super::progress::Progress;
use super::target::Target;
use super::terminal::{self, ColorChoice};
use super::{Exit, configuration, input, report, watch};
use jobs::{Jobs, Outcome};

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

    #[command(flatten)]
    pub(crate) target: Target,

    /// The form of what is found
    #[arg(long, value_enum, default_value_t = Format::Human, value_name = "FORM")]
    pub(crate) format: Format,

    /// The severity from which on findings end in exit code 1 [default: error]
    #[arg(long, value_enum, value_name = "LEVEL")]
    pub(crate) fail_level: Option<FailLevel>,

    /// Findings that are known and not spoken of
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) baseline: Option<PathBuf>,

    /// Write what is found into the baseline: from now on it is known
    #[arg(long, conflicts_with = "watch")]
    pub(crate) update_baseline: bool,

    #[command(flatten)]
    pub(crate) configuration: configuration::Choice,

    /// The day on which expiry comments are judged, as 2026-12-31; today where it is missing
    #[arg(long, value_name = "DATE")]
    pub(crate) today: Option<Date>,

    #[command(flatten)]
    pub(crate) fixes: fixes::Fixes,

    /// Tell findings in the fragments that the policy was bundled from: what `aclc bundle --map` wrote
    #[arg(long, value_name = "FILE", conflicts_with_all = ["fix", "baseline", "update_baseline"], value_hint = ValueHint::FilePath)]
    pub(crate) map: Option<PathBuf>,

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
  aclc check --format github                   annotations and a summary in a pull request
  aclc check --format sarif > aclc.sarif       for code scanning
  aclc check --fail-level warning              warnings fail as well
  aclc check --fix                             mend what can be mended without a look
  aclc check --fix=all --diff                  what else could be mended
  aclc check --target headscale                as a headscale server takes it
  aclc check --map policy.map.json             a bundle, told in its fragments
  aclc check --watch                           while you write

An inventory comes from `tailscale status --json > nodes.json`, from the devices list of
Tailscale's API, or from `headscale nodes list -o json`. Without one, nothing that depends on
devices or users is judged, and a note says so.

A finding that is meant to stay is allowed by a comment at the end of its line or on the line above:
  // aclc: allow(W0224) the router owns the whole block
What Tailscale refuses cannot be allowed. A comment `// aclc: expires=2026-12-31 why` is a warning
once its day has passed.

Settings for all policies in a folder and below stand in its `aclc.toml`:
  nodes = 'nodes.json'           # the inventory; paths are relative to this file
  fail-level = 'warning'
  baseline = 'aclc-known.json'   # what `--update-baseline` wrote
  [levels]                       # error, warning, note or off, by code
  W0224 = 'off'
The same in JSON5 may stand in `aclc.json5`. What the command line says counts more.

`--fix` writes the files and then speaks of what is left; every byte that no fix means stays. With
`--diff` the changes are printed in its place, and the exit code is that of the files as they are.

Exit codes: 0 nothing at or above the fail level; 1 findings; 2 a file that cannot be read, or an
inventory that is none; 3 a bug of ours.";

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, color: ColorChoice) -> Result<Exit, Failure> {
    input::stdin_once(arguments.files.iter().chain(&arguments.nodes))?;
    arguments.fixes.fits(&arguments.files)?;
    let look = terminal::look(color, &io::stdout());
    if !arguments.watch {
        return once(arguments, &Jobs::plan(arguments)?, look);
    }
    let files = |jobs: &Jobs<'_>| jobs.files();
    watch::run(
        &arguments.files,
        || Jobs::plan(arguments),
        files,
        |jobs| once(arguments, jobs, look),
    )
}

/// Checks every file once and prints what was found.
fn once(arguments: &Arguments, jobs: &Jobs<'_>, look: Look) -> Result<Exit, Failure> {
    let progress = Progress::start("checking");
    let Outcome { mut reports, mut failures, bad_input, changes } = jobs.gather(&arguments.fixes);
    drop(progress);
    if !arguments.fixes.is_dry() {
        failures.extend(changes.iter().filter_map(|it| it.write().err()));
    }
    failures.iter().for_each(report);
    let known = jobs.leave_out_known(arguments.update_baseline, &mut reports)?;
    if let Some(map) = &arguments.map {
        reports = ReadMap::read(map)?.relocate(reports)?;
    }
    let fail_level = jobs.fail_level(arguments);
    let printed = if arguments.fixes.is_dry() {
        changes.iter().try_for_each(fixes::Change::print)
    } else {
        let mut out = BufWriter::new(io::stdout().lock());
        format::write(&mut out, arguments.format, &reports, look, fail_level)
            .and_then(|()| out.flush())
    };
    let printed = printed.map_err(Failure::Print);
    if arguments.format == Format::Github {
        append_summary(&reports)?;
    }
    // Whoever closed our output still asks for the exit code.
    printed.or_else(|it| if it.is_reader_gone() { Ok(()) } else { Err(it) })?;
    if arguments.format.is_for_people() && !reports.is_empty() {
        summarize(&reports);
    }
    // Where standard error is closed there is nobody to tell.
    known.iter().for_each(|it| drop(writeln!(io::stderr().lock(), "{it}")));
    let harm = changes.iter().filter(|it| it.report_harmful()).count() > 0;
    let found =
        reports.iter().flat_map(|it| &it.diagnostics).any(|it| fail_level.fails(it.severity));
    if harm {
        return Ok(Exit::Bug);
    }
    Ok(match (failures.is_empty() && !bad_input, found) {
        (false, _) => Exit::Unreadable,
        (true, true) => Exit::Findings,
        (true, false) => Exit::Clean,
    })
}

/// Appends a summary to the page of the job, where GitHub says which file that is.
fn append_summary(reports: &[FileReport]) -> Result<(), Failure> {
    let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|it| !it.is_empty()) else {
        return Ok(());
    };
    let path = PathBuf::from(path);
    let mut summary = Vec::new();
    format::markdown::write(&mut summary, reports)?;
    // Other steps have written there before.
    let file = File::options().append(true).create(true).open(&path);
    file.and_then(|mut it| it.write_all(&summary)).map_err(|it| Failure::Write(path, it))
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
