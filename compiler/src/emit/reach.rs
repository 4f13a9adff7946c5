//! Lists of who reaches something, or of what is reached, as JSON: `docs/json.md`, "Access".

use serde::Serialize;

use super::access::RuleAt;
use crate::analysis::privileges::{Privilege, What};
use crate::analysis::reach::{self, Reach};
use crate::ast::Protocol;
use crate::ast::ports::protocol_name;
use crate::tables::Tables;

/// One device, or one stretch of addresses, and what is carried to or from it.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The device, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// Else the addresses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub addresses: Option<String>,
    /// The login of its user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Its tags, where it has no user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    /// `network`, `ssh`, `ssh-check` (after a fresh login) or `app`.
    pub kind: &'static str,
    /// Of a login the users of the host, of an application the capability.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Names between commas; none where it is not about packets.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub protocols: String,
    /// Ranges between commas.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub ports: String,
    /// Where the rules stand.
    pub rules: Vec<RuleAt>,
}

/// The answer to "who can reach this?".
#[derive(Clone, Debug, Serialize)]
pub struct Sources {
    version: u32,
    sources: Vec<Row>,
}

/// The answer to "what can this reach?".
#[derive(Clone, Debug, Serialize)]
pub struct Destinations {
    version: u32,
    destinations: Vec<Row>,
}

impl Sources {
    /// The answer of these rows.
    pub const fn new(sources: Vec<Row>) -> Self {
        Self { version: 1, sources }
    }
}

impl Destinations {
    /// The answer of these rows.
    pub const fn new(destinations: Vec<Row>) -> Self {
        Self { version: 1, destinations }
    }
}

/// What was found, a row for each device and list of ports; `file` is what the policy is called,
/// `text` what it says.
pub fn rows(tables: &Tables<'_>, found: &[Reach], file: &str, text: &str) -> Vec<Row> {
    let places = RuleAt::index(tables.policy(), file, text);
    let mut rows = Vec::new();
    for it in found {
        let node = it.node.and_then(|it| tables.tailnet().node(it));
        let owner = node.map(|it| reach::owner(tables, it));
        // What is carried to the same ports is one row.
        let mut by_ports: Vec<(String, Vec<String>)> = Vec::new();
        for (protocol, ports) in &it.access {
            let ports: Vec<String> = ports.iter().map(ToString::to_string).collect();
            let (ports, name) = (ports.join(","), protocol_text(*protocol));
            match by_ports.iter_mut().find(|it| it.0 == ports) {
                Some((_, names)) => names.push(name),
                None => by_ports.push((ports, vec![name])),
            }
        }
        for (ports, names) in by_ports {
            rows.push(Row {
                device: node.map(|it| it.name.to_string()),
                addresses: it.range.clone(),
                user: owner.as_ref().and_then(|it| it.as_ref().ok().cloned()),
                tags: owner.as_ref().and_then(|it| it.as_ref().err().cloned()),
                kind: "network",
                name: None,
                protocols: names.join(","),
                ports,
                rules: it.rules.iter().filter_map(|it| places.get(*it as usize).cloned()).collect(),
            });
        }
    }
    rows
}

/// The same for logins by SSH and capabilities.
pub fn privilege_rows(
    tables: &Tables<'_>,
    found: &[Privilege],
    file: &str,
    text: &str,
) -> Vec<Row> {
    let policy = tables.policy();
    let row = |it: &Privilege| {
        let node = tables.tailnet().node(it.node)?;
        let owner = reach::owner(tables, node);
        let (kind, name, rules) = match &it.what {
            What::Ssh { check, users } => {
                let kind = if *check { "ssh-check" } else { "ssh" };
                (kind, users.join(","), RuleAt::all_ssh(&it.rules, policy, file, text))
            }
            What::App(name) => {
                ("app", name.to_string(), RuleAt::all(&it.rules, policy, file, text))
            }
        };
        Some(Row {
            device: Some(node.name.to_string()),
            addresses: None,
            user: owner.as_ref().ok().cloned(),
            tags: owner.err(),
            kind,
            name: Some(name),
            protocols: String::new(),
            ports: String::new(),
            rules,
        })
    };
    found.iter().filter_map(row).collect()
}

impl Row {
    /// What it is about: `tcp 443`, `ssh as root, after a fresh login`.
    pub fn what(&self) -> String {
        let name = self.name.as_deref().unwrap_or_default();
        match self.kind {
            "ssh" => format!("ssh as {}", name.replace(',', ", ")),
            "ssh-check" => format!("ssh as {}, after a fresh login", name.replace(',', ", ")),
            "app" => format!("capability {name}"),
            _ => format!("{} {}", self.protocols, self.ports),
        }
    }
}

/// The default protocols are TCP, UDP and ICMP.
fn protocol_text(protocol: Option<Protocol>) -> String {
    protocol.map_or_else(|| "tcp,udp,icmp".to_owned(), protocol_name)
}
