//! Laws of meaning: what changes none, what a proof says of every tailnet there can be, and that
//! Tailscale's own engine sees what is shown as an example.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop at anything")]

#[path = "verdicts/rust_engines.rs"]
#[allow(dead_code, reason = "the comparison of verdicts uses the rest")]
mod rust_engines;

use std::net::IpAddr;

use compiler::analysis::describe::Vocabulary;
use compiler::analysis::diff::{DeviceDiff, Diff};
use compiler::analysis::diff_rows;
use compiler::analysis::ends::Ends;
use compiler::analysis::migrate::migrate;
use compiler::analysis::prove::{Prover, Tags};
use compiler::ast::invariant;
use compiler::tables::Tables;
use compiler::tables::verdict::{Classifier, Packet};
use compiler::tailnet::{self, NodeId, Tailnet};
use compiler::{Checked, Options, cst};
use proptest::prelude::*;
use rust_engines::{rule, written};
use serde_json::{Value, json};
use tests::generator::{policies, selectors, worlds};
use ts_packetfilter::{Filter, FilterStorageExt, HashbrownFilter, IpProto, PacketInfo};

fn read(inventory: &Value) -> Tailnet {
    let inventory = tailnet::read(&inventory.to_string());
    inventory.tailnet.ok_or(inventory.diagnostics).unwrap()
}

/// How many worlds are tried: `ACLC_SOAK=3000 cargo test --test laws_meaning` tries that many.
fn cases() -> u32 {
    std::env::var("ACLC_SOAK").ok().and_then(|it| it.parse().ok()).unwrap_or(100)
}

/// Neither for all tailnets nor for the devices of one does anything change.
fn same(before: &Checked, after: &Checked, tailnet: &Tailnet) -> Result<(), TestCaseError> {
    let (before, after) = (before.valid().unwrap(), after.valid().unwrap());
    prop_assert!(Diff::of(before.policy(), after.policy()).is_empty());
    let diff = DeviceDiff::of(&Tables::new(before, tailnet), &Tables::new(after, tailnet));
    prop_assert!(diff.gained.is_empty() && diff.lost.is_empty());
    Ok(())
}

/// Whether the device lets a packet in, as Tailscale's engine sees its table.
fn theirs(tables: &Tables<'_>, at: NodeId, packet: &Packet) -> bool {
    let (_, matches) = written(tables, at);
    let mut filter = HashbrownFilter::new();
    let rules: Vec<_> = matches.as_array().unwrap().iter().map(rule).collect();
    FilterStorageExt::insert(&mut filter, "base", rules);
    let Packet { src, dst, protocol, port } = *packet;
    let info = PacketInfo { src, dst, ip_proto: IpProto::new(protocol.into()), port };
    filter.matches(&info, &mut std::iter::empty())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    #[test]
    fn what_changes_no_meaning_changes_none(world in worlds()) {
        let tailnet = read(&world.inventory);
        let options = Options { tailnet: Some(&tailnet), ..Options::default() };
        let text = serde_json::to_string_pretty(&world.policy).unwrap();
        let checked = compiler::check_bytes(text.as_bytes(), &options);
        let again = |text: &str| compiler::check_bytes(text.as_bytes(), &options);
        same(&checked, &again(&cst::format(&text).unwrap()), &tailnet)?;
        let mut turned = world.policy.clone();
        for section in ["grants", "acls"] {
            turned.get_mut(section).and_then(Value::as_array_mut).into_iter().for_each(|it| it.reverse());
        }
        same(&checked, &again(&turned.to_string()), &tailnet)?;
        if let Some(grants) = migrate(&checked, &options).map_err(|it| TestCaseError::fail(format!("{it}: {text}")))? {
            let migrated = again(&grants.text);
            prop_assert!(migrated.policy.file.acls.is_none());
            same(&checked, &migrated, &tailnet)?;
        }
    }

    #[test]
    fn a_diff_turned_round_is_its_mirror(base in policies(), head in policies()) {
        let (base, head) = (compiler::check(&base.to_string(), None), compiler::check(&head.to_string(), None));
        let (base, head) = (base.valid().unwrap().policy(), head.valid().unwrap().policy());
        let (there, back) = (Diff::of(base, head), Diff::of(head, base));
        let rows = |diff: &Diff, regions| {
            let vocabulary = Vocabulary::new(&diff.universe, [base, head]);
            let mut rows: Vec<String> = diff_rows::of_policies(regions, &vocabulary, &diff.conditions)
                .iter().map(|it| format!("{it:?}")).collect();
            rows.sort();
            rows
        };
        prop_assert_eq!(rows(&there, &there.gained), rows(&back, &back.lost));
        prop_assert_eq!(rows(&there, &there.lost), rows(&back, &back.gained));
    }

    #[test]
    fn tailscales_engine_sees_every_example(world in worlds(), other in policies()) {
        let tailnet = read(&world.inventory);
        let check = |policy: &Value| compiler::check(&policy.to_string(), Some(&tailnet));
        let (before, after) = (check(&world.policy), check(&other));
        let (before, after) = (Tables::new(before.valid().unwrap(), &tailnet), Tables::new(after.valid().unwrap(), &tailnet));
        let diff = DeviceDiff::of(&before, &after);
        let lets_in = |tables: &Tables<'_>, packet: &Packet| {
            tables.receivers(packet.dst).into_iter().any(|it| theirs(tables, it, packet))
        };
        for (regions, with, without) in [(&diff.gained, &after, &before), (&diff.lost, &before, &after)] {
            for (row, packet) in diff_rows::of_devices(regions, &diff.space, with, without) {
                if let Some(packet) = packet {
                    prop_assert!(lets_in(with, &packet) && !lets_in(without, &packet), "{row:?} {packet:?}");
                }
            }
        }
    }
}

proptest! {
    // A case is forty-nine tailnets.
    #![proptest_config(ProptestConfig { cases: cases().div_ceil(5), ..ProptestConfig::default() })]

    #[test]
    fn a_proof_is_what_every_small_tailnet_shows(
        policy in policies(),
        src in selectors(),
        dst in selectors(),
        port in prop::sample::select(vec![22, 53, 80, 443, 1024]),
        several in any::<bool>(),
    ) {
        // Addresses that a policy names are no device's; of these prefixes every device has some.
        let written = policy.to_string();
        prop_assume!(!written.contains("100.64.0.0/10") && !written.contains("fd7a:115c:a1e0::/48"));
        // Senders that are no device: the first address of all that the policy names, and a few others.
        let mut strangers: Vec<IpAddr> = STRANGERS.iter().map(|it| it.parse().unwrap()).collect();
        let words = written.split(|it: char| !it.is_ascii_hexdigit() && it != '.' && it != ':');
        strangers.extend(words.filter_map(|it| it.parse::<IpAddr>().ok()));
        let checked = compiler::check(&written, None);
        let valid = checked.valid().unwrap();
        let text = format!("never {src} -> {dst}:{port}\nonly {src} -> {dst}:{port}\nalways {src} -> {dst}:tcp:{port}\n");
        let invariants: Vec<_> = invariant::read_file(&text).into_iter().map(Result::unwrap).collect();
        let tags = if several { Tags::Several } else { Tags::One };
        let prover = Prover::new(valid, invariants.iter(), tags);
        let access = prover.access();
        let mut broken = [false; 3];
        for tailnet in small_tailnets(tags) {
            let tables = Tables::new(valid, &tailnet);
            let nodes = |selector: &str| Ends::read(&tables, selector).map(|it| it.nodes).unwrap_or_default();
            let (from, to) = (nodes(src), nodes(dst));
            for at in &to {
                let node = tailnet.node(*at).unwrap();
                let (v4, v6) = (IpAddr::V4(node.ipv4.unwrap()), IpAddr::V6(node.ipv6.unwrap()));
                let classifier = Classifier::new(&tables, &tables.table(*at).rules);
                let lets_in = |src: IpAddr, protocol| {
                    let dst = if src.is_ipv4() { v4 } else { v6 };
                    classifier.accepts(&Packet { src, dst, protocol, port })
                };
                let any = |src| [6, 17, 132].into_iter().any(|it| lets_in(src, it));
                for other in tailnet.node_ids().filter(|it| it != at) {
                    for address in tailnet.node(other).unwrap().addresses() {
                        let asked = from.contains(&other);
                        broken[0] |= asked && any(address);
                        broken[1] |= !asked && any(address);
                        broken[2] |= asked && !lets_in(address, 6);
                    }
                }
                broken[1] |= strangers.iter().any(|it| any(*it));
            }
        }
        for ((invariant, broken), always) in invariants.iter().zip(broken).zip([false, false, true]) {
            let proof = prover.prove(invariant, &access).unwrap();
            let said = proof.counterexample.is_some();
            prop_assert!(said || !broken, "proved, and seen: {text} {always}");
            let Some(witness) = proof.counterexample.and_then(|it| it.witness) else { continue };
            prop_assert!(broken, "nothing of it was seen: {text} always: {always} {:?}", witness.packet);
            let tables = Tables::new(valid, &witness.tailnet);
            prop_assert_eq!(theirs(&tables, witness.at, &witness.packet), !always);
        }
    }
}

/// Addresses within what generated policies tell apart and no device has, and some that none names.
const STRANGERS: [&str; 15] = [
    "203.0.113.9",
    "10.33.0.1",
    "10.33.1.1",
    "10.33.1.7",
    "10.33.1.77",
    "10.0.0.1",
    "100.64.0.1",
    "100.64.0.2",
    "100.64.0.3",
    "198.51.100.1",
    "fd7a:115c:a1e0::1",
    "fd7a:115c:a1e0::2",
    "fd7a:115c:a1e0::3",
    "fd00:1::1",
    "2001:db8::1",
];

/// Two devices of each identity and posture, for any roles that any two users may hold: what any two
/// devices of one identity each can be to each other; with several tags also devices of any two.
fn small_tailnets(tags: Tags) -> Vec<Tailnet> {
    let roles =
        ["member", "owner", "admin", "network-admin", "it-admin", "billing-admin", "auditor"];
    let logins = [
        "odin@example.com",
        "thor@example.org",
        "freya@example.com",
        "nobody@example.com",
        "guest@elsewhere.net",
        "loki@example.org",
        "baldr@example.com",
    ];
    let facts = [
        json!({}),
        json!({"node:os": "linux", "custom:ok": null}),
        json!({"node:os": "linux", "custom:ok": "yes"}),
    ];
    let single = [vec!["tag:a"], vec!["tag:b"], vec!["tag:c"], vec!["tag:unused"]];
    let pairs = single.iter().zip(1..).flat_map(|(one, next)| {
        single[next..].iter().map(|other| [one.clone(), other.clone()].concat())
    });
    let tags: Vec<Vec<&str>> = match tags {
        Tags::One => single.to_vec(),
        Tags::Several => single.iter().cloned().chain(pairs).collect(),
    };
    // An orthogonal array of strength two: any two users hold any two roles in one of the tailnets.
    let role = |user: usize, turn: usize| roles[(turn / roles.len() + user * turn) % roles.len()];
    let tailnet = |turn: usize| {
        let user = |(at, it)| json!({"name": it, "email": it, "role": role(at, turn)});
        let users: Vec<Value> = logins.iter().enumerate().map(user).collect();
        let mut nodes = Vec::new();
        for attributes in facts.iter().chain(&facts[..1]) {
            let owners = logins.iter().map(|it| json!({"user": it}));
            for mut node in owners.chain(tags.iter().map(|it| json!({"tags": it}))) {
                let number = nodes.len();
                node["name"] = json!(format!("n{number}"));
                node["ipv4"] = json!(format!("100.101.0.{}", number + 1));
                node["ipv6"] = json!(format!("fd7a:115c:a1e0:6500::{:x}", number + 1));
                node["attributes"] = attributes.clone();
                nodes.push(node);
            }
        }
        read(
            &json!({"users": users, "nodes": nodes, "tailnet": {"domains": ["example.com", "example.org"]}}),
        )
    };
    (0..roles.len() * roles.len()).map(tailnet).collect()
}
