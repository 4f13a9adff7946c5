//! `aclc test`: the assertions of a policy, whether they hold, and what they leave open.

mod junit;

use std::io::{self, BufWriter, Write as _};
use std::path::PathBuf;

use clap::{Args, ValueHint};
use compiler::analysis::Tally;
use compiler::diagnostic::{Code, Diagnostic, Severity};
use compiler::{Checked, Options, check_bytes};

use super::configuration::{self, Configurations, Settings};
use super::failure::{Failure, shown};
use super::format::{self, FailLevel, FileReport, Format, Verdict};
use super::input::ReadInventory;
use super::progress::Progress;
use super::target::Target;
use super::terminal::{self, ColorChoice};
use super::{Exit, input};

/// Evaluate the assertions of a policy, and say what they leave open
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The policy; `-` is standard input
    #[arg(value_name = "FILE", default_value = "policy.hujson", value_hint = ValueHint::FilePath)]
    file: PathBuf,

    /// The inventory: users, devices, routes [default: that of aclc.toml]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    nodes: Option<PathBuf>,

    #[command(flatten)]
    target: Target,

    /// Also name the rules and destinations that no assertion makes use of
    #[arg(long)]
    coverage: bool,

    /// Also change each rule a little, and name the changes that no assertion notices
    #[arg(long)]
    mutants: bool,

    /// The form of what is found
    #[arg(long, value_enum, default_value_t = Format::Human, value_name = "FORM")]
    format: Format,

    /// The severity from which on findings end in exit code 1 [default: error]
    #[arg(long, value_enum, value_name = "LEVEL")]
    fail_level: Option<FailLevel>,

    #[command(flatten)]
    configuration: configuration::Choice,
}

const EXAMPLES: &str = "\
Examples:
  aclc test --nodes nodes.json                         `tests` and `sshTests` of policy.hujson
  aclc test --nodes nodes.json --coverage              and which rules none of them makes use of
  aclc test --nodes nodes.json --mutants               and which changes none of them notices
  aclc test --nodes nodes.json --format junit          a case for each assertion
  aclc test --nodes nodes.json --mutants --fail-level warning   gaps fail as well

Coverage and mutants propose an assertion for each gap. A change that means nothing on this tailnet is
no gap: a source that another source contains, a rule that reaches nobody.

A gap that is meant to stay is allowed by a comment, as other findings are:
  // aclc: allow(W0511) whoever is on call tries this one by hand

Exit codes: 0 nothing at or above the fail level; 1 assertions that do not hold, or other findings;
2 wrong use, a file that cannot be read, or an inventory that is none; 3 a bug of ours.";

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, color: ColorChoice) -> Result<Exit, Failure> {
    input::stdin_once(std::iter::once(&arguments.file).chain(&arguments.nodes))?;
    let mut configurations = Configurations::new(&arguments.configuration);
    let settings = configurations.of(&arguments.file)?;
    if let Some(unusable) = settings.as_deref().filter(|it| it.is_unusable()) {
        return print(arguments, color, unusable.report().into_iter().collect(), None, true);
    }
    let nodes = arguments.nodes.clone().or_else(|| settings.as_deref().and_then(Settings::nodes));
    let nodes = nodes.ok_or_else(|| {
        Failure::usage(
            "assertions cannot be evaluated without an inventory",
            "name it with `--nodes FILE`, or as `nodes` in aclc.toml",
        )
    })?;
    let bytes = input::policy(&arguments.file)?;
    let ReadInventory { name, text, inventory, .. } = input::inventory(&nodes)?;
    let mut reports: Vec<FileReport> =
        settings.as_deref().and_then(Settings::report).into_iter().collect();
    if !inventory.diagnostics.is_empty() {
        let diagnostics = inventory.diagnostics;
        reports.push(FileReport { name, text, diagnostics, verdict: None });
    }
    let Some(tailnet) = inventory.tailnet else {
        return print(arguments, color, reports, None, true);
    };
    let configuration = settings.as_deref().map(|it| &it.configuration);
    let dialect = arguments.target.dialect(configuration.and_then(|it| it.target));
    let options = Options {
        tailnet: Some(&tailnet),
        dialect,
        assertions: true,
        coverage: arguments.coverage,
        mutants: arguments.mutants,
        levels: configuration.map(|it| &it.levels),
        ..Options::default()
    };
    let progress = Progress::start("testing");
    let Checked { tree, diagnostics, undecided, tally, .. } = check_bytes(&bytes, &options);
    drop(progress);
    let verdict = Verdict::of(dialect, &diagnostics, undecided);
    reports.push(FileReport {
        name: shown(&arguments.file),
        text: tree.text().to_owned(),
        diagnostics: diagnostics.into_iter().filter(is_meant).collect(),
        verdict: Some(verdict),
    });
    let set = configuration.and_then(|it| it.fail_level).map(FailLevel::from);
    let fail_level = arguments.fail_level.or(set).unwrap_or(FailLevel::Error);
    let found =
        reports.iter().flat_map(|it| &it.diagnostics).any(|it| fail_level.fails(it.severity));
    let exit = print(arguments, color, reports, tally.as_ref(), false)?;
    Ok(if found { Exit::Findings } else { exit })
}

/// What is said of assertions, and what keeps them from being evaluated.
fn is_meant(finding: &Diagnostic) -> bool {
    is_about_assertions(finding.code) || finding.severity == Severity::Error
}

fn is_about_assertions(code: Code) -> bool {
    code.name().get(1..3) == Some("05")
}

fn print(
    arguments: &Arguments,
    color: ColorChoice,
    reports: Vec<FileReport>,
    tally: Option<&Tally>,
    bad_input: bool,
) -> Result<Exit, Failure> {
    let look = terminal::look(color, &io::stdout());
    let mut out = BufWriter::new(io::stdout().lock());
    let written = match (arguments.format, tally, reports.as_slice()) {
        (Format::Json, Some(tally), _) => format::json::write_with(&mut out, &reports, tally),
        (Format::Junit, Some(tally), [.., policy]) => junit::write(&mut out, policy, tally),
        (format, ..) => format::write(&mut out, format, &reports, look, FailLevel::Error),
    };
    let printed = written.and_then(|()| out.flush()).map_err(Failure::Print);
    // Whoever closed our output still asks for the exit code.
    printed.or_else(|it| if it.is_reader_gone() { Ok(()) } else { Err(it) })?;
    if let Some(tally) = tally.filter(|_| arguments.format.is_for_people()) {
        for line in sentences(tally) {
            // Where standard error is closed there is nobody to tell.
            let _ = writeln!(io::stderr().lock(), "{line}");
        }
    }
    Ok(if bad_input { Exit::Unreadable } else { Exit::Clean })
}

/// The last lines, for people.
fn sentences(tally: &Tally) -> Vec<String> {
    let count = |number: usize, one: &str| match number {
        1 => format!("1 {one}"),
        _ => format!("{number} {one}s"),
    };
    let cases = tally.cases.len();
    let held = tally.cases.iter().filter(|it| it.holds == Some(true)).count();
    let open = tally.cases.iter().filter(|it| it.holds.is_none()).count();
    let failed = cases - held - open;
    let mut lines = vec![match (failed, open) {
        (0, 0) => format!("{}, all hold", count(cases, "assertion")),
        (_, 0) => format!("{}: {held} hold, {failed} fail", count(cases, "assertion")),
        _ => format!("{}: {held} hold, {failed} fail, {open} left open", count(cases, "assertion")),
    }];
    if cases == 0 {
        lines = vec!["no assertions: the policy has neither `tests` nor `sshTests`".to_owned()];
    }
    if let Some(coverage) = &tally.coverage {
        lines.push(format!(
            "coverage: {} of {}, {} of {}",
            coverage.rules_used,
            count(coverage.rules, "rule"),
            coverage.destinations_used,
            count(coverage.destinations, "destination"),
        ));
    }
    if let Some(mutants) = &tally.mutants {
        let (made, noticed) = (mutants.made, mutants.noticed);
        lines.push(format!("mutants: {noticed} of {} noticed", count(made, "change")));
    }
    lines
}
