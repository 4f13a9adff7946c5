//! Verdicts a second: our classifier and Tailscale's own Rust engines on the same tables and packets.

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use compiler::tables::ip_set::IpRange;
use compiler::tables::verdict::{Classifier, Packet};
use compiler::tables::{Access, FilterRule, Tables, matches};
use rustc_hash::FxHashSet;
use ts_bart_packetfilter::BartFilter;
use ts_packetfilter::{
    BTreeFilter, DstMatch, FilterExt, FilterStorageExt, IpProto, PacketInfo, Rule, SrcMatch,
};

use super::report::Report;
use super::workload::Random;
use super::{best, timed};

const PORTS: [u16; 6] = [22, 80, 443, 5432, 8080, 9999];

/// The longest table, and the distinct lines of all tables until there are 10,000.
pub(crate) fn figures(tables: &Tables<'_>, report: &mut Report) {
    let all: Vec<_> = tables.tailnet().node_ids().map(|it| tables.table(it)).collect();
    let longest = all.iter().max_by_key(|it| it.rules.len()).expect("a table");
    let mut seen = FxHashSet::default();
    let mut hub: Vec<&FilterRule<'_>> = Vec::new();
    for table in &all {
        if hub.len() >= 10_000 {
            break;
        }
        let new = |it: &&FilterRule<'_>| match &it.access {
            Access::Ports { protocol, dst } => seen.insert((it.source, *protocol, dst.clone())),
            Access::Caps(_) => false,
        };
        hub.extend(table.rules.iter().filter(new));
    }
    let node: Vec<&FilterRule<'_>> = longest.rules.iter().collect();
    compare(tables, "hub", &hub, [20.0, 2.7], report);
    compare(tables, "node", &node, [40.0, 14.0], report);
}

fn compare(
    tables: &Tables<'_>,
    name: &str,
    lines: &[&FilterRule<'_>],
    [budget, elsewhere]: [f64; 2],
    report: &mut Report,
) {
    let (classifier, mut built) = timed(|| Classifier::new(tables, lines.iter().copied()));
    for _ in 0..4 {
        built = built.min(timed(|| black_box(Classifier::new(tables, lines.iter().copied()))).1);
    }
    let rules: Vec<Rule> = lines.iter().map(|it| rule(tables, it)).collect();
    let mut bart = BartFilter::default();
    let ((), bart_built) = timed(|| bart.insert("base", rules.iter().cloned()));
    let packets = packets(lines, 1 << 16);
    let infos: Vec<PacketInfo> = packets.iter().map(info).collect();

    let count = packets.len() as f64;
    let millions = |it: Duration| count / it.as_secs_f64() / 1e6;
    let (ours, accepted) =
        best(40, || packets.iter().filter(|it| classifier.accepts(black_box(it))).count());
    let (which, _) = best(10, || {
        packets.iter().filter(|it| classifier.verdict(black_box(it)).is_some()).count()
    });
    let (theirs, by_bart) =
        best(5, || infos.iter().filter(|it| bart.can_access(black_box(it), [])).count());
    assert_eq!(accepted, by_bart, "the engines differ");
    let mut plain = BTreeFilter::new();
    plain.insert("base".to_owned(), rules);
    let few = &infos[..1 << 11];
    let (slow, _) = best(1, || few.iter().filter(|it| plain.can_access(black_box(it), [])).count());
    let slow = few.len() as f64 / slow.as_secs_f64() / 1e6;

    let size = format!("{} rules, {:.0} % let in", lines.len(), accepted as f64 / count * 100.0);
    report.head(&format!("verdicts, \"{name}\" table ({size})"));
    report.at_least("let in or not", millions(ours), budget, "million/s");
    report.note("by which rule", millions(which), "million/s");
    report.note("ts_bart_packetfilter", millions(theirs), "million/s");
    report.note("ts_packetfilter", slow, "million/s");
    report.at_least(
        "ours / ts_bart_packetfilter",
        millions(ours) / millions(theirs),
        budget / elsewhere,
        "times",
    );
    report.at_most("building", built.as_secs_f64() * 1e3, 100.0, "ms");
    report.note("building ts_bart_packetfilter", bart_built.as_secs_f64() * 1e3, "ms");
    report.note("memory", classifier.heap_bytes() as f64 / 1e6, "MB");
}

/// Source uniform, destination an IPv4 entry of a rule, one of six ports.
fn packets(lines: &[&FilterRule<'_>], count: usize) -> Vec<Packet> {
    let mut random = Random(1);
    let first = u32::from(Ipv4Addr::new(100, 64, 0, 0));
    let mut packets = Vec::with_capacity(count);
    while packets.len() < count {
        let line = lines[random.below(lines.len())];
        let Access::Ports { dst, .. } = &line.access else { continue };
        // No packet goes from one family to the other.
        let Some(IpRange::V4(address, _)) = random.of(dst).addresses.ranges().next() else {
            continue;
        };
        packets.push(Packet {
            src: IpAddr::V4((first + random.below(20 * 256) as u32).into()),
            dst: IpAddr::V4(address.into()),
            protocol: 6,
            port: random.of(&PORTS),
        });
    }
    packets
}

fn info(packet: &Packet) -> PacketInfo {
    let Packet { src, dst, protocol, port } = *packet;
    PacketInfo { src, dst, ip_proto: IpProto::new(protocol.into()), port }
}

/// A line as Tailscale's Rust client keeps it.
fn rule(tables: &Tables<'_>, line: &FilterRule<'_>) -> Rule {
    let found = matches(tables, line);
    let dst = found
        .dsts
        .iter()
        .map(|(net, ports)| DstMatch { ports: ports.first..=ports.last, ips: vec![*net] });
    Rule {
        src: SrcMatch { pfxs: found.srcs, caps: Vec::new() },
        protos: found.protocols.iter().map(|it| IpProto::new((*it).into())).collect(),
        dst: dst.collect(),
    }
}
