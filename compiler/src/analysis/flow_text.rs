//! Boxes of access → rows that people read: selectors, a protocol, ports, and the rules behind it.

use super::access::Conditions;
use super::describe::Vocabulary;
use super::region::{Layer, Login, Pairs, Protocols, Region};
use crate::ast::ports::protocol_name;
use crate::ast::{PortRange, Text};

/// Access in the words of a policy file.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Row {
    /// What kind of access it is.
    pub layer: Layer,
    /// Who: selectors.
    pub src: Vec<String>,
    /// Whom: selectors.
    pub dst: Vec<String>,
    /// What is carried: `tcp`, `tcp,udp`.
    pub protocol: String,
    /// `443`, `80-90`, `*`.
    pub ports: String,
    /// The tags of the routers it leads through.
    pub via: Vec<String>,
    /// What the sender must meet, one of these; empty: nothing.
    pub posture: Vec<String>,
    /// The rules it comes from, by their position in the policy.
    pub rules: Vec<u32>,
}

impl Row {
    /// The row of one box.
    pub fn of(region: &Region, vocabulary: &Vocabulary<'_>, conditions: &Conditions) -> Self {
        let (src, dst) = match &region.pairs {
            Pairs::Product(src, dst) => (vocabulary.describe(src), vocabulary.describe(dst)),
            Pairs::Own(users) => (vocabulary.describe(users), vec!["autogroup:self".to_owned()]),
        };
        // A device that meets nothing is let in: then so is any.
        let ids = || region.postures.iter().map(|it| conditions.condition(it));
        let posture = if ids().any(|it| it.is_none()) {
            Vec::new()
        } else {
            ids().flatten().map(str::to_owned).collect()
        };
        Self {
            layer: region.layer.clone(),
            src,
            dst,
            protocol: protocols(region.protocols),
            ports: region.ports.to_string(),
            via: region.via.iter().map(Text::to_string).collect(),
            posture,
            rules: region.rule.into_iter().collect(),
        }
    }

    /// "`tag:ci` reaches `tag:db` on tcp port 5432", without the verb's subject being lost.
    pub fn sentence(&self, verb: &str) -> String {
        let through = match self.via.as_slice() {
            [] => String::new(),
            via => format!(" through {}", list(via, "or")),
        };
        let only = match self.posture.as_slice() {
            [] => String::new(),
            conditions => format!(" from devices with {}", list(conditions, "or")),
        };
        format!(
            "{} {verb} {} on {}{through}{only}",
            list(&self.src, "and"),
            list(&self.dst, "and"),
            self.what()
        )
    }

    /// "`tag:ci` can now reach `tag:db` on tcp port 5432"; `modal` is "can now", "can no longer".
    pub fn change(&self, modal: &str) -> String {
        let (src, dst) = (list(&self.src, "and"), list(&self.dst, "and"));
        match &self.layer {
            Layer::Network => self.sentence(&format!("{modal} reach")),
            Layer::App(name, _) => format!("{src} {modal} use `{name}` on {dst}"),
            Layer::Ssh(user, login) => {
                let user = if user.contains(' ') { user.to_string() } else { format!("`{user}`") };
                let after = if *login == Login::Check { ", after a fresh login" } else { "" };
                format!("{src} {modal} log in to {dst} by SSH as {user}{after}")
            }
        }
    }

    /// Whether it is about SSH, so that its rules are those of that section.
    pub const fn is_ssh(&self) -> bool {
        matches!(self.layer, Layer::Ssh(..))
    }

    /// "tcp port 443", "every port of tcp and udp", "SSH as `root`".
    pub fn what(&self) -> String {
        match &self.layer {
            Layer::Network => {}
            Layer::App(name, _) => return format!("capability `{name}`"),
            Layer::Ssh(user, login) => {
                let after = if *login == Login::Check { " after a fresh login" } else { "" };
                let user = if user.contains(' ') { user.to_string() } else { format!("`{user}`") };
                return format!("SSH as {user}{after}");
            }
        }
        let protocols: Vec<&str> = self.protocol.split(',').collect();
        let names = match protocols.as_slice() {
            ["icmp", "tcp", "udp", "ipv6-icmp"] if self.ports == "*" => {
                return "every port, and by ping".to_owned();
            }
            [names @ .., last] if !names.is_empty() => format!("{} and {last}", names.join(", ")),
            names => names.join(", "),
        };
        match self.ports.as_str() {
            "*" => format!("every port of {names}"),
            ports if ports.contains(['-', ',']) => {
                format!("{names} ports {}", ports.replace(',', ", "))
            }
            port => format!("{names} port {port}"),
        }
    }
}

/// At most so many names stand in a sentence.
const MAX_NAMES: usize = 4;

/// `a`, `b` and 3 more, each in backticks.
pub fn list(names: &[String], word: &str) -> String {
    let quoted = |it: &String| if it.contains(' ') { it.clone() } else { format!("`{it}`") };
    let shown: Vec<String> = names.iter().take(MAX_NAMES).map(quoted).collect();
    match (shown.as_slice(), names.len().saturating_sub(MAX_NAMES)) {
        ([], _) => "nobody".to_owned(),
        ([one], 0) => one.clone(),
        ([first @ .., last], 0) => format!("{} {word} {last}", first.join(", ")),
        (all, more) => format!("{} {word} {more} more", all.join(", ")),
    }
}

/// `tcp,udp`; all of them are `*`.
pub(super) fn protocols(set: Protocols) -> String {
    let all: Vec<u8> = set.iter().collect();
    if all.len() >= usize::from(u8::MAX) {
        return "*".to_owned();
    }
    all.into_iter().map(protocol_name).collect::<Vec<_>>().join(",")
}

/// Ranges that touch, as one.
pub fn joined(mut ports: Vec<PortRange>) -> Vec<PortRange> {
    ports.sort_by_key(|it| (it.first, it.last));
    let mut all: Vec<PortRange> = Vec::new();
    for range in ports {
        match all.last_mut() {
            Some(last) if u32::from(range.first) <= u32::from(last.last) + 1 => {
                last.last = last.last.max(range.last);
            }
            _ => all.push(range),
        }
    }
    all
}
