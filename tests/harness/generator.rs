//! Policies and tailnets at random, as JSON: few names and few addresses, so that rules meet, routes
//! cover each other and the nodes, and lists repeat themselves. Every policy is one that Tailscale
//! accepts.

use std::fmt;

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Map, Value, json};

/// What stands in both: a policy and the tailnet it is compiled on.
#[derive(Clone)]
pub struct World {
    /// The policy file, as JSON.
    pub policy: Value,
    /// Users and nodes, in our shape.
    pub inventory: Value,
}

/// What differs from case to case, one line each.
impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for section in ["grants", "acls", "ssh", "nodeAttrs", "defaultSrcPosture"] {
            if let Some(entry) = self.policy.get(section) {
                writeln!(f, "{section}: {entry}")?;
            }
        }
        let nodes = self.inventory.get("nodes").and_then(Value::as_array);
        nodes.into_iter().flatten().try_for_each(|it| writeln!(f, "{it}"))
    }
}

/// Selectors that mean people, which alone may be callers of `autogroup:self`.
const PEOPLE: &[&str] = &[
    "odin@example.com",
    "thor@example.org",
    "freya@example.com",
    "nobody@example.com",
    "user:*@example.com",
    "user:*@example.org",
    "group:eng",
    "group:solo",
    "group:empty",
    "group:ghosts",
    "autogroup:member",
    "autogroup:admin",
    "autogroup:owner",
    "autogroup:auditor",
];

const TAGS: &[&str] = &["tag:a", "tag:b", "tag:c", "tag:unused"];

/// Addresses: of nodes, of one family only, behind routers, part of a route, around one, nowhere.
const LITERALS: &[&str] = &[
    "100.64.0.1",
    "100.64.0.2",
    "100.64.0.0/30",
    "100.64.0.0/10",
    "fd7a:115c:a1e0::1",
    "fd7a:115c:a1e0::/48",
    "10.33.0.0/16",
    "10.33.1.7",
    "10.32.0.0/14",
    "fd00:1::/64",
    "fd00:1::5",
    "8.8.8.8",
    "203.0.113.0/24",
    "lan",
    "one",
    "far",
    "six",
    "ipset:mix",
    "ipset:gone",
    "ipset:more",
];

const ROUTES: &[&str] = &[
    "10.0.0.0/8",
    "10.33.0.0/16",
    "10.33.1.0/24",
    "100.64.0.0/30",
    "100.64.0.3/32",
    "fd00:1::/64",
    "fd7a:115c:a1e0::/126",
    "8.8.8.0/24",
    "0.0.0.0/0",
    "::/0",
];

const CAPS: &[&str] =
    &["tailscale.com/cap/drive", "tailscale.com/cap/relay", "example.com/cap/view"];

fn few(of: &'static [&'static str], at_most: usize) -> impl Strategy<Value = Vec<&'static str>> {
    prop::collection::vec(select(of), 0..=at_most)
}

/// Selectors of these lists, at random and with repeats.
fn mixed(
    lists: &[&'static [&'static str]],
    at_most: usize,
) -> impl Strategy<Value = Vec<&'static str>> + use<> {
    let each: Vec<_> = lists.iter().map(|it| select(*it).boxed()).collect();
    prop::collection::vec(proptest::strategy::Union::new(each), 0..=at_most)
}

fn sources() -> impl Strategy<Value = Vec<&'static str>> {
    let others: &[&str] = &["*", "autogroup:tagged", "autogroup:danger-all", "autogroup:shared"];
    prop_oneof![
        6 => mixed(&[PEOPLE, TAGS, LITERALS, &["*", "autogroup:tagged"]], 3),
        1 => mixed(&[PEOPLE, others], 2),
    ]
}

/// Sources and destinations that may stand together.
fn ends(acl: bool, app: bool) -> BoxedStrategy<(Vec<&'static str>, Vec<&'static str>)> {
    let others: &'static [&str] = match app {
        true => &["*", "autogroup:tagged"],
        false => &["*", "autogroup:tagged", "autogroup:internet"],
    };
    let any = (sources(), mixed(&[PEOPLE, TAGS, LITERALS, others], 4));
    let people: &'static [&str] = if acl { &["*"] } else { PEOPLE };
    let own = (
        mixed(&[PEOPLE, people], 3),
        mixed(&[&["autogroup:self"], PEOPLE, TAGS, LITERALS, others], 4),
    );
    prop_oneof![2 => any, 1 => own].boxed()
}

fn postures() -> impl Strategy<Value = Vec<&'static str>> {
    let some = subsequence(vec!["posture:linux", "posture:good"], 1..=2);
    prop_oneof![7 => Just(Vec::new()), 1 => some]
}

/// An entry of `acls`.
pub fn acl() -> impl Strategy<Value = Value> {
    let ports = select(vec!["*", "22", "80", "80,443", "1-1024", "65535"]);
    let protocol = select(vec![None, None, Some("tcp"), Some("udp"), Some("132"), Some("icmp")]);
    (ends(true, false), prop::collection::vec(ports, 4), protocol, postures()).prop_map(
        |((src, dst), ports, proto, postures)| {
            let ports = |at: usize| match proto {
                Some("icmp") => "*",
                _ => ports.get(at).copied().unwrap_or("*"),
            };
            // An IPv6 address stands in brackets before its ports.
            let bare = |it: &str| it.contains("::") && !it.contains('/');
            let ends: Vec<String> = dst
                .iter()
                .map(|it| if bare(it) { format!("[{it}]") } else { (*it).to_owned() })
                .collect();
            let dst: Vec<String> =
                (0..).zip(ends).map(|(at, it)| format!("{it}:{}", ports(at))).collect();
            let mut acl = json!({"action": "accept", "src": src, "dst": dst});
            set(&mut acl, "proto", proto.map(Value::from));
            set(&mut acl, "srcPosture", non_empty(&postures));
            acl
        },
    )
}

/// The `ip` of a grant, never empty.
fn ip() -> impl Strategy<Value = Vec<&'static str>> {
    let item = select(vec![
        "*", "22", "80-443", "tcp:22", "tcp:*", "udp:53", "tcp:80", "sctp:9", "icmp:*", "gre:*",
    ]);
    prop::collection::vec(item, 1..=3)
}

/// An entry of `grants`.
pub fn grant() -> impl Strategy<Value = Value> {
    let app = prop_oneof![
        2 => Just(Vec::new()),
        1 => subsequence(CAPS.to_vec(), 1..=3),
    ];
    let plain = app.prop_flat_map(|caps| {
        let via = Just(Vec::new());
        (ends(false, !caps.is_empty()), ip(), any::<bool>(), Just(caps), via, postures())
    });
    let steered = (sources(), mixed(&[LITERALS, LITERALS, &["autogroup:internet"]], 3));
    let app = prop_oneof![3 => Just(Vec::new()), 1 => subsequence(CAPS.to_vec(), 1..=2)];
    let via = prop::collection::vec(select(TAGS), 1..=2);
    let via = (steered, ip(), any::<bool>(), app, via, postures());
    prop_oneof![3 => plain, 1 => via].prop_map(|((src, dst), ip, also_ip, caps, via, postures)| {
        let to_internet = dst.contains(&"autogroup:internet");
        let caps = if to_internet { Vec::new() } else { caps };
        let mut grant = json!({"src": src, "dst": dst});
        set(&mut grant, "ip", (also_ip || caps.is_empty()).then(|| json!(ip)));
        let app: Map<String, Value> =
            caps.iter().map(|it| ((*it).to_owned(), json!([{"for": "all"}]))).collect();
        set(&mut grant, "app", (!app.is_empty()).then(|| app.into()));
        set(&mut grant, "via", non_empty(&via));
        set(&mut grant, "srcPosture", non_empty(&postures));
        grant
    })
}

fn non_empty(list: &[&str]) -> Option<Value> {
    (!list.is_empty()).then(|| json!(list))
}

fn set(object: &mut Value, name: &str, value: Option<Value>) {
    if let (Some(members), Some(value)) = (object.as_object_mut(), value) {
        members.insert(name.to_owned(), value);
    }
}

/// A policy with these sections; what rules may name is always the same.
pub fn policy(grants: Option<Vec<Value>>, acls: Option<Vec<Value>>) -> Value {
    let mut policy = json!({
        "groups": {
            "group:eng": ["odin@example.com", "thor@example.org"],
            "group:solo": ["freya@example.com"],
            "group:empty": [],
            "group:ghosts": ["nobody@example.com"],
        },
        "tagOwners": {"tag:a": [], "tag:b": [], "tag:c": [], "tag:unused": []},
        "hosts": {
            "lan": "10.33.0.0/16", "one": "100.64.0.1", "far": "203.0.113.9", "six": "fd00:1::/64",
        },
        "ipsets": {
            "ipset:mix": ["add 10.33.0.0/16", "remove 10.33.1.0/24", "add 100.64.0.2"],
            "ipset:gone": ["add 10.0.0.1", "remove 10.0.0.0/8"],
            "ipset:more": [
                "add ipset:mix", "add host:six", "add 10.33.1.0-10.33.1.9", "remove host:one",
            ],
        },
        "postures": {
            "posture:linux": ["node:os == 'linux'"],
            "posture:good": ["node:os == 'linux'", "custom:ok == 'yes'"],
        },
    });
    set(&mut policy, "grants", grants.map(Value::from));
    set(&mut policy, "acls", acls.map(Value::from));
    policy
}

/// An entry of `ssh`.
fn ssh() -> impl Strategy<Value = Value> {
    let people: &'static [&str] = &[
        "odin@example.com",
        "thor@example.org",
        "user:*@example.com",
        "group:eng",
        "group:empty",
        "autogroup:member",
    ];
    let places: &'static [&str] = &["tag:a", "tag:b", "tag:unused", "autogroup:tagged"];
    let own: &'static [&str] = &["autogroup:self"];
    let to_own = (few(people, 2), mixed(&[own, places], 3), any::<bool>());
    let to_tags = (mixed(&[people, TAGS, &["autogroup:tagged"]], 3), few(places, 3), Just(false));
    let users = subsequence(
        vec!["root", "ubuntu", "autogroup:nonroot", "localpart:*@example.com", "tag:x"],
        1..=3,
    );
    let env = prop_oneof![2 => Just(Vec::new()), 1 => Just(vec!["GIT_*", "LANG"])];
    (prop_oneof![to_own, to_tags], users, env, postures()).prop_map(
        |((src, dst, check), users, env, postures)| {
            let action = if check { "check" } else { "accept" };
            let mut rule = json!({"action": action, "src": src, "dst": dst, "users": users});
            set(&mut rule, "acceptEnv", non_empty(&env));
            set(&mut rule, "srcPosture", non_empty(&postures));
            rule
        },
    )
}

/// An entry of `nodeAttrs`.
fn node_attr() -> impl Strategy<Value = Value> {
    let named: &'static [&str] = &[
        "*",
        "odin@example.com",
        "group:eng",
        "tag:a",
        "autogroup:member",
        "autogroup:tagged",
        "autogroup:admin",
        "autogroup:owner",
        "100.64.0.1",
        "100.64.0.0/30",
        "one",
        "six",
        "fd7a:115c:a1e0::1",
    ];
    let attr = subsequence(vec!["funnel", "nextdns:abc", "disable-ipv4", "ssh-env-vars"], 0..=2);
    (few(named, 2), attr).prop_map(|(target, attr)| json!({"target": target, "attr": attr}))
}

/// A policy of every section.
pub fn policies() -> impl Strategy<Value = Value> {
    let grants = prop::option::weighted(0.8, prop::collection::vec(grant(), 0..5));
    let acls = prop::option::weighted(0.8, prop::collection::vec(acl(), 0..4));
    let ssh = prop::collection::vec(ssh(), 0..4);
    let attrs = prop::collection::vec(node_attr(), 0..3);
    (grants, acls, ssh, attrs, prop::bool::weighted(0.05)).prop_map(
        |(grants, acls, ssh, attrs, by_default)| {
            let mut policy = policy(grants, acls);
            set(&mut policy, "ssh", Some(ssh.into()));
            set(&mut policy, "nodeAttrs", Some(attrs.into()));
            set(&mut policy, "defaultSrcPosture", by_default.then(|| json!(["posture:linux"])));
            policy
        },
    )
}

/// A node; its name and addresses come from its place in the list.
fn node() -> impl Strategy<Value = Value> {
    let owner = prop_oneof![
        1 => select(vec!["odin", "thor", "freya"]).prop_map(|it| json!({"user": it})),
        1 => subsequence(vec!["tag:a", "tag:b", "tag:c"], 1..=2).prop_map(|it| json!({"tags": it})),
    ];
    let routes = prop_oneof![1 => Just(Vec::new()), 1 => few(ROUTES, 3)];
    let families =
        select(vec![(true, true), (true, true), (true, true), (true, false), (false, true)]);
    let created = select(vec![None, Some("2024-05-01T00:00:00Z"), Some("2025-01-01T00:00:00Z")]);
    let os = select(vec![None, Some("linux"), Some("linux"), Some("macos")]);
    let ok = select(vec![None, Some(json!("yes")), Some(json!("no")), Some(Value::Null)]);
    let lost = select(vec![0, 0, 0, 1, 2]);
    (owner, routes, families, created, os, ok, lost).prop_map(
        |(mut node, routes, (v4, v6), created, os, ok, lost)| {
            // A route may be advertised only, or approved only; either has no effect.
            let all = routes.len();
            set(
                &mut node,
                "routableIPs",
                non_empty(routes.get(..all - all.min(lost / 2)).unwrap_or_default()),
            );
            set(
                &mut node,
                "approvedRoutes",
                non_empty(routes.get(all.min(lost % 2)..).unwrap_or_default()),
            );
            set(&mut node, "created", created.map(Value::from));
            set(&mut node, "ipv4", v4.then(|| json!("100.64.0.")));
            set(&mut node, "ipv6", v6.then(|| json!("fd7a:115c:a1e0::")));
            let mut attributes = json!({});
            set(&mut attributes, "node:os", os.map(Value::from));
            set(&mut attributes, "custom:ok", ok);
            set(&mut node, "attributes", Some(attributes));
            node
        },
    )
}

/// Users with several devices, and routers.
pub fn inventories() -> impl Strategy<Value = Value> {
    prop::collection::vec(node(), 1..8).prop_map(|mut nodes| {
        for (at, node) in (1..).zip(&mut nodes) {
            for family in ["ipv4", "ipv6"] {
                let base = node.get(family).and_then(Value::as_str).map(str::to_owned);
                set(node, family, base.map(|it| json!(format!("{it}{at}"))));
            }
            set(node, "name", Some(json!(format!("n{at}"))));
        }
        json!({
            "users": [
                {"name": "odin", "email": "odin@example.com", "role": "owner"},
                {"name": "thor", "email": "thor@example.org", "role": "admin"},
                {"name": "freya", "email": "freya@example.com", "role": "auditor"},
            ],
            "nodes": nodes,
            "tailnet": {"domains": ["example.com"]},
        })
    })
}

/// A policy and a tailnet.
pub fn worlds() -> impl Strategy<Value = World> {
    (policies(), inventories()).prop_map(|(policy, inventory)| World { policy, inventory })
}

/// Selectors that a question or an invariant may speak of; some devices are behind each.
pub fn selectors() -> impl Strategy<Value = &'static str> {
    select(&[
        "tag:a",
        "tag:b",
        "tag:c",
        "group:eng",
        "odin@example.com",
        "autogroup:member",
        "autogroup:tagged",
        "autogroup:admin",
    ])
}
