//! A policy and its tailnet → the same under neutral names, to be shown to strangers.
//!
//! Users, groups, tags, devices, hosts, IP sets, postures, services and addresses get numbers; comments
//! are left out, because they say who people are. Who reaches whom stays as it is. What is written for
//! other programs stays as well: names of capabilities, attributes, users of hosts.
//!
//! [`tailnet::redact`](crate::tailnet::redact) does an inventory alone, and keeps less of it.

mod addresses;

use std::sync::Arc;

use ipnet::IpNet;
use rustc_hash::FxHashMap;

use crate::cst::{self, SyntaxKind, SyntaxNode, SyntaxTree};
use crate::policy::Policy;
use crate::span::Span;
use crate::tailnet::{Details, Facts, Node, Owner, Service, Settings, Tailnet, User};
use addresses::Addresses;

/// The same policy and tailnet.
#[derive(Clone, Debug)]
pub struct Neutral {
    /// The text of the policy, laid out anew where it is not broken.
    pub policy: String,
    /// The tailnet.
    pub tailnet: Option<Tailnet>,
}

/// Replaces all names. The same `seed` gives the same addresses; another gives others, so that whoever
/// knows one does not know all.
pub fn neutral(
    tree: &SyntaxTree,
    policy: &Policy,
    tailnet: Option<&Tailnet>,
    seed: u64,
) -> Neutral {
    let mut names = Names::default();
    if let Some(tailnet) = tailnet {
        names.learn_tailnet(tailnet);
    }
    names.learn_policy(policy);
    let mut words = Vec::new();
    collect(tree.root(), Where::Top, &mut words);
    let known = tailnet.into_iter().flat_map(known_nets);
    let texts = words.iter().filter_map(|it| it.0.string());
    names.addresses = Addresses::new(seed, known, texts.flat_map(|it| addresses::ranges(&it)));
    let text = rewrite(tree, &words, &names);
    Neutral {
        policy: cst::format(&text).unwrap_or(text),
        tailnet: tailnet.map(|it| names.tailnet(it)),
    }
}

fn known_nets(tailnet: &Tailnet) -> impl Iterator<Item = IpNet> + '_ {
    let own = tailnet.nodes().iter().flat_map(Node::addresses);
    own.map(IpNet::from)
}

/// In what part of a policy a string stands.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Where {
    /// The file itself, whose members are sections.
    Top,
    /// A section whose members have names of ours.
    Definitions,
    /// A place for selectors, hosts among them.
    Selectors,
    /// Everywhere else: a word there is a host's name by chance only.
    Elsewhere,
}

/// Sections that define or list names as members.
const DEFINITIONS: [&str; 8] =
    ["groups", "tagowners", "hosts", "ipsets", "postures", "autoapprovers", "routes", "services"];

/// Members whose values are selectors.
const SELECTORS: [&str; 9] =
    ["src", "dst", "accept", "deny", "check", "target", "exitnode", "via", "users"];

/// Every string that may have a name in it, and where it stands.
fn collect<'t>(node: SyntaxNode<'t>, at: Where, words: &mut Vec<(SyntaxNode<'t>, Where)>) {
    match node.kind() {
        SyntaxKind::String if at != Where::Top => words.push((node, at)),
        SyntaxKind::Object => {
            for member in node.members() {
                let name = member.name.string().unwrap_or_default().to_lowercase();
                if at == Where::Definitions && !DEFINITIONS.contains(&name.as_str()) {
                    words.push((member.name, Where::Selectors));
                }
                let below = match at {
                    Where::Top | Where::Definitions if DEFINITIONS.contains(&name.as_str()) => {
                        Where::Definitions
                    }
                    Where::Definitions => Where::Selectors,
                    // The users of SSH rules are those of hosts.
                    _ if name == "users" => Where::Elsewhere,
                    _ if SELECTORS.contains(&name.as_str()) => Where::Selectors,
                    _ => Where::Elsewhere,
                };
                if let Some(value) = member.value {
                    collect(value, below, words);
                }
            }
        }
        _ => {
            for value in node.values() {
                collect(value, at, words);
            }
        }
    }
}

/// The text with all strings replaced, and without comments.
fn rewrite(tree: &SyntaxTree, words: &[(SyntaxNode<'_>, Where)], names: &Names) -> String {
    let replaced = words.iter().filter_map(|(node, at)| {
        let old = node.string()?;
        let new = names.text(&old, *at == Where::Selectors);
        (new != old).then(|| (node.inner_span(), escaped(&new)))
    });
    let comments = tree.comments().map(|it| (it.span(), String::new()));
    let mut edits: Vec<(Span, String)> = replaced.chain(comments).collect();
    edits.sort_by_key(|it| it.0.start);
    let (mut text, mut done) = (String::with_capacity(tree.text().len()), 0);
    for (span, new) in edits {
        text.push_str(Span::new(done, span.start).of(tree.text()));
        text.push_str(&new);
        done = span.end;
    }
    text.push_str(Span::new(done, tree.text().len() as u32).of(tree.text()));
    text
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

/// New names for old ones; an old one always gets the same new one.
#[derive(Default)]
struct Names {
    /// Everything that is known by its name alone: `tag:nas`, `ada@example.com`.
    words: FxHashMap<Box<str>, Box<str>>,
    /// Names of hosts, which are words like others.
    hosts: FxHashMap<Box<str>, Box<str>>,
    domains: FxHashMap<Box<str>, Box<str>>,
    devices: FxHashMap<Box<str>, Box<str>>,
    counts: FxHashMap<&'static str, u32>,
    addresses: Addresses,
}

impl Names {
    fn next(&mut self, kind: &'static str) -> u32 {
        let count = self.counts.entry(kind).or_default();
        *count += 1;
        *count
    }

    fn word(&mut self, kind: &'static str, name: &str) {
        if self.words.contains_key(name) {
            return;
        }
        // headscale's users have names, which its policies write as `mira@`.
        if let Some(base) = name.strip_suffix('@') {
            return self.word(kind, base);
        }
        let number = self.next(kind);
        // A group that is synced keeps that it has a domain.
        let domain = name.rsplit_once('@').map(|it| format!("@{}", self.domain(it.1)));
        let new = format!("{kind}{number}{}", domain.unwrap_or_default());
        self.words.insert(name.into(), new.into());
    }

    /// How a person signs in is no secret and stays.
    fn domain(&mut self, domain: &str) -> Box<str> {
        if matches!(domain, "github" | "passkey") {
            return domain.into();
        }
        if let Some(known) = self.domains.get(domain) {
            return known.clone();
        }
        let new: Box<str> = match self.next("domain") {
            1 => "example.com".into(),
            number => format!("example{number}.com").into(),
        };
        self.domains.insert(domain.into(), new.clone());
        new
    }

    fn learn_tailnet(&mut self, tailnet: &Tailnet) {
        for domain in tailnet.domains().into_iter().flatten() {
            self.domain(domain);
        }
        for user in tailnet.users() {
            self.word("user", &user.login);
        }
        for node in tailnet.nodes() {
            let number = self.next("node");
            self.devices.insert((&*node.name).into(), format!("node{number}").into());
            if let Owner::Tags(tags) = &node.owner {
                tags.iter().for_each(|it| self.word("tag:t", it));
            }
        }
        for service in tailnet.services() {
            self.word("svc:s", &service.name);
        }
    }

    fn learn_policy(&mut self, policy: &Policy) {
        for it in &policy.groups {
            self.word("group:g", &it.name.value);
        }
        for it in &policy.tags {
            self.word("tag:t", &it.name.value);
        }
        for it in &policy.ipsets {
            self.word("ipset:i", &it.name.value);
        }
        for it in &policy.postures {
            self.word("posture:p", &it.name.value);
        }
        for it in &policy.services {
            self.word("svc:s", &it.value);
        }
        for it in &policy.logins {
            self.word("user", &it.value);
        }
        for it in &policy.domains {
            self.domain(&it.value);
        }
        for it in &policy.hosts {
            let number = self.next("host");
            self.hosts.insert((&*it.name.value).into(), format!("host{number}").into());
        }
    }

    /// A string of a policy: each of its words, between blanks and commas.
    fn text(&self, text: &str, hosts: bool) -> String {
        let mut new = String::with_capacity(text.len());
        for piece in text.split_inclusive([' ', ',']) {
            let word = piece.trim_end_matches([' ', ',']);
            new.push_str(&self.replace(word, hosts).unwrap_or_else(|| word.to_owned()));
            new.push_str(piece.get(word.len()..).unwrap_or_default());
        }
        new
    }

    /// A word, or one in front of ports or in front of another.
    fn replace(&self, word: &str, hosts: bool) -> Option<String> {
        let known = |it: &str| {
            let host = self.hosts.get(it).filter(|_| hosts);
            self.words.get(it).or(host).map(|it| it.to_string())
        };
        if let Some(new) = known(word).or_else(|| self.addresses.replace(word)) {
            return Some(new);
        }
        if let Some(new) = word.strip_suffix('@').and_then(|it| self.words.get(it)) {
            return Some(format!("{new}@"));
        }
        if let Some((before, domain)) = word.rsplit_once('@')
            && let Some(new) = self.domains.get(domain)
        {
            // `user:*@example.com`, `localpart:*@example.com`; anybody else at it is somebody new.
            let before = if before.ends_with('*') { before } else { "somebody" };
            return Some(format!("{before}@{new}"));
        }
        // `tag:nas:443`, `switch:80`, `posture:x` behind a word of its own.
        let (before, after) = word.rsplit_once(':')?;
        self.replace(before, hosts).map(|new| format!("{new}:{after}"))
    }

    fn tailnet(&self, tailnet: &Tailnet) -> Tailnet {
        let facts = tailnet.facts().without_gaps();
        let word = |it: &str| -> Arc<str> { self.words.get(it).map_or(it, |it| it).into() };
        let users = facts.users.iter().map(|it| {
            let login = word(&it.login);
            let name = login.split('@').next().unwrap_or_default();
            let name = if it.name == it.login { Arc::clone(&login) } else { name.into() };
            User { name, login: Arc::clone(&login), role: it.role }
        });
        let nodes = facts.nodes.iter().map(|it| Node {
            name: self.devices.get(&*it.name).map_or("node", |it| it).into(),
            ipv4: it.ipv4.map(|it| self.addresses.of_v4(it)),
            ipv6: it.ipv6.map(|it| self.addresses.of_v6(it)),
            owner: match &it.owner {
                Owner::Tags(tags) => Owner::Tags(tags.iter().map(|it| word(it)).collect()),
                other => other.clone(),
            },
            routes: it.routes.iter().map(|it| self.addresses.of_net(*it)).collect(),
            advertised: it.advertised.iter().map(|it| self.addresses.of_net(*it)).collect(),
            created: it.created,
            details: it.details.as_deref().map(|it| {
                Box::new(Details {
                    key_expiry: it.key_expiry,
                    os: it.os.clone(),
                    attributes: it.attributes.clone(),
                    online: it.online,
                    authorized: it.authorized,
                    ..Details::default()
                })
            }),
        });
        let services = facts.services.iter().map(|it| Service {
            name: word(&it.name),
            addresses: it.addresses.iter().map(|it| self.addresses.of(*it)).collect(),
        });
        let settings = Settings { display_name: None, ..facts.settings.clone() };
        Tailnet::new(Facts {
            users: users.collect(),
            nodes: nodes.collect(),
            services: services.collect(),
            domains: facts.domains.as_ref().map(|all| {
                all.iter().map(|it| self.domains.get(it).unwrap_or(it).clone()).collect()
            }),
            settings,
        })
    }
}
