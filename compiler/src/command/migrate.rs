//! `aclc migrate`: a policy with `acls` → the same with `grants`, and the proof that both mean the same.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use compiler::analysis::migrate::{self, Obstacle};
use compiler::span::LineIndex;
use compiler::{Checked, Options, check_bytes};

use super::failure::{Failure, shown};
use super::format::{FileReport, human};
use super::target::Target;
use super::terminal::{self, ColorChoice};
use super::{Exit, atomic, configuration, input, unified};

/// Write the `acls` of a policy as `grants`, and prove that access stays the same
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The policy; `-` reads standard input and prints the result
    #[arg(value_name = "FILE", default_value = "policy.hujson", value_hint = ValueHint::FilePath)]
    file: PathBuf,

    /// Write the result here, and leave FILE as it is; `-` prints it
    #[arg(short, long, value_name = "OUT", value_hint = ValueHint::FilePath, conflicts_with_all = ["check", "diff"])]
    output: Option<PathBuf>,

    /// Change nothing; print the name of the file where it has `acls`
    #[arg(long)]
    check: bool,

    /// Change nothing; print what would change
    #[arg(long)]
    diff: bool,

    #[command(flatten)]
    target: Target,

    #[command(flatten)]
    configuration: configuration::Choice,
}

const EXAMPLES: &str = "\
Examples:
  aclc migrate                              policy.hujson in this folder, in place
  aclc migrate --diff | less                what would change
  aclc migrate old.hujson -o new.hujson     beside the old one
  aclc migrate - < policy.hujson            to standard output
  aclc migrate --check                      in CI: exit code 1 where there are acls
  aclc migrate --target headscale           as a headscale server reads it

Comments stay with what they stand beside, and every byte outside of the rules is kept. An acl whose
destinations have different ports becomes several grants. Where there are grants already, the new
ones follow them: the order of rules means nothing.

Both policies are compared for every possible tailnet before anything is written. A policy with
errors is left alone, and what is wrong with it is printed.

Exit codes: 0 migrated, or nothing to do; 1 the policy would change (`--check`, `--diff`), has errors,
or a rule that has no equal grant; 2 a file that cannot be read or written; 3 a bug of ours.";

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, color: ColorChoice) -> Result<Exit, Failure> {
    let settings =
        configuration::Configurations::new(&arguments.configuration).of(&arguments.file)?;
    let dialect = arguments.target.dialect(settings.and_then(|it| it.configuration.target));
    let options = Options { dialect, ..Options::default() };
    let checked = check_bytes(&input::policy(&arguments.file)?, &options);
    let (name, old) = (shown(&arguments.file), checked.tree.text());
    let migration = match migrate::migrate(&checked, &options) {
        Ok(migration) => migration,
        Err(obstacle) => return stopped(&name, &checked, &obstacle, color),
    };
    if arguments.check || arguments.diff {
        let Some(migration) = migration else { return Ok(Exit::Clean) };
        if arguments.check {
            writeln!(io::stdout().lock(), "{name}")?;
        }
        if arguments.diff {
            unified::print(&name, old, &migration.text)?;
        }
        return Ok(Exit::Findings);
    }
    let out = arguments.output.as_deref().unwrap_or(&arguments.file);
    let said = match &migration {
        None => format!("{name} has no `acls`: there is nothing to do"),
        Some(it) => format!(
            "{name}: {} became {}; proved: the same access in every possible tailnet",
            count(it.rules, "rule"),
            count(it.grants, "grant"),
        ),
    };
    let new = migration.as_ref().map_or(old, |it| &it.text);
    write(out, new, migration.is_none() && out == arguments.file)?;
    // Where standard error is closed there is nobody to tell.
    let _ = writeln!(io::stderr().lock(), "{said}");
    Ok(Exit::Clean)
}

/// Writes the result; a file that is as it was is not touched.
fn write(out: &Path, text: &str, same: bool) -> Result<(), Failure> {
    if input::is_stdin(out) {
        io::stdout().lock().write_all(text.as_bytes())?;
    } else if !same {
        atomic::write(out, text.as_bytes())?;
    }
    Ok(())
}

/// Says why nothing is written.
fn stopped(
    name: &str,
    checked: &Checked,
    obstacle: &Obstacle,
    color: ColorChoice,
) -> Result<Exit, Failure> {
    let mut err = io::stderr().lock();
    match obstacle {
        Obstacle::NoEqual { span, .. } => {
            let place = {
                let text = checked.tree.text();
                LineIndex::new(text).line_column(text, span.start)
            };
            writeln!(
                err,
                "{name}:{place}: {obstacle}, nothing is written\n  help: a name in `hosts` for the same addresses may stand in both"
            )?;
            Ok(Exit::Findings)
        }
        Obstacle::Bug(bug) => {
            writeln!(
                err,
                "{name} is not migrated: {bug}; this is a bug of ours, nothing is written"
            )?;
            Ok(Exit::Bug)
        }
        _ => {
            let report = FileReport {
                name: name.to_owned(),
                text: checked.tree.text().to_owned(),
                diagnostics: checked.diagnostics.clone(),
                verdict: None,
            };
            human::write(&mut err, &[report], terminal::look(color, &io::stderr()))?;
            writeln!(err, "{name} is not migrated: it has errors")?;
            Ok(Exit::Findings)
        }
    }
}

/// `1 rule`, `22 rules`
fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}
