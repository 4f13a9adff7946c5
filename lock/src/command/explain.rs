//! `tlock explain`: a code → its page, in plain text.

use clap::Args;
use compiler::diagnostic::similar;
use lock::audit::code::{ALL, Code};

use super::failure::Failure;
use super::visible::visible;
use super::{Exit, output};

/// Each page of `docs/diagnostics` by the name of its code; made by `build.rs`.
const PAGES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/pages.rs"));

/// Print the page of a code that `audit` reports; without one, list them all
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The code, as `W0403` or `lock/W0403`
    #[arg(value_name = "CODE")]
    code: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  tlock explain               all codes, a line each
  tlock explain W0403         what it means, what to avoid, what to prefer";

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    let text = match &arguments.code {
        None => ALL.iter().map(|it| heading(it.code)).collect(),
        Some(written) => {
            let code = Code::parse(written.trim()).ok_or_else(|| unknown(written))?;
            page(code).map_or_else(|| heading(code), plain)
        }
    };
    output::print(&text)?;
    Ok(Exit::Clean)
}

/// The page of a code, as Markdown.
pub(crate) fn page(code: Code) -> Option<&'static str> {
    PAGES.iter().find(|(name, _)| *name == code.name()).map(|(_, page)| *page)
}

/// Markdown as it reads well on a terminal: headings underlined, examples indented.
pub(crate) fn plain(page: &str) -> String {
    let mut example = false;
    let mut text = String::with_capacity(page.len() * 2);
    for line in page.lines() {
        if line.starts_with("```") {
            example = !example;
        } else if example {
            text += &format!("    {line}\n");
        } else if let Some(heading) = line.strip_prefix("# ") {
            text += &format!("{heading}\n{}\n", "=".repeat(heading.chars().count()));
        } else if let Some(heading) = line.strip_prefix("## ") {
            text += &format!("{heading}\n{}\n", "-".repeat(heading.chars().count()));
        } else {
            text += &format!("{line}\n");
        }
    }
    text
}

fn heading(code: Code) -> String {
    format!("{code}  {:<7}  {}\n", code.severity().name(), code.title())
}

fn unknown(written: &str) -> Failure {
    let name = written.trim().to_uppercase();
    let names = ALL.iter().map(|it| it.code.name());
    let help = match similar(name.trim_start_matches("LOCK/"), names) {
        Some(name) => format!("did you mean `{name}`? `tlock explain` lists all codes"),
        None => "`tlock explain` lists all codes".to_owned(),
    };
    Failure::usage(format!("unknown code `{}`", visible(written)), help)
}
