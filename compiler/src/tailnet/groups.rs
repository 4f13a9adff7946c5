//! The nodes of many groups (a tag's, a user's) in two flat lists.

use super::NodeId;

/// Lists of nodes, one after the other in a single list.
#[derive(Clone, Debug, Default)]
pub(super) struct Groups {
    /// Where each group starts; one more than there are groups.
    starts: Vec<u32>,
    nodes: Vec<NodeId>,
}

impl Groups {
    /// Sorts pairs of a group's number and a node into `count` groups; the order within is kept.
    pub(super) fn new(count: usize, pairs: &[(u32, NodeId)]) -> Self {
        let mut starts = vec![0_u32; count + 1];
        for (group, _) in pairs {
            if let Some(size) = starts.get_mut(*group as usize + 1) {
                *size += 1;
            }
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        let mut next = starts.clone();
        let mut nodes = vec![NodeId(0); sum as usize];
        for (group, id) in pairs {
            // A group beyond the count was not counted either, so its slot belongs to nobody.
            if *group as usize >= count {
                continue;
            }
            if let Some(position) = next.get_mut(*group as usize) {
                if let Some(slot) = nodes.get_mut(*position as usize) {
                    *slot = *id;
                }
                *position += 1;
            }
        }
        Self { starts, nodes }
    }

    /// The nodes of one group; none for a number beyond the count.
    pub(super) fn get(&self, group: u32) -> &[NodeId] {
        let bounds = self.starts.get(group as usize).zip(self.starts.get(group as usize + 1));
        bounds
            .and_then(|(start, end)| self.nodes.get(*start as usize..*end as usize))
            .unwrap_or(&[])
    }

    /// Adds an empty group behind all others.
    pub(super) fn add_group(&mut self) {
        self.starts.push(self.starts.last().copied().unwrap_or_default());
    }

    /// Adds a node to a group, or takes it out; nothing happens where it is so already.
    pub(super) fn set(&mut self, group: u32, id: NodeId, member: bool) {
        let Some(start) = self.starts.get(group as usize) else { return };
        let position = match (self.get(group).binary_search(&id), member) {
            (Ok(at), false) | (Err(at), true) => *start as usize + at,
            _ => return,
        };
        let later = self.starts.iter_mut().skip(group as usize + 1);
        if member {
            self.nodes.insert(position, id);
            later.for_each(|it| *it += 1);
        } else {
            self.nodes.remove(position);
            later.for_each(|it| *it -= 1);
        }
    }
}
