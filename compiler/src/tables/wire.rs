//! Tables → JSON, with the names and shapes that nodes read; the only serde in the pipeline.
//!
//! SOURCE: docs/language.md, "Order and merging" and "What a node does with its table" and
//! "Peers" for the shapes, docs/json.md for their envelope.

use std::fmt::{Display, Write};
use std::sync::OnceLock;

use rustc_hash::FxHashSet;

use super::ssh::Logins;
use super::{
    Access, Addresses, Approval, CapGrant, Caps, DstPort, FilterRule, FilterTable, Peer, SshLine,
    Tables, matches,
};
use crate::ast::{PortRange, SshAction};
use crate::tailnet::NodeId;

/// What a host does with a session that is let in at once.
const ACCEPT: &str = r#"{"accept":true,"allowAgentForwarding":true,"allowLocalPortForwarding":true,"allowRemotePortForwarding":true}"#;

/// What it does with one that needs a fresh login: it asks the control plane, which knows for how
/// long the last one counts. The host fills in the variables.
const CHECK: &str = r#"{"holdAndDelegate":"https://unused/machine/ssh/action/$SRC_NODE_ID/to/$DST_NODE_ID?local_user=$LOCAL_USER"}"#;

/// A member of a node's object. What it holds: docs/json.md.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Field {
    FilterRules,
    FilterMatches,
    SshRules,
    CapMap,
    Peers,
    Whois,
    Origins,
    Approvals,
}

/// Every member, its name, and whether it is written unasked: what a node is sent is, what follows
/// from other members, where lines come from and what the policy would approve is not.
const FIELDS: [(Field, &str, bool); 8] = [
    (Field::FilterRules, "filterRules", true),
    (Field::FilterMatches, "filterMatches", false),
    (Field::SshRules, "sshRules", true),
    (Field::CapMap, "capMap", true),
    (Field::Peers, "peers", true),
    (Field::Whois, "whois", false),
    (Field::Origins, "origins", false),
    (Field::Approvals, "approvals", false),
];

/// Which members of a node's object are written; always in the same order.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Fields([bool; FIELDS.len()]);

impl Fields {
    /// Every member by its name, in the order they are written.
    pub const NAMES: [&'static str; FIELDS.len()] = [
        FIELDS[0].1,
        FIELDS[1].1,
        FIELDS[2].1,
        FIELDS[3].1,
        FIELDS[4].1,
        FIELDS[5].1,
        FIELDS[6].1,
        FIELDS[7].1,
    ];
    /// All of them.
    pub const ALL: Fields = Fields([true; FIELDS.len()]);
    /// What a node is sent.
    pub const DEFAULT: Fields = Fields([
        FIELDS[0].2,
        FIELDS[1].2,
        FIELDS[2].2,
        FIELDS[3].2,
        FIELDS[4].2,
        FIELDS[5].2,
        FIELDS[6].2,
        FIELDS[7].2,
    ]);

    /// Reads `all`, or names between commas.
    ///
    /// Errors: the first name that is none.
    pub fn parse(list: &str) -> Result<Fields, String> {
        if list == "all" {
            return Ok(Fields::ALL);
        }
        let mut fields = Fields([false; FIELDS.len()]);
        for name in list.split(',').map(str::trim) {
            let position = FIELDS.iter().position(|it| it.1 == name);
            let slot =
                position.and_then(|it| fields.0.get_mut(it)).ok_or_else(|| name.to_owned())?;
            *slot = true;
        }
        Ok(fields)
    }

    fn iter(self) -> impl Iterator<Item = (Field, &'static str)> {
        FIELDS.iter().zip(self.0).filter(|(_, wanted)| *wanted).map(|(it, _)| (it.0, it.1))
    }

    fn has(self, field: Field) -> bool {
        self.iter().any(|it| it.0 == field)
    }
}

/// Appends the members of a node's object as compact JSON, `"filterRules":[…],"capMap":{…}`: in the
/// order of [`Fields::NAMES`], with commas between them, without the braces around them. A node of
/// another tailnet has empty members.
pub fn write_table(tables: &Tables<'_>, node: NodeId, fields: Fields, out: &mut Vec<u8>) {
    let mut text = String::new();
    let table = tables.table(node);
    let mut writer = Writer { tables, out: &mut text };
    let needs_peers = fields.has(Field::Peers) || fields.has(Field::Whois);
    let peers = if needs_peers { tables.peers(node) } else { Vec::new() };
    for (position, (field, name)) in fields.iter().enumerate() {
        let comma = if position > 0 { "," } else { "" };
        writer.put(format_args!("{comma}\"{name}\":"));
        writer.member(field, node, &table, &peers);
    }
    out.extend_from_slice(text.as_bytes());
}

/// A text as a JSON string.
pub fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

struct Writer<'w> {
    tables: &'w Tables<'w>,
    out: &'w mut String,
}

impl Writer<'_> {
    fn member(&mut self, field: Field, node: NodeId, table: &FilterTable<'_>, peers: &[Peer]) {
        match field {
            Field::FilterRules => self.list(&table.rules, Self::rule),
            Field::FilterMatches => self.list(&table.rules, Self::rule_match),
            Field::SshRules => self.list(&self.tables.ssh_table(node).rules, Self::ssh_line),
            Field::CapMap => self.cap_map(node),
            Field::Peers => {
                let only_ipv6 = self.tables.sees_only_ipv6(node);
                self.object(peers, |this, it| this.peer(it, only_ipv6));
            }
            Field::Whois => self.object(&self.tables.whois(table, peers), Self::whois),
            Field::Origins => self.list(&table.rules, Self::origins),
            Field::Approvals => self.object(&self.tables.approvals(node), Self::approval),
        }
    }

    /// Writing to a `String` cannot fail.
    fn put(&mut self, text: impl Display) {
        let _ = write!(self.out, "{text}");
    }

    fn list<T>(&mut self, items: &[T], each: impl FnMut(&mut Self, &T)) {
        self.separated(['[', ']'], items, each);
    }

    fn object<T>(&mut self, items: &[T], each: impl FnMut(&mut Self, &T)) {
        self.separated(['{', '}'], items, each);
    }

    fn separated<T>(
        &mut self,
        [open, close]: [char; 2],
        items: &[T],
        mut each: impl FnMut(&mut Self, &T),
    ) {
        self.out.push(open);
        for (position, item) in items.iter().enumerate() {
            if position > 0 {
                self.out.push(',');
            }
            each(self, item);
        }
        self.out.push(close);
    }

    fn rule(&mut self, rule: &FilterRule<'_>) {
        self.out.push_str("{\"SrcIPs\":");
        self.out.push_str(self.tables.sources.json(&self.tables.tailnet, rule.source));
        match &rule.access {
            Access::Ports { protocol, dst } => {
                self.out.push_str(",\"DstPorts\":");
                self.list(dst, Self::dst_port);
                if let Some(protocol) = protocol {
                    self.put(format_args!(",\"IPProto\":[{protocol}]"));
                }
            }
            Access::Caps(grants) => {
                self.out.push_str(",\"CapGrant\":");
                self.list(grants, Self::cap_grant);
            }
        }
        self.out.push('}');
    }

    fn dst_port(&mut self, dst: &DstPort) {
        self.put(format_args!("{{\"IP\":\"{}\",\"Ports\":", dst.addresses));
        self.ports(dst.ports);
        self.out.push('}');
    }

    fn ports(&mut self, PortRange { first, last }: PortRange) {
        self.put(format_args!("{{\"First\":{first},\"Last\":{last}}}"));
    }

    fn cap_grant(&mut self, grant: &CapGrant<'_>) {
        self.out.push_str("{\"Dsts\":");
        self.list(&grant.dsts, |this, dst| match dst {
            // A single address carries its length here, unlike in `DstPorts`.
            Addresses::Net(net) => this.put(format_args!("\"{net}\"")),
            other => this.put(format_args!("\"{other}\"")),
        });
        self.out.push_str(",\"CapMap\":");
        match grant.caps {
            Caps::Companion(name) => self.put(format_args!("{{{}:null}}", quoted(name))),
            Caps::Granted(caps) => self.object(caps, |this, cap| {
                this.put(format_args!("{}:{}", quoted(&cap.name.value), cap.values));
            }),
        }
        self.out.push('}');
    }

    fn ssh_line(&mut self, line: &SshLine<'_>) {
        self.out.push_str("{\"principals\":");
        self.tables.write_principals(line.principals, self.out);
        self.out.push_str(",\"sshUsers\":");
        let users: Vec<(&str, &str)> = match line.logins {
            Logins::OfRule => line.rule.user_map().into_iter().collect(),
            Logins::Localpart(name) => vec![(name, name)],
        };
        self.object(&users, |this, (name, local)| {
            this.put(format_args!("{}:{}", quoted(name), quoted(local)))
        });
        self.out.push_str(",\"action\":");
        self.out.push_str(match line.rule.action.value {
            SshAction::Accept => ACCEPT,
            SshAction::Check => CHECK,
        });
        if !line.rule.accept_env.is_empty() {
            self.out.push_str(",\"acceptEnv\":");
            self.list(&line.rule.accept_env, |this, it| this.put(quoted(it)));
        }
        self.out.push('}');
    }

    /// The places in the policy that a line comes from, each once.
    fn origins(&mut self, rule: &FilterRule<'_>) {
        let lines = &self.tables.policy.file.lines;
        let place = |part| {
            let origin = self.tables.origin(part);
            origin.rule.map(|it| (it.section.name(), it.index, lines.line(origin.dst.start).0 + 1))
        };
        let mut seen = FxHashSet::default();
        let places = rule.origins.iter().filter_map(|it| place(*it));
        let places: Vec<_> = places.filter(|it| seen.insert(*it)).collect();
        self.list(&places, |this, (section, index, line)| {
            this.put(format_args!(
                "{{\"section\":\"{section}\",\"index\":{index},\"line\":{line}}}"
            ));
        });
    }

    fn approval(&mut self, approval: &Approval) {
        let lines = &self.tables.policy.file.lines;
        self.put(format_args!(
            "\"{}\":{{\"approved\":{},\"by\":",
            approval.route, approval.approved
        ));
        self.list(&approval.by, |this, it| {
            let who = quoted(&this.tables.policy.describe(it.who.value));
            let line = lines.line(it.who.span.start).0 + 1;
            this.put(format_args!("{{\"selector\":{who},\"line\":{line}"));
            if let Some(within) = it.within {
                this.put(format_args!(",\"within\":\"{within}\""));
            }
            this.out.push('}');
        });
        self.out.push('}');
    }

    fn rule_match(&mut self, rule: &FilterRule<'_>) {
        let found = matches(self.tables, rule);
        self.out.push_str("{\"IPProto\":");
        self.list(&found.protocols, |this, it| this.put(it));
        self.out.push_str(",\"Srcs\":");
        self.list(&found.srcs, |this, it| this.put(format_args!("\"{it}\"")));
        self.out.push_str(",\"SrcCaps\":null,\"Dsts\":");
        self.list(&found.dsts, |this, (net, ports)| {
            this.put(format_args!("{{\"Net\":\"{net}\",\"Ports\":"));
            this.ports(*ports);
            this.out.push('}');
        });
        let mut caps: Vec<(&ipnet::IpNet, &str, &str)> = Vec::new();
        for (net, given) in &found.caps {
            match given {
                Caps::Companion(name) => caps.push((net, name, "null")),
                Caps::Granted(all) => {
                    caps.extend(all.iter().map(|it| (net, &*it.name.value, &*it.values)))
                }
            }
        }
        self.out.push_str(",\"Caps\":");
        self.list(&caps, |this, (net, name, values)| {
            this.put(format_args!(
                "{{\"Dst\":\"{net}\",\"Cap\":{},\"Values\":{values}}}",
                quoted(name)
            ));
        });
        self.out.push('}');
    }

    fn cap_map(&mut self, id: NodeId) {
        let caps: Vec<_> = self.tables.cap_map(id).into_iter().collect();
        self.object(&caps, |this, (name, value)| {
            this.put(format_args!("{}:{value}", quoted(name)))
        });
    }

    fn peer(&mut self, peer: &Peer, only_ipv6: bool) {
        if only_ipv6 {
            self.out.push_str(&self.tables.peer_text_anew(peer.node, true));
        } else {
            // Nearly every node sees nearly every other, so what all viewers are told is rendered once.
            self.out.push_str(self.tables.peer_text(peer.node));
        }
        for net in peer.primary_routes.iter().chain(&peer.exit_routes) {
            if !self.out.ends_with('[') {
                self.out.push(',');
            }
            self.put(format_args!("\"{net}\""));
        }
        self.out.push(']');
        if !peer.primary_routes.is_empty() {
            self.out.push_str(",\"primaryRoutes\":");
            self.list(&peer.primary_routes, |this, it| this.put(format_args!("\"{it}\"")));
        }
        if !peer.exit_routes.is_empty() && self.tables.is_suggested(peer.node) {
            self.out.push_str(",\"capMap\":{\"suggest-exit-node\":null}");
        }
        self.out.push('}');
    }

    /// The values of each capability, one list of all grants that give it, in order.
    fn whois(&mut self, (address, grants): &(std::net::IpAddr, Vec<&CapGrant<'_>>)) {
        let mut caps: Vec<(&str, Option<String>)> = Vec::new();
        for grant in grants {
            let given: Vec<(&str, &str)> = match grant.caps {
                Caps::Companion(name) => vec![(name, "null")],
                Caps::Granted(all) => all.iter().map(|it| (&*it.name.value, &*it.values)).collect(),
            };
            for (name, values) in given {
                let inner = values.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
                let known = match caps.iter().position(|it| it.0 == name) {
                    Some(position) => caps.get_mut(position),
                    None => {
                        caps.push((name, None));
                        caps.last_mut()
                    }
                };
                if let (Some((_, list)), Some(inner)) = (known, inner) {
                    let list = list.get_or_insert_default();
                    if !list.is_empty() && !inner.is_empty() {
                        list.push(',');
                    }
                    list.push_str(inner);
                }
            }
        }
        self.put(format_args!("\"{address}\":"));
        self.object(&caps, |this, (name, list)| match list {
            Some(list) => this.put(format_args!("{}:[{list}]", quoted(name))),
            None => this.put(format_args!("{}:null", quoted(name))),
        });
    }
}

impl Tables<'_> {
    /// The beginning of a node's entry among the peers of others, up to its own addresses.
    fn peer_text(&self, id: NodeId) -> &str {
        let texts = self.peer_texts.get_or_init(|| {
            std::iter::repeat_with(OnceLock::new).take(self.tailnet.nodes().len()).collect()
        });
        let Some(cell) = texts.get(id.0 as usize) else { return "" };
        cell.get_or_init(|| self.peer_text_anew(id, false).into())
    }

    /// The same, and for a viewer without IPv4 without addresses of that family.
    fn peer_text_anew(&self, id: NodeId, only_ipv6: bool) -> String {
        let name = self.tailnet.node(id).map_or("", |it| &it.name);
        let mut text = format!("{}:{{\"allowedIPs\":[", quoted(name));
        let addresses = self.known_addresses(id).filter(|it| it.is_ipv6() || !only_ipv6);
        for (position, address) in addresses.enumerate() {
            let comma = if position > 0 { "," } else { "" };
            let _ = write!(text, "{comma}\"{}\"", ipnet::IpNet::from(address));
        }
        text
    }
}
