//! `aclc who-can` and `aclc what-can`: all who reach a destination, all that a source reaches.

use std::io::{self, BufWriter, Write};

use clap::Args;
use compiler::analysis::privileges;
use compiler::analysis::reach::{self, Asked};
use compiler::ast::PortRange;
use compiler::emit::reach::{Destinations, Row, Sources, privilege_rows, rows};
use serde::Serialize;

use super::Exit;
use super::failure::Failure;
use super::question::{Against, Form, Given, end, written};
use super::terminal::ColorChoice;

/// List everybody who can reach a destination
#[derive(Args)]
#[command(after_long_help = WHO_EXAMPLES)]
pub(crate) struct WhoArguments {
    /// Whom: a device, an address, or any selector; with a port where only that counts
    #[arg(value_name = "DST[:PORT]")]
    dst: String,

    #[command(flatten)]
    against: Against,

    #[command(flatten)]
    given: Given,
}

/// List everything that a source can reach
#[derive(Args)]
#[command(after_long_help = WHAT_EXAMPLES)]
pub(crate) struct WhatArguments {
    /// Who: a device, an address, or any selector
    #[arg(value_name = "SRC")]
    src: String,

    #[command(flatten)]
    against: Against,

    #[command(flatten)]
    given: Given,
}

const WHO_EXAMPLES: &str = "\
Examples:
  aclc who-can tag:db:5432 --nodes nodes.json        all who can reach the databases
  aclc who-can nas                                   on any port, by SSH, with capabilities
  aclc who-can 10.20.0.0/16:22                       what lies behind a router
  aclc who-can autogroup:internet                    who may use an exit node
  aclc who-can tag:db --format json

Exit codes: 0 answered; 1 the policy has errors; 2 wrong use, an unknown name, or a file that cannot
be read; 3 a bug of ours.";

const WHAT_EXAMPLES: &str = "\
Examples:
  aclc what-can laptop --nodes nodes.json            all that one device can reach
  aclc what-can group:contractors                    all that any of them can
  aclc what-can tag:ci --format json

Exit codes: 0 answered; 1 the policy has errors; 2 wrong use, an unknown name, or a file that cannot
be read; 3 a bug of ours.";

/// Runs `who-can`.
pub(crate) fn who(arguments: &WhoArguments, color: ColorChoice) -> Result<Exit, Failure> {
    let written = written(&arguments.dst)?;
    let asked = Asked {
        protocol: written.protocol,
        ports: written.ports.filter(|it| *it != PortRange::ALL),
    };
    let world = match arguments.against.read(color)? {
        Ok(world) => world,
        Err(exit) => return Ok(exit),
    };
    let Some((_, tables)) = world.tables() else { return Ok(Exit::Findings) };
    let dst = end(&tables, written.name)?;
    let found = reach::who_can(&tables, &dst, asked);
    let text = world.checked.tree.text();
    let mut rows = rows(&tables, &found, &world.name, text);
    if written.ports.is_none() && written.protocol.is_none() {
        let found = privileges::who_may(&tables, &dst);
        rows.extend(privilege_rows(&tables, &found, &world.name, text));
    }
    let mut out = BufWriter::new(io::stdout().lock());
    match arguments.given.format {
        Form::Human => {
            let none = format!("nobody can reach `{}`", arguments.dst);
            write_rows(&mut out, &rows, &format!("can reach `{}`", arguments.dst), &none)?;
        }
        Form::Json => json(&mut out, &Sources::new(rows))?,
    }
    out.flush()?;
    Ok(Exit::Clean)
}

/// Runs `what-can`.
pub(crate) fn what(arguments: &WhatArguments, color: ColorChoice) -> Result<Exit, Failure> {
    let world = match arguments.against.read(color)? {
        Ok(world) => world,
        Err(exit) => return Ok(exit),
    };
    let Some((_, tables)) = world.tables() else { return Ok(Exit::Findings) };
    let src = end(&tables, &arguments.src)?;
    let found = reach::what_can(&tables, &src, Asked::default());
    let text = world.checked.tree.text();
    let mut rows = rows(&tables, &found, &world.name, text);
    let found = privileges::what_may(&tables, &src);
    rows.extend(privilege_rows(&tables, &found, &world.name, text));
    let mut out = BufWriter::new(io::stdout().lock());
    match arguments.given.format {
        Form::Human => {
            let none = format!("`{}` can reach nothing", arguments.src);
            let all = format!("can be reached by `{}`", arguments.src);
            write_rows(&mut out, &rows, &all, &none)?;
        }
        Form::Json => json(&mut out, &Destinations::new(rows))?,
    }
    out.flush()?;
    Ok(Exit::Clean)
}

fn json(out: &mut impl Write, document: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, document)?;
    out.write_all(b"\n")
}

/// A line a row, in columns; the count stands last.
fn write_rows(out: &mut impl Write, rows: &[Row], all: &str, none: &str) -> io::Result<()> {
    if rows.is_empty() {
        return writeln!(out, "{none}");
    }
    let name = |row: &Row| row.device.clone().or_else(|| row.addresses.clone()).unwrap_or_default();
    let owner = |row: &Row| match (&row.user, &row.tags) {
        (Some(user), _) => user.clone(),
        (None, Some(tags)) => tags.join(" "),
        (None, None) => String::new(),
    };
    let what = Row::what;
    let width = |of: &dyn Fn(&Row) -> String| {
        rows.iter().map(|it| of(it).chars().count()).max().unwrap_or_default()
    };
    let widths = [width(&name), width(&owner), width(&what)];
    for row in rows {
        let places: Vec<String> = row.rules.iter().map(ToString::to_string).collect();
        let [a, b, c] = widths;
        let line =
            format!("{:a$}  {:b$}  {:c$}  {}", name(row), owner(row), what(row), places.join(" "));
        writeln!(out, "{}", line.trim_end())?;
    }
    let devices = rows
        .iter()
        .filter_map(|it| it.device.as_deref())
        .collect::<std::collections::BTreeSet<_>>();
    let networks = rows
        .iter()
        .filter_map(|it| it.addresses.as_deref())
        .collect::<std::collections::BTreeSet<_>>();
    let count = |number: usize, one: &str, many: &str| match number {
        1 => format!("1 {one}"),
        more => format!("{more} {many}"),
    };
    let mut parts = Vec::new();
    if !devices.is_empty() {
        parts.push(count(devices.len(), "device", "devices"));
    }
    if !networks.is_empty() {
        parts.push(count(networks.len(), "network", "networks"));
    }
    writeln!(out, "{} {all}", parts.join(" and "))
}
