//! SSH rules and capability maps of every node, and whether an assertion of `tests` holds.
//!
//! SOURCE: docs/language.md, "SSH", "Node attributes" and "Assertions".

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{INTERNET, Node, Rule, World, list, texts};
use crate::addresses::overlap;

/// What every node has.
const BASELINE: [&str; 7] = [
    "https://tailscale.com/cap/file-sharing",
    "https://tailscale.com/cap/ssh",
    "https://tailscale.com/cap/tailnet-lock",
    "probe-udp-lifetime",
    "ssh-behavior-v1",
    "ssh-env-vars",
    "store-appc-routes",
];

impl World<'_> {
    /// `sshRules`: the lines that check, then the lines that accept.
    pub(super) fn ssh(&self, at: usize) -> Vec<Value> {
        let mut lines = [Vec::new(), Vec::new()];
        for rule in list(&self.policy["ssh"]) {
            let place = usize::from(rule["action"] == "accept");
            for callers in self.callers(at, rule) {
                lines[place].extend(self.emit(rule, &callers));
            }
        }
        lines.concat()
    }

    /// Whose sessions a rule lets in at a node, with repeats: perhaps the owner's own devices, then
    /// perhaps everybody it names.
    fn callers(&self, at: usize, rule: &Value) -> Vec<Vec<usize>> {
        let node = &self.nodes[at];
        let own = texts(&rule["srcPosture"]);
        let postures = if own.is_empty() { texts(&self.policy["defaultSrcPosture"]) } else { own };
        let mut src = Vec::new();
        for selector in texts(&rule["src"]) {
            for it in self.members(&selector) {
                let times =
                    if selector == "autogroup:tagged" { self.nodes[it].tags.len() } else { 1 };
                let meets = self.meets(&self.nodes[it], &postures);
                src.extend(std::iter::repeat_n(it, if meets { times } else { 0 }));
            }
        }
        let of_owner = |src: &[usize]| {
            let same = |it: &usize| node.login.is_some() && self.nodes[*it].login == node.login;
            src.iter().copied().filter(same).collect::<Vec<_>>()
        };
        let dst = texts(&rule["dst"]);
        let localpart = texts(&rule["users"]).iter().any(|it| it.starts_with("localpart:*@"));
        let mut callers = Vec::new();
        if dst.iter().any(|it| it == "autogroup:self") {
            callers.push(of_owner(&src));
        }
        let mut others = dst.iter().filter(|it| *it != "autogroup:self").peekable();
        let some = others.peek().is_some();
        if others.any(|it| self.members(it).contains(&at)) {
            callers.push(src);
        } else if some && localpart && src.contains(&at) {
            callers.push(match node.login {
                Some(_) => of_owner(&src),
                None => src.into_iter().filter(|it| *it == at).collect(),
            });
        }
        callers.retain(|it| !it.is_empty());
        callers
    }

    fn emit(&self, rule: &Value, callers: &[usize]) -> Vec<Value> {
        let mut users: BTreeMap<String, String> = BTreeMap::from([("root".into(), "".into())]);
        let mut domains = Vec::new();
        for user in texts(&rule["users"]) {
            match user.strip_prefix("localpart:*@") {
                Some(domain) => domains.push(domain.to_owned()),
                None if user == "autogroup:nonroot" => _ = users.insert("*".into(), "=".into()),
                None => _ = users.insert(user.clone(), user),
            }
        }
        if domains.is_empty() {
            return vec![self.line(rule, callers, json!(users))];
        }
        let mut lines = Vec::new();
        for login in ["odin@example.com", "thor@example.org", "freya@example.com"] {
            let own = |it: &usize| self.nodes[*it].login.as_deref() == Some(login);
            let own: Vec<usize> = callers.iter().copied().filter(own).collect();
            if own.is_empty() {
                continue;
            }
            lines.push(self.line(rule, &own, json!(users)));
            let (name, domain) = login.split_once('@').unwrap();
            if domains.iter().any(|it| it == domain) {
                lines.push(self.line(rule, &own, json!({name: name})));
            }
        }
        let tagged = |it: &usize| self.nodes[*it].login.is_none();
        let tagged: Vec<usize> = callers.iter().copied().filter(tagged).collect();
        if !tagged.is_empty() {
            lines.push(self.line(rule, &tagged, json!(users)));
        }
        lines
    }

    fn line(&self, rule: &Value, callers: &[usize], users: Value) -> Value {
        let mut addresses = self.addresses(callers);
        addresses.sort_unstable();
        let principals: Vec<Value> = addresses.iter().map(|it| json!({"nodeIP": it})).collect();
        let action = match rule["action"].as_str() {
            Some("accept") => json!({
                "accept": true,
                "allowAgentForwarding": true,
                "allowLocalPortForwarding": true,
                "allowRemotePortForwarding": true,
            }),
            _ => {
                json!({"holdAndDelegate": "https://unused/machine/ssh/action/$SRC_NODE_ID/to/$DST_NODE_ID?local_user=$LOCAL_USER"})
            }
        };
        let mut line = json!({"principals": principals, "sshUsers": users, "action": action});
        if !list(&rule["acceptEnv"]).is_empty() {
            line["acceptEnv"] = rule["acceptEnv"].clone();
        }
        line
    }

    /// Whether an entry of `nodeAttrs` names a node.
    fn is_target(&self, at: usize, entry: &Value) -> bool {
        texts(&entry["target"]).iter().any(|it| match self.literals(it) {
            Some(literals) => {
                let own = &self.nodes[at].addresses;
                literals.iter().any(|it| own.iter().any(|own| overlap(it, own)))
            }
            None => it == "*" || self.members(it).contains(&at),
        })
    }

    /// `capMap`.
    pub(super) fn cap_map(&self, at: usize) -> Value {
        let node = &self.nodes[at];
        let mut caps: Map<String, Value> =
            BASELINE.iter().map(|it| ((*it).to_owned(), Value::Null)).collect();
        let mut add = |name: &str| _ = caps.insert(name.to_owned(), Value::Null);
        if node.login.is_none() || node.role == "owner" {
            add("https://tailscale.com/cap/is-owner");
        }
        if node.login.is_some() && (node.role == "owner" || node.role == "admin") {
            add("https://tailscale.com/cap/is-admin");
        }
        let entries = list(&self.policy["nodeAttrs"]);
        for entry in entries.iter().filter(|it| self.is_target(at, it)) {
            for attr in texts(&entry["attr"]) {
                add(&attr);
                if attr == "funnel" {
                    add("https://tailscale.com/cap/funnel-ports?ports=443,8443,10000");
                    add("https://tailscale.com/cap/warn-funnel-no-https");
                }
            }
        }
        caps.into()
    }

    /// Whether a policy takes away the IPv4 address of a node.
    pub(super) fn is_only_ipv6(&self, at: usize) -> bool {
        let entries = list(&self.policy["nodeAttrs"]);
        entries.iter().any(|entry| {
            texts(&entry["attr"]).iter().any(|it| it == "disable-ipv4") && self.is_target(at, entry)
        })
    }

    /// Whether one destination of an entry of `tests` is reached from every device of its source, and
    /// whether from any. `None` where it stands for nobody.
    pub(super) fn reached(&self, test: &Value, dst: &str) -> Option<(bool, bool)> {
        let (host, port) = dst.rsplit_once(':').unwrap();
        let (from, to) = (self.subject(test["src"].as_str().unwrap()), self.subject(host));
        let port = port.parse().unwrap();
        let protocols = match test["proto"].as_str() {
            None => vec![6, 17],
            Some("tcp") => vec![6],
            Some(_) => vec![17],
        };
        let mut pairs = Vec::new();
        for src in &from {
            for dst in &to {
                let same = |one: &str, other: &str| one.contains(':') == other.contains(':');
                pairs.push(src.iter().any(|src| {
                    dst.iter().any(|dst| {
                        same(src, dst) && protocols.iter().any(|it| self.lets(src, dst, *it, port))
                    })
                }));
            }
        }
        (!pairs.is_empty()).then(|| (pairs.iter().all(|it| *it), pairs.iter().any(|it| *it)))
    }

    /// The addresses of each device, or the address, that a subject of an assertion stands for.
    fn subject(&self, subject: &str) -> Vec<Vec<String>> {
        match self.literals(subject) {
            Some(literals) => vec![literals],
            None => {
                self.members(subject).iter().map(|it| self.nodes[*it].addresses.clone()).collect()
            }
        }
    }

    /// Whether some rule lets a packet through, whoever would check it.
    fn lets(&self, src: &str, dst: &str, protocol: u64, port: u64) -> bool {
        let at = |address: &str| {
            self.nodes.iter().find(|it| it.addresses.iter().any(|it| it == address))
        };
        let everybody = json!({"src": ["*"], "dst": ["*:*"]});
        let allow_all = [Rule::acl(&everybody, &[])];
        self.rules.as_deref().unwrap_or(&allow_all).iter().any(|rule| {
            // No assertion here says what the source is like, so it meets no posture.
            let restricted = !rule.postures.is_empty() && at(src).is_some();
            let named = self.sources(&rule.src, &[]).iter().any(|it| it == "*" || overlap(it, src));
            let to = rule.units.iter().filter(|(number, _)| match number {
                Some(number) => *number == protocol,
                None => matches!(protocol, 6 | 17),
            });
            let mut to = to.flat_map(|it| &it.1);
            !restricted
                && to.any(|(selector, ports)| {
                    ports.iter().any(|it| it.0 <= port && port <= it.1)
                        && match &**selector {
                            "*" => named,
                            "autogroup:internet" => {
                                named && INTERNET.iter().any(|it| overlap(it, dst))
                            }
                            "autogroup:self" => self.is_own(at(src), at(dst), rule),
                            other => {
                                let literals = self.literals(other);
                                let own = || self.addresses(&self.members(other));
                                named
                                    && literals
                                        .unwrap_or_else(own)
                                        .iter()
                                        .any(|it| overlap(it, dst))
                            }
                        }
                })
        })
    }

    /// Whether both are devices of one user, whom the rule names.
    fn is_own(&self, src: Option<&Node>, dst: Option<&Node>, rule: &Rule) -> bool {
        let (Some(src), Some(dst)) = (src, dst) else { return false };
        let caller = |it: &usize| self.nodes[*it].name == src.name;
        let named = |it: &String| it == "*" || self.members(it).iter().any(caller);
        src.login.is_some() && src.login == dst.login && rule.src.iter().any(named)
    }
}

/// For each entry of `tests`, whether each of its destinations is reached as demanded; `None` where
/// it stands for nobody.
pub fn assertions(policy: &Value, inventory: &Value) -> Vec<Vec<Option<bool>>> {
    let world = World::new(policy, inventory);
    let holds = |test: &Value| {
        let accept = texts(&test["accept"]).into_iter().map(|it| (true, it));
        let deny = texts(&test["deny"]).into_iter().map(|it| (false, it));
        let each = accept.chain(deny).map(|(accept, dst)| {
            world.reached(test, &dst).map(|(all, any)| if accept { all } else { !any })
        });
        each.collect()
    };
    list(&policy["tests"]).iter().map(holds).collect()
}
