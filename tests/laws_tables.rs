//! Laws of the tables, on generated policies and tailnets; the second compiler and the second
//! evaluator of `harness/` say what is right.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop at anything")]

#[path = "laws_tables/generator.rs"]
mod generator;

use compiler::tables::Tables;
use compiler::tables::wire::{Fields, write_table};
use compiler::tailnet::{self, Tailnet};
use generator::{World, worlds};
use proptest::prelude::*;
use serde_json::{Map, Value};
use tests::slow_compiler;

fn read(inventory: &Value) -> Tailnet {
    let inventory = tailnet::read(&inventory.to_string());
    inventory.tailnet.ok_or(inventory.diagnostics).unwrap()
}

/// Compiles, and asks the tables.
fn with_tables<T>(policy: &Value, tailnet: &Tailnet, ask: impl FnOnce(&Tables<'_>) -> T) -> T {
    let checked = compiler::check(&policy.to_string(), Some(tailnet));
    let valid = checked.valid().ok_or(&checked.diagnostics).unwrap();
    ask(&Tables::new(valid, tailnet))
}

/// The tables of all nodes as JSON.
fn compiled(policy: &Value, tailnet: &Tailnet) -> Value {
    with_tables(policy, tailnet, |tables| {
        tables.prepare_all();
        let fields = Fields::parse("filterRules,peers").unwrap();
        let mut nodes = Map::new();
        for (node, id) in tailnet.nodes().iter().zip(tailnet.node_ids()) {
            let mut json = b"{".to_vec();
            write_table(tables, id, fields, &mut json);
            json.push(b'}');
            nodes.insert(node.name.to_string(), serde_json::from_slice(&json).unwrap());
        }
        nodes.into()
    })
}

/// Where two values differ, in a few lines.
fn difference(ours: &Value, slow: &Value) -> String {
    let mut lines = Vec::new();
    for (name, ours) in ours.as_object().unwrap() {
        for member in ["filterRules", "peers"] {
            let slow = &slow[name][member];
            if ours[member] != *slow {
                lines.push(format!("{name} {member}\n  ours {}\n  slow {slow}", ours[member]));
            }
        }
    }
    lines.join("\n")
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn a_slow_and_obvious_compiler_gives_the_same_tables(world in worlds()) {
        let World { policy, inventory } = &world;
        let ours = compiled(policy, &read(inventory));
        let slow = slow_compiler::compile(policy, inventory);
        prop_assert!(ours == slow, "{}", difference(&ours, &slow));
    }
}
