//! A table → a sentence for each line, with the rules that it comes from.

use compiler::analysis::reach::owner;
use compiler::ast::ports::protocol_name;
use compiler::ast::{PortRange, SshAction};
use compiler::tables::ssh::{Logins, SshLine};
use compiler::tables::{Access, Caps, DstPort, FilterRule, Tables};
use compiler::tailnet::NodeId;
use serde::Serialize;

/// What one line of a table says.
#[derive(Debug, Serialize)]
pub(crate) struct Sentence {
    /// `network`, `app` or `ssh`.
    kind: &'static str,
    /// Who is let in: devices by their names, the rest by addresses.
    who: Vec<String>,
    /// "on tcp ports 22, 443", "use `example.com/cap`", "log in as `root`".
    what: String,
    /// To which addresses, where they are not the device's own.
    at: Vec<String>,
    /// The lines of the policy, from 1.
    lines: Vec<u32>,
}

/// At most so many names stand in one sentence; how many more there are stands behind.
const MAX_NAMES: usize = 40;

/// The sentences of one device's table.
pub(crate) fn of(tables: &Tables<'_>, id: NodeId) -> Vec<Sentence> {
    let teller = Teller { tables, id };
    let table = tables.table(id);
    let network = table.rules.iter().map(|it| teller.rule(it));
    let ssh = tables.ssh_table(id);
    network.chain(ssh.rules.iter().map(|it| teller.login(it))).collect()
}

struct Teller<'t> {
    tables: &'t Tables<'t>,
    id: NodeId,
}

impl Teller<'_> {
    fn rule(&self, rule: &FilterRule<'_>) -> Sentence {
        let (kind, what, at) = match &rule.access {
            Access::Ports { protocol, dst } => {
                let protocol =
                    protocol.map_or_else(|| "tcp, udp and icmp".to_owned(), protocol_name);
                let mut ports: Vec<PortRange> = dst.iter().map(|it| it.ports).collect();
                ports.sort_unstable_by_key(|it| (it.first, it.last));
                ports.dedup();
                ("network", on(&protocol, &ports), self.elsewhere(dst))
            }
            Access::Caps(grants) => {
                let mut names: Vec<String> = grants
                    .iter()
                    .flat_map(|it| match it.caps {
                        Caps::Companion(name) => vec![name.to_owned()],
                        Caps::Granted(all) => {
                            all.iter().map(|it| it.name.value.to_string()).collect()
                        }
                    })
                    .collect();
                names.dedup();
                let at = grants.iter().flat_map(|it| &it.dsts).map(ToString::to_string);
                let own = self.own();
                let mut at: Vec<String> =
                    at.filter(|it| !own.iter().any(|own| it.starts_with(own))).collect();
                at.dedup();
                ("app", names.join(", "), at)
            }
        };
        let origins = rule.origins.iter().filter_map(|it| {
            let origin = self.tables.origin(*it);
            origin.rule.map(|_| self.line(origin.dst.start))
        });
        let mut lines: Vec<u32> = origins.collect();
        lines.dedup();
        Sentence { kind, who: self.who(rule), what, at, lines }
    }

    fn login(&self, line: &SshLine<'_>) -> Sentence {
        let users = match line.logins {
            Logins::Localpart(name) => name.to_owned(),
            Logins::OfRule => {
                let map = line.rule.user_map();
                let mut named: Vec<String> =
                    map.iter().filter(|it| !it.1.is_empty()).map(|it| it.0.to_string()).collect();
                if let Some(any) = named.iter_mut().find(|it| *it == "*") {
                    "everybody but root".clone_into(any);
                }
                named.join(", ")
            }
        };
        let after = match line.rule.action.value {
            SshAction::Accept => "",
            SshAction::Check => ", after a fresh login",
        };
        let tailnet = self.tables.tailnet();
        let principals = self.tables.principals(line.principals);
        let mut ids: Vec<NodeId> =
            principals.into_iter().filter_map(|it| tailnet.node_at(it)).collect();
        ids.sort_unstable();
        ids.dedup();
        let who = self.names(ids.into_iter());
        Sentence {
            kind: "ssh",
            who,
            what: format!("{users}{after}"),
            at: Vec::new(),
            lines: vec![self.line(line.rule.span.start)],
        }
    }

    fn line(&self, offset: u32) -> u32 {
        self.tables.policy().file.lines.line(offset).0 + 1
    }

    fn own(&self) -> Vec<String> {
        let node = self.tables.tailnet().node(self.id);
        node.into_iter().flat_map(|it| it.addresses()).map(|it| it.to_string()).collect()
    }

    /// Destinations that are not the device itself: what lies behind it.
    fn elsewhere(&self, dst: &[DstPort]) -> Vec<String> {
        let own = self.own();
        let mut texts: Vec<String> = dst.iter().map(|it| it.addresses.to_string()).collect();
        // Everything that the device has or routes is what it lets in for.
        texts.retain(|it| !own.contains(it) && it != "*");
        texts.sort();
        texts.dedup();
        texts
    }

    fn who(&self, rule: &FilterRule<'_>) -> Vec<String> {
        let source = self.tables.source(rule.source);
        if source.everybody.is_some() {
            return vec!["everybody".to_owned()];
        }
        let mut names = self.names(source.nodes.iter());
        names.extend(source.extra.iter().map(|it| match it.to_string().as_str() {
            "*" => "everybody, of other tailnets too".to_owned(),
            text => text.to_owned(),
        }));
        names
    }

    /// Devices by name, and whose each is.
    fn names(&self, ids: impl Iterator<Item = NodeId>) -> Vec<String> {
        let tailnet = self.tables.tailnet();
        let mut names = Vec::new();
        let mut more = 0;
        for node in ids.filter_map(|it| tailnet.node(it)) {
            if names.len() < MAX_NAMES {
                let whose = match owner(self.tables, node) {
                    Ok(login) => login,
                    Err(tags) => tags.join(" "),
                };
                names.push(format!("{} ({whose})", node.name));
            } else {
                more += 1;
            }
        }
        if more > 0 {
            names.push(format!("{more} more"));
        }
        names
    }
}

/// "tcp ports 22, 80-90"
fn on(protocol: &str, ports: &[PortRange]) -> String {
    match ports {
        [PortRange::ALL] => format!("every port of {protocol}"),
        [one] if one.first == one.last => format!("{protocol} port {one}"),
        all => {
            let all: Vec<String> = all.iter().map(ToString::to_string).collect();
            format!("{protocol} ports {}", all.join(", "))
        }
    }
}
