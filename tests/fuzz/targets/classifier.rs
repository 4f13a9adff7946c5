//! A policy, or bytes read as lines of one: the classifier of every table, and of all their lines
//! together, gives the verdicts of the slow evaluator on packets at the edges of that table.
#![no_main]

use std::fmt::Write;
use std::sync::LazyLock;

use compiler::tables::Tables;
use compiler::tables::verdict::Classifier;
use compiler::tables::wire::{Fields, write_table};
use compiler::tailnet::{Tailnet, read};
use serde_json::{Value, json};
use tests::evaluator::accepts;
use tests::packets::{Edges, Random, plain};

static TAILNET: LazyLock<Option<Tailnet>> =
    LazyLock::new(|| read(include_str!("../../../examples/company/nodes.json")).tailnet);

/// Beyond so many lines the slow evaluator, not the classifier, would take the time.
const MAX_LINES: usize = 500;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some(tailnet) = TAILNET.as_ref() else { return };
    let checked = match std::str::from_utf8(bytes) {
        Ok(text) if text.contains('{') => compiler::check(text, Some(tailnet)),
        _ => compiler::check(&policy(bytes), Some(tailnet)),
    };
    let Some(valid) = checked.valid() else { return };
    let tables = Tables::new(valid, tailnet);
    let seed = bytes.iter().fold(0u64, |sum, it| sum.wrapping_mul(31).wrapping_add(u64::from(*it)));
    let mut random = Random::new(seed);
    let (mut all_rules, mut all_lines) = (Vec::new(), Vec::new());
    for node in tailnet.node_ids() {
        let table = tables.table(node);
        let mut json = b"{".to_vec();
        write_table(&tables, node, Fields::parse("filterRules").expect("a field"), &mut json);
        json.push(b'}');
        let mut written: Value = serde_json::from_slice(&json).expect("what we write is JSON");
        let Value::Array(lines) = written["filterRules"].take() else { continue };
        compare(&Classifier::new(&tables, &table.rules), &lines, &mut random);
        all_lines.extend(lines);
        all_rules.extend(table.rules);
    }
    compare(&Classifier::new(&tables, &all_rules), &all_lines, &mut random);
});

fn compare(classifier: &Classifier, lines: &[Value], random: &mut Random) {
    if lines.len() > MAX_LINES {
        return;
    }
    let edges = Edges::of(&lines.into());
    // One list for each line, so that the slow evaluator tells which one it is.
    let lines: Vec<Value> = lines.iter().map(|it| json!([it])).collect();
    for packet in (0..20).filter_map(|_| edges.packet(random)) {
        let plain = plain(&packet);
        let expected = lines.iter().position(|it| accepts(it, &plain));
        assert_eq!(classifier.verdict(&packet).map(|it| it.0 as usize), expected, "{packet:?}");
        assert_eq!(classifier.accepts(&packet), expected.is_some(), "{packet:?}");
    }
}

/// Twelve bytes make an acl; addresses come from few places, so that ranges often overlap.
fn policy(bytes: &[u8]) -> String {
    let mut text = String::from("{\"acls\":[");
    for line in bytes.chunks_exact(12) {
        let [protocol, from, src, src_size, to, dst, dst_size, rest @ ..] = line else { continue };
        let [first_low, first_high, last_low, last_high, _] = rest else { continue };
        let [first, last] =
            [[*first_low, *first_high], [*last_low, *last_high]].map(u16::from_le_bytes);
        let (first, last) = (first.min(last), first.max(last));
        let proto = ["", "tcp", "udp", "icmp", "sctp", "47"][usize::from(protocol % 6)];
        let proto =
            if proto.is_empty() { String::new() } else { format!("\"proto\":\"{proto}\",") };
        let ports = if proto.contains("icmp") || proto.contains("47") {
            "*".to_owned()
        } else {
            format!("{first}-{last}")
        };
        let src = addresses(*from, *src, *src_size);
        let dst = addresses(*to, *dst, *dst_size);
        let dst = if dst.contains("::") { format!("[{dst}]") } else { dst };
        let _ = write!(
            text,
            "{{\"action\":\"accept\",{proto}\"src\":[\"{src}\"],\"dst\":[\"{dst}:{ports}\"]}},"
        );
    }
    text + "]}"
}

/// An address, a prefix, or one of the selectors that stand for many.
fn addresses(place: u8, last: u8, size: u8) -> String {
    let base = match place % 8 {
        0 => "100.64.0.",
        1 => "10.0.0.",
        2 => "0.0.0.",
        3 => "255.255.255.",
        4 => "fd7a:115c:a1e0::",
        5 => "2001:db8::",
        6 => return "autogroup:member".to_owned(),
        _ => return "*".to_owned(),
    };
    let bits = if base.contains(':') { 128 } else { 32 };
    let length = bits - size % 9;
    // Host bits are an error, so the last byte is cut to the length.
    let last = last & 255u8.checked_shl(u32::from(size % 9)).unwrap_or(0);
    match bits {
        128 => format!("{base}{last:x}/{length}"),
        _ => format!("{base}{last}/{length}"),
    }
}
