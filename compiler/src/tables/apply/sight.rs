//! Who sees whom after a change that leaves all routes as they are.

use super::sets::Changed;
use super::*;

impl Tables<'_> {
    /// For each grant with `via`: the nodes that own one of its source's addresses.
    pub(super) fn via_owners(&self) -> Vec<NodeSet> {
        let sight = self.sight();
        let owners = |it: &ViaGrant| sight.row(self.sources.now(it.source));
        self.vias
            .iter()
            .map(|it| owners(it).map(|it| it.owners.clone()).unwrap_or_default())
            .collect()
    }

    /// Makes the rows of sources anew that other rules have than before, and brings all others up to
    /// date for the nodes concerned. None of these is a router or lies behind one, so a row covers
    /// them exactly where they own one of its addresses.
    pub(super) fn change_sight(
        &mut self,
        nodes: &[NodeId],
        changed: &Changed,
        old_owners: &[NodeSet],
    ) {
        let moved = &changed.log.moved;
        let renewed = self.rows(moved);
        let mut concerned = nodes.to_vec();
        concerned.extend(&changed.nodes);
        concerned.sort_unstable();
        concerned.dedup();
        let at: Vec<_> = concerned.iter().map(|it| (*it, self.sources_at(*it))).collect();
        let mut ids: Vec<SourceId> = self.sources.keys.iter().map(|it| it.now).collect();
        ids.extend(&changed.log.altered);
        ids.extend(at.iter().flat_map(|it| &it.1));
        ids.sort_unstable();
        ids.dedup();
        ids.retain(|it| moved.binary_search(it).is_err());

        let Tables { sight, sources, tailnet, vias, .. } = self;
        let Some(sight) = sight.get_mut() else { return };
        sight.rows.resize_with(sources.bound(), Default::default);
        for (id, new) in moved.iter().zip(renewed) {
            let Some(row) = sight.rows.get_mut(id.0 as usize) else { continue };
            sight.covering.replace(id.0, &row.covers, &new.covers);
            *row = new;
        }
        for id in ids {
            let Some(row) = sight.rows.get_mut(id.0 as usize) else { continue };
            let source = sources.get(id);
            for (node, at) in &at {
                row.receivers.set(*node, at.binary_search(&id).is_ok());
            }
            for node in nodes {
                let owner = source.is_owned_by(tailnet, *node);
                row.owners.set(*node, owner);
                if row.covers.set(*node, owner) {
                    sight.covering.change(id.0, *node, owner);
                }
            }
        }
        for ((via, number), old) in vias.iter().zip(0..).zip(old_owners) {
            if let Some(row) = sight.rows.get(sources.now(via.source).0 as usize) {
                sight.via_by_owner.replace(number, old, &row.owners);
            }
        }
    }
}
