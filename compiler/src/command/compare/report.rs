//! What differs between a device and the policy, as sentences and as JSON.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use compiler::analysis::compare::Difference;
use compiler::analysis::flow_text::{Row, list};
use compiler::emit::access::{Access, RuleAt};
use compiler::tables::ip_set::{IpRange, IpSet};
use compiler::tables::{Tables, wire};
use compiler::tailnet::NodeId;
use serde::Serialize;
use serde_json::{Map, Value};

use super::name_of;
use super::netmap::{self, Caps, Netmap};
use crate::command::failure::Failure;
use crate::command::question::World;

/// All that differs on one device.
pub(super) struct Report {
    node: String,
    missing: Vec<(Row, Vec<RuleAt>)>,
    extra: Vec<Row>,
    /// Capabilities, SSH rules, attributes and peers, in sentences, by kind.
    others: Vec<(&'static str, String)>,
}

#[derive(Serialize)]
struct Document {
    version: u32,
    nodes: Vec<NodeDocument>,
}

#[derive(Serialize)]
struct NodeDocument {
    node: String,
    same: bool,
    missing: Vec<Access>,
    extra: Vec<Access>,
    others: Vec<Other>,
}

#[derive(Serialize)]
struct Other {
    kind: &'static str,
    sentence: String,
}

/// All reports, for scripts.
pub(super) fn document(reports: &[Report]) -> impl Serialize {
    Document { version: 1, nodes: reports.iter().map(Report::document).collect() }
}

impl Report {
    /// What differs on a device whose network map this is.
    ///
    /// Errors: an address in the network map that is none.
    pub(super) fn new(
        world: &World,
        tables: &Tables<'_>,
        node: NodeId,
        netmap: &Netmap,
        packets: Difference,
    ) -> Result<Self, Failure> {
        let place = |row: Row| {
            let (policy, text) = (&world.checked.policy, world.checked.tree.text());
            let rules = RuleAt::all(&row.rules, policy, &world.name, text);
            (row, rules)
        };
        let compiled = compiled(tables, node);
        let mut others = Vec::new();
        caps(&netmap.caps()?, &compiled_caps(&compiled)?, tables, &mut others);
        ssh(netmap, &compiled, tables, &mut others);
        attributes(netmap, &compiled, &mut others);
        peers(netmap, &compiled, tables, &mut others);
        let name = tables.tailnet().node(node).map(|it| it.name.to_string());
        Ok(Self {
            node: name.unwrap_or_default(),
            missing: packets.missing.into_iter().map(place).collect(),
            extra: packets.extra,
            others,
        })
    }

    /// Whether nothing differs.
    pub(super) fn is_same(&self) -> bool {
        self.missing.is_empty() && self.extra.is_empty() && self.others.is_empty()
    }

    /// The report as people read it.
    pub(super) fn sentences(&self) -> String {
        let node = &self.node;
        if self.is_same() {
            return format!("`{node}` holds what the policy compiles to\n");
        }
        let mut text = format!("`{node}` does not hold what the policy compiles to:\n");
        for (row, rules) in &self.missing {
            let places: Vec<String> = rules.iter().map(RuleAt::to_string).collect();
            let _ = writeln!(text, "- {}", row.sentence("should be able to reach"));
            if !places.is_empty() {
                let _ = writeln!(text, "    by {}", places.join(", "));
            }
        }
        for row in &self.extra {
            let _ = writeln!(text, "+ {}", row.sentence("can reach"));
            text.push_str("    by no rule of this policy\n");
        }
        for (_, sentence) in &self.others {
            let _ = writeln!(text, "! {sentence}");
        }
        text.push_str("A device holds an older table where the policy or its tailnet changed since, or where the inventory is older.\n");
        text
    }

    fn document(&self) -> NodeDocument {
        let missing = self.missing.iter();
        NodeDocument {
            node: self.node.clone(),
            same: self.is_same(),
            missing: missing.map(|(row, rules)| Access::of(row, rules.clone(), None)).collect(),
            extra: self.extra.iter().map(|it| Access::of(it, Vec::new(), None)).collect(),
            others: self
                .others
                .iter()
                .map(|(kind, sentence)| Other { kind, sentence: sentence.clone() })
                .collect(),
        }
    }
}

/// What the node is sent, as JSON.
fn compiled(tables: &Tables<'_>, node: NodeId) -> Map<String, Value> {
    let mut json = vec![b'{'];
    wire::write_table(tables, node, wire::Fields::DEFAULT, &mut json);
    json.push(b'}');
    serde_json::from_slice(&json).unwrap_or_default()
}

fn compiled_caps(compiled: &Map<String, Value>) -> Result<Caps, Failure> {
    let rules = compiled.get("filterRules").cloned().unwrap_or_default();
    netmap::of_rules(rules)?.caps()
}

fn caps(
    held: &Caps,
    compiled: &Caps,
    tables: &Tables<'_>,
    others: &mut Vec<(&'static str, String)>,
) {
    let keys: BTreeSet<_> = held.keys().chain(compiled.keys()).collect();
    let set = |caps: &Caps, key: &(String, String, String)| {
        let mut set = IpSet::default();
        caps.get(key).into_iter().flatten().for_each(|it| set.add(*it));
        set
    };
    let mut found: BTreeMap<(String, bool), BTreeSet<String>> = BTreeMap::new();
    for key in keys {
        let (one, other) = (set(held, key), set(compiled, key));
        for (from, without, missing) in [(&other, &one, true), (&one, &other, false)] {
            let mut left = from.clone();
            without.ranges().for_each(|it| left.remove(it));
            let names = left.ranges().map(|it| called(tables, it));
            found.entry((key.0.clone(), missing)).or_default().extend(names);
        }
    }
    for ((cap, missing), names) in found.into_iter().filter(|it| !it.1.is_empty()) {
        let names: Vec<String> = names.into_iter().collect();
        let verb = if missing { "should have" } else { "has, by no rule of this policy," };
        others
            .push(("capability", format!("{} {verb} the capability `{cap}`", list(&names, "and"))));
    }
}

fn called(tables: &Tables<'_>, range: IpRange) -> String {
    let node = Some(range).filter(|it| it.first() == it.last());
    let node = node.and_then(|it| tables.tailnet().node_at(it.first()));
    let node = node.and_then(|it| tables.tailnet().node(it));
    node.map_or_else(|| compiler::analysis::ends::range_text(range), |it| it.name.to_string())
}

/// An SSH rule in one form: who may log in as whom, and whether after a fresh login. Of the action
/// nothing else comes from a policy.
fn login(tables: &Tables<'_>, rule: &Value) -> String {
    let addresses = rule.get("principals").and_then(Value::as_array).into_iter().flatten();
    let addresses = addresses.filter_map(|it| it.get("nodeIP").and_then(Value::as_str));
    let name = |it: &str| match it.parse() {
        Ok(address) => called(tables, IpRange::of(address)),
        Err(_) => it.to_owned(),
    };
    let principals: BTreeSet<String> = addresses.map(name).collect();
    let principals: Vec<String> = principals.into_iter().collect();
    let users = rule.get("sshUsers").and_then(Value::as_object).into_iter().flatten();
    // A user who is mapped to nobody is kept out; all others under `*` are who they say.
    let user = |(name, local): (&String, &Value)| match local.as_str() {
        Some("") => format!("not {name}"),
        Some("=") => name.clone(),
        Some(local) if local != name => format!("{name} as {local}"),
        _ => name.clone(),
    };
    let users: Vec<String> = users.map(user).collect();
    let accepts = rule.get("action").and_then(|it| it.get("accept")).and_then(Value::as_bool);
    let after = if accepts == Some(true) { "" } else { ", after a fresh login" };
    format!("{} by SSH as {}{after}", list(&principals, "and"), users.join(", "))
}

fn ssh(
    netmap: &Netmap,
    compiled: &Map<String, Value>,
    tables: &Tables<'_>,
    others: &mut Vec<(&'static str, String)>,
) {
    let held = netmap.ssh_policy.iter().filter_map(|it| it.rules.as_ref()).flatten();
    let held: Vec<String> = held.map(|it| login(tables, it)).collect();
    let rules = compiled.get("sshRules").and_then(Value::as_array);
    let compiled: Vec<String> = rules.into_iter().flatten().map(|it| login(tables, it)).collect();
    for rule in compiled.iter().filter(|it| !held.contains(it)) {
        others.push(("ssh", format!("it should let in {rule}")));
    }
    for rule in held.iter().filter(|it| !compiled.contains(it)) {
        others.push(("ssh", format!("it lets in {rule}, by no rule of this policy")));
    }
}

/// Attributes that the policy gives; a device has others besides, which the control plane gives unasked.
fn attributes(
    netmap: &Netmap,
    compiled: &Map<String, Value>,
    others: &mut Vec<(&'static str, String)>,
) {
    let held = netmap.self_node.as_ref().and_then(|it| it.cap_map.as_ref());
    let compiled = compiled.get("capMap").and_then(Value::as_object);
    for (name, value) in compiled.into_iter().flatten() {
        let values =
            |it: Option<&Value>| netmap::text(it.and_then(Value::as_array).map(Vec::as_slice));
        match held.and_then(|it| it.get(name)) {
            None => others.push(("attribute", format!("the attribute `{name}` is missing"))),
            Some(own) if values(Some(own)) != values(Some(value)) => {
                others.push(("attribute", format!("the attribute `{name}` has another value")));
            }
            Some(_) => {}
        }
    }
}

fn peers(
    netmap: &Netmap,
    compiled: &Map<String, Value>,
    tables: &Tables<'_>,
    others: &mut Vec<(&'static str, String)>,
) {
    let Some(held) = &netmap.peers else { return };
    let prefixes = |list: Option<&Vec<Value>>| -> BTreeSet<String> {
        let all = list.into_iter().flatten().filter_map(Value::as_str);
        all.map(str::to_owned).collect()
    };
    let mut seen: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for peer in held {
        let own = peer.allowed_ips.iter().flatten().cloned().collect();
        seen.insert(name_of(tables, peer), own);
    }
    let compiled = compiled.get("peers").and_then(Value::as_object);
    let compiled: BTreeMap<&String, BTreeSet<String>> = compiled
        .into_iter()
        .flatten()
        .map(|(name, it)| (name, prefixes(it.get("allowedIPs").and_then(Value::as_array))))
        .collect();
    for (name, routes) in &compiled {
        match seen.get(*name) {
            None => others.push(("peer", format!("it should see `{name}` and does not"))),
            Some(own) if own != routes => {
                let text = |from: &BTreeSet<String>, without: &BTreeSet<String>| {
                    from.difference(without).cloned().collect::<Vec<_>>()
                };
                let (less, more) = (text(routes, own), text(own, routes));
                if !less.is_empty() {
                    let sentence = format!("it should send {} to `{name}`", list(&less, "and"));
                    others.push(("route", sentence));
                }
                if !more.is_empty() {
                    let sentence =
                        format!("it sends {} to `{name}` and should not", list(&more, "and"));
                    others.push(("route", sentence));
                }
            }
            Some(_) => {}
        }
    }
    for name in seen.keys().filter(|it| !compiled.contains_key(it)) {
        others.push(("peer", format!("it sees `{name}`, which this policy does not show it")));
    }
}
