//! Nodes by name: a table of ids without copies of the names.

use std::hash::BuildHasher;

use rustc_hash::FxBuildHasher;

use super::{Node, NodeId};

/// Ids of nodes, found by the hash of their names; the names themselves stay with the nodes.
#[derive(Clone, Debug, Default)]
pub(super) struct NameTable {
    /// A power of two, at most half full, so that the search for a name soon meets a gap.
    slots: Vec<u32>,
    /// How many slots are not free.
    used: usize,
}

impl NameTable {
    /// A slot that nobody has. INVARIANT: no node has this id or the next, an inventory being below
    /// 4 GiB.
    const FREE: u32 = u32::MAX;

    /// A slot whose node left; a search goes on behind it.
    const LEFT: u32 = u32::MAX - 1;

    /// Enters all nodes; of two with one name the first, and the pair goes to `clashes`.
    pub(super) fn new(nodes: &[Node], clashes: &mut Vec<(NodeId, NodeId)>) -> Self {
        let slots = vec![Self::FREE; (nodes.len() * 2).next_power_of_two()];
        let mut table = Self { slots, used: nodes.len() };
        for (node, id) in nodes.iter().zip(0..).filter(|(node, _)| !node.has_left()) {
            match table.find(&node.name, nodes) {
                Ok(first) => {
                    let first = table.slots.get(first).copied();
                    clashes.extend(first.map(|it| (NodeId(it), NodeId(id))));
                }
                Err(free) => {
                    if let Some(slot) = table.slots.get_mut(free) {
                        *slot = id;
                    }
                }
            }
        }
        table
    }

    pub(super) fn get(&self, name: &str, nodes: &[Node]) -> Option<NodeId> {
        let slot = self.find(name, nodes).ok()?;
        self.slots.get(slot).copied().map(NodeId)
    }

    /// Enters a node whose name no other has.
    pub(super) fn add(&mut self, id: NodeId, nodes: &[Node]) {
        if (self.used + 1) * 2 > self.slots.len() {
            *self = Self::new(nodes, &mut Vec::new());
            return;
        }
        let free = nodes.get(id.0 as usize).and_then(|it| self.find(&it.name, nodes).err());
        if let Some(slot) = free.and_then(|it| self.slots.get_mut(it)) {
            *slot = id.0;
            self.used += 1;
        }
    }

    /// Takes a node out, which still has its name.
    pub(super) fn remove(&mut self, id: NodeId, nodes: &[Node]) {
        let known = nodes.get(id.0 as usize).and_then(|it| self.find(&it.name, nodes).ok());
        if let Some(slot) = known.and_then(|it| self.slots.get_mut(it)).filter(|it| **it == id.0) {
            *slot = Self::LEFT;
        }
    }

    /// The slot of the node with this name, or else the free one at which the search ended.
    fn find(&self, name: &str, nodes: &[Node]) -> Result<usize, usize> {
        let mask = self.slots.len().saturating_sub(1);
        // The high bits of the product are the well-mixed ones.
        let mut slot = (FxBuildHasher.hash_one(name) >> 20) as usize & mask;
        loop {
            match self.slots.get(slot) {
                None | Some(&Self::FREE) => return Err(slot),
                Some(&id) if nodes.get(id as usize).is_some_and(|it| &*it.name == name) => {
                    return Ok(slot);
                }
                Some(_) => slot = (slot + 1) & mask,
            }
        }
    }
}
