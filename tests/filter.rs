//! What a client delivers, by us and by Tailscale's own packet filter in Go, on the bytes of packets.
//! Without Go, or without the library, it says so and compares nothing.
//!
//! `ACLC_SOAK=3000 cargo test --test filter` asks about that many random tailnets instead of a few.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop at anything")]
#![expect(clippy::print_stderr, reason = "a test that is left out says so")]

#[path = "filter/bytes.rs"]
mod bytes;

use std::collections::BTreeMap;

use bytes::{Dressed, dress};
use compiler::tables::Tables;
use compiler::tables::delivered::{Delivery, Local};
use compiler::tables::verdict::Classifier;
use compiler::tables::wire::{Fields, write_table};
use compiler::tailnet;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use tests::generator::{World, worlds};
use tests::packets::{Edges, Random};

/// Packets for each table.
const PACKETS: usize = 80;

/// One table, its packets, and what we say of each.
struct Question {
    asked: Value,
    packets: Vec<Dressed>,
    ours: Vec<Delivery>,
}

fn questions(world: &World, random: &mut Random) -> Vec<Question> {
    let tailnet = tailnet::read(&world.inventory.to_string()).tailnet.unwrap();
    let checked = compiler::check(&world.policy.to_string(), Some(&tailnet));
    let tables = Tables::new(checked.valid().ok_or(&checked.diagnostics).unwrap(), &tailnet);
    let question = |(node, id): (&tailnet::Node, _)| {
        let table = tables.table(id);
        let classifier = Classifier::new(&tables, &table.rules);
        let local = Local::of(node);
        let mut text = b"{".to_vec();
        write_table(&tables, id, Fields::parse("filterRules").unwrap(), &mut text);
        text.push(b'}');
        let rules = serde_json::from_slice::<Value>(&text).unwrap()["filterRules"].take();
        let edges = Edges::of(&rules);
        let own: Vec<_> = local.ranges().iter().map(|it| it.first()).collect();
        let mut packets = Vec::new();
        while packets.len() < PACKETS {
            let mut packet = edges.packet(random).unwrap();
            // Some of them to an address of the node itself, which few edges are.
            if let Some(dst) = random.of(&own).filter(|_| random.below(4) == 0) {
                packet.dst = dst;
            }
            // The bytes of a packet have one family.
            if packet.src.is_ipv4() == packet.dst.is_ipv4() {
                packets.push(dress(packet, packets.len() as u16, random));
            }
        }
        let ours = packets.iter().map(|it| classifier.delivered(&local, &it.packet, it.role));
        let nets: Vec<String> =
            local.ranges().iter().flat_map(|it| it.prefixes()).map(|it| it.to_string()).collect();
        let asked = json!({
            "rules": rules,
            "local": nets,
            "sent": packets.iter().filter_map(|it| it.sent_before.as_ref()).collect::<Vec<_>>(),
            "packets": packets.iter().map(|it| &it.bytes).collect::<Vec<_>>(),
        });
        Question { asked, ours: ours.collect(), packets }
    };
    tailnet.nodes().iter().zip(tailnet.node_ids()).map(question).collect()
}

#[test]
fn delivers_what_the_client_delivers() {
    let soak = std::env::var("ACLC_SOAK").ok().and_then(|it| it.parse().ok()).unwrap_or(60);
    let mut runner = TestRunner::deterministic();
    let mut random = Random::new(3);
    let all: Vec<Question> = (0..soak)
        .flat_map(|_| questions(&worlds().new_tree(&mut runner).unwrap().current(), &mut random))
        .collect();
    let Some(answers) = ask(&all) else { return };
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for (question, answer) in all.iter().zip(&answers) {
        assert_eq!(question.packets.len(), answer.len());
        for ((packet, ours), theirs) in question.packets.iter().zip(&question.ours).zip(answer) {
            let kind = format!("{ours:?}");
            *kinds.entry(kind.split("(RuleIndex").next().unwrap().to_owned()).or_default() += 1;
            if matches!(ours, Delivery::Passed(_)) != *theirs {
                wrong.push(format!(
                    "{:?} {:?}: ours {ours:?}, theirs {theirs}\n{}",
                    packet.packet, packet.role, question.asked["rules"]
                ));
            }
        }
    }
    let count: usize = kinds.values().sum();
    eprintln!("{count} packets, {} delivered differently\n{kinds:#?}", wrong.len());
    let some: Vec<String> = wrong.iter().take(3).cloned().collect();
    assert!(wrong.is_empty(), "{}", some.join("\n"));
}

/// The answers of the Go program, a list for each question; nothing where it cannot be asked.
fn ask(questions: &[Question]) -> Option<Vec<Vec<bool>>> {
    let lines = questions.iter().map(|it| it.asked.to_string()).collect();
    let answers = tests::interop::ask("filter", lines).unwrap()?;
    Some(answers.iter().map(|it| serde_json::from_str(it).unwrap()).collect())
}
