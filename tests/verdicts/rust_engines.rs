//! Tables as Tailscale's own packet filters in Rust take them.

use compiler::tables::Tables;
use compiler::tables::wire::{Fields, write_table};
use compiler::tailnet;
use ipnet::IpNet;
use serde_json::Value;
use ts_packetfilter::{DstMatch, IpProto, Rule, SrcMatch};

/// Adds to each line's sources every prefix of any line that lies inside one of them. That changes
/// no meaning, but `ts_bart_packetfilter` 0.6.1 asks for the longest prefix of a source alone: where
/// one line names a part of what another names, it forgets the other.
pub(crate) fn spell_out(rules: &mut [Rule]) {
    let mut all: Vec<IpNet> = rules.iter().flat_map(|it| it.src.pfxs.clone()).collect();
    all.sort_unstable();
    all.dedup();
    for rule in rules {
        let inside = |net: &&IpNet| rule.src.pfxs.iter().any(|it| it.contains(*net));
        rule.src.pfxs = all.iter().filter(inside).copied().collect();
    }
}

/// A line of `filterMatches` as Tailscale's Rust client keeps it.
pub(crate) fn rule(found: &Value) -> Rule {
    let list = |name: &str| found[name].as_array().unwrap();
    let port = |entry: &Value, name: &str| entry["Ports"][name].as_u64().unwrap() as u16;
    let dst = |entry: &Value| DstMatch {
        ports: port(entry, "First")..=port(entry, "Last"),
        ips: vec![entry["Net"].as_str().unwrap().parse().unwrap()],
    };
    Rule {
        src: SrcMatch {
            pfxs: list("Srcs").iter().map(|it| it.as_str().unwrap().parse().unwrap()).collect(),
            caps: Vec::new(),
        },
        protos: list("IPProto").iter().map(|it| IpProto::new(it.as_i64().unwrap())).collect(),
        dst: list("Dsts").iter().map(dst).collect(),
    }
}

/// The lines of a table and what a client makes of them.
pub(crate) fn written(tables: &Tables<'_>, node: tailnet::NodeId) -> (Value, Value) {
    let mut text = b"{".to_vec();
    write_table(tables, node, Fields::parse("filterRules,filterMatches").unwrap(), &mut text);
    text.push(b'}');
    let mut table: Value = serde_json::from_slice(&text).unwrap();
    (table["filterRules"].take(), table["filterMatches"].take())
}
