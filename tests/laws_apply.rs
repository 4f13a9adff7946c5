//! Laws of changes, on generated policies, tailnets and changes: tables that were changed in place are
//! those of a tailnet that was so from the beginning, and whoever's differ was said to be touched.
//!
//! `ACLC_SOAK=3000 cargo test --test laws_apply` tries that many random tailnets instead of a few.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop at anything")]
#![expect(clippy::print_stderr, reason = "how much was compared belongs to the answer")]

use std::collections::BTreeMap;

use compiler::tables::wire::{Fields, write_table};
use compiler::tables::{Tables, Touched};
use compiler::tailnet::{Change, Node, NodeId, Owner, Role, Tailnet, User, UserId, read};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use tests::generator::{World, inventories, worlds};
use tests::packets::Random;

/// Changes that are made one after the other on each tailnet.
const CHANGES: usize = 6;

fn tailnet(inventory: &Value) -> Tailnet {
    let inventory = read(&inventory.to_string());
    inventory.tailnet.ok_or(inventory.diagnostics).unwrap()
}

/// All that is said of each node, by its name.
fn written(tables: &Tables<'_>) -> BTreeMap<String, String> {
    let there = tables.tailnet().nodes().iter().zip(tables.tailnet().node_ids());
    let object = |id: NodeId| {
        let mut json = Vec::new();
        write_table(tables, id, Fields::ALL, &mut json);
        String::from_utf8(json).unwrap()
    };
    let there = there.filter(|(node, _)| !node.has_left());
    there.map(|(node, id)| (node.name.to_string(), object(id))).collect()
}

/// Where two answers differ, in a few lines.
fn difference(ours: &BTreeMap<String, String>, other: &BTreeMap<String, String>) -> String {
    let names = ours.keys().chain(other.keys());
    let differing = names.filter(|it| ours.get(*it) != other.get(*it));
    differing.map(|it| format!("{it}\n  {:?}\n  {:?}\n", ours.get(it), other.get(it))).collect()
}

/// A node to be, with addresses that are often free, often inside a route or a rule's literal.
fn dressed(node: &Node, random: &mut Random, keep: Option<&Node>) -> Node {
    let number = random.below(12) as u8 + 1;
    let mut node = node.clone();
    match keep {
        Some(old) => {
            node.name = old.name.clone();
            if random.below(2) == 0 {
                (node.ipv4, node.ipv6) = (old.ipv4, old.ipv6);
                return node;
            }
        }
        None => node.name = format!("m{}", random.below(1000)).into(),
    }
    node.ipv4 = node.ipv4.map(|_| [100, 64, 0, number].into());
    node.ipv6 = node.ipv6.map(|_| [0xfd7a, 0x115c, 0xa1e0, 0, 0, 0, 0, number.into()].into());
    if random.below(12) == 0 {
        (node.ipv4, node.ipv6) = (None, None);
    }
    node
}

/// A change, of any kind; some are refused.
fn change(tables: &Tables<'_>, models: &[Node], random: &mut Random) -> Change {
    let tailnet = tables.tailnet();
    let id = NodeId(random.below(tailnet.nodes().len()) as u32);
    let user = UserId(random.below(tailnet.users().len()) as u32);
    let model = models.get(random.below(models.len())).unwrap();
    let known = tailnet.node(id).unwrap().clone();
    let becomes = |change: fn(&mut Node, &Node)| {
        let mut node = known.clone();
        change(&mut node, model);
        Change::Becomes(id, Box::new(node))
    };
    match random.below(16) {
        0 | 1 => Change::Joins(Box::new(dressed(model, random, None))),
        2 | 3 => Change::Leaves(id),
        4 | 5 => Change::Becomes(id, Box::new(dressed(model, random, Some(&known)))),
        6 => becomes(|node, model| node.owner = model.owner.clone()),
        7 | 8 => becomes(|node, model| node.routes = model.routes.clone()),
        // Routes inside each other, of several routers, and seldom around a node.
        13 | 14 => {
            let nets = [
                "10.0.0.0/8",
                "10.33.0.0/16",
                "10.33.1.0/24",
                "10.33.1.7/32",
                "fd00:1::/64",
                "203.0.113.0/24",
                "8.8.8.0/24",
                "0.0.0.0/0",
            ];
            let mut node = known.clone();
            let some = nets.iter().filter(|_| random.below(3) == 0);
            node.routes = some.map(|it| it.parse().unwrap()).collect();
            node.advertised = node.routes.clone();
            Change::Becomes(id, Box::new(node))
        }
        9 => becomes(|node, model| node.details = model.details.clone()),
        10 => becomes(|node, model| node.created = model.created),
        11 => {
            let roles = [Some(Role::Owner), Some(Role::Admin), Some(Role::Member), None];
            let known = tailnet.user(user).unwrap().clone();
            let role = random.of(&roles).unwrap();
            Change::UserBecomes(user, User { role, ..known })
        }
        12 => {
            let logins = ["nobody@example.com", "odin@example.com", "loki@example.org"];
            let login = random.of(&logins).unwrap();
            let user = User { name: login.into(), login: login.into(), role: Some(Role::Auditor) };
            Change::UserJoins(user)
        }
        _ => match random.below(3) {
            0 => Change::UserLeaves(user),
            _ => {
                let known = tailnet.user(user).unwrap().clone();
                Change::UserBecomes(user, User { login: "thor@example.com".into(), ..known })
            }
        },
    }
}

/// What was tried.
#[derive(Debug, Default)]
struct Tried {
    applied: usize,
    refused: usize,
    /// Tables that differ, and those that were said to be touched.
    different: usize,
    touched: usize,
}

/// Some SSH rules and node attributes more, of every kind that hangs on the tailnet.
fn with_more_sections(world: &mut World, random: &mut Random) {
    let some = |all: Value, random: &mut Random| -> Vec<Value> {
        let all = all.as_array().unwrap().iter().filter(|_| random.below(2) == 0);
        all.cloned().collect()
    };
    let ssh = json!([
        {"action": "accept", "src": ["autogroup:member"], "dst": ["autogroup:self"], "users": ["autogroup:nonroot"]},
        {"action": "check", "src": ["group:eng"], "dst": ["tag:a"], "users": ["root"]},
        {"action": "accept", "src": ["autogroup:tagged"], "dst": ["tag:b"], "users": ["ada"]},
        {"action": "accept", "src": ["autogroup:member"], "dst": ["tag:c"], "users": ["localpart:*@example.com"]},
        {"action": "accept", "src": ["autogroup:member"], "dst": ["autogroup:self", "tag:a"],
         "users": ["root"], "srcPosture": ["posture:good"]},
    ]);
    let attributes = json!([
        {"target": ["tag:a", "odin@example.com"], "attr": ["disable-ipv4"]},
        {"target": ["autogroup:member", "100.64.0.2"], "attr": ["funnel"]},
        {"target": ["*"], "attr": ["magicdns-aaaa"]},
        {"target": ["autogroup:admin"], "app": {"example.com/cap/x": [{"a": 1}]}},
    ]);
    world.policy["ssh"] = some(ssh, random).into();
    world.policy["nodeAttrs"] = some(attributes, random).into();
}

fn try_world(world: &World, models: &[Node], random: &mut Random, tried: &mut Tried) {
    let base = tailnet(&world.inventory);
    let checked = compiler::check(&world.policy.to_string(), Some(&base));
    let valid = checked.valid().ok_or(&checked.diagnostics).unwrap();
    let mut tables = match random.below(2) {
        0 => Tables::new(valid, &base),
        _ => Tables::new(valid, base.clone()),
    };
    if random.below(2) == 0 {
        tables.prepare_all();
    }
    let mut before = written(&tables);
    for _ in 0..CHANGES {
        let change = change(&tables, models, random);
        let applied = match tables.apply(change.clone()) {
            Ok(applied) => applied,
            Err(_) => {
                tried.refused += 1;
                continue;
            }
        };
        let after = written(&tables);
        let facts = tables.tailnet().facts().without_gaps();
        let fresh = Tailnet::new(facts);
        let fresh = written(&Tables::new(valid, &fresh));
        assert!(after == fresh, "{world:?}\n{change:?}\n{}", difference(&after, &fresh));
        for (node, id) in tables.tailnet().nodes().iter().zip(tables.tailnet().node_ids()) {
            let differs = before.get(&*node.name) != after.get(&*node.name);
            let touched = applied.touched.contains(id);
            assert!(
                touched || !differs,
                "{world:?}\n{change:?}\n{} is not touched\n{}",
                node.name,
                difference(&after, &before)
            );
            tried.different += usize::from(differs);
            tried.touched += usize::from(touched && !node.has_left());
        }
        for set in &applied.sets {
            assert!(applied.nodes.contains(&set.node));
        }
        tried.applied += 1;
        before = after;
    }
}

#[test]
fn tables_changed_in_place_are_those_made_afresh() {
    let soak = std::env::var("ACLC_SOAK").ok().and_then(|it| it.parse().ok()).unwrap_or(150);
    let mut runner = TestRunner::deterministic();
    let mut random = Random::new(7);
    let mut tried = Tried::default();
    for _ in 0..soak {
        let mut world = worlds().new_tree(&mut runner).unwrap().current();
        if random.below(2) == 0 {
            with_more_sections(&mut world, &mut random);
        }
        let models = tailnet(&inventories().new_tree(&mut runner).unwrap().current());
        try_world(&world, models.nodes(), &mut random, &mut tried);
    }
    eprintln!("{tried:?}: no difference");
}

#[test]
fn a_change_that_changes_nothing_touches_one_node() {
    let mut runner = TestRunner::deterministic();
    for _ in 0..20 {
        let World { policy, inventory } = worlds().new_tree(&mut runner).unwrap().current();
        let base = tailnet(&inventory);
        let checked = compiler::check(&policy.to_string(), Some(&base));
        let mut tables = Tables::new(checked.valid().unwrap(), &base);
        for (node, id) in base.nodes().iter().zip(base.node_ids()) {
            let near = |it: &Node| it.routes.is_empty();
            if !base.nodes().iter().all(near) || matches!(node.owner, Owner::Nobody) {
                continue;
            }
            let applied = tables.apply(Change::Becomes(id, Box::new(node.clone()))).unwrap();
            assert!(applied.sets.is_empty());
            let only = |it: NodeId| it == id || !applied.touched.contains(it);
            assert!(applied.touched != Touched::All && base.node_ids().all(only));
        }
    }
}
