//! `aclc diff`: two policies, or two inventories → the access gained and lost.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::{Args, ValueEnum, ValueHint};
use compiler::analysis::flow_text::list;
use compiler::emit::changes::{self, Change, Changes};
use compiler::policy::Valid;
use compiler::tables::verdict::Packet;
use compiler::tailnet::Tailnet;
use compiler::{Checked, Options, check_bytes};

use super::failure::{Failure, shown};
use super::format::{FileReport, human};
use super::target::Target;
use super::terminal::{self, ColorChoice};
use super::{Exit, configuration, input};

/// Say which access one policy gives and another does not
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// What was: a file, `-`, or `REVISION:FILE` of git
    #[arg(value_name = "BASE")]
    base: PathBuf,

    /// What is to be: the same
    #[arg(value_name = "HEAD", default_value = "policy.hujson")]
    head: PathBuf,

    /// The inventory: the answer is about its devices; otherwise about all possible tailnets
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    nodes: Option<PathBuf>,

    /// The inventory of BASE, where it is another
    #[arg(long, value_name = "FILE", requires = "nodes", value_hint = ValueHint::FilePath)]
    base_nodes: Option<PathBuf>,

    /// The form of the answer
    #[arg(long, value_enum, default_value_t = Form::Human, value_name = "FORM")]
    format: Form,

    /// End with exit code 1 when access changed
    #[arg(long)]
    exit_code: bool,

    #[command(flatten)]
    target: Target,

    #[command(flatten)]
    configuration: configuration::Choice,
}

/// A form of the answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Form {
    /// A sentence for each change
    Human,
    /// Tables, for a pull request
    Markdown,
    /// For scripts (docs/json.md)
    Json,
}

const EXAMPLES: &str = "\
Examples:
  aclc diff old.hujson new.hujson                     for all possible tailnets
  aclc diff HEAD~1:policy.hujson policy.hujson        against what git has
  aclc diff old.hujson new.hujson --nodes nodes.json  which devices gain and lose
  aclc diff policy.hujson policy.hujson --base-nodes then.json --nodes now.json
  aclc diff base.hujson head.hujson --format markdown for a comment on a pull request

Without an inventory the answer is exact for every tailnet there could be, and covers the network,
capabilities of applications and SSH. With one it names devices, and each row has a packet that was
tried on both sides.

Exit codes: 0 compared; 1 a policy has errors, or with --exit-code: access changed; 2 wrong use, or
a file that cannot be read; 3 a bug of ours.";

/// One side of the comparison.
struct Side {
    name: String,
    checked: Checked,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, color: ColorChoice) -> Result<Exit, Failure> {
    let files = [&arguments.base, &arguments.head];
    input::stdin_once(files.into_iter().chain(&arguments.nodes).chain(&arguments.base_nodes))?;
    let settings =
        configuration::Configurations::new(&arguments.configuration).of(&arguments.head)?;
    let dialect = arguments.target.dialect(settings.and_then(|it| it.configuration.target));
    let options = Options { dialect, ..Options::default() };
    let side = |path: &PathBuf| -> Result<Side, Failure> {
        let bytes = policy_at(path)?;
        Ok(Side { name: shown(path), checked: check_bytes(&bytes, &options) })
    };
    let (base, head) = (side(&arguments.base)?, side(&arguments.head)?);
    let (Some(before), Some(after)) = (base.checked.valid(), head.checked.valid()) else {
        let broken = [&base, &head].into_iter().filter(|it| it.checked.valid().is_none());
        let reports: Vec<FileReport> = broken.map(Side::report).collect();
        let look = terminal::look(color, &io::stderr());
        human::write(&mut io::stderr().lock(), &reports, look)?;
        return Ok(Exit::Findings);
    };
    let tailnets = match &arguments.nodes {
        None => None,
        Some(nodes) => {
            let now = tailnet(nodes, color)?;
            let then = arguments.base_nodes.as_ref().map(|it| tailnet(it, color)).transpose()?;
            match (now, then) {
                (None, _) | (_, Some(None)) => return Ok(Exit::Unreadable),
                (Some(now), then) => Some((then.flatten(), now)),
            }
        }
    };
    let sides = tailnets.as_ref().map(|(then, now)| [then.as_ref().unwrap_or(now), now]);
    let changes = Changes::between(base.lowered(before), head.lowered(after), sides);
    let changed = !changes.is_empty();
    let mut out = BufWriter::new(io::stdout().lock());
    match arguments.format {
        Form::Human => write_human(&mut out, &changes.gained, &changes.lost)?,
        Form::Markdown => write_markdown(&mut out, &changes.gained, &changes.lost)?,
        Form::Json => {
            let document = changes.document();
            serde_json::to_writer(&mut out, &document).map_err(io::Error::from)?;
            out.write_all(b"\n")?;
        }
    }
    out.flush()?;
    Ok(if changed && arguments.exit_code { Exit::Findings } else { Exit::Clean })
}

impl Side {
    fn report(&self) -> FileReport {
        FileReport {
            name: self.name.clone(),
            text: self.checked.tree.text().to_owned(),
            diagnostics: self.checked.diagnostics.clone(),
            verdict: None,
        }
    }

    fn lowered<'a>(&'a self, policy: Valid<'a>) -> changes::Side<'a> {
        changes::Side { file: &self.name, text: self.checked.tree.text(), policy }
    }
}

/// The bytes of a policy: a file, or what git has under `REVISION:FILE`.
fn policy_at(path: &Path) -> Result<Vec<u8>, Failure> {
    let text = path.to_string_lossy();
    if input::is_stdin(path) || path.exists() || !text.contains(':') {
        return input::policy(path);
    }
    let output = Command::new("git").args(["show", "--end-of-options"]).arg(&*text).output();
    match output {
        Ok(output) if output.status.success() => Ok(output.stdout),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            let first =
                said.lines().next().unwrap_or("git says nothing").trim_start_matches("fatal: ");
            Err(Failure::usage(
                format!("there is no file `{text}`, and git does not know it: {first}"),
                "write a file, or `REVISION:FILE` as for `git show`",
            ))
        }
        Err(error) => Err(Failure::usage(
            format!("there is no file `{text}`, and git cannot be asked: {error}"),
            "write a file, or install git for `REVISION:FILE`",
        )),
    }
}

/// Reads an inventory; what is wrong with it goes to standard error.
fn tailnet(path: &Path, color: ColorChoice) -> Result<Option<Tailnet>, Failure> {
    let input::ReadInventory { name, text, inventory, .. } = input::inventory(path)?;
    let report = FileReport { name, text, diagnostics: inventory.diagnostics, verdict: None };
    human::write(&mut io::stderr().lock(), &[report], terminal::look(color, &io::stderr()))?;
    Ok(inventory.tailnet)
}

fn write_human(out: &mut impl Write, gained: &[Change], lost: &[Change]) -> io::Result<()> {
    for (mark, changes) in [('+', gained), ('-', lost)] {
        for change in changes {
            let modal = if mark == '+' { "can now" } else { "can no longer" };
            writeln!(out, "{mark} {}", change.row.change(modal))?;
            let places = places(change);
            if !places.is_empty() {
                writeln!(out, "    by {places}")?;
            }
            if let Some(packet) = change.witness {
                writeln!(out, "    for example {} to {}", packet.src, target(&packet))?;
            }
        }
    }
    match (gained.len(), lost.len()) {
        (0, 0) => writeln!(out, "nothing changes: both give the same access"),
        (gained, lost) => writeln!(out, "{gained} gained, {lost} lost"),
    }
}

/// `policy.hujson:12, policy.hujson:14`
fn places(change: &Change) -> String {
    let all: Vec<String> = change.rules.iter().map(ToString::to_string).collect();
    all.join(", ")
}

/// `100.64.0.2 port 443`
fn target(packet: &Packet) -> String {
    match packet.port {
        0 => packet.dst.to_string(),
        port => format!("{} port {port}", packet.dst),
    }
}

fn write_markdown(out: &mut impl Write, gained: &[Change], lost: &[Change]) -> io::Result<()> {
    if gained.is_empty() && lost.is_empty() {
        return writeln!(out, "**Access does not change.**");
    }
    for (title, changes) in [("Access gained", gained), ("Access lost", lost)] {
        if changes.is_empty() {
            continue;
        }
        writeln!(out, "### {title}\n\n| who | reaches | on | rule |\n|---|---|---|---|")?;
        for change in changes {
            let condition = match change.row.posture.as_slice() {
                [] => String::new(),
                all => format!(" from devices with {}", list(all, "or")),
            };
            let cells = [
                list(&change.row.src, "and"),
                list(&change.row.dst, "and"),
                change.row.what() + &condition,
                places(change),
            ];
            writeln!(out, "| {} |", cells.map(|it| it.replace('|', "\\|")).join(" | "))?;
        }
        writeln!(out)?;
    }
    Ok(())
}
