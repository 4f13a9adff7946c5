//! One node changed out of many: what `Tables::apply` takes, for each kind of change.

use std::hint::black_box;
use std::time::Duration;

use compiler::check;
use compiler::tables::{Tables, Touched};
use compiler::tailnet::{Change, Node, NodeId, Owner, Role, Tailnet, User};

use super::report::Report;
use super::timed;
use super::workload::{Random, Size, Workload};

/// So many changes of each kind, on different nodes.
const CHANGES: usize = 100;

/// A kind of change of one node, and how it is undone.
type Kind = fn(&Tailnet, NodeId, &mut Random) -> Option<Change>;

const KINDS: [(&str, Kind); 7] = [
    ("a node joins", |tailnet, id, random| {
        let node = tailnet.node(id)?.clone();
        let octets = [100, 127, random.below(250) as u8, random.below(250) as u8];
        let ipv6 = [0xfd7a, 0x115c, 0xa1e0, 0xffff, 0, 0, octets[2].into(), octets[3].into()];
        let name = format!("new-{}-{}", octets[2], octets[3]).into();
        let (ipv4, ipv6) = (Some(octets.into()), Some(ipv6.into()));
        Some(Change::Joins(Box::new(Node { name, ipv4, ipv6, routes: [].into(), ..node })))
    }),
    ("a node leaves", |_, id, _| Some(Change::Leaves(id))),
    ("a node moves to another address", |tailnet, id, random| {
        becomes(tailnet, id, |node| {
            let ends = [random.below(250) as u8, random.below(250) as u8];
            node.ipv4 = Some([100, 126, ends[0], ends[1]].into());
            true
        })
    }),
    ("a node gets another tag", |tailnet, id, random| {
        let tagged = tailnet.tagged_nodes();
        let other = tailnet.node(random.of(tagged))?.owner.clone();
        becomes(tailnet, id, |node| {
            let is_tagged = matches!(node.owner, Owner::Tags(_)) && node.routes.is_empty();
            node.owner = other;
            is_tagged
        })
    }),
    ("a device goes to another user", |tailnet, id, random| {
        let other = tailnet.node(random.of(tailnet.untagged_nodes()))?.owner.clone();
        becomes(tailnet, id, |node| {
            let owned = matches!(node.owner, Owner::User(_));
            node.owner = other;
            owned
        })
    }),
    ("a node gets a route", |tailnet, id, random| {
        let route = format!("172.{}.{}.0/24", 16 + random.below(16), random.below(256));
        becomes(tailnet, id, |node| {
            node.routes = [route.parse().expect("a route")].into();
            node.advertised = node.routes.clone();
            true
        })
    }),
    ("a user gets another role", |tailnet, id, _| match tailnet.node(id)?.owner {
        Owner::User(user) => {
            let known = tailnet.user(user)?.clone();
            Some(Change::UserBecomes(user, User { role: Some(Role::Admin), ..known }))
        }
        _ => None,
    }),
];

fn becomes(
    tailnet: &Tailnet,
    id: NodeId,
    change: impl FnOnce(&mut Node) -> bool,
) -> Option<Change> {
    let mut node = tailnet.node(id)?.clone();
    change(&mut node).then(|| Change::Becomes(id, Box::new(node)))
}

/// Every kind of change on 100,000 x 1,000, each on other nodes; and the first, which makes what the
/// others need.
pub(crate) fn figures(report: &mut Report) {
    let workload = Workload::new(Size { nodes: 100_000, rules: 1000, own_devices: false });
    let tailnet = super::super::tailnet(&workload);
    let checked = check(&workload.policy, Some(&tailnet));
    let mut tables = Tables::new(checked.valid().expect("a valid policy"), tailnet);
    tables.prepare_all();
    report.head("one node changed out of 100,000 x 1,000");
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let first = tables.tailnet().node(NodeId(0)).expect("a node").clone();
    let (_, taken) = timed(|| tables.apply(Change::Becomes(NodeId(0), Box::new(first))));
    report.note("the first change, with what later ones need", milliseconds(taken), "ms");
    for (name, kind) in KINDS {
        let mut taken: Vec<Duration> = Vec::new();
        let mut touched = 0;
        while taken.len() < CHANGES {
            let id = NodeId(random.below(100_000) as u32);
            let Some(change) = kind(tables.tailnet(), id, &mut random) else { continue };
            let (applied, time) = timed(|| tables.apply(change));
            let Ok(applied) = applied else { continue };
            taken.push(time);
            touched += match black_box(applied).touched {
                Touched::These(nodes) => nodes.len(),
                Touched::All => tables.tailnet().nodes().len(),
            };
        }
        taken.sort_unstable();
        let middle = milliseconds(taken[taken.len() / 2]);
        report.at_most(name, middle, 1.0, "ms");
        report.note("  the slowest of a hundred", milliseconds(taken[taken.len() - 1]), "ms");
        report.note("  tables it touches, on average", touched as f64 / CHANGES as f64, "");
    }
}

fn milliseconds(taken: Duration) -> f64 {
    taken.as_secs_f64() * 1e3
}
