//! Any bytes as changes of a small tailnet: tables changed in place are those made afresh, and all that
//! differ were said to be touched.
#![no_main]

use std::collections::BTreeMap;
use std::sync::LazyLock;

use compiler::tables::Tables;
use compiler::tables::wire::{Fields, write_table};
use compiler::tailnet::{Change, Node, NodeId, Owner, Role, Tailnet, User, UserId, read};

static TAILNET: LazyLock<Option<Tailnet>> =
    LazyLock::new(|| read(include_str!("../../../examples/company/nodes.json")).tailnet);

const POLICY: &str = include_str!("../../../examples/company/policy.hujson");

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some(tailnet) = TAILNET.as_ref() else { return };
    let checked = compiler::check(POLICY, Some(tailnet));
    let Some(valid) = checked.valid() else { return };
    let mut tables = Tables::new(valid, tailnet);
    let mut before = written(&tables);
    for step in bytes.chunks_exact(6).take(8) {
        let Some(change) = change(tables.tailnet(), step) else { continue };
        let Ok(applied) = tables.apply(change) else { continue };
        let after = written(&tables);
        let fresh = Tailnet::new(tables.tailnet().facts().without_gaps());
        assert_eq!(after, written(&Tables::new(valid, &fresh)));
        for (node, id) in tables.tailnet().nodes().iter().zip(tables.tailnet().node_ids()) {
            let same = before.get(&*node.name) == after.get(&*node.name);
            assert!(same || applied.touched.contains(id), "{} is not touched", node.name);
        }
        before = after;
    }
});

/// All that is said of each node, by its name.
fn written(tables: &Tables<'_>) -> BTreeMap<String, Vec<u8>> {
    let nodes = tables.tailnet().nodes().iter().zip(tables.tailnet().node_ids());
    let text = |id: NodeId| {
        let mut text = Vec::new();
        write_table(tables, id, Fields::ALL, &mut text);
        text
    };
    let there = nodes.filter(|(node, _)| !node.has_left());
    there.map(|(node, id)| (node.name.to_string(), text(id))).collect()
}

fn change(tailnet: &Tailnet, step: &[u8]) -> Option<Change> {
    let [kind, at, model, a, b, c] = step else { return None };
    let node = |at: u8| NodeId(u32::from(at) % tailnet.nodes().len() as u32);
    let user = UserId(u32::from(*at) % tailnet.users().len() as u32);
    let (id, known) = (node(*at), tailnet.node(node(*at))?.clone());
    let other = tailnet.node(node(*model))?.clone();
    let ipv4 = Some([100, 64 + a % 64, *b, *c].into());
    let route = format!("10.{}.{}.0/{}", a % 4, b & 0xfe, 16 + c % 8).parse::<ipnet::IpNet>();
    let becomes = |node: Node| Some(Change::Becomes(id, Box::new(node)));
    match kind % 10 {
        0 => {
            let name = format!("new-{a}-{b}").into();
            Some(Change::Joins(Box::new(Node { name, ipv4, ipv6: None, ..other })))
        }
        1 => Some(Change::Leaves(id)),
        2 => becomes(Node { ipv4, ..known }),
        3 => becomes(Node { owner: other.owner, ..known }),
        4 => becomes(Node { routes: [route.ok()?.trunc()].into(), ..known }),
        5 => becomes(Node { routes: other.routes, ..known }),
        6 => becomes(Node { details: other.details, owner: Owner::Nobody, ..known }),
        7 => {
            let role = Role::ALL.get(usize::from(*a) % 8).copied();
            Some(Change::UserBecomes(user, User { role, ..tailnet.user(user)?.clone() }))
        }
        8 => Some(Change::UserLeaves(user)),
        _ => becomes(Node { created: other.created, ipv4: None, ..known }),
    }
}
