//! `aclc graph`: who reaches what, as a picture or a matrix.

use std::io::{self, Write as _};
use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};
use compiler::analysis::matrix::Matrix;
use compiler::emit::graph::{self, Detail, Graph, MAX_ENDS, TooMany};

use super::Exit;
use super::atomic;
use super::failure::Failure;
use super::question::Against;
use super::terminal::ColorChoice;

/// Draw who reaches what
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    against: Against,

    /// The form of the picture
    #[arg(long, value_enum, default_value_t = Form::Svg, value_name = "FORM")]
    format: Form,

    /// What is drawn one by one
    #[arg(long, value_enum, default_value_t = By::Auto, value_name = "WHAT")]
    by: By,

    /// Write to a file instead of standard output; replaced whole or not at all
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
}

/// A form of the picture.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Form {
    /// A drawing
    Svg,
    /// One page with the drawing and a table, which needs nothing else
    Html,
    /// For Graphviz
    Dot,
    /// For Markdown on GitHub and GitLab
    Mermaid,
    /// A matrix for spreadsheets
    Csv,
}

/// What is drawn one by one.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum By {
    /// Devices where they are a dozen at most, else groups
    Auto,
    /// Groups, users without a group, tags, networks
    Groups,
    /// Users, tags, networks
    Users,
    /// Devices, networks
    Devices,
}

const EXAMPLES: &str = "\
Examples:
  aclc graph --nodes nodes.json > access.svg         a drawing
  aclc graph --nodes nodes.json --format html -o access.html
  aclc graph --format mermaid                        for a README or a pull request
  aclc graph --format csv --by devices               a matrix, a row and a column for each device

What is treated alike shares a box: a picture has as many boxes as the policy makes differences.

Exit codes: 0 drawn; 1 the policy has errors; 2 wrong use, or a file that cannot be read or written;
3 a bug of ours.";

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, color: ColorChoice) -> Result<Exit, Failure> {
    let world = match arguments.against.read(color)? {
        Ok(world) => world,
        Err(exit) => return Ok(exit),
    };
    let Some((valid, tables)) = world.tables() else { return Ok(Exit::Findings) };
    let detail = match arguments.by {
        By::Auto => Detail::Auto,
        By::Groups => Detail::Groups,
        By::Users => Detail::Users,
        By::Devices => Detail::Devices,
    };
    let graph = Graph::of(&Matrix::of(&tables), valid.policy(), detail).map_err(too_many)?;
    let text = match arguments.format {
        Form::Svg => graph::svg(&graph),
        Form::Html => graph::html(&graph, &format!("Who reaches what: {}", world.name)),
        Form::Dot => graph::dot(&graph),
        Form::Mermaid => graph::mermaid(&graph),
        Form::Csv => graph::csv(&graph),
    };
    match &arguments.output {
        Some(file) => atomic::write(file, text.as_bytes())?,
        None => io::stdout().lock().write_all(text.as_bytes())?,
    }
    Ok(Exit::Clean)
}

fn too_many(TooMany(ends): TooMany) -> Failure {
    Failure::usage(
        format!(
            "{ends} ends one by one are more than anybody can read; {MAX_ENDS} are drawn at most"
        ),
        "draw them by groups: `--by groups`",
    )
}
