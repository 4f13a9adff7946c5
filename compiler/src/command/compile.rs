//! `aclc compile`: a policy and an inventory → the table of each device.

mod output;
mod summary;

use std::io::{self, Write as _};
use std::mem::ManuallyDrop;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum, ValueHint};
use compiler::diagnostic::render::Look;
use compiler::diagnostic::{Severity, similar};
use compiler::tables::Tables;
use compiler::tables::wire::Fields;
use compiler::tailnet::{NodeId, Tailnet};
use compiler::{Options, check_bytes};

use super::configuration::Configurations;
use super::failure::{Failure, shown};
use super::format::{FileReport, human};
use super::input::ReadInventory;
use super::progress::Progress;
use super::target::Target;
use super::terminal::{self, ColorChoice};
use super::{Exit, configuration, input};
use output::{Output, Shape};
use summary::Times;

/// Compile a policy into the packet-filter table of each device
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The policy; `-` is standard input
    #[arg(value_name = "FILE", default_value = "policy.hujson", value_hint = ValueHint::FilePath)]
    file: PathBuf,

    /// The inventory: users, devices, routes [default: `nodes` of the configuration]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    nodes: Option<PathBuf>,

    #[command(flatten)]
    target: Target,

    /// For whom the tables are
    #[arg(long, value_enum, default_value_t = Emit::Tailscale, value_name = "FORM")]
    emit: Emit,

    /// Only the table of this device; may be repeated
    #[arg(long = "node", value_name = "NAME")]
    names: Vec<String>,

    /// What is written of each device, separated by commas, or `all`
    #[arg(long, value_name = "LIST", value_parser = fields)]
    fields: Option<Fields>,

    /// One document, or a line for each device
    #[arg(long, value_enum, value_name = "FORM")]
    format: Option<Shape>,

    /// Write a file for each device into this folder instead
    #[arg(short, long, value_name = "DIR", conflicts_with = "format", value_hint = ValueHint::DirPath)]
    output: Option<PathBuf>,

    /// Compile every table, but print only counts, memory and the time of each stage
    #[arg(long, conflicts_with_all = ["output", "names", "fields"])]
    summary: bool,

    #[command(flatten)]
    configuration: configuration::Choice,
}

const EXAMPLES: &str = "\
Examples:
  tailscale status --json > nodes.json
  aclc compile policy.hujson --nodes nodes.json                     all tables, one document
  aclc compile policy.hujson --nodes nodes.json --node laptop       one device
  aclc compile policy.hujson --nodes nodes.json --format ndjson     a line for each device
  aclc compile policy.hujson --nodes nodes.json -o tables           tables/laptop.json, …
  aclc compile policy.hujson --nodes nodes.json --fields all        also what is left out by default
  aclc compile policy.hujson --nodes nodes.json --summary           where time and memory go

The inventory may also be the devices list of Tailscale's API, or the answer of
`headscale nodes list -o json`.

Fields: filterRules, sshRules, capMap and peers; where they are asked for also filterMatches, whois,
origins: the entries of the policy, with their line, that each line of filterRules comes from, and
approvals: for each advertised route whether it is approved, and who would have it approved unasked.

A policy with errors gives no tables: what is wrong goes to standard error. In file names, whatever
some system would misread is written as `%` and two digits.

Exit codes: 0 tables without an error; 1 errors in the policy; 2 wrong use, an unknown device, or a
file that cannot be read or written; 3 a bug of ours.";

/// For whom the tables are.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Emit {
    /// Tailscale's nodes: the packet filter as the control plane sends it
    Tailscale,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, color: ColorChoice) -> Result<Exit, Failure> {
    input::stdin_once(std::iter::once(&arguments.file).chain(&arguments.nodes))?;
    if arguments.summary && arguments.format == Some(Shape::Ndjson) {
        return Err(Failure::usage(
            "a summary is one document, not a line for each device",
            "write `--format json`, or leave `--format` out for a summary to read",
        ));
    }
    let look = terminal::look(color, &io::stderr());
    let settings = Configurations::new(&arguments.configuration).of(&arguments.file)?;
    if let Some(report) = settings.as_ref().and_then(|it| it.report()) {
        show(report, look);
    }
    if settings.as_ref().is_some_and(|it| it.is_unusable()) {
        return Ok(Exit::Unreadable);
    }
    let nodes = arguments.nodes.clone().or_else(|| settings.as_ref().and_then(|it| it.nodes()));
    let Some(nodes) = nodes else {
        return Err(Failure::usage(
            "tables are made for the devices of an inventory, and none is named",
            "name it with `--nodes FILE`; `tailscale status --json > nodes.json` writes one",
        ));
    };
    let begin = Instant::now();
    let mut times = Times::default();
    let progress = Progress::start("reading");
    let (policy, inventory) = std::thread::scope(|scope| {
        let inventory = scope.spawn(|| timed(|| input::inventory(&nodes)));
        let policy = timed(|| input::policy(&arguments.file));
        (policy, inventory.join())
    });
    // A thread of ours cannot have panicked: a panic ends the process.
    let Ok((inventory, taken)) = inventory else { return Ok(Exit::Unreadable) };
    times.inventory = taken;
    times.policy = policy.1;
    let (policy, ReadInventory { name, text, inventory, bytes }) = (policy.0?, inventory?);
    drop(progress);
    show(FileReport { name, text, diagnostics: inventory.diagnostics, verdict: None }, look);
    let Some(tailnet) = inventory.tailnet else { return Ok(Exit::Unreadable) };
    // The process ends with this function. To take a hundred thousand nodes apart before that
    // would only cost time, here and below.
    let tailnet = ManuallyDrop::new(tailnet);
    let nodes = selected(&tailnet, &arguments.names)?;

    let progress = Progress::start("checking");
    let configuration = settings.as_ref().map(|it| &it.configuration);
    let options = Options {
        tailnet: Some(&tailnet),
        dialect: arguments.target.dialect(configuration.and_then(|it| it.target)),
        assertions: true,
        lints: false,
        levels: configuration.map(|it| &it.levels),
        ..Options::default()
    };
    let (checked, taken) = timed(|| check_bytes(&policy, &options));
    times.check = taken;
    let checked = ManuallyDrop::new(checked);
    drop(progress);
    let diagnostics = checked.diagnostics.clone();
    let failed = diagnostics.iter().any(|it| it.severity == Severity::Error);
    let text = checked.tree.text().to_owned();
    show(FileReport { name: shown(&arguments.file), text, diagnostics, verdict: None }, look);
    let Some(valid) = checked.valid() else { return Ok(Exit::Findings) };

    let progress = Progress::start("compiling");
    let (tables, taken) = timed(|| Tables::new(valid, &*tailnet));
    times.compile = taken;
    let tables = ManuallyDrop::new(tables);
    if arguments.summary {
        let (counts, taken) = timed(|| tables.summary());
        times.tables = taken;
        times.whole = begin.elapsed();
        drop(progress);
        let sizes = summary::Sizes { policy: policy.len(), inventory: bytes };
        let text = summary::text(&counts, sizes, times, arguments.format.is_some());
        io::stdout().lock().write_all(text.as_bytes())?;
    } else {
        progress.stage("writing tables", nodes.len());
        if nodes.len() > 1 {
            tables.prepare_all();
        }
        let fields = arguments.fields.unwrap_or(Fields::DEFAULT);
        let output = Output { tables: &tables, tailnet: &tailnet, fields, progress: &progress };
        match &arguments.output {
            Some(folder) => output.folder(&nodes, folder)?,
            None => output.stream(&nodes, arguments.format.unwrap_or(Shape::Json))?,
        }
    }
    Ok(if failed { Exit::Findings } else { Exit::Clean })
}

/// The devices whose tables are asked for, each once; all of them where none is named.
fn selected(tailnet: &Tailnet, names: &[String]) -> Result<Vec<NodeId>, Failure> {
    if names.is_empty() {
        return Ok(tailnet.node_ids().collect());
    }
    let mut nodes = Vec::with_capacity(names.len());
    for name in names {
        let node = tailnet.node_named(name).ok_or_else(|| unknown(tailnet, name))?;
        if !nodes.contains(&node) {
            nodes.push(node);
        }
    }
    Ok(nodes)
}

fn unknown(tailnet: &Tailnet, name: &str) -> Failure {
    let help = match similar(name, tailnet.nodes().iter().map(|it| &*it.name)) {
        Some(known) => format!("did you mean `{known}`?"),
        None => "names are those of the inventory; `aclc inventory` prints it".to_owned(),
    };
    Failure::usage(format!("no device is called `{name}`"), help)
}

/// The fields that an argument lists.
fn fields(list: &str) -> Result<Fields, String> {
    Fields::parse(list).map_err(|name| match similar(&name, Fields::NAMES.iter().copied()) {
        Some(known) => format!("unknown field `{name}`; did you mean `{known}`?"),
        None => format!("unknown field `{name}`; the fields are {}", Fields::NAMES.join(", ")),
    })
}

/// Shows findings where they do not mix with the tables.
fn show(found: FileReport, look: Look) {
    // Where standard error is closed there is nobody to tell.
    let _ = human::write(&mut io::stderr().lock(), std::slice::from_ref(&found), look);
}

/// What `work` gives, and how long it took.
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let result = work();
    (result, start.elapsed())
}
