//! Which of many node sets hold a given node, without asking each.
//!
//! Small sets are turned round once: each node gets the list of those that hold it. Sets that hold a
//! large share of all nodes stay as they are and are asked, which costs less than a list entry for
//! every node. When sets change, the few nodes concerned get lists of their own; a set that changes
//! in many nodes at once is asked from then on.

use rustc_hash::FxHashMap;

use super::node_set::NodeSet;
use crate::tailnet::NodeId;

/// Numbered node sets, by node.
#[derive(Debug)]
pub(super) struct Incidence {
    /// Where the list of each node begins in `narrow`; one more than there are nodes.
    starts: Vec<u32>,
    /// The numbers of the small sets, node by node, ascending for each.
    narrow: Vec<u32>,
    /// The numbers of the sets that are asked, ascending.
    wide: Vec<u32>,
    /// The lists of nodes that are no longer those in `narrow`.
    changed: FxHashMap<NodeId, Vec<u32>>,
    /// Whether a set that is asked may still be listed, from before it changed.
    widened: bool,
}

/// A set with more than this share of the nodes is asked.
const WIDE: usize = 32;

/// A set that changes in more nodes than this is asked from then on.
const MANY: usize = 1000;

impl Incidence {
    /// Turns round the sets, which come in the order of their numbers.
    pub(super) fn new<'a>(
        sets: impl Iterator<Item = (u32, &'a NodeSet)> + Clone,
        universe: usize,
    ) -> Self {
        let is_wide = |set: &NodeSet| set.len() * WIDE > universe.next_multiple_of(64);
        let mut starts = vec![0u32; universe + 1];
        for (_, set) in sets.clone().filter(|(_, set)| !is_wide(set)) {
            for node in set.iter() {
                if let Some(count) = starts.get_mut(node.0 as usize + 1) {
                    *count += 1;
                }
            }
        }
        let mut total = 0;
        for start in &mut starts {
            total += *start;
            *start = total;
        }
        let mut narrow = vec![0; total as usize];
        let mut next = starts.clone();
        let mut wide = Vec::new();
        for (number, set) in sets {
            if is_wide(set) {
                wide.push(number);
                continue;
            }
            for node in set.iter() {
                if let Some(at) = next.get_mut(node.0 as usize) {
                    if let Some(slot) = narrow.get_mut(*at as usize) {
                        *slot = number;
                    }
                    *at += 1;
                }
            }
        }
        Self { starts, narrow, wide, changed: FxHashMap::default(), widened: false }
    }

    /// The numbers of the sets that hold a node, ascending; `set` gives a set by its number.
    pub(super) fn of<'a>(
        &self,
        node: NodeId,
        set: impl Fn(u32) -> Option<&'a NodeSet>,
    ) -> Vec<u32> {
        let mut numbers = self.listed(node).to_vec();
        if self.widened {
            numbers.retain(|it| self.wide.binary_search(it).is_err());
        }
        let narrow_count = numbers.len();
        numbers.extend(self.wide.iter().filter(|it| set(**it).is_some_and(|it| it.contains(node))));
        if narrow_count > 0 && narrow_count < numbers.len() {
            numbers.sort_unstable();
        }
        numbers
    }

    fn listed(&self, node: NodeId) -> &[u32] {
        if let Some(list) = self.changed.get(&node) {
            return list;
        }
        let bound = |at: usize| self.starts.get(at).copied().unwrap_or_default() as usize;
        let (start, end) = (bound(node.0 as usize), bound(node.0 as usize + 1));
        self.narrow.get(start..end).unwrap_or_default()
    }

    /// Enters that a set took in a node, or lost one.
    pub(super) fn change(&mut self, number: u32, node: NodeId, member: bool) {
        if self.wide.binary_search(&number).is_ok() {
            return;
        }
        let mut list = self.listed(node).to_vec();
        match (list.binary_search(&number), member) {
            (Ok(at), false) => _ = list.remove(at),
            (Err(at), true) => list.insert(at, number),
            _ => return,
        }
        self.changed.insert(node, list);
    }

    /// Enters that a set is another from now on.
    pub(super) fn replace(&mut self, number: u32, old: &NodeSet, new: &NodeSet) {
        if old == new {
            return;
        }
        let differences = || {
            let lost = old.iter().filter(|it| !new.contains(*it)).map(|it| (it, false));
            lost.chain(new.iter().filter(|it| !old.contains(*it)).map(|it| (it, true)))
        };
        if differences().nth(MANY).is_none() {
            differences().for_each(|(node, member)| self.change(number, node, member));
        } else if let Err(at) = self.wide.binary_search(&number) {
            self.wide.insert(at, number);
            self.widened = true;
        }
    }

    /// The bytes it takes besides itself.
    pub(super) fn heap_bytes(&self) -> usize {
        (self.starts.len() + self.narrow.len() + self.wide.len()) * size_of::<u32>()
    }
}
