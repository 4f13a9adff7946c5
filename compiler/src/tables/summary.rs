//! How much there is: every table made once, counted and dropped.

use super::{Access, NodeId, Tables};

/// Counts over all tables of a tailnet.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Summary {
    /// Nodes.
    pub nodes: usize,
    /// Entries of `grants` and `acls`.
    pub rules: usize,
    /// Different sources among them.
    pub sources: usize,
    /// Lines of all tables.
    pub filter_rules: usize,
    /// Entries of `DstPorts` and `CapGrant` in all lines.
    pub destinations: usize,
    /// Pairs of nodes that see each other, each counted from both ends; `None` where they are too
    /// many to count.
    pub visible: Option<usize>,
    /// Bytes that interned sets and lists take.
    pub bytes: usize,
}

/// Whom each of so many nodes sees is counted; beyond it the count alone would take longer than all
/// tables. Chosen so that it stays below a second.
const MAX_COUNTED: usize = 20_000;

impl Tables<'_> {
    /// Makes every table and counts.
    pub fn summary(&self) -> Summary {
        self.prepare_all();
        let universe = self.tailnet.nodes().len();
        let ids = || self.tailnet.node_ids();
        let count = |id: NodeId| {
            let table = self.table(id);
            let destinations = table.rules.iter().map(|it| match &it.access {
                Access::Ports { dst, .. } => dst.len(),
                Access::Caps(grants) => grants.len(),
            });
            (table.rules.len(), destinations.sum::<usize>())
        };
        let (filter_rules, destinations) =
            sum(ids(), count, |one: (usize, usize), other| (one.0 + other.0, one.1 + other.1));
        let visible = (universe <= MAX_COUNTED)
            .then(|| sum(ids(), |id| self.visible(id).len(), |one: usize, other| one + other));
        Summary {
            nodes: self.tailnet.nodes().iter().filter(|it| !it.has_left()).count(),
            rules: self.policy.rules.as_ref().map_or(0, Vec::len),
            sources: self.sources.len(),
            filter_rules,
            destinations,
            visible,
            bytes: self.heap_bytes(),
        }
    }

    fn heap_bytes(&self) -> usize {
        let sets = self.reaches.iter().map(|it| size_of_val(it) + it.nodes.heap_bytes());
        let sets = sets.sum::<usize>();
        let delivery = self.delivery.get().map_or(0, |it| it.heap_bytes());
        let lists = size_of_val(&*self.units) + size_of_val(&*self.parts);
        let other = self.ssh().heap_bytes() + self.given().heap_bytes();
        self.sources.heap_bytes() + sets + delivery + lists + other
    }
}

/// Adds up over all nodes, on all cores where the feature is on.
#[cfg(feature = "parallel")]
fn sum<T: Default + Send>(
    ids: impl ExactSizeIterator<Item = NodeId>,
    each: impl Fn(NodeId) -> T + Sync,
    add: impl Fn(T, T) -> T + Sync + Send,
) -> T {
    use rayon::prelude::*;
    (0..ids.len() as u32)
        .into_par_iter()
        .with_min_len(64)
        .map(|id| each(NodeId(id)))
        .reduce(T::default, add)
}

/// Adds up over all nodes.
#[cfg(not(feature = "parallel"))]
fn sum<T: Default>(
    ids: impl ExactSizeIterator<Item = NodeId>,
    each: impl Fn(NodeId) -> T,
    add: impl Fn(T, T) -> T,
) -> T {
    ids.map(each).fold(T::default(), add)
}
