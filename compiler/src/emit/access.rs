//! Access as JSON, in the one shape that all answers share: `docs/json.md`, "Access".

use std::fmt;

use crate::analysis::flow_text::Row;
use crate::analysis::region::{Layer, Login};
use crate::policy::Policy;
use crate::span::{LineIndex, Span};
use crate::tables::verdict::Packet;
use serde::Serialize;

/// One row of access.
#[derive(Clone, Debug, Serialize)]
pub struct Access {
    /// `network`, `app`, `ssh` or `ssh-check`.
    kind: &'static str,
    /// The capability, or the user of the host.
    name: Option<String>,
    src: Vec<String>,
    dst: Vec<String>,
    protocol: String,
    ports: String,
    via: Vec<String>,
    posture: Vec<String>,
    rules: Vec<RuleAt>,
    witness: Option<Flow>,
}

impl Access {
    /// The row, the places of its rules, and a flow of it that was tried.
    pub fn of(row: &Row, rules: Vec<RuleAt>, witness: Option<Packet>) -> Self {
        let (kind, name) = match &row.layer {
            Layer::Network => ("network", None),
            Layer::App(name, _) => ("app", Some(name.to_string())),
            Layer::Ssh(user, Login::Accept) => ("ssh", Some(user.to_string())),
            Layer::Ssh(user, Login::Check) => ("ssh-check", Some(user.to_string())),
        };
        Self {
            kind,
            name,
            src: row.src.clone(),
            dst: row.dst.clone(),
            protocol: row.protocol.clone(),
            ports: row.ports.clone(),
            via: row.via.clone(),
            posture: row.posture.clone(),
            rules,
            witness: witness.map(Flow::from),
        }
    }
}

/// Where a rule stands.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct RuleAt {
    /// The policy, as it is called.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
}

/// `policy.hujson:12`
impl fmt::Display for RuleAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

impl RuleAt {
    /// The places of some rules of a policy.
    pub fn all(rules: &[u32], policy: &Policy, file: &str, text: &str) -> Vec<Self> {
        let known = policy.rules.as_deref().unwrap_or_default();
        let spans = rules.iter().filter_map(|it| known.get(*it as usize)).map(|it| it.span);
        Self::at(spans, file, text)
    }

    /// The place of every rule, in their order.
    pub fn index(policy: &Policy, file: &str, text: &str) -> Vec<Self> {
        let spans = policy.rules.iter().flatten().map(|it| it.span);
        Self::at(spans, file, text)
    }

    /// The places of some entries of the section `ssh`.
    pub fn all_ssh(rules: &[u32], policy: &Policy, file: &str, text: &str) -> Vec<Self> {
        let spans = rules.iter().filter_map(|it| policy.ssh.get(*it as usize)).map(|it| it.span);
        Self::at(spans, file, text)
    }

    fn at(spans: impl Iterator<Item = Span>, file: &str, text: &str) -> Vec<Self> {
        let lines = LineIndex::new(text);
        spans.map(|it| Self { file: file.to_owned(), line: lines.line(it.start).0 + 1 }).collect()
    }
}

/// A packet that begins a flow.
#[derive(Clone, Debug, Serialize)]
pub struct Flow {
    src: String,
    dst: String,
    protocol: u8,
    port: u16,
}

impl From<Packet> for Flow {
    fn from(packet: Packet) -> Self {
        Self {
            src: packet.src.to_string(),
            dst: packet.dst.to_string(),
            protocol: packet.protocol,
            port: packet.port,
        }
    }
}
