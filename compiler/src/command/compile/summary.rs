//! `aclc compile --summary`: how much there is, and where time and memory go.

use std::time::Duration;

use compiler::tables::Summary;
use serde_json::json;

/// How many bytes were read.
#[derive(Clone, Copy)]
pub(super) struct Sizes {
    pub(super) policy: usize,
    pub(super) inventory: usize,
}

/// How long each stage took.
#[derive(Clone, Copy, Default)]
pub(super) struct Times {
    /// Reading the policy, while the inventory is read.
    pub(super) policy: Duration,
    /// Reading and indexing the inventory.
    pub(super) inventory: Duration,
    /// Parsing and checking the policy.
    pub(super) check: Duration,
    /// Distributing the rules to nodes.
    pub(super) compile: Duration,
    /// Making every table.
    pub(super) tables: Duration,
    /// All of it.
    pub(super) whole: Duration,
}

/// The summary, as text for people or as JSON.
pub(super) fn text(counts: &Summary, sizes: Sizes, times: Times, as_json: bool) -> String {
    if as_json {
        return format!("{}\n", as_value(counts, sizes, times));
    }
    let pairs = counts.visible.map_or("not counted".to_owned(), |it| it.to_string());
    let memory = peak_memory()
        .map_or("not known here".to_owned(), |it| format!("{:.1} MB", it as f64 / 1e6));
    let read = |bytes: usize| format!(" ({:.1} MB)", bytes as f64 / 1e6);
    let rows = [
        ("nodes", counts.nodes.to_string()),
        ("rules", counts.rules.to_string()),
        ("distinct source sets", counts.sources.to_string()),
        ("filter rules", counts.filter_rules.to_string()),
        ("destination entries", counts.destinations.to_string()),
        ("pairs that see each other", pairs),
        ("peak memory", memory),
        ("read the policy", milliseconds(times.policy) + &read(sizes.policy)),
        ("read the inventory", milliseconds(times.inventory) + &read(sizes.inventory)),
        ("check", milliseconds(times.check)),
        ("compile", milliseconds(times.compile)),
        ("all tables", milliseconds(times.tables)),
        ("whole", milliseconds(times.whole)),
    ];
    rows.iter().map(|(name, value)| format!("{name:26}{value}\n")).collect()
}

fn as_value(counts: &Summary, sizes: Sizes, times: Times) -> serde_json::Value {
    let milliseconds = |it: Duration| it.as_secs_f64() * 1e3;
    json!({
        "version": 1,
        "counts": {
            "nodes": counts.nodes,
            "rules": counts.rules,
            "sourceSets": counts.sources,
            "filterRules": counts.filter_rules,
            "destinations": counts.destinations,
            "pairs": counts.visible,
        },
        "bytes": { "policy": sizes.policy, "inventory": sizes.inventory },
        "peakMemory": peak_memory(),
        "milliseconds": {
            "policy": milliseconds(times.policy),
            "inventory": milliseconds(times.inventory),
            "check": milliseconds(times.check),
            "compile": milliseconds(times.compile),
            "tables": milliseconds(times.tables),
            "whole": milliseconds(times.whole),
        },
    })
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}

/// The most memory that the process held, in bytes; `None` where the system does not say.
fn peak_memory() -> Option<u64> {
    // SOURCE: proc_pid_status(5), "VmHWM: Peak resident set size".
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|it| it.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}
