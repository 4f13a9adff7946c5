//! Answers about meaning, on generated policies and tailnets: each equals what trying every flow gives.

#![expect(clippy::unwrap_used, reason = "a test may stop at anything")]

use std::collections::BTreeSet;
use std::net::IpAddr;

use compiler::Checked;
use compiler::analysis::access::{ANY_OTHER_USER, OWN_NAME, host_users};
use compiler::analysis::diff::{DeviceDiff, Diff};
use compiler::analysis::diff_rows;
use compiler::analysis::ends::Ends;
use compiler::analysis::prove::{Prover, Tags};
use compiler::analysis::reach::{self, Asked, Reach};
use compiler::analysis::region::{Layer, Login};
use compiler::analysis::why::{self, Question, Verdict};
use compiler::ast::invariant;
use compiler::ast::{PortRange, Protocol, SshAction};
use compiler::tables::Tables;
use compiler::tables::verdict::{Classifier, Packet};
use compiler::tailnet::{self, NodeId, Tailnet};
use proptest::prelude::*;
use serde_json::Value;
use tests::generator::{policies, selectors, worlds};

fn read(inventory: &Value) -> Tailnet {
    let inventory = tailnet::read(&inventory.to_string());
    inventory.tailnet.ok_or(inventory.diagnostics).unwrap()
}

fn check(policy: &Value, tailnet: &Tailnet) -> Checked {
    compiler::check(&policy.to_string(), Some(tailnet))
}

/// What is tried: protocol and port, at the edges of what the generator writes.
const PROBES: &[(Protocol, u16)] =
    &[(6, 22), (6, 80), (6, 443), (17, 53), (6, 1024), (6, 65535), (132, 9), (6, 1)];

/// How many worlds are tried: `ACLC_SOAK=3000 cargo test --test laws_analysis` tries that many.
fn cases() -> u32 {
    std::env::var("ACLC_SOAK").ok().and_then(|it| it.parse().ok()).unwrap_or(96)
}

/// A table of each device, ready for packets.
struct Judges<'t>(Vec<Classifier>, &'t Tailnet);

impl<'t> Judges<'t> {
    fn new(tables: &Tables<'_>, tailnet: &'t Tailnet) -> Self {
        let judge = |id| Classifier::new(tables, &tables.table(id).rules);
        Self(tailnet.node_ids().map(judge).collect(), tailnet)
    }

    /// Whether a device lets another in by any pair of addresses of one family.
    fn reaches(&self, src: NodeId, dst: NodeId, (protocol, port): (Protocol, u16)) -> bool {
        let node = |id| self.1.node(id).unwrap();
        node(src)
            .addresses()
            .any(|from| node(dst).addresses().any(|to| self.lets_in(dst, from, to, protocol, port)))
    }

    fn lets_in(&self, at: NodeId, src: IpAddr, dst: IpAddr, protocol: Protocol, port: u16) -> bool {
        src.is_ipv4() == dst.is_ipv4()
            && self.0.get(at.0 as usize).unwrap().accepts(&Packet { src, dst, protocol, port })
    }
}

fn pairs(tailnet: &Tailnet) -> impl Iterator<Item = (NodeId, NodeId)> + '_ {
    let all = tailnet.node_ids().flat_map(|a| tailnet.node_ids().map(move |b| (a, b)));
    all.filter(|(a, b)| a != b)
}

fn ends(tables: &Tables<'_>, node: NodeId) -> Ends {
    Ends::read(tables, &tables.tailnet().node(node).unwrap().name).unwrap()
}

/// Whether a list of answers has a device.
fn has(found: &[Reach], node: NodeId) -> bool {
    found.iter().any(|it| it.node == Some(node))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    /// `can`, `who-can` and `what-can` say of every pair of devices what its packets say.
    #[test]
    fn answers_about_devices_are_those_of_their_packets(world in worlds()) {
        let tailnet = read(&world.inventory);
        let checked = check(&world.policy, &tailnet);
        let valid = checked.valid().unwrap();
        let tables = Tables::new(valid, &tailnet);
        let judges = Judges::new(&tables, &tailnet);
        for probe in PROBES {
            let ports = PortRange { first: probe.1, last: probe.1 };
            let asked = Asked { protocol: Some(probe.0), ports: Some(ports) };
            let who: Vec<_> = tailnet.node_ids().map(|it| reach::who_can(&tables, &ends(&tables, it), asked)).collect();
            let what: Vec<_> = tailnet.node_ids().map(|it| reach::what_can(&tables, &ends(&tables, it), asked)).collect();
            for (src, dst) in pairs(&tailnet) {
                let truth = judges.reaches(src, dst, *probe);
                let name = |it| tailnet.node(it).unwrap().name.to_string();
                prop_assert_eq!(has(who.get(dst.0 as usize).unwrap(), src), truth, "who-can {} by {} {:?}", name(dst), name(src), probe);
                prop_assert_eq!(has(what.get(src.0 as usize).unwrap(), dst), truth, "what-can {} to {} {:?}", name(src), name(dst), probe);
                let question = Question { protocol: probe.0, ports, now: None };
                let answer = why::ask(valid, &tables, &ends(&tables, src), &ends(&tables, dst), question);
                let allowed = answer.verdict == Verdict::Allowed;
                // Devices without an address reach nobody, and nobody asks about them.
                if answer.pairs.0 > 0 {
                    prop_assert_eq!(allowed, truth, "can {} {} {:?}", name(src), name(dst), probe);
                }
                prop_assert!(!allowed || world.policy.get("grants").or(world.policy.get("acls")).is_none() || !answer.rules.is_empty());
            }
        }
    }

    /// What a diff between devices says is gained or lost is what packets show, no more and no less;
    /// it is empty against itself and turns round.
    #[test]
    fn a_diff_between_devices_is_that_of_their_packets(world in worlds(), other in policies()) {
        let tailnet = read(&world.inventory);
        let (before, after) = (check(&world.policy, &tailnet), check(&other, &tailnet));
        let (before, after) = (Tables::new(before.valid().unwrap(), &tailnet), Tables::new(after.valid().unwrap(), &tailnet));
        let diff = DeviceDiff::of(&before, &after);
        let back = DeviceDiff::of(&after, &before);
        prop_assert!(DeviceDiff::of(&before, &before).gained.is_empty());
        let rows = |diff: &DeviceDiff, regions: &[compiler::analysis::region::Region], with, without| {
            let rows = diff_rows::of_devices(regions, &diff.space, with, without);
            rows.into_iter().filter(|it| it.0.layer == Layer::Network).collect::<Vec<_>>()
        };
        let gained = rows(&diff, &diff.gained, &after, &before);
        let lost = rows(&diff, &diff.lost, &before, &after);
        let mirrored = rows(&back, &back.lost, &after, &before);
        prop_assert_eq!(gained.iter().map(|it| &it.0).collect::<Vec<_>>(), mirrored.iter().map(|it| &it.0).collect::<Vec<_>>());
        let (old, new) = (Judges::new(&before, &tailnet), Judges::new(&after, &tailnet));
        for probe in PROBES {
            for (src, dst) in pairs(&tailnet) {
                let said = |rows: &[(compiler::analysis::flow_text::Row, Option<Packet>)]| {
                    let name = |id: NodeId| tailnet.node(id).unwrap().name.to_string();
                    rows.iter().any(|(row, _)| {
                        let protocol = compiler::ast::ports::protocol_name(probe.0);
                        row.src.contains(&name(src)) && row.dst.contains(&name(dst))
                            && row.protocol.split(',').any(|it| it == protocol)
                            && holds_port(&row.ports, probe.1)
                    })
                };
                // By each family apart, because a row may speak of one of them.
                let (mut more, mut less) = (false, false);
                for from in tailnet.node(src).unwrap().addresses() {
                    for to in tailnet.node(dst).unwrap().addresses() {
                        let was = old.lets_in(dst, from, to, probe.0, probe.1);
                        let is = new.lets_in(dst, from, to, probe.0, probe.1);
                        more |= is && !was;
                        less |= was && !is;
                    }
                }
                prop_assert_eq!(said(&gained), more, "gained {:?} {:?} {:?}", src, dst, probe);
                prop_assert_eq!(said(&lost), less, "lost {:?} {:?} {:?}", src, dst, probe);
            }
        }
        for (row, packet) in gained.iter().chain(&lost) {
            let devices = |names: &[String]| names.iter().filter(|it| tailnet.node_named(it).is_some()).count();
            if devices(&row.src) == row.src.len() && devices(&row.dst) == row.dst.len() && row.src != row.dst {
                prop_assert!(packet.is_some(), "no packet shows {row:?}");
            }
        }
    }

    /// The same of logins by SSH, where a check is another thing than letting in at once.
    #[test]
    fn a_diff_between_devices_is_that_of_their_logins(world in worlds(), other in policies()) {
        let tailnet = read(&world.inventory);
        let (before, after) = (check(&world.policy, &tailnet), check(&other, &tailnet));
        let (before, after) = (Tables::new(before.valid().unwrap(), &tailnet), Tables::new(after.valid().unwrap(), &tailnet));
        let diff = DeviceDiff::of(&before, &after);
        let gained = diff_rows::of_devices(&diff.gained, &diff.space, &after, &before);
        let lost = diff_rows::of_devices(&diff.lost, &diff.space, &before, &after);
        let users = host_users([before.policy(), after.policy()]);
        for user in users.iter().filter(|it| ***it != *OWN_NAME) {
            let probe = if **user == *ANY_OTHER_USER { "somebody-else" } else { user };
            for (src, dst) in pairs(&tailnet).filter(|(src, dst)| {
                let of = |id: &NodeId| tailnet.node(*id).map(|it| (it.ipv4.is_some(), it.ipv6.is_some())).unwrap();
                let (one, other) = (of(src), of(dst));
                one.0 && other.0 || one.1 && other.1
            }) {
                let verdict = |tables: &Tables<'_>| tables.ssh_verdict(src, dst, probe).map(|it| it.action.value);
                let (was, is) = (verdict(&before), verdict(&after));
                for (login, action) in [(Login::Accept, SshAction::Accept), (Login::Check, SshAction::Check)] {
                    let said = |rows: &[(compiler::analysis::flow_text::Row, Option<Packet>)]| {
                        let name = |id: NodeId| tailnet.node(id).unwrap().name.to_string();
                        rows.iter().any(|(row, _)| {
                            row.layer == Layer::Ssh(user.clone(), login)
                                && row.src.contains(&name(src)) && row.dst.contains(&name(dst))
                        })
                    };
                    let (before, after) = (was == Some(action), is == Some(action));
                    prop_assert_eq!(said(&gained), after && !before, "gained {:?} {:?} {} {:?}", src, dst, user, login);
                    prop_assert_eq!(said(&lost), before && !after, "lost {:?} {:?} {} {:?}", src, dst, user, login);
                }
            }
        }
    }

    /// What all tailnets gain holds of this one: access that devices gain is said, and if nothing is
    /// said, nothing is gained.
    #[test]
    fn a_diff_for_all_tailnets_covers_each(world in worlds(), other in policies()) {
        let tailnet = read(&world.inventory);
        let (base, head) = (check(&world.policy, &tailnet), check(&other, &tailnet));
        let (base, head) = (base.valid().unwrap(), head.valid().unwrap());
        let diff = Diff::of(base.policy(), head.policy());
        prop_assert!(Diff::of(base.policy(), base.policy()).is_empty());
        let back = Diff::of(head.policy(), base.policy());
        prop_assert_eq!(diff.gained.is_empty(), back.lost.is_empty());
        if !diff.gained.is_empty() {
            return Ok(());
        }
        let (before, after) = (Tables::new(base, &tailnet), Tables::new(head, &tailnet));
        let (old, new) = (Judges::new(&before, &tailnet), Judges::new(&after, &tailnet));
        for probe in PROBES {
            for (src, dst) in pairs(&tailnet) {
                prop_assert!(!new.reaches(src, dst, *probe) || old.reaches(src, dst, *probe), "{src:?} gains {dst:?} {probe:?}");
            }
        }
    }

    /// What is proved never to be is never seen, and every counterexample is one.
    #[test]
    fn what_is_proved_holds_in_every_tailnet_that_is_tried(world in worlds(), src in selectors(), dst in selectors(), port in prop::sample::select(vec![22, 53, 80, 443, 1024])) {
        let tailnet = read(&world.inventory);
        let checked = check(&world.policy, &tailnet);
        let valid = checked.valid().unwrap();
        let tables = Tables::new(valid, &tailnet);
        let text = format!("never {src} -> {dst}:{port}\nonly {src} -> {dst}:{port}\nalways {src} -> {dst}:tcp:{port}\n");
        let invariants: Vec<_> = invariant::read_file(&text).into_iter().map(Result::unwrap).collect();
        let prover = Prover::new(valid, invariants.iter(), Tags::One);
        let access = prover.access();
        let proofs: Vec<_> = invariants.iter().map(|it| prover.prove(it, &access).unwrap()).collect();
        let holds: Vec<bool> = proofs.iter().map(|it| it.counterexample.is_none()).collect();
        let judges = Judges::new(&tables, &tailnet);
        let nodes = |selector: &str| -> BTreeSet<NodeId> {
            Ends::read(&tables, selector).map(|it| it.nodes.into_iter().collect()).unwrap_or_default()
        };
        let (from, to) = (nodes(src), nodes(dst));
        for (a, b) in pairs(&tailnet) {
            let one_identity = |id| match &tailnet.node(id).unwrap().owner {
                tailnet::Owner::Tags(tags) => tags.len() == 1,
                tailnet::Owner::User(_) => true,
                tailnet::Owner::Nobody => false,
            };
            if !to.contains(&b) || !one_identity(a) || !one_identity(b) {
                continue;
            }
            let reaches = judges.reaches(a, b, (6, port)) || judges.reaches(a, b, (17, port));
            // Rules that name addresses speak of addresses that nobody owns, so they prove nothing here.
            if world.policy.to_string().contains("100.64.") || world.policy.to_string().contains("fd7a") {
                continue;
            }
            if holds[0] && from.contains(&a) {
                prop_assert!(!reaches, "never {src} -> {dst}:{port}: {a:?} {b:?}");
            }
            if holds[1] && !from.contains(&a) {
                prop_assert!(!reaches, "only {src} -> {dst}:{port}: {a:?} {b:?}");
            }
        }
        for (proof, always) in proofs.iter().zip([false, false, true]) {
            if let Some(witness) = proof.counterexample.as_ref().and_then(|it| it.witness.as_ref()) {
                prop_assert_eq!(witness.is_let_in_by(valid), !always);
            }
        }
    }
}

/// Whether `22,80-90` or `*` holds a port.
fn holds_port(ports: &str, port: u16) -> bool {
    ports.split(',').any(|it| match it.split_once('-') {
        _ if it == "*" => true,
        Some((first, last)) => (first.parse().unwrap()..=last.parse().unwrap()).contains(&port),
        None => it.parse::<u16>().unwrap() == port,
    })
}
