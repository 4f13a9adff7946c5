//! Laws of the tables, on generated policies and tailnets; the second compiler and the second
//! evaluator of `harness/` say what is right.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop at anything")]

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::process::Command;

use compiler::tables::assertions::{Assertions, Holds};
use compiler::tables::ip_set::{IpRange, IpSet};
use compiler::tables::wire::{Fields, write_table};
use compiler::tables::{NodeSet, Tables};
use compiler::tailnet::{self, NodeId, Tailnet};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use tests::evaluator::{Packet, accepts};
use tests::generator::{World, acl, grant, inventories, policy, worlds};
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
        let fields = Fields::parse("filterRules,sshRules,capMap,peers").unwrap();
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

/// Packets between nodes, hosts behind routers and the world outside, on ports at every edge.
fn packets() -> impl Strategy<Value = Vec<Packet>> {
    let addresses = [
        "100.64.0.1",
        "100.64.0.2",
        "100.64.0.3",
        "100.64.0.9",
        "100.115.92.1",
        "10.33.0.1",
        "10.33.1.7",
        "10.1.1.1",
        "8.8.8.8",
        "203.0.113.9",
        "fd7a:115c:a1e0::1",
        "fd7a:115c:a1e0::2",
        "fd00:1::5",
        "2001:db8::1",
    ];
    let address = prop::sample::select(addresses.to_vec());
    let protocol = prop::sample::select(vec![6, 17, 1, 58, 132, 47]);
    let port = prop::sample::select(vec![0, 1, 9, 22, 23, 53, 80, 443, 1024, 1025, 65535]);
    let packet =
        (address.clone(), address, protocol, port).prop_map(|(src, dst, protocol, port)| Packet {
            src: src.to_owned(),
            dst: dst.to_owned(),
            protocol,
            port,
        });
    prop::collection::vec(packet, 40)
}

/// An entry of `tests`.
fn test() -> impl Strategy<Value = Value> {
    let subjects = vec![
        "odin@example.com",
        "thor@example.org",
        "freya@example.com",
        "group:eng",
        "group:solo",
        "tag:a",
        "tag:b",
        "tag:c",
        "one",
        "far",
        "100.64.0.2",
        "10.33.1.7",
        "8.8.8.8",
    ];
    let port = prop::sample::select(vec!["22", "80", "443", "53", "9", "65535"]);
    let subject = prop::sample::select(subjects);
    let one = (subject.clone(), port).prop_map(|(host, port)| format!("{host}:{port}"));
    let dst = prop::collection::vec(one, 1..=3);
    let proto = prop::sample::select(vec![None, Some("tcp"), Some("udp")]);
    (subject, dst.clone(), dst, proto).prop_map(|(src, accept, deny, proto)| {
        let mut test = json!({"src": src, "accept": accept, "deny": deny});
        if let Some(proto) = proto {
            test["proto"] = proto.into();
        }
        test
    })
}

/// The verdict of every node on every packet.
fn verdicts(tables: &Value, packets: &[Packet]) -> Vec<bool> {
    let nodes = tables.as_object().unwrap().values();
    let table = |it: &Value| {
        packets.iter().map(|packet| accepts(&it["filterRules"], packet)).collect::<Vec<_>>()
    };
    nodes.flat_map(table).collect()
}

/// The same policy with its rules in another order.
fn reversed(policy: &Value) -> Value {
    let mut policy = policy.clone();
    for section in ["grants", "acls"] {
        if let Some(rules) = policy.get_mut(section).and_then(Value::as_array_mut) {
            rules.reverse();
        }
    }
    policy
}

/// The grants that say what an acl says: a grant has the same ports for all its destinations.
fn grants_of(acl: &Value) -> Vec<Value> {
    let protocol = acl["proto"].as_str().map(|it| format!("{it}:")).unwrap_or_default();
    let grant = |dst: &Value| {
        let (selector, ports) = dst.as_str().unwrap().rsplit_once(':').unwrap();
        let ip: Vec<String> = ports.split(',').map(|it| format!("{protocol}{it}")).collect();
        let mut grant =
            json!({"src": acl["src"], "dst": [selector.trim_matches(['[', ']'])], "ip": ip});
        if let Some(postures) = acl.get("srcPosture") {
            grant["srcPosture"] = postures.clone();
        }
        grant
    };
    acl["dst"].as_array().unwrap().iter().map(grant).collect()
}

/// Lines of a table in no order, each with its destinations in no order.
fn lines(table: &Value) -> BTreeSet<String> {
    let line = |line: &Value| {
        let mut dst: Vec<String> =
            line["DstPorts"].as_array().unwrap().iter().map(Value::to_string).collect();
        dst.sort_unstable();
        format!("{} {} {}", line["SrcIPs"], line["IPProto"], dst.join(" "))
    };
    table.as_array().unwrap().iter().map(line).collect()
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
    #![proptest_config(ProptestConfig {
        failure_persistence: None, max_shrink_iters: 2000, ..Default::default()
    })]

    #[test]
    fn a_slow_and_obvious_compiler_gives_the_same_tables(world in worlds()) {
        let World { policy, inventory } = &world;
        let ours = compiled(policy, &read(inventory));
        let slow = slow_compiler::compile(policy, inventory);
        prop_assert!(ours == slow, "{}", difference(&ours, &slow));
    }

    #[test]
    fn assertions_hold_where_the_second_evaluator_says_so(
        world in worlds(),
        tests in prop::collection::vec(test(), 1..4),
    ) {
        let mut policy = world.policy.clone();
        policy["tests"] = tests.into();
        let tailnet = read(&world.inventory);
        let checked = compiler::check(&policy.to_string(), Some(&tailnet));
        let valid = checked.valid().ok_or(&checked.diagnostics).unwrap();
        let ours = Assertions::new(valid, &tailnet);
        let slow = slow_compiler::assertions(&policy, &world.inventory);
        // What stands for nobody has no verdict; a tag without a device has one of its own.
        let known: Vec<bool> = slow.into_iter().flatten().flatten().collect();
        let tagless = ours.flows.len() > known.len();
        let held: Vec<bool> = ours.flows.iter().map(|it| it.holds == Holds::Yes).collect();
        prop_assert!(tagless || held == known, "{held:?} is not {known:?}: {}", policy["tests"]);
    }

    #[test]
    fn another_rule_never_removes_access(
        world in worlds(), more in prop_oneof![acl().prop_map(|it| ("acls", it)), grant().prop_map(|it| ("grants", it))],
        packets in packets(),
    ) {
        let (section, rule) = more;
        let mut policy = world.policy;
        // A file with neither section lets everybody in, and its first rule ends that.
        if policy.get("acls").or(policy.get("grants")).is_none() {
            policy["acls"] = json!([]);
        }
        let tailnet = read(&world.inventory);
        let before = verdicts(&compiled(&policy, &tailnet), &packets);
        let mut rules = policy[section].as_array().cloned().unwrap_or_default();
        rules.insert(0, rule);
        policy[section] = rules.into();
        let after = verdicts(&compiled(&policy, &tailnet), &packets);
        prop_assert!(before.iter().zip(&after).all(|(before, after)| before <= after));
    }

    #[test]
    fn the_order_of_rules_changes_no_verdict(world in worlds(), packets in packets()) {
        let tailnet = read(&world.inventory);
        let other = compiled(&reversed(&world.policy), &tailnet);
        let first = compiled(&world.policy, &tailnet);
        prop_assert_eq!(verdicts(&first, &packets), verdicts(&other, &packets));
    }

    #[test]
    fn an_acl_and_the_equal_grants_are_the_same(
        acl in acl(), inventory in inventories(), packets in packets(),
    ) {
        // `*` may call its own devices in an acl only.
        let own = acl["dst"].to_string().contains("autogroup:self");
        prop_assume!(!own || !acl["src"].to_string().contains('*'));
        let tailnet = read(&inventory);
        let one = compiled(&policy(None, Some(vec![acl.clone()])), &tailnet);
        let other = compiled(&policy(Some(grants_of(&acl)), None), &tailnet);
        prop_assert_eq!(verdicts(&one, &packets), verdicts(&other, &packets));
        for (name, node) in one.as_object().unwrap() {
            prop_assert_eq!(lines(&node["filterRules"]), lines(&other[name]["filterRules"]));
            prop_assert_eq!(&node["peers"], &other[name]["peers"]);
        }
    }

    #[test]
    fn a_posture_only_takes_away(world in worlds(), packets in packets()) {
        let tailnet = read(&world.inventory);
        let with = compiled(&world.policy, &tailnet);
        let mut policy = world.policy;
        policy.as_object_mut().unwrap().remove("defaultSrcPosture");
        for section in ["grants", "acls"] {
            for rule in policy.get_mut(section).and_then(Value::as_array_mut).into_iter().flatten() {
                rule.as_object_mut().unwrap().remove("srcPosture");
            }
        }
        let without = compiled(&policy, &tailnet);
        let pairs = verdicts(&with, &packets).into_iter().zip(verdicts(&without, &packets));
        prop_assert!(pairs.into_iter().all(|(with, without)| with <= without));
    }

    #[test]
    fn a_table_alone_is_the_same(world in worlds()) {
        let tailnet = read(&world.inventory);
        let alone = |id| {
            with_tables(&world.policy, &tailnet, |tables| {
                let mut json = Vec::new();
                write_table(tables, id, Fields::ALL, &mut json);
                json
            })
        };
        let together = with_tables(&world.policy, &tailnet, |tables| {
            tables.prepare_all();
            let mut all = Vec::new();
            for id in tailnet.node_ids() {
                let mut json = Vec::new();
                write_table(tables, id, Fields::ALL, &mut json);
                all.push(json);
            }
            all
        });
        for (id, together) in tailnet.node_ids().zip(together) {
            prop_assert_eq!(String::from_utf8(alone(id)).unwrap(), String::from_utf8(together).unwrap());
        }
    }

    #[test]
    fn who_sees_whom_is_mutual_and_never_oneself(world in worlds()) {
        let tailnet = read(&world.inventory);
        let tables = compiled(&world.policy, &tailnet);
        for (name, node) in tables.as_object().unwrap() {
            prop_assert!(node["peers"].get(name).is_none());
            for peer in node["peers"].as_object().unwrap().keys() {
                prop_assert!(tables[peer]["peers"].get(name).is_some(), "{} does not see {}", peer, name);
            }
        }
    }

    #[test]
    fn without_rules_everything_is_allowed(inventory in inventories(), packets in packets()) {
        let tailnet = read(&inventory);
        let rule = grant_all();
        let one = compiled(&policy(None, None), &tailnet);
        prop_assert_eq!(&one, &compiled(&policy(Some(vec![rule]), None), &tailnet));
        let none = compiled(&policy(Some(Vec::new()), None), &tailnet);
        prop_assert!(verdicts(&none, &packets).into_iter().all(|it| !it));
    }

    #[test]
    fn node_sets_agree_with_plain_sets(
        universe in 1usize..300,
        lists in prop::collection::vec(prop::collection::vec(any::<prop::sample::Index>(), 0..20), 1..4),
    ) {
        let lists: Vec<Vec<u32>> =
            lists.iter().map(|it| it.iter().map(|at| at.index(universe) as u32).collect()).collect();
        let plain: BTreeSet<u32> = lists.iter().flatten().copied().collect();
        let sets: Vec<NodeSet> = lists.iter().map(|it| NodeSet::new(it.clone())).collect();
        let union = NodeSet::union(sets.iter());
        prop_assert_eq!(union.len(), plain.len());
        prop_assert!(union.iter().map(|it| it.0).eq(plain.iter().copied()));
        prop_assert!((0..universe as u32).all(|it| union.contains(NodeId(it)) == plain.contains(&it)));
        // Equal sets are equal values, however they came about.
        prop_assert_eq!(&union, &NodeSet::new(plain.iter().copied().collect()));
        let mut grown = NodeSet::default();
        plain.iter().rev().for_each(|it| assert!(grown.set(NodeId(*it), true)));
        prop_assert_eq!(&grown, &union);
        plain.iter().for_each(|it| assert!(grown.set(NodeId(*it), false)));
        prop_assert_eq!(&grown, &NodeSet::default());
    }

    #[test]
    fn address_sets_agree_with_plain_sets(
        steps in prop::collection::vec((any::<bool>(), 0u8..=255, 0u8..=255), 0..20),
    ) {
        let address = |it: u8| IpAddr::from(Ipv4Addr::new(255, 255, 255, it));
        let (mut set, mut plain) = (IpSet::default(), BTreeSet::new());
        for (add, one, other) in steps {
            let (first, last) = (one.min(other), one.max(other));
            let range = IpRange::new(address(first), address(last)).unwrap();
            if add {
                set.add(range);
                plain.extend(first..=last);
            } else {
                set.remove(range);
                plain.retain(|it| !(first..=last).contains(it));
            }
        }
        let ranges: Vec<IpRange> = set.ranges().collect();
        let inside = |it: u8| ranges.iter().filter(|range| range.contains(address(it))).count();
        prop_assert!((0..=255).all(|it| inside(it) == usize::from(plain.contains(&it))));
        // The fewest ranges, and each the fewest prefixes: none touch.
        let starts = plain.iter().filter(|it| !it.checked_sub(1).is_some_and(|it| plain.contains(&it)));
        prop_assert_eq!(ranges.len(), starts.count());
        let count = |it: &IpRange| it.prefixes().iter().map(|it| 1usize << (32 - it.prefix_len())).sum::<usize>();
        prop_assert_eq!(ranges.iter().map(count).sum::<usize>(), plain.len());
    }
}

/// What a file with neither section means.
fn grant_all() -> Value {
    json!({"src": ["*"], "dst": ["*"], "ip": ["*"]})
}

/// Compiles a large tailnet with the command, on so many threads.
fn printed(aclc: &Path, folder: &Path, threads: &str) -> Vec<u8> {
    let mut command = Command::new(aclc);
    command.current_dir(folder).env("RAYON_NUM_THREADS", threads);
    let arguments = ["compile", "policy.hujson", "--nodes", "nodes.json", "--fields", "all"];
    let output = command.args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

#[test]
fn one_thread_and_two_print_the_same() {
    let aclc = tests::aclc::build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let node = |it: u32| {
        let (high, low) = (it / 250, it % 250 + 1);
        json!({
            "name": format!("n{it}"), "ipv4": format!("100.64.{high}.{low}"), "tags": ["tag:a"],
            "routableIPs": [format!("10.{high}.{low}.0/24")],
            "approvedRoutes": [format!("10.{high}.{low}.0/24")],
        })
    };
    let nodes: Vec<Value> = (0..1000).map(node).collect();
    let grants = vec![
        json!({"src": ["tag:a"], "dst": ["10.1.0.0/16"], "ip": ["tcp:80"]}),
        json!({"src": ["10.2.0.0/16"], "dst": ["tag:a"], "ip": ["22"]}),
    ];
    let files =
        [("policy.hujson", policy(Some(grants), None)), ("nodes.json", json!({"nodes": nodes}))];
    for (name, value) in files {
        std::fs::write(folder.path().join(name), value.to_string()).unwrap();
    }
    let one = printed(&aclc, folder.path(), "1");
    assert!(one.len() > 100_000);
    assert!(one == printed(&aclc, folder.path(), "2"));
}
