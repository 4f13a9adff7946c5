//! `aclc bundle`: the fragments of a folder → one policy, and where each piece of it came from.

mod fragments;
pub(super) mod source_map;

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use compiler::bundle::{Bundle, Fragment, contracts};
use compiler::diagnostic::{Diagnostic, Severity};
use compiler::tailnet::Tailnet;
use compiler::{Checked, Dialect, Options, check_bytes};

use super::failure::{Failure, shown};
use super::format::{self, Counts, FailLevel, FileReport, Format, Verdict, human};
use super::target::Target;
use super::terminal::{self, ColorChoice};
use super::{Exit, atomic, configuration, input};
use source_map::Origin;

/// Join the fragments of a folder into one policy
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The folder: every `*.hujson` in it and below it is a fragment
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    folder: PathBuf,

    /// Where the policy is written [default: standard output]
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,

    /// Write where each piece came from, for `aclc check --map`
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    map: Option<PathBuf>,

    /// Write nothing; find everything that `aclc check` would, at its place in the fragments
    #[arg(long, conflicts_with_all = ["output", "map"])]
    check: bool,

    /// The inventory: users, devices, routes. Also evaluates the policy's tests
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    nodes: Option<PathBuf>,

    #[command(flatten)]
    target: Target,

    /// The form of what --check finds
    #[arg(long, value_enum, default_value_t = Format::Human, value_name = "FORM", requires = "check")]
    format: Format,

    /// The severity from which on findings end in exit code 1 [default: error]
    #[arg(long, value_enum, value_name = "LEVEL", requires = "check")]
    fail_level: Option<FailLevel>,

    #[command(flatten)]
    configuration: configuration::Choice,
}

const EXAMPLES: &str = "\
Examples:
  aclc bundle policy -o policy.hujson              every *.hujson in `policy` and below, in one file
  aclc bundle policy | aclc fmt --etag -           to standard output
  aclc bundle policy --check                       in CI: everything wrong, at its place in the fragments
  aclc bundle policy --check --nodes nodes.json    also the policy's own tests
  aclc bundle policy -o policy.hujson --map policy.map.json
  aclc check policy.hujson --map policy.map.json   findings in the bundle, told in the fragments

Fragments are policies of their own that need not be whole. They are taken in the order of their
paths. What is named (groups, tagOwners, hosts …) is joined, and each name has one fragment; rules and
tests are put one after the other; a setting of the whole tailnet stands in one fragment. Comments
stay with what they stand by, and a comment names the fragment of each part.

A file `contracts.toml` in the folder says who may write what:
  [[contract]]
  files = [\"team-web/\"]                  # fragments it speaks of: * within a name, / all below
  owner = \"the web team\"
  sections = [\"grants\", \"tagOwners\", \"tests\"]
  defines = [\"tag:web-*\"]                # names they may define
  grants-to = [\"tag:web-*\"]              # destinations of their rules
Each fragment then needs a contract, and all that speak of it hold.

Nothing is written when there is an error, in a fragment or in the whole policy.

Exit codes: 0 written, or nothing found at or above the fail level; 1 findings; 2 wrong use, or a file
that cannot be read or written; 3 a bug of ours.";

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, color: ColorChoice) -> Result<Exit, Failure> {
    let mut configurations = configuration::Configurations::new(&arguments.configuration);
    // Settings hold for the folder as they would for a policy in it.
    let settings = configurations.of(&arguments.folder.join("policy.hujson"))?;
    let mut reports: Vec<FileReport> = settings.iter().filter_map(|it| it.report()).collect();
    let configured = settings.as_ref().map(|it| &it.configuration);
    let fail_level = arguments.fail_level.unwrap_or_else(|| {
        configured.and_then(|it| it.fail_level).map_or(FailLevel::Error, FailLevel::from)
    });
    let told = |reports: &[FileReport]| tell(arguments, reports, color, fail_level);
    if settings.as_ref().is_some_and(|it| it.is_unusable()) {
        told(&reports)?;
        return Ok(Exit::Unreadable);
    }
    let nodes = arguments.nodes.clone().or_else(|| settings.as_ref().and_then(|it| it.nodes()));
    let Some(tailnet) = tailnet(nodes.as_deref(), &mut reports)? else {
        told(&reports)?;
        return Ok(Exit::Unreadable);
    };
    let (origins, fragments) = fragments::read(&arguments.folder)?;
    if let Some(output) =
        arguments.output.as_ref().filter(|it| fragments::is_one(it, &arguments.folder))
    {
        return Err(Failure::usage(
            format!("`{}` would be a fragment of itself", shown(output)),
            "write the policy outside of the folder of the fragments",
        ));
    }
    let contracts = match fragments::contracts(&arguments.folder)? {
        None => None,
        Some((name, text)) => {
            let (contracts, diagnostics) = contracts::read(&text);
            if !diagnostics.is_empty() {
                reports.push(FileReport { name, text, diagnostics, verdict: None });
                told(&reports)?;
                return Ok(Exit::Findings);
            }
            Some(contracts)
        }
    };
    let dialect = arguments.target.dialect(configured.and_then(|it| it.target));
    let bundled = compiler::bundle::bundle(&fragments, contracts.as_ref(), dialect);
    let Some(bundle) = bundled.bundle else {
        let verdict = Verdict::default();
        reports.extend(source_map::by_fragment(&origins, bundled.findings, &verdict));
        told(&reports)?;
        return Ok(Exit::Findings);
    };
    let options = Options {
        tailnet: tailnet.as_ref(),
        dialect,
        assertions: true,
        lints: arguments.check,
        levels: configured.map(|it| &it.levels),
        today: Some(input::today()),
        ..Options::default()
    };
    let checked = check_bytes(bundle.text.as_bytes(), &options);
    finish(arguments, &origins, &bundle, (dialect, &checked), reports, fail_level, color)
}

/// Tells what was found in the whole policy, and writes it where that is wanted.
fn finish(
    arguments: &Arguments,
    origins: &[Origin],
    bundle: &Bundle,
    (dialect, checked): (Dialect, &Checked),
    mut reports: Vec<FileReport>,
    fail_level: FailLevel,
    color: ColorChoice,
) -> Result<Exit, Failure> {
    let mut found = checked.diagnostics.clone();
    let verdict = Verdict::of(dialect, &found, checked.undecided);
    if !arguments.check {
        found.retain(|it| it.severity == Severity::Error);
    }
    let broken = found.iter().any(|it| it.severity == Severity::Error);
    let moved = source_map::relocate(&bundle.map, found, origins);
    reports.extend(source_map::by_fragment(origins, moved, &verdict));
    tell(arguments, &reports, color, fail_level)?;
    if !bundle.proved && !broken {
        // Where standard error is closed there is nobody to tell.
        let _ = writeln!(
            io::stderr().lock(),
            "aclc {}: the bundle of `{}` does not say what its fragments say, and is not written; this is a bug of ours, and a report with the fragments helps us mend it",
            env!("CARGO_PKG_VERSION"),
            shown(&arguments.folder),
        );
        return Ok(Exit::Bug);
    }
    if arguments.check {
        let fails = reports.iter().flat_map(|it| &it.diagnostics);
        let fails = fails.into_iter().any(|it| fail_level.fails(it.severity));
        return Ok(if fails { Exit::Findings } else { Exit::Clean });
    }
    if broken {
        return Ok(Exit::Findings);
    }
    let text = bundle.text.as_bytes();
    if let Some(map) = &arguments.map {
        atomic::write(map, &source_map::document(bundle, origins)?)?;
    }
    match &arguments.output {
        None => {
            let mut out = io::stdout().lock();
            out.write_all(text)?;
            out.flush()?;
        }
        Some(output) => {
            atomic::write(output, text)?;
            let count = match origins.len() {
                1 => "1 fragment".to_owned(),
                count => format!("{count} fragments"),
            };
            // Where standard error is closed there is nobody to tell.
            let _ = writeln!(io::stderr().lock(), "joined {count} in {}", shown(output));
        }
    }
    Ok(Exit::Clean)
}

/// Prints what was found: as asked for with `--check`, else on standard error, because the policy has
/// standard output.
fn tell(
    arguments: &Arguments,
    reports: &[FileReport],
    color: ColorChoice,
    fail_level: FailLevel,
) -> Result<(), Failure> {
    let mut err = io::stderr().lock();
    if !arguments.check {
        let look = terminal::look(color, &io::stderr());
        // Where standard error is closed there is nobody to tell.
        let _ = human::write(&mut err, reports, look);
        if reports.iter().any(|it| !it.diagnostics.is_empty()) {
            let counts = Counts::of(reports).sentence();
            let _ = writeln!(err, "{counts} in {}: nothing is written", shown(&arguments.folder));
        }
        return Ok(());
    }
    let look = terminal::look(color, &io::stdout());
    let mut out = BufWriter::new(io::stdout().lock());
    format::write(&mut out, arguments.format, reports, look, fail_level)?;
    out.flush()?;
    if arguments.format.is_for_people() {
        let counts = Counts::of(reports).sentence();
        let _ = writeln!(err, "{counts} in {}", shown(&arguments.folder));
    }
    Ok(())
}

/// Reads the inventory, where there is one; `None` where it cannot be used, which is reported.
#[expect(clippy::option_option, reason = "no inventory is not a bad one")]
fn tailnet(
    path: Option<&Path>,
    reports: &mut Vec<FileReport>,
) -> Result<Option<Option<Tailnet>>, Failure> {
    let Some(path) = path else { return Ok(Some(None)) };
    let input::ReadInventory { name, text, inventory, .. } = input::inventory(path)?;
    let diagnostics: Vec<Diagnostic> = inventory.diagnostics;
    let usable = !diagnostics.iter().any(|it| it.severity == Severity::Error);
    if !diagnostics.is_empty() {
        reports.push(FileReport { name, text, diagnostics, verdict: None });
    }
    Ok(inventory.tailnet.filter(|_| usable).map(Some))
}

/// A fragment as findings show it.
fn origin(path: &Path, fragment: &Fragment) -> Origin {
    Origin { name: shown(path), path: path.to_owned(), text: fragment.text().to_owned() }
}
