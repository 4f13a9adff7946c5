//! Which of many node sets hold a given node, without asking each.
//!
//! Small sets are turned round once: each node gets the list of those that hold it. Sets that hold a
//! large share of all nodes stay as they are and are asked, which costs less than a list entry for
//! every node.

use super::node_set::NodeSet;
use crate::tailnet::NodeId;

/// Numbered node sets, by node.
#[derive(Debug)]
pub(super) struct Incidence {
    /// Where the list of each node begins in `narrow`; one more than there are nodes.
    starts: Vec<u32>,
    /// The numbers of the small sets, node by node, ascending for each.
    narrow: Vec<u32>,
    /// The numbers of the large sets, ascending.
    wide: Vec<u32>,
}

impl Incidence {
    /// Turns round the sets, which come in the order of their numbers.
    pub(super) fn new<'a>(
        sets: impl Iterator<Item = (u32, &'a NodeSet)> + Clone,
        universe: usize,
    ) -> Self {
        let is_wide = |set: &NodeSet| matches!(set, NodeSet::Many(..));
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
        Self { starts, narrow, wide }
    }

    /// The numbers of the sets that hold a node, ascending; `set` gives a set by its number.
    pub(super) fn of<'a>(
        &self,
        node: NodeId,
        set: impl Fn(u32) -> Option<&'a NodeSet>,
    ) -> Vec<u32> {
        let bound = |at: usize| self.starts.get(at).copied().unwrap_or_default() as usize;
        let narrow =
            self.narrow.get(bound(node.0 as usize)..bound(node.0 as usize + 1)).unwrap_or_default();
        let mut numbers = narrow.to_vec();
        let narrow_count = numbers.len();
        numbers.extend(self.wide.iter().filter(|it| set(**it).is_some_and(|it| it.contains(node))));
        if narrow_count > 0 && narrow_count < numbers.len() {
            numbers.sort_unstable();
        }
        numbers
    }

    /// The bytes it takes besides itself.
    pub(super) fn heap_bytes(&self) -> usize {
        (self.starts.len() + self.narrow.len() + self.wide.len()) * size_of::<u32>()
    }
}
