//! The figures of docs/performance.md, each beside its budget: `cargo bench -p compiler`.
//!
//! A word as argument runs only the parts whose name contains it: `cargo bench -p compiler -- verdict`.
//! Each figure is the best of several runs, because other work on the machine only ever adds time.

#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark reads, prints, and may stop at anything"
)]
#![allow(missing_docs, reason = "a program has no readers of its items")]

mod figures {
    pub(crate) mod change;
    pub(crate) mod report;
    pub(crate) mod verdicts;
    pub(crate) mod workload;
    pub(crate) use super::{best, timed};
}

use std::hint::black_box;
use std::process::Command;
use std::time::{Duration, Instant};

use compiler::tables::Tables;
use compiler::tables::wire::{Fields, write_table};
use compiler::tailnet::{self, Tailnet};
use compiler::{check, cst};
use figures::report::Report;
use figures::verdicts;
use figures::workload::{Size, Workload, script};

/// What `work` gives, and how long it took.
pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let result = work();
    (result, start.elapsed())
}

/// The shortest of so many runs, and its result.
pub(crate) fn best<T>(runs: usize, mut work: impl FnMut() -> T) -> (Duration, T) {
    let (mut result, mut shortest) = timed(&mut work);
    for _ in 1..runs {
        let (next, taken) = timed(&mut work);
        if taken < shortest {
            (result, shortest) = (next, taken);
        }
    }
    (shortest, result)
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|it| !it.starts_with('-')).collect();
    let wanted = |name: &str| words.is_empty() || words.iter().any(|it| name.contains(it.as_str()));
    let source = match script() {
        Some(script) => format!("{}", script.display()),
        None => "our own generator; the script of the budgets is not here".to_owned(),
    };
    println!("workloads by {source}");
    if let Ok(load) = std::fs::read_to_string("/proc/loadavg") {
        println!("load before: {}", load.trim());
    }
    let mut report = Report::default();
    if wanted("check") {
        check_figures(&mut report);
    }
    if wanted("parse") {
        parse_figures(&mut report);
    }
    if wanted("compile") {
        compile_figures(&mut report);
    }
    if wanted("growth") {
        growth_figures(&mut report);
    }
    if wanted("one node") {
        one_node_figures(&mut report);
    }
    if wanted("change") {
        figures::change::figures(&mut report);
    }
    if wanted("writing") || wanted("verdict") {
        let workload = Workload::new(Size { nodes: 1000, rules: 2000, own_devices: false });
        let tailnet = tailnet(&workload);
        let checked = check(&workload.policy, Some(&tailnet));
        let tables = Tables::new(checked.valid().expect("a valid policy"), &tailnet);
        tables.prepare_all();
        if wanted("writing") {
            writing_figures(&tables, &mut report);
        }
        if wanted("verdict") {
            verdicts::figures(&tables, &mut report);
        }
    }
    report.end();
}

fn tailnet(workload: &Workload) -> Tailnet {
    tailnet::read(&workload.inventory).tailnet.expect("a tailnet")
}

fn megabytes(bytes: usize, taken: Duration) -> f64 {
    bytes as f64 / taken.as_secs_f64() / 1e6
}

/// The whole process on a thousand lines.
fn check_figures(report: &mut Report) {
    let workload = Workload::new(Size { nodes: 1000, rules: 860, own_devices: false });
    let (taken, _) = best(20, || {
        Command::new(env!("CARGO_BIN_EXE_aclc"))
            .arg("check")
            .arg(workload.file("policy.hujson"))
            .output()
            .expect("aclc runs")
    });
    report.head(&format!("aclc check, whole process ({} lines)", workload.policy.lines().count()));
    report.at_most("time", taken.as_secs_f64() * 1e3, 10.0, "ms");
}

fn parse_figures(report: &mut Report) {
    let policy = Workload::new(Size { nodes: 5000, rules: 10_000, own_devices: false }).policy;
    let (taken, _) = best(10, || black_box(cst::parse(&policy)));
    report.head(&format!("parsing ({:.1} MB)", policy.len() as f64 / 1e6));
    report.at_least("text to tree", megabytes(policy.len(), taken), 35.0, "MB/s");
    let (taken, _) = best(10, || black_box(cst::format(&policy)));
    report.at_least("text to formatted text", megabytes(policy.len(), taken), 40.0, "MB/s");
    let (taken, _) = best(5, || black_box(check(&policy, None)));
    report.note("text to checked policy", megabytes(policy.len(), taken), "MB/s");
}

/// The whole process up to all tables in memory, and its peak memory as the system counts it.
fn compile_figures(report: &mut Report) {
    let size = |nodes, rules, own_devices| Size { nodes, rules, own_devices };
    let rows = [
        (size(1000, 2000, false), 60.0, None),
        (size(5000, 10_000, false), 400.0, Some(300.0)),
        (size(2000, 2000, true), 200.0, None),
        (size(100_000, 1000, false), 1500.0, Some(1500.0)),
    ];
    for (size, milliseconds, memory) in rows {
        let workload = Workload::new(size);
        let (taken, summary) = compiled(&workload, if size.nodes > 10_000 { 3 } else { 10 });
        let own = if size.own_devices { " --self" } else { "" };
        report.head(&format!("aclc compile, whole process ({} x {}{own})", size.nodes, size.rules));
        report.at_most("time", taken.as_secs_f64() * 1e3, milliseconds, "ms");
        if let Some(bytes) = summary["peakMemory"].as_f64() {
            match memory {
                Some(budget) => report.at_most("peak memory", bytes / 1e6, budget, "MB"),
                None => report.note("peak memory", bytes / 1e6, "MB"),
            }
        }
        for stage in ["inventory", "check", "compile", "tables"] {
            let taken = summary["milliseconds"][stage].as_f64().unwrap_or_default();
            report.note(&format!("of it, {stage}"), taken, "ms");
        }
    }
}

/// The time of the whole process, and what it says of itself.
fn compiled(workload: &Workload, runs: usize) -> (Duration, serde_json::Value) {
    let (taken, output) = best(runs, || {
        Command::new(env!("CARGO_BIN_EXE_aclc"))
            .args(["compile", "--summary", "--format", "json", "--nodes"])
            .arg(workload.file("inventory.json"))
            .arg(workload.file("policy.hujson"))
            .output()
            .expect("aclc runs")
    });
    (taken, serde_json::from_slice(&output.stdout).expect("a summary"))
}

/// Five sizes in both directions: twice the nodes, or twice the rules.
fn growth_figures(report: &mut Report) {
    let nodes = [6250, 12_500, 25_000, 50_000, 100_000].map(|it| (it, 1000));
    let rules = [625, 1250, 2500, 5000, 10_000].map(|it| (5000, it));
    for (name, sizes) in [("nodes", nodes), ("rules", rules)] {
        report.head(&format!("growth: twice the {name}, whole process"));
        for (nodes, rules) in sizes {
            let workload = Workload::new(Size { nodes, rules, own_devices: false });
            let (taken, summary) = compiled(&workload, 3);
            let lines = summary["counts"]["destinations"].as_f64().unwrap_or_default() / 1e6;
            let name = format!("{nodes} x {rules} ({lines:.1} million destinations)");
            report.note(&name, taken.as_secs_f64() * 1e3, "ms");
        }
    }
}

/// One of 100,000 tables, after the inventory is read: policy to written table.
fn one_node_figures(report: &mut Report) {
    let workload = Workload::new(Size { nodes: 100_000, rules: 1000, own_devices: false });
    let tailnet = tailnet(&workload);
    let id = tailnet.node_ids().nth(77_777).expect("a node");
    let checked = check(&workload.policy, Some(&tailnet));
    let fields = Fields::parse("filterRules").expect("a field");
    report.head("one node out of 100,000 x 1,000, the inventory read");
    let (taken, _) = best(5, || {
        let checked = check(&workload.policy, Some(&tailnet));
        let tables = Tables::new(checked.valid().expect("a valid policy"), &tailnet);
        black_box(tables.table(id).rules.len())
    });
    report.at_most("policy text to its table", taken.as_secs_f64() * 1e3, 10.0, "ms");
    let (checked_in, _) = best(5, || black_box(check(&workload.policy, Some(&tailnet))));
    let size = format!("of it, checking the policy ({:.1} MB)", workload.policy.len() as f64 / 1e6);
    report.note(&size, checked_in.as_secs_f64() * 1e3, "ms");
    let (lowered, _) =
        best(5, || black_box(Tables::new(checked.valid().expect("a valid policy"), &tailnet)));
    report.note("of it, lowering", lowered.as_secs_f64() * 1e3, "ms");
    let tables = Tables::new(checked.valid().expect("a valid policy"), &tailnet);
    let (taken, _) = best(20, || black_box(tables.table(id)));
    report.note("its table again", taken.as_secs_f64() * 1e3, "ms");
    let mut text = Vec::new();
    let ((), first) = timed(|| write_table(&tables, id, fields, &mut text));
    report.note("its filterRules as text, first time", first.as_secs_f64() * 1e3, "ms");
    report.note("their size", text.len() as f64 / 1e6, "MB");
}

fn writing_figures(tables: &Tables<'_>, report: &mut Report) {
    report.head("writing all tables of 1,000 x 2,000, one core");
    let mut text = Vec::new();
    for list in ["filterRules", "filterRules,sshRules,capMap,peers"] {
        let fields = Fields::parse(list).expect("fields");
        let mut bytes = 0;
        let (taken, ()) = best(10, || {
            bytes = 0;
            for id in tables.tailnet().node_ids() {
                text.clear();
                write_table(tables, id, fields, &mut text);
                bytes += black_box(&text).len();
            }
        });
        let name = format!("{list} ({:.1} MB)", bytes as f64 / 1e6);
        report.at_least(&name, megabytes(bytes, taken), 500.0, "MB/s");
    }
}
