//! The SSH rules of one node: who may log in there, as whom, and whether after a fresh login.
//!
//! As with packets, a rule goes to the nodes that it names and no node is asked twice: its sources
//! are resolved once and shared by all rules that name the same, and each rule has the set of nodes
//! that get something of it. A line of a table points at a source, or at a share of one; its text is
//! made once.
//!
//! SOURCE: docs/language.md, "SSH".

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::OnceLock;

use rustc_hash::FxHashMap;

use super::flows::SshFlow;
use super::incidence::Incidence;
use super::node_set::{Bits, NodeSet};
use super::resolver::Resolver;
use super::sources::sorted_json;
use super::*;
use crate::ast::SshAction;
use crate::policy::ssh::local_part;
use crate::policy::{PostureId, SshRule};

const OWN_DEVICES: Target = Target::Autogroup(Autogroup::OwnDevices);

/// The sources of an SSH rule, interned.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct SshSourceId(u32);

/// All SSH rules of one node, in the order of the control plane: those that ask for a fresh login
/// stand first, because a host takes the first that fits.
#[derive(Clone, Debug)]
pub struct SshTable<'t> {
    /// Whose it is.
    pub node: NodeId,
    /// The lines; none lets nobody log in.
    pub rules: Vec<SshLine<'t>>,
}

/// One line of an SSH table.
#[derive(Clone, Copy, Debug)]
pub struct SshLine<'t> {
    /// Who is let in.
    pub principals: Principals,
    /// As whom.
    pub logins: Logins<'t>,
    /// The rule that it comes from, which has the action and the environment.
    pub rule: &'t SshRule,
}

/// Nodes from which sessions are let in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Principals {
    /// Among these.
    pub source: SshSourceId,
    /// Those.
    pub share: Share,
}

/// A part of the nodes of a source.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Share {
    /// All of them.
    All,
    /// Those of one user.
    Of(UserId),
    /// Those with tags.
    Tagged,
    /// This one.
    One(NodeId),
}

/// Users of a host that a line lets in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Logins<'t> {
    /// Those that the rule names, and root only if it is named.
    OfRule,
    /// This one, called as the caller logs in.
    Localpart(&'t str),
}

/// The lowered section `ssh`.
#[derive(Debug, Default)]
pub(super) struct SshRules {
    sources: Vec<SshSource>,
    sets: Vec<NodeSet>,
    /// One for each rule that has sources and destinations, in the order of the file.
    entries: Vec<Entry>,
    /// Which entries reach each node; made when more than one table is asked for.
    delivery: OnceLock<Incidence>,
}

/// The nodes of a source, with repeats: a node stands in it once for each selector that names it,
/// and once for each of its tags under `autogroup:tagged`.
#[derive(Debug)]
struct SshSource {
    nodes: NodeSet,
    /// How often a node stands in it, where that is more than once; sorted by node.
    repeats: Vec<(NodeId, u32)>,
    /// The users of its nodes, in their order; made when a line for each is asked for.
    users: OnceLock<Box<[UserId]>>,
    /// The principals as JSON: of all nodes, and of those with tags.
    json: [OnceLock<Box<str>>; 2],
}

/// One rule.
#[derive(Clone, Copy, Debug)]
struct Entry {
    /// Its position in the policy.
    rule: u32,
    source: SshSourceId,
    /// The destinations other than `autogroup:self`, as a position among the sets.
    members: u32,
    /// The nodes that get a line of it.
    reach: u32,
    /// Whether `autogroup:self` is among its destinations.
    own: bool,
    /// Whether its sources get lines as well: the rule has a `localpart` and a destination that is
    /// not `autogroup:self`.
    spreads: bool,
}

/// Lowers the section.
pub(super) fn lower(resolver: &Resolver<'_>) -> SshRules {
    let mut lowering = Lowering {
        resolver,
        rules: SshRules::default(),
        sources: FxHashMap::default(),
        members: FxHashMap::default(),
        reaches: FxHashMap::default(),
        own_devices: FxHashMap::default(),
    };
    for (rule, position) in resolver.policy.ssh.iter().zip(0..) {
        let source = lowering.source(rule);
        if rule.dst.is_empty() || lowering.rules.source(source).is_none_or(|it| it.nodes.is_empty())
        {
            continue;
        }
        let others: Vec<Target> =
            rule.dst.iter().map(|it| it.value).filter(|it| *it != OWN_DEVICES).collect();
        let spreads = !others.is_empty() && rule.localparts().next().is_some();
        let own = others.len() < rule.dst.len();
        let members = lowering.members(others);
        let reach = lowering.reach(rule, source, members, spreads);
        lowering.rules.entries.push(Entry { rule: position, source, members, reach, own, spreads });
    }
    lowering.rules
}

struct Lowering<'r, 'a> {
    resolver: &'r Resolver<'a>,
    rules: SshRules,
    sources: FxHashMap<(Vec<Target>, Vec<PostureId>), SshSourceId>,
    members: FxHashMap<Vec<Target>, u32>,
    reaches: FxHashMap<(SshSourceId, u32, bool, bool), u32>,
    own_devices: FxHashMap<(Target, Vec<PostureId>), NodeSet>,
}

impl Lowering<'_, '_> {
    fn universe(&self) -> usize {
        self.resolver.tailnet.nodes().len()
    }

    fn source(&mut self, rule: &SshRule) -> SshSourceId {
        let key = (rule.src.iter().map(|it| it.value).collect(), rule.postures.clone());
        if let Some(id) = self.sources.get(&key) {
            return *id;
        }
        let source = self.source_anew(&key.0, &rule.postures);
        let id = SshSourceId(self.rules.sources.len() as u32);
        self.rules.sources.push(source);
        self.sources.insert(key, id);
        id
    }

    fn source_anew(&self, targets: &[Target], postures: &[PostureId]) -> SshSource {
        let mut sets: Vec<(Target, NodeSet)> =
            targets.iter().map(|it| (*it, self.meeting(*it, postures))).collect();
        // The largest set is taken as it is, so that a thousand rules from everybody and somebody
        // else do not go through everybody a thousand times.
        sets.sort_by_key(|(_, set)| Reverse(set.len()));
        let mut seen = Bits::new(self.universe());
        let mut repeats: BTreeMap<NodeId, u32> = BTreeMap::new();
        for (position, (target, set)) in sets.iter().enumerate() {
            let tagged = *target == Target::Autogroup(Autogroup::Tagged);
            for id in set.iter().filter(|_| position > 0 || tagged) {
                let tags = match self.resolver.tailnet.node(id).map(|it| &it.owner) {
                    Some(Owner::Tags(tags)) if tagged => tags.len() as u32,
                    _ => 1,
                };
                let more = tags - u32::from(!seen.contains(id));
                if more > 0 {
                    *repeats.entry(id).or_insert(1) += more;
                }
            }
            seen.add(set);
        }
        SshSource {
            nodes: seen.into_set(),
            repeats: repeats.into_iter().collect(),
            users: OnceLock::new(),
            json: [OnceLock::new(), OnceLock::new()],
        }
    }

    /// The nodes of a selector that meet one of the postures.
    fn meeting(&self, target: Target, postures: &[PostureId]) -> NodeSet {
        let Resolver { policy, tailnet, members, qualified, .. } = self.resolver;
        let nodes = members.of(target);
        if postures.is_empty() {
            return nodes;
        }
        let answers = qualified.get(policy, tailnet, postures);
        let meeting = nodes.iter().filter(|it| answers.certain.contains(*it)).map(|it| it.0);
        NodeSet::new(meeting.collect())
    }

    fn members(&mut self, targets: Vec<Target>) -> u32 {
        if let Some(set) = self.members.get(&targets) {
            return *set;
        }
        let sets: Vec<_> = targets.iter().map(|it| self.resolver.members.of(*it)).collect();
        let set = NodeSet::union(sets.iter());
        let set = self.keep(set);
        self.members.insert(targets, set);
        set
    }

    /// The destinations, and with them all devices of the callers themselves (`own`) or the callers.
    fn reach(&mut self, rule: &SshRule, source: SshSourceId, members: u32, spreads: bool) -> u32 {
        let own = rule.dst.iter().any(|it| it.value == OWN_DEVICES);
        if !own && !spreads {
            return members;
        }
        let key = (source, members, own, spreads);
        if let Some(set) = self.reaches.get(&key) {
            return *set;
        }
        let mut bits = Bits::new(self.universe());
        if let Some(set) = self.rules.sets.get(members as usize) {
            bits.add(set);
        }
        if own {
            for target in &rule.src {
                bits.add(&self.own_devices(target.value, &rule.postures));
            }
        }
        if let Some(source) = self.rules.source(source).filter(|_| spreads) {
            bits.add(&source.nodes);
        }
        let set = self.keep(bits.into_set());
        self.reaches.insert(key, set);
        set
    }

    /// All devices of the users who have one among the nodes of a selector.
    fn own_devices(&mut self, target: Target, postures: &[PostureId]) -> NodeSet {
        let key = (target, postures.to_vec());
        if let Some(set) = self.own_devices.get(&key) {
            return set.clone();
        }
        let tailnet = self.resolver.tailnet;
        let users = users_of(tailnet, &self.meeting(target, postures));
        let devices = users.iter().flat_map(|it| tailnet.nodes_of(*it)).map(|it| it.0);
        let set = NodeSet::new(devices.collect());
        self.own_devices.insert(key, set.clone());
        set
    }

    fn keep(&mut self, set: NodeSet) -> u32 {
        self.rules.sets.push(set);
        self.rules.sets.len() as u32 - 1
    }
}

impl SshSource {
    fn users(&self, tailnet: &Tailnet) -> &[UserId] {
        self.users.get_or_init(|| users_of(tailnet, &self.nodes).into())
    }

    fn count(&self, node: NodeId) -> u32 {
        match self.repeats.binary_search_by_key(&node, |it| it.0) {
            Ok(at) => self.repeats.get(at).map_or(1, |it| it.1),
            Err(_) => u32::from(self.nodes.contains(node)),
        }
    }
}

/// The users of some nodes, in their order.
fn users_of(tailnet: &Tailnet, nodes: &NodeSet) -> Vec<UserId> {
    let mut users: Vec<UserId> = nodes.iter().filter_map(|it| owner(tailnet, it)).collect();
    users.sort_unstable();
    users.dedup();
    users
}

/// The user of an untagged node.
pub(crate) fn owner(tailnet: &Tailnet, node: NodeId) -> Option<UserId> {
    match tailnet.node(node)?.owner {
        Owner::User(user) => Some(user),
        _ => None,
    }
}

fn is_tagged(tailnet: &Tailnet, node: NodeId) -> bool {
    tailnet.node(node).is_some_and(|it| matches!(it.owner, Owner::Tags(_)))
}

impl SshRules {
    fn source(&self, id: SshSourceId) -> Option<&SshSource> {
        self.sources.get(id.0 as usize)
    }

    fn set(&self, id: u32) -> Option<&NodeSet> {
        self.sets.get(id as usize)
    }

    fn has(&self, set: u32, node: NodeId) -> bool {
        self.set(set).is_some_and(|it| it.contains(node))
    }

    fn reach(&self, entry: &Entry) -> Option<&NodeSet> {
        self.set(entry.reach)
    }

    pub(super) fn prepare(&self, universe: usize) {
        self.delivery.get_or_init(|| {
            let sets = (0..).zip(&self.entries).filter_map(|(id, it)| Some((id, self.reach(it)?)));
            Incidence::new(sets, universe)
        });
    }

    /// The entries that reach a node, in the order of the file.
    fn at(&self, node: NodeId) -> Vec<&Entry> {
        match self.delivery.get() {
            Some(delivery) => {
                let entry = |id: u32| self.entries.get(id as usize);
                let ids = delivery.of(node, |id| entry(id).and_then(|it| self.reach(it)));
                ids.into_iter().filter_map(entry).collect()
            }
            None => self.entries.iter().filter(|it| self.has(it.reach, node)).collect(),
        }
    }

    /// Whose sessions an entry lets in at a node that it reaches: at most two shares of its source.
    fn shares(&self, entry: &Entry, tailnet: &Tailnet, node: NodeId) -> [Option<Share>; 2] {
        let own = owner(tailnet, node).map(Share::Of);
        let others = if self.has(entry.members, node) {
            Some(Share::All)
        } else if entry.spreads
            && self.source(entry.source).is_some_and(|it| it.nodes.contains(node))
        {
            own.or(Some(Share::One(node)))
        } else {
            None
        };
        [own.filter(|_| entry.own), others]
    }

    /// What each entry lets in, in the order of the file.
    pub(super) fn flows(&self) -> impl Iterator<Item = SshFlow<'_>> {
        self.entries.iter().filter_map(|it| {
            let (from, to) = (&self.source(it.source)?.nodes, self.set(it.members)?);
            Some(SshFlow { rule: it.rule, from, to, own: it.own, spreads: it.spreads })
        })
    }

    pub(super) fn heap_bytes(&self) -> usize {
        let sources = self.sources.iter().map(|it| {
            let texts = it.json.iter().filter_map(OnceLock::get).map(|it| it.len());
            let users = it.users.get().map_or(0, |it| size_of_val(&**it));
            it.nodes.heap_bytes() + size_of_val(&*it.repeats) + users + texts.sum::<usize>()
        });
        let sets = self.sets.iter().map(NodeSet::heap_bytes);
        let delivery = self.delivery.get().map_or(0, Incidence::heap_bytes);
        sources.sum::<usize>() + sets.sum::<usize>() + size_of_val(&*self.entries) + delivery
    }
}

impl<'a> Tables<'a> {
    /// The SSH table of one node.
    pub fn ssh_table(&self, node: NodeId) -> SshTable<'_> {
        let mut lines = [Vec::new(), Vec::new()];
        for entry in self.ssh().at(node) {
            let Some(rule) = self.policy.ssh.get(entry.rule as usize) else { continue };
            let [checks, accepts] = &mut lines;
            let lines = if rule.action.value == SshAction::Check { checks } else { accepts };
            for share in self.ssh().shares(entry, &self.tailnet, node).into_iter().flatten() {
                self.ssh_lines(rule, Principals { source: entry.source, share }, lines);
            }
        }
        SshTable { node, rules: lines.concat() }
    }

    /// The lines of a rule for some principals; with a `localpart`, each user has their own.
    fn ssh_lines<'t>(
        &'t self,
        rule: &'t SshRule,
        principals: Principals,
        lines: &mut Vec<SshLine<'t>>,
    ) {
        let Some(source) = self.ssh().source(principals.source) else { return };
        let line = |share, logins| SshLine {
            principals: Principals { source: principals.source, share },
            logins,
            rule,
        };
        let own = |user: &UserId| {
            self.tailnet.nodes_of(*user).iter().any(|it| source.nodes.contains(*it))
        };
        if rule.localparts().next().is_none() {
            let empty = matches!(principals.share, Share::Of(user) if !own(&user));
            if !empty {
                lines.push(line(principals.share, Logins::OfRule));
            }
            return;
        }
        let (users, tagged): (&[UserId], _) = match &principals.share {
            Share::Of(user) => (std::slice::from_ref(user), None),
            Share::All => {
                let tagged = source.nodes.iter().any(|it| is_tagged(&self.tailnet, it));
                (source.users(&self.tailnet), tagged.then_some(Share::Tagged))
            }
            share => (&[], Some(*share)),
        };
        for user in users.iter().filter(|it| own(it)) {
            lines.push(line(Share::Of(*user), Logins::OfRule));
            let login = self.tailnet.user(*user).map_or("", |it| &it.login);
            let name = rule.localparts().find_map(|it| local_part(login, it, self.dialect()));
            lines.extend(name.map(|it| line(Share::Of(*user), Logins::Localpart(it))));
        }
        lines.extend(tagged.map(|it| line(it, Logins::OfRule)));
    }

    /// The addresses of principals in no useful order; one that a source names twice stands twice.
    pub fn principals(&self, principals: Principals) -> Vec<IpAddr> {
        let Some(source) = self.ssh().source(principals.source) else { return Vec::new() };
        let nodes: Vec<NodeId> = match principals.share {
            Share::All => source.nodes.iter().collect(),
            Share::Of(user) => self.tailnet.nodes_of(user).to_vec(),
            Share::Tagged => {
                source.nodes.iter().filter(|it| is_tagged(&self.tailnet, *it)).collect()
            }
            Share::One(node) => vec![node],
        };
        let repeated = |id: NodeId| {
            let addresses = self.tailnet.node(id).into_iter().flat_map(Node::addresses);
            addresses.flat_map(move |it| (0..source.count(id)).map(move |_| it))
        };
        nodes.into_iter().flat_map(repeated).collect()
    }

    /// The principals as a JSON list, sorted by the bytes of their addresses.
    pub(super) fn write_principals(&self, principals: Principals, out: &mut String) {
        let text = || {
            let addresses = self.principals(principals).into_iter().map(Addresses::from);
            sorted_json(addresses, "{\"nodeIP\":\"", "\"}")
        };
        let cells = self.ssh().source(principals.source).map(|it| &it.json);
        match (principals.share, cells) {
            // All nodes that a rule reaches are told the same.
            (Share::All, Some([all, _])) => out.push_str(all.get_or_init(|| text().into())),
            (Share::Tagged, Some([_, tagged])) => {
                out.push_str(tagged.get_or_init(|| text().into()))
            }
            _ => out.push_str(&text()),
        }
    }

    /// The rule that decides a session from one node to another as a user of the host: the first one
    /// that fits, those that ask for a fresh login before the others. `None` refuses it.
    pub fn ssh_verdict(&self, src: NodeId, dst: NodeId, user: &str) -> Option<&'a SshRule> {
        let login = owner(&self.tailnet, src).and_then(|it| self.tailnet.user(it));
        let login = login.map(|it| &*it.login);
        let entries = self.ssh().at(dst);
        let fits = |entry: &Entry| {
            let rule = self.policy.ssh.get(entry.rule as usize)?;
            let source = self.ssh().source(entry.source).filter(|it| it.nodes.contains(src))?;
            let mut shares = self.ssh().shares(entry, &self.tailnet, dst).into_iter().flatten();
            let held = shares.any(|it| match it {
                Share::All => true,
                Share::Of(user) => owner(&self.tailnet, src) == Some(user),
                Share::Tagged => is_tagged(&self.tailnet, src),
                Share::One(node) => node == src,
            });
            (held && !source.nodes.is_empty() && rule.lets_in(self.dialect(), login, user))
                .then_some(rule)
        };
        let fitting: Vec<&SshRule> = entries.into_iter().filter_map(fits).collect();
        let check = fitting.iter().find(|it| it.action.value == SshAction::Check);
        check.or(fitting.first()).copied()
    }
}
