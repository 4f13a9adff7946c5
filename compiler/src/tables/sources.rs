//! The sources of rules: resolved once, interned, and rendered as text once.
//!
//! On the wire a source is a set of texts: addresses of nodes, literals as written, and what `*`
//! stands for. Nothing is merged or subsumed, so two sources are equal exactly when their texts are.
//! Here the addresses of nodes are kept as a set of nodes and the rest as a short list, in a form
//! that is unique for a set of texts: an address that a node owns stands in the list only when its
//! node's other address is missing.

use std::fmt::Write;
use std::net::IpAddr;
use std::sync::OnceLock;

use ipnet::IpNet;
use rustc_hash::FxHashMap;

use super::address::Addresses;
use super::everybody::Everybody;
use super::node_set::NodeSet;
use super::routes::{RouteId, Routes, nodes_in};
use crate::policy::{PostureId, Target};
use crate::tailnet::{NodeId, Tailnet};

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
        let extra = NodeSet::new(extra);
        let everybody = self.everybody.iter().map(Everybody::owners);
        NodeSet::union([&self.nodes, &extra].into_iter().chain(everybody))
    }

    /// Whether a node has one of its addresses itself.
    pub(super) fn is_owned_by(&self, tailnet: &Tailnet, id: NodeId) -> bool {
        self.nodes.contains(id)
            || self.everybody.as_ref().is_some_and(|it| it.owners().contains(id))
            || tailnet.node(id).is_some_and(|node| {
                node.addresses().any(|address| self.extra.iter().any(|it| it.contains(address)))
            })
    }

    /// An equal source that keeps no list of `*` alive.
    fn without_list(&self) -> Source {
        let everybody = self.everybody.as_ref().map(|_| Everybody::default());
        Source { nodes: self.nodes.clone(), everybody, extra: self.extra.clone() }
    }

    /// Whether a prefix shares an address with what it lists besides nodes and `*`.
    pub(super) fn leads_to(&self, net: IpNet) -> bool {
        self.extra.iter().flat_map(|it| it.ranges()).any(|it| it.overlaps(net.into()))
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

/// A list of selectors and postures as rules have them, by its position in the order in which they
/// are first met. The same list is the same key, whatever it stands for.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) struct KeyId(pub(super) u32);

/// What rules have as a source, and what it stands for now.
#[derive(Debug)]
pub(super) struct SourceKey {
    pub(super) targets: Box<[Target]>,
    pub(super) postures: Box<[PostureId]>,
    pub(super) now: SourceId,
}

/// All distinct sources of a policy on a tailnet.
#[derive(Debug, Default)]
pub(super) struct Sources {
    pub(super) keys: Vec<SourceKey>,
    all: Vec<Source>,
    /// How many keys and users' devices stand for each.
    uses: Vec<u32>,
    /// Places that nobody stands for.
    free: Vec<SourceId>,
    ids: FxHashMap<Source, SourceId>,
    /// The JSON text of each, made when it is first written.
    rendered: Vec<OnceLock<Box<str>>>,
    log: Log,
}

/// Which sources changed since the log was last taken.
#[derive(Debug, Default)]
pub(super) struct Log {
    /// Those that other keys stand for than before.
    pub(super) moved: Vec<SourceId>,
    /// Those that the same keys stand for, but have other nodes or addresses.
    pub(super) altered: Vec<SourceId>,
}

impl Log {
    /// Adds what changed later.
    pub(super) fn add(&mut self, later: Log) {
        self.moved.extend(later.moved);
        self.altered.extend(later.altered);
        self.put_in_order();
    }

    fn put_in_order(&mut self) {
        for list in [&mut self.moved, &mut self.altered] {
            list.sort_unstable();
            list.dedup();
        }
    }
}

impl Sources {
    /// What changed since this was last asked.
    pub(super) fn take_log(&mut self) -> Log {
        let mut log = std::mem::take(&mut self.log);
        log.put_in_order();
        log
    }

    /// The id of a source; one more use of it.
    pub(super) fn intern(&mut self, source: Source) -> SourceId {
        let known = self.ids.get(&source).copied();
        let id = known.or_else(|| self.free.pop()).unwrap_or(SourceId(self.all.len() as u32));
        let at = id.0 as usize;
        if at == self.all.len() {
            self.all.push(Source::default());
            self.uses.push(0);
            self.rendered.push(OnceLock::new());
        }
        if let Some(uses) = self.uses.get_mut(at) {
            *uses += 1;
        }
        if known.is_none() {
            self.put(id, source);
        }
        self.log.moved.push(id);
        id
    }

    /// One use less of a source.
    pub(super) fn release(&mut self, id: SourceId) {
        let Some(uses) = self.uses.get_mut(id.0 as usize) else { return };
        *uses = uses.saturating_sub(1);
        self.log.moved.push(id);
        if *uses == 0 {
            let gone = self.all.get_mut(id.0 as usize).map(std::mem::take);
            if let Some(gone) = gone {
                self.ids.remove(&gone);
            }
            self.free.push(id);
        }
    }

    /// The id of a source that takes the place of another; the same id where nobody else has the
    /// old one and nobody has the new one.
    pub(super) fn replace(&mut self, old: SourceId, new: Source) -> SourceId {
        if *self.get(old) == new {
            return old;
        }
        let alone = self.uses.get(old.0 as usize) == Some(&1);
        if alone && !self.ids.contains_key(&new) {
            let gone = self.all.get_mut(old.0 as usize).map(std::mem::take);
            if let Some(gone) = &gone {
                self.ids.remove(gone);
            }
            // Rules with an empty source reach nobody, so all is other than before.
            let flipped = new.is_empty() || gone.is_some_and(|it| it.is_empty());
            self.put(old, new);
            if flipped { &mut self.log.moved } else { &mut self.log.altered }.push(old);
            return old;
        }
        self.release(old);
        self.intern(new)
    }

    fn put(&mut self, id: SourceId, source: Source) {
        self.ids.insert(source.without_list(), id);
        if let Some(slot) = self.all.get_mut(id.0 as usize) {
            *slot = source;
        }
        self.forget_text(id);
    }

    /// What a key stands for now.
    pub(super) fn now(&self, key: KeyId) -> SourceId {
        self.keys.get(key.0 as usize).map_or(SourceId(u32::MAX), |it| it.now)
    }

    pub(super) fn get(&self, id: SourceId) -> &Source {
        static NOBODY: OnceLock<Source> = OnceLock::new();
        self.all.get(id.0 as usize).unwrap_or_else(|| NOBODY.get_or_init(Source::default))
    }

    /// How many ids there are, those that nobody stands for among them.
    pub(super) fn bound(&self) -> usize {
        self.all.len()
    }

    /// How many different sources there are.
    pub(super) fn len(&self) -> usize {
        self.all.len() - self.free.len()
    }

    /// Gives all sources with `*` the list that it stands for from now on.
    pub(super) fn set_everybody(&mut self, everybody: &Everybody) {
        for known in self.all.iter_mut().filter_map(|it| it.everybody.as_mut()) {
            *known = everybody.clone();
        }
    }

    /// What `*` stands for, where some source has it.
    pub(super) fn everybody(&self) -> Option<&Everybody> {
        self.keys.iter().find_map(|it| self.get(it.now).everybody.as_ref())
    }

    /// Gives up the text of a source, because an address in it changed.
    pub(super) fn forget_text(&mut self, id: SourceId) {
        if let Some(text) = self.rendered.get_mut(id.0 as usize) {
            *text = OnceLock::new();
        }
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
