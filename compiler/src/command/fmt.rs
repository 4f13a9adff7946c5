//! `aclc fmt`: policies → the same, laid out as Tailscale's own formatter lays them out.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use compiler::cst;
use compiler::diagnostic::code;
use compiler::diagnostic::render::Look;
use sha2::{Digest as _, Sha256};

use super::failure::{Failure, shown};
use super::format::{FileReport, human};
use super::terminal::{self, ColorChoice};
use super::{Exit, atomic, input, report, unified};

/// Lay policies out as Tailscale's own formatter does, byte for byte
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The policies; `-` reads standard input and prints the result
    #[arg(value_name = "FILE", default_value = "policy.hujson", value_hint = ValueHint::FilePath)]
    files: Vec<PathBuf>,

    /// Change nothing; print the names of the files that would change
    #[arg(long)]
    check: bool,

    /// Change nothing; print what would change
    #[arg(long)]
    diff: bool,

    /// Change nothing; print the ETag that each policy has at Tailscale once it is formatted
    #[arg(long, conflicts_with_all = ["check", "diff"])]
    etag: bool,
}

const EXAMPLES: &str = "\
Examples:
  aclc fmt                                  policy.hujson in this folder, in place
  aclc fmt a.hujson b.hujson                several at once
  aclc fmt - < policy.hujson                to standard output, for an editor
  aclc fmt --check                          in CI: exit code 1 where a file would change
  aclc fmt --diff | less                    what would change
  aclc fmt --etag                           compare with the ETag of the policy that is in force

Comments stay where they are, trailing commas are written where there are comments already, and line
ends become LF. A text that is no HuJSON is left alone, and what is wrong with it is printed.

The ETag is the SHA-256 of the formatted text, in hexadecimal, as `gitops-pusher` prints it. The API
gives it between double quotes, and takes it back so as `If-Match`.

Exit codes: 0 formatted, or nothing to do; 1 a file would change (`--check`, `--diff`), or is no HuJSON;
2 a file that cannot be read or written; 3 a bug of ours.";

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, color: ColorChoice) -> Result<Exit, Failure> {
    input::stdin_once(&arguments.files)?;
    let look = terminal::look(color, &io::stderr());
    let mut exit = Exit::Clean;
    for path in &arguments.files {
        let ended = one(path, arguments, look).or_else(|failure| {
            if failure.is_reader_gone() {
                return Err(failure);
            }
            // The others are formatted all the same.
            report(&failure);
            Ok(Exit::Unreadable)
        })?;
        exit = exit.max(ended);
    }
    Ok(exit)
}

/// Formats one file.
fn one(path: &Path, arguments: &Arguments, look: Look) -> Result<Exit, Failure> {
    let bytes = input::policy(path)?;
    let text = std::str::from_utf8(&bytes).ok();
    let Some((text, formatted)) = text.and_then(|it| Some((it, cst::format(it)?))) else {
        refuse(path, &bytes, look);
        return Ok(Exit::Findings);
    };
    let name = shown(path);
    let changes = text != formatted;
    let mut out = io::stdout().lock();
    if arguments.etag {
        match arguments.files.len() {
            1 => writeln!(out, "{}", etag(&formatted))?,
            // As `sha256sum` does.
            _ => writeln!(out, "{}  {name}", etag(&formatted))?,
        }
        return Ok(Exit::Clean);
    }
    if arguments.check || arguments.diff {
        if arguments.check && changes {
            writeln!(out, "{name}")?;
        }
        drop(out);
        if arguments.diff && changes {
            unified::print(&name, text, &formatted)?;
        }
        return Ok(if changes { Exit::Findings } else { Exit::Clean });
    }
    if input::is_stdin(path) {
        out.write_all(formatted.as_bytes())?;
    } else if changes {
        atomic::write(path, formatted.as_bytes())?;
        // Where standard error is closed there is nobody to tell.
        let _ = writeln!(io::stderr().lock(), "formatted {name}");
    }
    Ok(Exit::Clean)
}

/// Says what keeps a text from being formatted.
fn refuse(path: &Path, bytes: &[u8], look: Look) {
    let parsed = cst::parse_bytes(bytes);
    // Of two members of one name each can be laid out.
    let problems = parsed.problems.iter().filter(|it| it.fault.code() != code::E0110);
    let file = FileReport {
        name: shown(path),
        text: parsed.tree.text().to_owned(),
        diagnostics: problems.map(cst::Problem::report).collect(),
        verdict: None,
    };
    let mut err = io::stderr().lock();
    // Where standard error is closed there is nobody to tell.
    let _ = human::write(&mut err, &[file], look);
    let _ = writeln!(err, "{} is not formatted: it is no HuJSON", shown(path));
}

/// The ETag of a policy, without the quotes that HTTP puts around it.
fn etag(formatted: &str) -> String {
    Sha256::digest(formatted).iter().map(|it| format!("{it:02x}")).collect()
}
