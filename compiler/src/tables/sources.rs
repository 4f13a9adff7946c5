//! The sources of rules: resolved once, interned, and rendered as text once.
//!
//! On the wire a source is a set of texts: addresses of nodes, literals as written, and what `*`
//! stands for. Nothing is merged or subsumed, so two sources are equal exactly when their texts are.
//! Here the addresses of nodes are kept as a set of nodes and the rest as a short list, in a form
//! that is unique for a set of texts: an address that a node owns stands in the list only when its
//! node's other address is missing.

use std::cell::OnceCell;
use std::fmt::Write;
use std::net::IpAddr;
use std::sync::OnceLock;

use rustc_hash::FxHashMap;

use super::address::{Addresses, NODES_V6};
use super::address_book::AddressBook;
use super::everybody::Everybody;
use super::ip_set::{IpRange, IpSet};
use super::members::Members;
use super::node_set::{Bits, NodeSet};
use super::posture::Qualified;
use super::routes::{RouteId, Routes, nodes_in};
use crate::ast::Autogroup;
use crate::policy::{Policy, PostureId, Target};
use crate::tailnet::{Node, NodeId, Tailnet};

/// An interned source.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct SourceId(pub(crate) u32);

/// Who a rule lets in.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct Source {
    /// All addresses of these nodes.
    pub nodes: NodeSet,
    /// What `*` stands for, where it is among the sources.
    pub everybody: Option<Everybody>,
    /// Everything else, sorted, without repeats. `*` here means every address there is
    /// (`autogroup:danger-all`).
    pub extra: Box<[Addresses]>,
}

impl Source {
    /// Whether it lets in nobody.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty() && self.everybody.is_none() && self.extra.is_empty()
    }

    /// Whether it has this address.
    pub fn contains(&self, tailnet: &Tailnet, address: IpAddr) -> bool {
        tailnet.node_at(address).is_some_and(|it| self.nodes.contains(it))
            || self.everybody.as_ref().is_some_and(|it| it.addresses().contains(address))
            || self.extra.iter().any(|it| it.contains(address))
    }

    /// Its entries in the order of the wire: sorted by the bytes of their text.
    pub fn in_text_order(&self, tailnet: &Tailnet) -> Vec<Addresses> {
        let mut entries: Vec<Addresses> = self.entries(tailnet).collect();
        entries.sort_by_cached_key(Addresses::to_string);
        entries
    }

    /// Its entries in no useful order: the addresses of the nodes, then the rest.
    pub(super) fn entries(&self, tailnet: &Tailnet) -> impl Iterator<Item = Addresses> {
        let nodes =
            self.nodes.iter().filter_map(|id| tailnet.node(id)).flat_map(|it| it.addresses());
        let everybody = self.everybody.iter().flat_map(|it| it.entries());
        nodes.map(Addresses::from).chain(everybody.chain(&self.extra).copied())
    }

    /// The nodes that have one of its addresses themselves.
    pub fn owners(&self, tailnet: &Tailnet) -> NodeSet {
        let ranges = self.extra.iter().flat_map(|it| it.ranges());
        let extra: Vec<u32> = ranges.flat_map(|it| nodes_in(tailnet, it)).map(|it| it.0).collect();
        if extra.is_empty() && self.everybody.is_none() {
            return self.nodes.clone();
        }
        let universe = tailnet.nodes().len();
        let extra = NodeSet::new(extra, universe);
        let everybody = self.everybody.iter().map(Everybody::owners);
        NodeSet::union([&self.nodes, &extra].into_iter().chain(everybody), universe)
    }

    /// The routes that share an address with it, but for `*`, which all routes do.
    pub fn routes(&self, routes: &Routes) -> Vec<RouteId> {
        let mut found: Vec<RouteId> = Vec::new();
        if routes.any_around() {
            found.extend(self.nodes.iter().flat_map(|it| routes.around(it)).map(|it| it.1));
        }
        for range in self.extra.iter().flat_map(|it| it.ranges()) {
            found.extend(routes.overlapping(range));
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// All distinct sources of a policy on a tailnet.
#[derive(Debug)]
pub(super) struct Sources {
    all: Vec<Source>,
    ids: FxHashMap<Source, SourceId>,
    /// The JSON text of each, made when it is first written.
    rendered: Vec<OnceLock<Box<str>>>,
}

impl Sources {
    pub(super) fn new() -> Self {
        Self { all: Vec::new(), ids: FxHashMap::default(), rendered: Vec::new() }
    }

    pub(super) fn intern(&mut self, source: Source) -> SourceId {
        if let Some(id) = self.ids.get(&source) {
            return *id;
        }
        let id = SourceId(self.all.len() as u32);
        self.all.push(source.clone());
        self.rendered.push(OnceLock::new());
        self.ids.insert(source, id);
        id
    }

    /// Ends interning: the index that finds equal sources is given up.
    pub(super) fn seal(&mut self) {
        self.ids = FxHashMap::default();
    }

    pub(super) fn get(&self, id: SourceId) -> &Source {
        static NOBODY: OnceLock<Source> = OnceLock::new();
        self.all.get(id.0 as usize).unwrap_or_else(|| NOBODY.get_or_init(Source::default))
    }

    pub(super) fn all(&self) -> &[Source] {
        &self.all
    }

    /// The source as a JSON list of strings; its texts need no escapes.
    pub(super) fn json(&self, tailnet: &Tailnet, id: SourceId) -> &str {
        let Some(cell) = self.rendered.get(id.0 as usize) else { return "[]" };
        cell.get_or_init(|| sorted_json(self.get(id).entries(tailnet), "\"", "\"").into())
    }

    /// The bytes that sets and texts take.
    pub(super) fn heap_bytes(&self) -> usize {
        let sets = self
            .all
            .iter()
            .map(|it| size_of::<Source>() + it.nodes.heap_bytes() + size_of_val(&*it.extra));
        let texts = self.rendered.iter().filter_map(OnceLock::get).map(|it| it.len());
        sets.sum::<usize>() + texts.sum::<usize>()
    }
}

/// Addresses as a JSON list, sorted by the bytes of their text; each stands between `before` and
/// `after`.
///
/// A large source has 100,000 addresses, so the texts are written one behind the other and sorted by
/// their first sixteen bytes, which decide nearly always.
pub(super) fn sorted_json(
    entries: impl Iterator<Item = Addresses>,
    before: &str,
    after: &str,
) -> String {
    let mut texts = String::new();
    let mut places: Vec<(u128, u32, u32)> = Vec::new();
    for address in entries {
        let start = texts.len();
        // Writing to a `String` cannot fail.
        let _ = write!(texts, "{address}");
        let mut key = [0; 16];
        let text = texts.as_bytes().get(start..).unwrap_or_default();
        key.iter_mut().zip(text).for_each(|(slot, byte)| *slot = *byte);
        places.push((u128::from_be_bytes(key), start as u32, texts.len() as u32));
    }
    let text = |(_, start, end): &(u128, u32, u32)| {
        texts.get(*start as usize..*end as usize).unwrap_or_default()
    };
    places.sort_unstable_by(|one, other| {
        one.0.cmp(&other.0).then_with(|| text(one).cmp(text(other)))
    });
    let around = before.len() + after.len() + 1;
    let mut json = String::with_capacity(texts.len() + places.len() * around + 2);
    json.push('[');
    for place in &places {
        if json.len() > 1 {
            json.push(',');
        }
        json.push_str(before);
        json.push_str(text(place));
        json.push_str(after);
    }
    json.push(']');
    json
}

/// Resolves the source lists of rules.
pub(super) struct Resolver<'a> {
    pub(super) policy: &'a Policy,
    pub(super) tailnet: &'a Tailnet,
    pub(super) members: Members<'a>,
    pub(super) routes: Routes,
    pub(super) book: AddressBook<'a>,
    /// Made when the first `*` is met.
    everybody: OnceCell<Everybody>,
    pub(super) qualified: Qualified,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(policy: &'a Policy, tailnet: &'a Tailnet) -> Self {
        let routes = Routes::new(tailnet, policy.file.dialect);
        Self {
            policy,
            tailnet,
            members: Members::new(policy, tailnet),
            book: AddressBook::new(policy, tailnet),
            everybody: OnceCell::new(),
            qualified: Qualified::default(),
            routes,
        }
    }

    /// The source that a list of selectors stands for, with only those nodes that certainly meet one
    /// of the postures.
    pub(super) fn source(
        &self,
        targets: impl Iterator<Item = Target> + Clone,
        postures: &[PostureId],
    ) -> Source {
        let everybody = Target::Autogroup(Autogroup::DangerAll);
        if targets.clone().any(|it| it == everybody) {
            let mut extra = vec![Addresses::Any];
            self.cut(&mut extra, postures);
            return Source { extra: extra.into(), ..Source::default() };
        }
        let universe = self.tailnet.nodes().len();
        let mut nodes = self.identities(targets.clone());
        let mut extra = Vec::new();
        let mut all = false;
        for target in targets {
            match target {
                Target::Any => all = true,
                _ => extra.extend(self.book.ranges(target).into_iter().map(Addresses::from)),
            }
        }
        let mut everybody = None;
        if all && postures.is_empty() {
            extra.extend(Everybody::owned(self.tailnet, &self.routes));
            everybody = Some(self.everybody().clone());
        } else if all {
            // The nodes that meet the posture stand here for themselves, and the routes stay.
            extra.extend(self.routes.all().iter().map(|it| Addresses::Net(it.net)));
            nodes = NodeSet::all(universe);
        }
        if !postures.is_empty() {
            let qualified = self.qualified.get(self.policy, self.tailnet, postures);
            let meeting = nodes.iter().filter(|it| qualified.certain.contains(*it));
            nodes = NodeSet::new(meeting.map(|it| it.0).collect(), universe);
            self.cut(&mut extra, postures);
        }
        extra.sort_unstable();
        extra.dedup();
        self.unique(Source { nodes, everybody, extra: extra.into() })
    }

    fn everybody(&self) -> &Everybody {
        self.everybody.get_or_init(|| Everybody::new(self.tailnet, &self.routes))
    }

    /// The nodes that selectors name by identity.
    fn identities(&self, targets: impl Iterator<Item = Target>) -> NodeSet {
        let sets: Vec<_> = targets.map(|it| self.members.of(it)).collect();
        NodeSet::union(sets.iter().map(|it| &**it), self.tailnet.nodes().len())
    }

    /// The nodes that a list of selectors names, of which nobody knows whether they meet one of the
    /// postures: the first few of them, and how many there are.
    pub(super) fn undecided(
        &self,
        targets: impl Iterator<Item = Target> + Clone,
        postures: &[PostureId],
        few: usize,
    ) -> (Vec<NodeId>, usize) {
        let qualified = self.qualified.get(self.policy, self.tailnet, postures);
        if qualified.unknown.is_empty() {
            return (Vec::new(), 0);
        }
        let everybody = Target::Autogroup(Autogroup::DangerAll);
        let mut named = Bits::new(self.tailnet.nodes().len());
        if targets.clone().any(|it| it == Target::Any || it == everybody) {
            named.add(&qualified.unknown);
        }
        named.add(&self.identities(targets.clone()));
        for range in targets.flat_map(|it| self.book.ranges(it)) {
            nodes_in(self.tailnet, range).for_each(|it| named.insert(it.0));
        }
        let unknown = || qualified.unknown.iter().filter(|it| named.contains(*it));
        (unknown().take(few).collect(), unknown().count())
    }

    /// A posture restricts nodes of this tailnet only: hosts behind routers and foreign addresses
    /// stay, so the nodes that fail are cut out of the addresses around them.
    ///
    /// SOURCE: docs/language.md, "Postures".
    fn cut(&self, extra: &mut Vec<Addresses>, postures: &[PostureId]) {
        if postures.is_empty() {
            return;
        }
        let qualified = self.qualified.get(self.policy, self.tailnet, postures);
        for addresses in std::mem::take(extra) {
            let mut failing = Vec::new();
            for range in addresses.ranges() {
                let nodes =
                    nodes_in(self.tailnet, range).filter(|it| !qualified.certain.contains(*it));
                let inside = nodes.filter_map(|it| self.tailnet.node(it)).flat_map(Node::addresses);
                failing.extend(inside.filter(|it| range.contains(*it)));
            }
            if failing.is_empty() {
                extra.push(addresses);
                continue;
            }
            let mut left = IpSet::default();
            addresses.ranges().for_each(|it| left.add(it));
            failing.into_iter().for_each(|it| left.remove(IpRange::of(it)));
            extra.extend(left.ranges().map(Addresses::from));
        }
    }

    /// Brings a source into the form that is unique for its texts; its `extra` is sorted.
    fn unique(&self, source: Source) -> Source {
        let Source { mut nodes, mut everybody, extra } = source;
        let mut extra = extra.into_vec();
        let listed = |it: &Addresses| extra.binary_search(it).is_ok();
        // Whoever lists all that `*` stands for has written `*`.
        if listed(&NODES_V6) && self.everybody().entries().iter().all(listed) {
            everybody = Some(self.everybody().clone());
        }
        if let Some(everybody) = &everybody {
            extra.retain(|it| everybody.entries().binary_search(it).is_err());
        }
        let owned = |it: &Addresses| self.tailnet.node_at(it.single()?);
        let mut whole: Vec<u32> = Vec::new();
        for id in extra.iter().filter_map(owned) {
            let listed = |it: IpAddr| extra.binary_search(&it.into()).is_ok();
            let node = self.tailnet.node(id);
            if node.is_some_and(|it| it.addresses().all(listed)) && !nodes.contains(id) {
                whole.push(id.0);
            }
        }
        if !whole.is_empty() {
            let universe = self.tailnet.nodes().len();
            nodes = NodeSet::union([&nodes, &NodeSet::new(whole, universe)].into_iter(), universe);
        }
        extra.retain(|it| owned(it).is_none_or(|id| !nodes.contains(id)));
        Source { nodes, everybody, extra: extra.into() }
    }
}
