//! `aclc compare`: what devices hold against what the policy compiles to.

mod netmap;
mod report;

use std::io::{self, Write as _};
use std::path::PathBuf;

use clap::{Args, ValueHint};
use compiler::analysis::compare;
use compiler::tables::Tables;
use compiler::tailnet::{NodeId, Tailnet};

use super::Exit;
use super::failure::{Failure, shown};
use super::input;
use super::question::{Against, Form, Given};
use super::terminal::ColorChoice;
use netmap::Netmap;
use report::Report;

/// Compare what devices hold with what the policy compiles to
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The policy, if not by `--policy`
    #[arg(value_name = "FILE", conflicts_with = "policy", value_hint = ValueHint::FilePath)]
    file: Option<PathBuf>,

    #[command(flatten)]
    against: Against,

    /// What a device holds, as `tailscale debug netmap` prints it there; may be repeated
    #[arg(long = "netmap", value_name = "FILE", required = true, value_hint = ValueHint::FilePath)]
    netmaps: Vec<PathBuf>,

    #[command(flatten)]
    given: Given,
}

const EXAMPLES: &str = "\
Examples:
  ssh nas tailscale debug netmap > nas.json          what the device `nas` holds
  aclc compare policy.hujson --nodes nodes.json --netmap nas.json
  aclc compare --netmap nas.json --netmap web.json --format json

Compared are packet filter, capabilities, SSH rules, attributes and peers. Filters that say the same
in other lines are the same. A device is found by its addresses.

Exit codes: 0 no difference; 1 differences, or the policy has errors; 2 wrong use, or a file that cannot
be read; 3 a bug of ours.";

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, color: ColorChoice) -> Result<Exit, Failure> {
    input::stdin_once(
        arguments.netmaps.iter().chain(&arguments.file).chain(arguments.against.files()),
    )?;
    let read = match &arguments.file {
        Some(file) => arguments.against.read_policy(file, color),
        None => arguments.against.read(color),
    };
    let world = match read? {
        Ok(world) => world,
        Err(exit) => return Ok(exit),
    };
    let Some((_, tables)) = world.tables() else { return Ok(Exit::Findings) };
    let mut reports = Vec::new();
    for path in &arguments.netmaps {
        let netmap = netmap::read(path)?;
        let node = device(tables.tailnet(), &netmap).ok_or_else(|| {
            let name = netmap.self_node.as_ref().map_or("", |it| &it.name);
            Failure::usage(
                format!(
                    "{}: the inventory has no device with the addresses of `{name}`",
                    shown(path)
                ),
                "take the inventory and the network map of one tailnet, at about the same time",
            )
        })?;
        let held = netmap.lines()?;
        let packets =
            compare::compare(tables.tailnet(), node, &held, &compare::compiled(&tables, node));
        reports.push(Report::new(&world, &tables, node, &netmap, packets)?);
    }
    let mut out = io::stdout().lock();
    match arguments.given.format {
        Form::Human => {
            let texts: Vec<String> = reports.iter().map(Report::sentences).collect();
            out.write_all(texts.concat().as_bytes())?;
        }
        Form::Json => {
            serde_json::to_writer(&mut out, &report::document(&reports))
                .map_err(io::Error::from)?;
            out.write_all(b"\n")?;
        }
    }
    Ok(if reports.iter().all(Report::is_same) { Exit::Clean } else { Exit::Findings })
}

/// Whose network map it is.
fn device(tailnet: &Tailnet, netmap: &Netmap) -> Option<NodeId> {
    netmap.self_node.as_ref()?.own().find_map(|it| tailnet.node_at(it))
}

/// What a device of a network map is called: as in the inventory, else as it calls itself.
fn name_of(tables: &Tables<'_>, node: &netmap::Node) -> String {
    let known = node.own().find_map(|it| tables.tailnet().node_at(it));
    let known = known.and_then(|it| tables.tailnet().node(it)).map(|it| it.name.to_string());
    known.unwrap_or_else(|| node.name.trim_end_matches('.').to_owned())
}
