//! A tailnet of any size as texts: a policy and an inventory in the shape of a company.
//!
//! Where `ACLC_SHARED` (or `shared` beside the repository) has `workloads/generate.py`, that script
//! writes them, so that other programs can be measured on the very same bytes. Elsewhere the
//! generator below does: the same proportions, other random numbers.

use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

/// How large a tailnet is.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    pub(crate) nodes: usize,
    pub(crate) rules: usize,
    /// Whether everybody reaches their own devices, which makes every table differ.
    pub(crate) own_devices: bool,
}

/// Files in a folder of their own.
pub(crate) struct Workload {
    folder: tempfile::TempDir,
    pub(crate) policy: String,
    pub(crate) inventory: String,
}

impl Workload {
    pub(crate) fn new(size: Size) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the workload");
        if !by_script(size, folder.path()) {
            let (policy, inventory) = generate(size);
            std::fs::write(folder.path().join("policy.hujson"), policy).expect("the policy");
            std::fs::write(folder.path().join("inventory.json"), inventory).expect("the inventory");
        }
        let text = |name| std::fs::read_to_string(folder.path().join(name)).expect("a workload");
        Workload { policy: text("policy.hujson"), inventory: text("inventory.json"), folder }
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// The script that others measure with; `None` where there is none.
pub(crate) fn script() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let shared = std::env::var_os("ACLC_SHARED").map_or(beside, PathBuf::from);
    Some(shared.join("workloads/generate.py")).filter(|it| it.is_file())
}

fn by_script(size: Size, folder: &Path) -> bool {
    let Some(script) = script() else { return false };
    let mut command = Command::new("python3");
    command.arg(script).arg(folder);
    command.args(["--nodes", &size.nodes.to_string(), "--rules", &size.rules.to_string()]);
    if size.own_devices {
        command.arg("--self");
    }
    command.status().is_ok_and(|it| it.success())
}

/// Numbers that look random and are the same in each run (xorshift).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % bound.max(1)
    }

    pub(crate) fn of<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())].clone()
    }

    /// Some of a list, each at most once.
    fn some<T: Clone + Ord>(&mut self, all: &[T], count: usize) -> Vec<T> {
        let mut chosen: Vec<T> = (0..count).map(|_| self.of(all)).collect();
        chosen.sort_unstable();
        chosen.dedup();
        chosen
    }
}

const PORTS: [&str; 10] =
    ["22", "80", "443", "53", "3000-3010", "5432", "6443", "8080", "9090-9100", "27017"];

fn generate(size: Size) -> (String, String) {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let names = |prefix: &str, count: usize| -> Vec<String> {
        (0..count).map(|it| format!("{prefix}{it:05}")).collect()
    };
    let users = names("user", (size.nodes * 4 / 10).max(3));
    let emails: Vec<String> = users.iter().map(|it| format!("{it}@example.com")).collect();
    let tags = names("tag:svc", ((size.nodes as f64).sqrt() as usize * 3).max(5));
    let groups = names("group:team", (users.len() / 25).max(3));
    let hosts: Vec<(String, String)> = (0..(size.nodes / 50).max(5))
        .map(|it| (format!("net{it:05}"), format!("10.{}.{}.0/24", it / 256 % 256, it % 256)))
        .collect();
    let mut nodes = Vec::new();
    for at in 0..size.nodes {
        let first = u32::from(Ipv4Addr::new(100, 64, 0, 1)) + at as u32;
        let kept_back = u32::from(Ipv4Addr::new(100, 115, 92, 0));
        let ipv4 = Ipv4Addr::from(if first >= kept_back { first + 512 } else { first });
        let ipv6 = Ipv6Addr::from(0xfd7a_115c_a1e0_u128 << 80 | (at as u128 + 1));
        let routes = match at {
            _ if at % 50 == 1 => vec![hosts[at / 50 % hosts.len()].1.clone()],
            _ if at % 500 == 3 => vec!["0.0.0.0/0".to_owned(), "::/0".to_owned()],
            _ => Vec::new(),
        };
        let mut node = json!({
            "name": format!("node{at:06}"), "ipv4": ipv4, "ipv6": ipv6,
            "routableIPs": routes, "approvedRoutes": routes,
        });
        if at % 2 == 1 {
            let count = if random.below(4) == 0 { 2 } else { 1 };
            node["tags"] = json!(random.some(&tags, count));
        } else {
            node["user"] = json!(users[at / 2 % users.len()]);
        }
        nodes.push(node);
    }
    let any_address = |random: &mut Random| {
        nodes[random.below(size.nodes)]["ipv4"].as_str().unwrap_or_default().to_owned()
    };
    let source = |random: &mut Random| match random.below(100) {
        0..70 => random.of(&groups),
        70..82 => random.of(&tags),
        82..92 => random.of(&emails),
        92..97 => any_address(random),
        _ => random.of(&["autogroup:member".to_owned(), "autogroup:tagged".to_owned()]),
    };
    let destination = |random: &mut Random| match random.below(100) {
        0..80 => random.of(&tags),
        80..90 => random.of(&hosts).0,
        90..97 => any_address(random),
        _ => random.of(&groups),
    };
    let (mut acls, mut grants) = (Vec::new(), Vec::new());
    if size.own_devices {
        acls.push(
            json!({"action": "accept", "src": ["autogroup:member"], "dst": ["autogroup:self:*"]}),
        );
    }
    acls.push(
        json!({"action": "accept", "src": ["autogroup:member"], "dst": ["autogroup:internet:*"]}),
    );
    while acls.len() + grants.len() < size.rules {
        let count = random.of(&[1, 1, 1, 2, 3]);
        let src: Vec<String> = (0..count).map(|_| source(&mut random)).collect();
        let count = random.of(&[1, 1, 2]);
        let dst: Vec<String> = (0..count).map(|_| destination(&mut random)).collect();
        let count = random.of(&[1, 1, 2, 3]);
        let ports = random.some(&PORTS, count);
        if random.below(2) == 0 {
            let ports = ports.join(",");
            let dst: Vec<String> = dst.iter().map(|it| format!("{it}:{ports}")).collect();
            let mut acl = json!({"action": "accept", "src": src, "dst": dst});
            if random.below(5) == 0 {
                acl["proto"] = json!(random.of(&["tcp", "udp"]));
            }
            acls.push(acl);
        } else {
            let ip: Vec<String> = ports
                .iter()
                .map(|it| if random.below(2) == 0 { format!("tcp:{it}") } else { (*it).to_owned() })
                .collect();
            grants.push(json!({"src": src, "dst": dst, "ip": ip}));
        }
    }
    let members = |random: &mut Random| {
        let count = 5 + random.below(41);
        random.some(&emails, count)
    };
    let sections = [
        ("groups", object(groups.iter().map(|it| (it.clone(), json!(members(&mut random)))))),
        ("tagOwners", object(tags.iter().map(|it| (it.clone(), json!([groups[0]]))))),
        ("hosts", object(hosts.into_iter().map(|(name, net)| (name, json!(net))))),
        ("acls", lines(['[', ']'], acls.iter().map(Value::to_string))),
        ("grants", lines(['[', ']'], grants.iter().map(Value::to_string))),
    ];
    let mut policy = "// A generated company tailnet.\n{\n".to_owned();
    for (name, body) in sections {
        let _ = write!(policy, "\t// {name}\n\t\"{name}\": {body},\n");
    }
    policy.push_str("}\n");
    let users: Vec<Value> = users
        .iter()
        .zip(emails)
        .enumerate()
        .map(|(at, (name, email))| {
            json!({"name": name, "email": email, "role": if at == 0 { "owner" } else { "member" }})
        })
        .collect();
    let inventory =
        json!({"users": users, "nodes": nodes, "tailnet": {"domains": ["example.com"]}});
    (policy, inventory.to_string())
}

fn object(members: impl Iterator<Item = (String, Value)>) -> String {
    lines(['{', '}'], members.map(|(name, value)| format!("{}: {value}", json!(name))))
}

/// One entry to a line, as people write it.
fn lines([open, close]: [char; 2], entries: impl Iterator<Item = String>) -> String {
    let mut text = format!("{open}\n");
    entries.for_each(|it| {
        let _ = writeln!(text, "\t\t{it},");
    });
    let _ = write!(text, "\t{close}");
    text
}
