//! `aclc explain`: a code → its page, in plain text.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use clap::Args;
use compiler::ast::invariant::GRAMMAR;
use compiler::diagnostic::code::{ALL, Code};
use compiler::diagnostic::similar;

use super::Exit;
use super::failure::Failure;

/// Each page of `docs/diagnostics` by the name of its code; made by `build.rs`.
const PAGES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/pages.rs"));

/// Print the page of a diagnostic code; without one, list them all
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The code, as `E0301` or `acl/E0301`; or `invariants` for their grammar
    #[arg(value_name = "CODE")]
    code: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  aclc explain               all codes, a line each
  aclc explain E0301         what it means, what to avoid, what to prefer
  aclc explain acl/E0301     the same
  aclc explain invariants    the grammar of what `aclc prove` reads";

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    let text = match &arguments.code {
        None => list(),
        Some(written) if written.trim() == "invariants" => GRAMMAR.to_owned(),
        Some(written) => {
            let code = Code::parse(written.trim()).ok_or_else(|| unknown(written))?;
            page(code).map_or_else(|| heading(code), plain)
        }
    };
    io::stdout().lock().write_all(text.as_bytes())?;
    Ok(Exit::Clean)
}

/// The page of a code, as Markdown.
pub(crate) fn page(code: Code) -> Option<&'static str> {
    PAGES.iter().find(|(name, _)| *name == code.name()).map(|(_, page)| *page)
}

/// Markdown as it reads well on a terminal: headings underlined, examples indented, the rest as it is.
pub(crate) fn plain(page: &str) -> String {
    let mut text = String::with_capacity(page.len() * 2);
    let mut example = false;
    for line in page.lines() {
        if line.starts_with("```") {
            example = !example;
            continue;
        }
        if example && !line.is_empty() {
            text.push_str("    ");
        }
        let heading = line.trim_start_matches('#').trim_start();
        let mark = if line.starts_with("# ") { "=" } else { "-" };
        if !example && line.starts_with('#') {
            let length = heading.chars().count();
            // Writing to a string does not fail.
            let _ = writeln!(text, "{heading}\n{}", mark.repeat(length));
        } else {
            let _ = writeln!(text, "{line}");
        }
    }
    text
}

fn heading(code: Code) -> String {
    format!("{code} ({}): {}\n", code.severity().name(), code.title())
}

fn list() -> String {
    let width = |it: &compiler::diagnostic::code::Entry| it.severity.name().len();
    let widest = ALL.iter().map(width).max().unwrap_or_default();
    let given = ALL.iter().filter(|it| !it.retired);
    let lines =
        given.map(|it| format!("{}  {:widest$}  {}\n", it.code, it.severity.name(), it.title));
    lines.collect()
}

fn unknown(written: &str) -> Failure {
    let name = written.trim().to_uppercase();
    let names = ALL.iter().map(|it| it.code.name());
    let help = match similar(name.trim_start_matches("ACL/"), names) {
        Some(name) => format!("did you mean `{name}`? `aclc explain` lists all codes"),
        None => "`aclc explain` lists all codes".to_owned(),
    };
    Failure::usage(format!("unknown code `{written}`"), help)
}
