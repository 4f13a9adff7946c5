//! Policy and inventory, as plain JSON → the table of every node: a second, slow and obvious compiler.
//!
//! It follows the text of docs/language.md, "From rules to tables" and "Peers" and "What is not
//! known" clause by clause, with nested loops
//! over nodes, rules and strings. It expects a valid policy and knows only what the generator of
//! `laws_tables.rs` writes. Where the text leaves a choice, the choice is the compiler's.

#![expect(clippy::unwrap_used, reason = "an oracle reads generated policies only")]
#![expect(clippy::indexing_slicing, reason = "indexing JSON by a name gives null, and never stops")]

mod peers;
mod read;
mod ssh;

pub use ssh::assertions;

use std::net::IpAddr;

use serde_json::{Map, Value, json};

use crate::addresses::{canonical, merged, overlap, prefixes, ranges, text, without};

/// `autogroup:internet` (4.4).
const INTERNET: [&str; 7] = [
    "0.0.0.0-9.255.255.255",
    "11.0.0.0-100.63.255.255",
    "100.128.0.0-169.253.255.255",
    "169.255.0.0-172.15.255.255",
    "172.32.0.0-192.167.255.255",
    "192.169.0.0-255.255.255.255",
    "2000::-3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
];

/// What `*` is as a source, besides the subnet routes (4.3).
const NODES: [&str; 3] =
    ["100.64.0.0-100.115.91.255", "100.115.94.0-100.127.255.255", "fd7a:115c:a1e0::/48"];

/// The capabilities with a companion (6.3).
const COMPANIONS: [(&str, &str); 2] = [
    ("tailscale.com/cap/drive", "tailscale.com/cap/drive-sharer"),
    ("tailscale.com/cap/relay", "tailscale.com/cap/relay-target"),
];

struct Node {
    name: String,
    addresses: Vec<String>,
    /// The login of the owner; a tagged node has none.
    login: Option<String>,
    role: String,
    tags: Vec<String>,
    routes: Vec<String>,
    exits: Vec<String>,
    attributes: Value,
}

/// The rules of one node.
type Table = Vec<Value>;

/// Sources, and what they get.
type Line = (Vec<String>, What);

/// An address of `DstPorts` and its ports.
type Entry = (String, (u64, u64));

/// Ranges of ports, inclusive.
type Ports = Vec<(u64, u64)>;

/// One destination with its ports.
type Dst = (String, Ports);

struct Rule {
    src: Vec<String>,
    dst: Vec<String>,
    /// The protocol, and the destinations in the order of 5.3.
    units: Vec<(Option<u64>, Vec<Dst>)>,
    app: Value,
    via: Vec<String>,
    postures: Vec<String>,
}

enum What {
    Ports(Option<u64>, Vec<Entry>),
    Caps(Vec<Value>),
}

struct World<'a> {
    policy: &'a Value,
    domains: Vec<String>,
    /// In the order of the inventory.
    nodes: Vec<Node>,
    /// Positions in `nodes`, the eldest first.
    by_age: Vec<usize>,
    /// `None`: neither section.
    rules: Option<Vec<Rule>>,
}

/// The tables: for each node its `filterRules`, `sshRules`, `capMap` and `peers`.
pub fn compile(policy: &Value, inventory: &Value) -> Value {
    let world = World::new(policy, inventory);
    let tables: Vec<Table> = world.tables(true);
    let plain = world.tables(false);
    let mut nodes = Map::new();
    for (at, node) in world.nodes.iter().enumerate() {
        let peers = world.peers(at, &tables, &plain);
        let (ssh, caps) = (world.ssh(at), world.cap_map(at));
        let table =
            json!({"filterRules": tables[at], "sshRules": ssh, "capMap": caps, "peers": peers});
        nodes.insert(node.name.clone(), table);
    }
    Value::Object(nodes)
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn texts(value: &Value) -> Vec<String> {
    list(value).iter().map(|it| it.as_str().unwrap().to_owned()).collect()
}

impl World<'_> {
    /// The nodes that a selector names by identity, the eldest first (4.2).
    fn members(&self, selector: &str) -> Vec<usize> {
        let users = texts(&self.policy["groups"][selector]);
        let domain = selector.strip_prefix("user:*@");
        let named = |node: &Node| {
            let Some(login) = &node.login else {
                return selector == "autogroup:tagged" || node.tags.iter().any(|it| it == selector);
            };
            match selector {
                "autogroup:member" => true,
                "autogroup:admin" => node.role == "admin" || node.role == "owner",
                "autogroup:owner" | "autogroup:auditor" => selector.ends_with(&node.role),
                _ if domain.is_some() => {
                    self.domains.iter().any(|it| Some(&**it) == domain)
                        && login.split('@').nth(1) == domain
                }
                _ => login == selector || users.contains(login),
            }
        };
        self.by_age.iter().copied().filter(|it| named(&self.nodes[*it])).collect()
    }

    /// The texts of a literal, host or IP set; `None` for every other selector.
    fn literals(&self, selector: &str) -> Option<Vec<String>> {
        if let Some(host) = self.policy["hosts"][selector].as_str() {
            return Some(vec![canonical(host)]);
        }
        let Some(steps) = self.policy["ipsets"][selector].as_array() else {
            let base = selector.split('/').next()?.parse::<IpAddr>();
            return base.ok().map(|_| vec![canonical(selector)]);
        };
        let mut set = Vec::new();
        for step in steps {
            let (word, target) = step.as_str().unwrap().split_once(' ').unwrap();
            let target = target.strip_prefix("host:").unwrap_or(target);
            let named = if target.contains('-') { None } else { self.literals(target) };
            for text in named.unwrap_or_else(|| vec![target.to_owned()]) {
                for range in ranges(&text) {
                    if word == "add" { set.push(range) } else { set = without(&set, range) }
                }
            }
        }
        Some(merged(set).into_iter().map(text).collect())
    }

    /// Whether a node meets one of the postures; what is unknown does not (12.1).
    fn meets(&self, node: &Node, postures: &[String]) -> bool {
        let holds = |assertion: &String| {
            let (attribute, wanted) = assertion.split_once(" == ").unwrap();
            node.attributes[attribute].as_str() == Some(wanted.trim_matches('\''))
        };
        let meets = |it: &String| texts(&self.policy["postures"][it]).iter().all(holds);
        postures.is_empty() || postures.iter().any(meets)
    }

    fn addresses(&self, nodes: &[usize]) -> Vec<String> {
        nodes.iter().flat_map(|it| self.nodes[*it].addresses.clone()).collect()
    }

    /// `SrcIPs` (4.3); with postures the nodes that fail are cut out of it (12.1.5).
    fn sources(&self, src: &[String], postures: &[String]) -> Vec<String> {
        let meets = |it: &usize| self.meets(&self.nodes[*it], postures);
        let mut named = Vec::new();
        let mut others = Vec::new();
        for selector in src {
            match self.literals(selector) {
                Some(literals) => others.extend(literals),
                None if selector == "*" => {
                    others.extend(self.nodes.iter().flat_map(|it| it.routes.clone()));
                    match postures {
                        [] => others.extend(NODES.map(str::to_owned)),
                        _ => named.extend(0..self.nodes.len()),
                    }
                }
                None => named.extend(self.members(selector)),
            }
        }
        if src.iter().any(|it| it == "autogroup:danger-all") {
            (named, others) = (Vec::new(), vec!["*".to_owned()]);
        }
        let failing: Vec<usize> = (0..self.nodes.len()).filter(|it| !meets(it)).collect();
        let failing = self.addresses(&failing);
        let mut all = Vec::new();
        for entry in others {
            if !failing.iter().any(|it| overlap(it, &entry)) {
                all.push(entry);
                continue;
            }
            let cut = |left: Vec<_>, it: &String| without(&left, ranges(it)[0]);
            all.extend(failing.iter().fold(ranges(&entry), cut).into_iter().map(text));
        }
        named.retain(meets);
        all.extend(self.addresses(&named));
        all.sort_unstable();
        all.dedup();
        all
    }

    /// For `autogroup:self` at a node: the devices of its user that are sources, and all (7).
    fn own_devices(&self, node: &Node, rule: &Rule) -> Option<(Vec<usize>, Vec<usize>)> {
        let devices = self.members(node.login.as_ref()?);
        let named =
            |it: &usize| rule.src.iter().any(|src| src == "*" || self.members(src).contains(it));
        let meets = |it: &usize| self.meets(&self.nodes[*it], &rule.postures);
        let callers: Vec<usize> = devices.iter().copied().filter(named).filter(meets).collect();
        (!self.addresses(&callers).is_empty()).then_some((callers, devices))
    }

    /// The sources and addresses of one destination at a node, not yet reduced (5.4).
    fn destination(&self, node: &Node, rule: &Rule, dst: &str) -> (Vec<String>, Vec<String>) {
        let src = self.sources(&rule.src, &rule.postures);
        match dst {
            "*" => (src, vec!["*".to_owned()]),
            "autogroup:internet" => (src, INTERNET.map(str::to_owned).to_vec()),
            "autogroup:self" => match self.own_devices(node, rule) {
                Some((callers, _)) => {
                    let mut src = self.addresses(&callers);
                    src.sort_unstable();
                    (src, node.addresses.clone())
                }
                None => (Vec::new(), Vec::new()),
            },
            _ => {
                let literals = self.literals(dst);
                (src, literals.unwrap_or_else(|| self.addresses(&self.members(dst))))
            }
        }
    }

    /// Whether an entry of `DstPorts` is meant for a node (5.5).
    fn is_meant(node: &Node, ip: &str) -> bool {
        // Also at the router of public addresses: "vanish even if it is a subnet router".
        if INTERNET.contains(&ip) {
            return !node.exits.is_empty();
        }
        ip == "*" || node.addresses.iter().chain(&node.routes).any(|it| overlap(it, ip))
    }

    /// What of a destination of a grant with `via` a router gets (6.4).
    fn steered(&self, node: &Node, rule: &Rule, dst: &str) -> Vec<String> {
        if !rule.via.iter().any(|it| node.tags.contains(it)) {
            return Vec::new();
        }
        if dst == "autogroup:internet" {
            let exit = !node.exits.is_empty();
            return if exit { INTERNET.map(str::to_owned).to_vec() } else { Vec::new() };
        }
        let routed = |it: &String| node.routes.iter().any(|route| overlap(route, it));
        self.literals(dst).unwrap_or_default().into_iter().filter(routed).collect()
    }

    fn tables(&self, via: bool) -> Vec<Table> {
        (0..self.nodes.len()).map(|it| self.table(it, via)).collect()
    }

    /// `filterRules` (5 to 7), with or without what grants with `via` give.
    fn table(&self, at: usize, via: bool) -> Table {
        let node = &self.nodes[at];
        let mut lines: Vec<Line> = Vec::new();
        let everybody = json!({"src": ["*"], "dst": ["*:*"]});
        let allow_all = [Rule::acl(&everybody, &[])];
        for rule in self.rules.as_deref().unwrap_or(&allow_all) {
            if rule.src.is_empty() || !via && !rule.via.is_empty() {
                continue;
            }
            for (number, to) in &rule.units {
                for (dst, ports) in to {
                    let (src, ips) = if rule.via.is_empty() {
                        self.destination(node, rule, dst)
                    } else {
                        (self.sources(&rule.src, &rule.postures), self.steered(node, rule, dst))
                    };
                    let entries =
                        ips.iter().flat_map(|ip| ports.iter().map(|it| (ip.clone(), *it)));
                    add_ports(&mut lines, src, *number, entries.collect());
                }
            }
            if rule.app.is_object() && rule.via.is_empty() {
                lines.extend(self.capabilities(at, rule));
            }
        }
        let wire = |(src, what)| match what {
            What::Caps(grants) => Some(json!({"SrcIPs": src, "CapGrant": grants})),
            What::Ports(number, mut entries) => {
                entries.retain(|it| Self::is_meant(node, &it.0));
                let port = |(ip, (first, last))| json!({"IP": ip, "Ports": {"First": first, "Last": last}});
                let entries: Vec<Value> = entries.into_iter().map(port).collect();
                let mut line = json!({"SrcIPs": src, "DstPorts": entries});
                if let Some(number) = number {
                    line["IPProto"] = json!([number]);
                }
                (!entries.is_empty()).then_some(line)
            }
        };
        lines.into_iter().filter_map(wire).collect()
    }

    /// The addresses of a node that a selector of capabilities stands for (6.2.2).
    fn own_addresses(&self, at: usize, selector: &str) -> Vec<String> {
        let node = &self.nodes[at];
        let Some(literals) = self.literals(selector) else {
            let named = matches!(selector, "*" | "autogroup:danger-all");
            let named = named || self.members(selector).contains(&at);
            return if named { with_lengths(&node.addresses) } else { Vec::new() };
        };
        let mut own = Vec::new();
        for literal in literals {
            own.extend(node.addresses.iter().filter(|it| overlap(it, &literal)).cloned());
            let routed = node.routes.iter().any(|it| overlap(it, &literal));
            let literal = prefixes(&literal).into_iter().filter(|it| routed && !own.contains(it));
            own.extend(literal.collect::<Vec<_>>());
        }
        with_lengths(&own)
    }

    /// The capability rule of a grant at a node, and its companions (6.2, 6.3).
    fn capabilities(&self, at: usize, rule: &Rule) -> Vec<Line> {
        let node = &self.nodes[at];
        let mut lines = Vec::new();
        for dst in &rule.dst {
            let (src, _) = self.destination(node, rule, dst);
            let own = match dst.as_str() {
                "autogroup:self" if src.is_empty() => Vec::new(),
                "autogroup:self" => with_lengths(&node.addresses),
                _ => self.own_addresses(at, dst),
            };
            if !own.is_empty() {
                add_caps(&mut lines, src, json!({"Dsts": own, "CapMap": rule.app}));
            }
        }
        for (_, companion) in COMPANIONS.iter().filter(|it| rule.app.get(it.0).is_some()) {
            let map = json!({*companion: null});
            let mut reverse = Vec::new();
            let is_self = |it: &&String| *it == "autogroup:self";
            let others: Vec<String> = rule.dst.iter().filter(|it| !is_self(it)).cloned().collect();
            let src = self.sources(&others, &[]);
            let mut own = Vec::new();
            let mut from = rule.src.clone();
            from.sort_by_key(|it| read::kind(it));
            for selector in from.iter().filter(|_| self.meets(node, &rule.postures)) {
                own.extend(self.own_addresses(at, selector));
            }
            let mut seen = Vec::new();
            own.retain(|it| {
                !seen.contains(it) && {
                    seen.push(it.clone());
                    true
                }
            });
            if !src.is_empty() && !own.is_empty() {
                add_caps(&mut reverse, src, json!({"Dsts": own, "CapMap": map}));
            }
            let caller = self.own_devices(node, rule).filter(|it| it.0.contains(&at));
            if let Some((_, devices)) = caller.filter(|_| rule.dst.iter().any(|it| is_self(&it))) {
                let mut src = self.addresses(&devices);
                src.sort_unstable();
                let own = with_lengths(&node.addresses);
                match reverse.first() {
                    Some((others, _)) if *others == src => {}
                    _ => add_caps(&mut reverse, src, json!({"Dsts": own, "CapMap": map})),
                }
            }
            lines.extend(reverse);
        }
        lines
    }
}

/// A bare address with its length, as `Dsts` and `allowedIPs` have it.
fn with_length(text: &str) -> String {
    match text {
        _ if text.contains(['/', '-']) => text.to_owned(),
        _ if text.contains(':') => format!("{text}/128"),
        _ => format!("{text}/32"),
    }
}

fn with_lengths(all: &[String]) -> Vec<String> {
    all.iter().map(|it| with_length(it)).collect()
}

/// Port rules of equal sources and protocol are one, where the first of them stands (5.6).
fn add_ports(lines: &mut Vec<Line>, src: Vec<String>, number: Option<u64>, more: Vec<Entry>) {
    if src.is_empty() || more.is_empty() {
        return;
    }
    for (sources, what) in lines.iter_mut() {
        match what {
            What::Ports(protocol, entries) if *sources == src && *protocol == number => {
                return entries.extend(more);
            }
            _ => {}
        }
    }
    lines.push((src, What::Ports(number, more)));
}

/// Destinations of one grant with equal sources are elements of one capability rule.
fn add_caps(lines: &mut Vec<Line>, src: Vec<String>, grant: Value) {
    for (sources, what) in lines.iter_mut() {
        if let What::Caps(grants) = what
            && *sources == src
        {
            return grants.push(grant);
        }
    }
    lines.push((src, What::Caps(vec![grant])));
}
