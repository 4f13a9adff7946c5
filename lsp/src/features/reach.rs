//! How many sources and devices each rule is about: one pass over all rules, made when first asked for.

use compiler::tables::flows::To;
use compiler::tables::{Bits, Tables};
use compiler::tailnet::NodeId;

use super::words::count;

/// What each rule of a policy reaches.
#[derive(Debug, Default)]
pub struct Reaches(Vec<Reach>);

/// How much a rule is about.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Reach {
    /// Devices that are let in.
    pub sources: usize,
    /// Stretches of addresses that are let in besides: networks, other tailnets.
    pub source_networks: usize,
    /// Devices that are reached.
    pub devices: usize,
    /// Stretches of addresses that are reached behind routers.
    pub networks: usize,
    /// Whether the internet is reached.
    pub internet: bool,
    /// Whether everybody reaches only what is theirs.
    pub own: bool,
}

impl Reaches {
    /// Counts for every rule.
    pub(super) fn new(tables: &Tables<'_>) -> Self {
        let rules = tables.policy().rules.as_deref().unwrap_or_default().len();
        let nodes = tables.tailnet().nodes().len();
        let mut all = vec![Reach::default(); rules];
        // The flows of one rule stand together: its sets are made once and emptied.
        let mut open: Option<Open> = None;
        for flow in tables.flows() {
            let Some(rule) = flow.rule.map(|it| it as usize) else { continue };
            if open.as_ref().is_none_or(|it| it.rule != rule) {
                if let Some(done) = open.take() {
                    done.close(&mut all);
                }
                open = Some(Open::new(rule, nodes));
            }
            if let Some(open) = &mut open {
                open.add(tables, flow.source, &flow.to);
            }
        }
        if let Some(done) = open {
            done.close(&mut all);
        }
        Self(all)
    }

    /// What a rule reaches, by its position in the policy.
    pub fn of(&self, rule: usize) -> Option<Reach> {
        self.0.get(rule).copied()
    }
}

/// The sets of the rule that is being counted.
struct Open {
    rule: usize,
    sources: Bits,
    source_networks: usize,
    seen: Vec<compiler::tables::SourceId>,
    devices: Bits,
    networks: Vec<compiler::tables::ip_set::IpRange>,
    internet: bool,
    own: bool,
}

impl Open {
    fn new(rule: usize, nodes: usize) -> Self {
        Self {
            rule,
            sources: Bits::new(nodes),
            source_networks: 0,
            seen: Vec::new(),
            devices: Bits::new(nodes),
            networks: Vec::new(),
            internet: false,
            own: false,
        }
    }

    fn add(&mut self, tables: &Tables<'_>, source: compiler::tables::SourceId, to: &To<'_>) {
        if let To::Own(users) = to {
            self.own = true;
            for (source, nodes) in users {
                self.sources.add(&tables.source(*source).nodes);
                nodes.iter().for_each(|it| self.devices.insert(it.0));
            }
            return;
        }
        if !self.seen.contains(&source) {
            self.seen.push(source);
            let source = tables.source(source);
            self.sources.add(&source.nodes);
            self.source_networks += source.extra.iter().flat_map(|it| it.ranges()).count();
            if source.everybody.is_some() {
                tables.tailnet().node_ids().for_each(|it| self.sources.insert(it.0));
            }
        }
        match to {
            To::Own(_) => {}
            To::Nodes(nodes) | To::Everything(nodes) => self.devices.add(nodes),
            To::Behind(routers) => {
                for (router, ranges) in routers {
                    self.ranges(tables, ranges, |it| it == *router);
                }
            }
            To::Ranges(ranges, nodes) => self.ranges(tables, ranges, |it| nodes.contains(it)),
            To::Internet(exits) => self.internet |= !exits.is_empty(),
        }
    }

    fn ranges(
        &mut self,
        tables: &Tables<'_>,
        ranges: &[compiler::tables::ip_set::IpRange],
        is_among: impl Fn(NodeId) -> bool,
    ) {
        for range in ranges {
            let owner = tables.tailnet().node_at(range.first());
            match owner.filter(|it| range.first() == range.last() && is_among(*it)) {
                Some(owner) => self.devices.insert(owner.0),
                None => self.networks.push(*range),
            }
        }
    }

    fn close(mut self, all: &mut [Reach]) {
        self.networks.sort_unstable();
        self.networks.dedup();
        if let Some(slot) = all.get_mut(self.rule) {
            *slot = Reach {
                sources: self.sources.len(),
                source_networks: self.source_networks,
                devices: self.devices.len(),
                networks: self.networks.len(),
                internet: self.internet,
                own: self.own,
            };
        }
    }
}

impl Reach {
    /// "3 sources → 12 devices".
    pub fn sentence(self) -> String {
        let from = self.sources + self.source_networks;
        if self.own {
            return format!("{} → their own devices", count(self.sources, "source"));
        }
        let mut to = Vec::new();
        if self.devices > 0 {
            to.push(count(self.devices, "device"));
        }
        if self.networks > 0 {
            to.push(count(self.networks, "network"));
        }
        if self.internet {
            to.push("the internet".to_owned());
        }
        let to = if to.is_empty() { "no device".to_owned() } else { to.join(" and ") };
        format!("{} → {to}", count(from, "source"))
    }
}
