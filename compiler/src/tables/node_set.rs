//! A set of nodes: a sorted list where few are in it, a bitmap where many are.
//!
//! Which of the two is decided by the count alone, so equal sets are equal values and can be
//! interned. A tag on thirty of 100,000 devices costs 120 bytes, `autogroup:member` 12 kB.

use crate::tailnet::NodeId;

/// A set of nodes of one tailnet.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum NodeSet {
    /// Sorted, without repeats.
    Few(Box<[u32]>),
    /// A bit for each node, and how many are set.
    Many(Box<[u64]>, u32),
}

/// A list of 32-bit ids is smaller than a bitmap while at most this share of all nodes is in it.
const FEW: usize = 32;

/// Whether so many nodes are a list rather than a bitmap of `words`.
///
/// INVARIANT: every way to make a set asks here, with the same words for the same tailnet.
const fn is_few(count: usize, words: usize) -> bool {
    count * FEW <= words * 64
}

impl Default for NodeSet {
    fn default() -> Self {
        NodeSet::Few(Box::default())
    }
}

impl NodeSet {
    /// The set of `ids`, which are below `universe`, in any order and with repeats.
    pub fn new(mut ids: Vec<u32>, universe: usize) -> Self {
        ids.sort_unstable();
        ids.dedup();
        if is_few(ids.len(), universe.div_ceil(64)) {
            return NodeSet::Few(ids.into());
        }
        let mut bits = Bits::new(universe);
        ids.iter().for_each(|id| bits.insert(*id));
        NodeSet::Many(bits.0, ids.len() as u32)
    }

    /// Everything that is in one of the sets.
    pub fn union<'a>(sets: impl Iterator<Item = &'a NodeSet> + Clone, universe: usize) -> Self {
        let total: usize = sets.clone().map(NodeSet::len).sum();
        if is_few(total, universe.div_ceil(64)) {
            return NodeSet::new(sets.flat_map(NodeSet::iter).map(|it| it.0).collect(), universe);
        }
        let mut bits = Bits::new(universe);
        sets.for_each(|it| bits.add(it));
        bits.into_set()
    }

    /// Every node.
    pub fn all(universe: usize) -> Self {
        NodeSet::new((0..universe as u32).collect(), universe)
    }

    /// How many nodes are in it.
    pub fn len(&self) -> usize {
        match self {
            NodeSet::Few(ids) => ids.len(),
            NodeSet::Many(_, count) => *count as usize,
        }
    }

    /// Whether no node is in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether a node is in it.
    pub fn contains(&self, node: NodeId) -> bool {
        match self {
            NodeSet::Few(ids) => ids.binary_search(&node.0).is_ok(),
            NodeSet::Many(bits, _) => has(bits, node.0),
        }
    }

    /// The nodes, in the order of the inventory.
    pub fn iter(&self) -> impl Iterator<Item = NodeId> + '_ {
        let (few, many): (&[u32], &[u64]) = match self {
            NodeSet::Few(ids) => (ids, &[]),
            NodeSet::Many(bits, _) => (&[], bits),
        };
        few.iter().copied().chain(ones(many)).map(NodeId)
    }

    /// The bytes it takes besides itself.
    pub fn heap_bytes(&self) -> usize {
        match self {
            NodeSet::Few(ids) => size_of_val(&**ids),
            NodeSet::Many(bits, _) => size_of_val(&**bits),
        }
    }
}

/// A bitmap that grows by whole sets.
#[derive(Clone, Debug)]
pub struct Bits(Box<[u64]>);

impl Bits {
    /// An empty bitmap for nodes below `universe`.
    pub fn new(universe: usize) -> Self {
        Bits(vec![0; universe.div_ceil(64)].into())
    }

    /// Adds one node.
    pub fn insert(&mut self, node: u32) {
        if let Some(word) = self.0.get_mut(node as usize / 64) {
            *word |= 1 << (node % 64);
        }
    }

    /// Takes one node out.
    pub fn remove(&mut self, node: u32) {
        if let Some(word) = self.0.get_mut(node as usize / 64) {
            *word &= !(1 << (node % 64));
        }
    }

    /// Adds every node of a set.
    pub fn add(&mut self, set: &NodeSet) {
        match set {
            NodeSet::Few(ids) => ids.iter().for_each(|id| self.insert(*id)),
            NodeSet::Many(bits, _) => {
                self.0.iter_mut().zip(bits).for_each(|(word, more)| *word |= more)
            }
        }
    }

    /// Whether a node is in it.
    pub fn contains(&self, node: NodeId) -> bool {
        has(&self.0, node.0)
    }

    /// How many nodes are in it.
    pub fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Whether no node is in it.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// The nodes, in the order of the inventory.
    pub fn iter(&self) -> impl Iterator<Item = NodeId> + '_ {
        ones(&self.0).map(NodeId)
    }

    /// The same as a set.
    pub fn into_set(self) -> NodeSet {
        let count = self.len();
        if is_few(count, self.0.len()) {
            NodeSet::Few(ones(&self.0).collect())
        } else {
            NodeSet::Many(self.0, count as u32)
        }
    }
}

fn has(bits: &[u64], id: u32) -> bool {
    bits.get(id as usize / 64).is_some_and(|word| word >> (id % 64) & 1 == 1)
}

/// The positions of all set bits, ascending.
fn ones(words: &[u64]) -> impl Iterator<Item = u32> + '_ {
    words.iter().zip(0u32..).flat_map(|(word, index)| {
        let rest = |it: &u64| Some(*it & it.wrapping_sub(1)).filter(|it| *it != 0);
        let first = Some(*word).filter(|it| *it != 0);
        std::iter::successors(first, rest).map(move |it| index * 64 + it.trailing_zeros())
    })
}
