//! The verdict of the classifier against three engines that nobody wrote with it in mind: the slow
//! evaluator of `harness/`, and Tailscale's own two packet filters in Rust.
//!
//! `ACLC_SOAK=3000 cargo test --test verdicts` asks about that many random tailnets instead of a few.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop at anything")]
#![expect(clippy::print_stderr, reason = "how much was compared belongs to the answer")]

#[path = "verdicts/rust_engines.rs"]
mod rust_engines;

use compiler::tables::Tables;
use compiler::tables::verdict::{Classifier, Packet};
use compiler::tailnet::{self, Tailnet};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use rust_engines::{rule, spell_out, written};
use serde_json::{Value, json};
use tests::evaluator::accepts;
use tests::generator::{World, worlds};
use tests::packets::{Edges, Random, plain};
use ts_bart_packetfilter::BartFilter;
use ts_packetfilter::{Filter, FilterStorageExt, HashbrownFilter, IpProto, PacketInfo, Rule};

fn soak(few: usize) -> usize {
    std::env::var("ACLC_SOAK").ok().and_then(|it| it.parse().ok()).unwrap_or(few)
}

fn read(inventory: &Value) -> Tailnet {
    let inventory = tailnet::read(&inventory.to_string());
    inventory.tailnet.ok_or(inventory.diagnostics).unwrap()
}

/// A table in every form that is asked.
struct Engines {
    /// One list for each line, so that the slow evaluator tells which one it is.
    lines: Vec<Value>,
    classifier: Classifier,
    theirs: HashbrownFilter,
    /// Left out for tables that are large on purpose: spelt out they would be larger still.
    fast: Option<BartFilter>,
}

impl Engines {
    fn new(classifier: Classifier, filter_rules: &Value, matches: &Value) -> Self {
        let mut rules: Vec<Rule> = matches.as_array().unwrap().iter().map(rule).collect();
        let mut theirs = HashbrownFilter::new();
        FilterStorageExt::insert(&mut theirs, "base", rules.clone());
        let fast = (rules.len() < MANY).then(|| {
            spell_out(&mut rules);
            let mut fast = BartFilter::default();
            FilterStorageExt::insert(&mut fast, "base", rules);
            fast
        });
        let lines = filter_rules.as_array().unwrap().iter().map(|it| json!([it])).collect();
        Engines { lines, classifier, theirs, fast }
    }

    fn compare(&self, packet: &Packet) {
        let plain = plain(packet);
        let expected = self.lines.iter().position(|it| accepts(it, &plain));
        let ours = self.classifier.verdict(packet);
        assert_eq!(ours.map(|it| it.0 as usize), expected, "{packet:?} in {}", self.shown());
        assert_eq!(self.classifier.accepts(packet), expected.is_some(), "{packet:?}");
        // Tailscale's Rust engines leave it to others that families do not mix.
        if packet.src.is_ipv4() != packet.dst.is_ipv4() {
            return;
        }
        let Packet { src, dst, protocol, port } = *packet;
        let info = PacketInfo { src, dst, ip_proto: IpProto::new(protocol.into()), port };
        let none = || std::iter::empty();
        let by = self.theirs.matches(&info, &mut none());
        assert_eq!(by, expected.is_some(), "ts_packetfilter: {packet:?} in {}", self.shown());
        let by = self.fast.as_ref().map_or(by, |it| it.matches(&info, &mut none()));
        assert_eq!(by, expected.is_some(), "ts_bart_packetfilter: {packet:?} in {}", self.shown());
    }

    fn shown(&self) -> String {
        self.lines.iter().take(20).map(|it| format!("\n{it}")).collect()
    }
}

/// Every engine on every table of a world, and on all its lines together: the hub.
fn compare_world(world: &World, random: &mut Random, packets: usize) -> usize {
    let tailnet = read(&world.inventory);
    let checked = compiler::check(&world.policy.to_string(), Some(&tailnet));
    let tables = Tables::new(checked.valid().ok_or(&checked.diagnostics).unwrap(), &tailnet);
    let all: Vec<_> = tailnet.node_ids().map(|it| tables.table(it)).collect();
    let mut engines = Vec::new();
    let (mut all_rules, mut all_matches) = (Vec::new(), Vec::new());
    for table in &all {
        let (rules, matches) = written(&tables, table.node);
        engines.push((
            Edges::of(&rules),
            Engines::new(Classifier::new(&tables, &table.rules), &rules, &matches),
        ));
        all_rules.extend(rules.as_array().unwrap().iter().cloned());
        all_matches.extend(matches.as_array().unwrap().iter().cloned());
    }
    let (rules, matches) = (Value::from(all_rules), Value::from(all_matches));
    let hub = Classifier::new(&tables, all.iter().flat_map(|it| &it.rules));
    engines.push((Edges::of(&rules), Engines::new(hub, &rules, &matches)));
    for (edges, engines) in &engines {
        for _ in 0..packets {
            engines.compare(&edges.packet(random).unwrap());
        }
    }
    engines.len() * packets
}

#[test]
fn every_engine_gives_the_same_verdict() {
    let mut runner = TestRunner::deterministic();
    let mut random = Random::new(1);
    let mut compared = 0;
    for _ in 0..soak(100) {
        let world = worlds().new_tree(&mut runner).unwrap().current();
        compared += compare_world(&world, &mut random, 60);
    }
    eprintln!("{compared} triples of policy, tailnet and packet: no difference");
}

/// A policy whose classes and unions grow with the square of its length, compared on some packets;
/// how many bytes the classifier takes for each byte of the policy.
fn grown(acls: Vec<Value>, ipsets: Value) -> usize {
    let policy = json!({"acls": acls, "ipsets": ipsets}).to_string();
    let tailnet = read(&json!({"nodes": [{"name": "a", "ipv4": "100.64.0.1", "tags": ["tag:a"]}]}));
    let checked = compiler::check(&policy, Some(&tailnet));
    let tables = Tables::new(checked.valid().ok_or(&checked.diagnostics).unwrap(), &tailnet);
    let node = tailnet.node_ids().next().unwrap();
    let table = tables.table(node);
    let (rules, matches) = written(&tables, node);
    let engines = Engines::new(Classifier::new(&tables, &table.rules), &rules, &matches);
    let edges = Edges::of(&rules);
    let mut random = Random::new(2);
    for _ in 0..20 {
        engines.compare(&edges.packet(&mut random).unwrap());
    }
    let bytes = engines.classifier.heap_bytes() / policy.len();
    eprintln!("{MANY} lines of {} kB: {bytes} bytes for each byte", policy.len() / 1000);
    bytes
}

const MANY: usize = 3000;

/// Within the allowance a byte of policy may cost this many; without it, it would be thousands.
const BYTES: usize = 200;

#[test]
fn ports_inside_each_other_take_no_more_than_their_share() {
    let acl = |it: usize| {
        let src = format!("10.{}.{}.1", it / 256, it % 256);
        json!({"action": "accept", "src": [src], "dst": [format!("*:{}-{}", it + 1, 65_000 - it)]})
    };
    let bytes = grown((0..MANY).map(acl).collect(), json!({}));
    assert!(bytes < BYTES, "{bytes} bytes for each byte of the policy");
}

#[test]
fn sources_inside_each_other_take_no_more_than_their_share() {
    let address = |it: usize| format!("10.0.{}.{}", it / 256, it % 256);
    let set = |it: usize| {
        let range = format!("add {}-{}", address(it), address(2 * MANY - it));
        (format!("ipset:s{it}"), json!([range]))
    };
    let acl = |it: usize| json!({"action": "accept", "src": [format!("ipset:s{it}")], "dst": [format!("100.64.0.1:{}", it + 1)]});
    let bytes = grown((0..MANY).map(acl).collect(), (0..MANY).map(set).collect());
    assert!(bytes < BYTES, "{bytes} bytes for each byte of the policy");
}
