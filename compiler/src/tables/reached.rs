//! Which nodes packets may come from and go to at all, by any rule: what critics ask first.

use super::*;

impl Tables<'_> {
    /// The nodes that some rule lets somebody reach by packets, if `counts` says that its destination
    /// counts. A router is among them where only what lies behind it is reached.
    pub fn reached(&self, counts: impl Fn(&Origin<'_>, Target) -> bool) -> Bits {
        let mut reached = Bits::new(self.tailnet.nodes().len());
        let mut last = None;
        for (id, part) in (0..).map(PartId).zip(&self.parts) {
            let Some(unit) = self.units.get(part.unit as usize) else { continue };
            let packets = matches!(unit.payload, Payload::Ports(_));
            if !packets || self.is_silent(part) || !counts(&self.origin(id), part.target) {
                continue;
            }
            // Neighbouring parts often have one destination in common.
            if last.replace(part.reach) != Some(part.reach) {
                reached.add(self.nodes_of(part.reach));
            }
        }
        reached
    }

    /// The nodes that are a source of some rule.
    pub fn callers(&self) -> Bits {
        let mut callers = Bits::new(self.tailnet.nodes().len());
        let mut last = None;
        for unit in &self.units {
            // Units of one rule have their source in common.
            if last.replace(unit.source) != Some(unit.source) {
                callers.add(&self.source_of(unit).owners(&self.tailnet));
            }
        }
        callers
    }
}
