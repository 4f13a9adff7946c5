//! The access that rules give, as boxes: a source, a destination, a protocol, ports and postures;
//! and, for a box, a rule that gives all of it.
//!
//! Boxes of one source and destination lie together, sorted, so that looking for one that holds
//! another is a search and not a walk. A grant with `via` gives access through chosen routers only,
//! and a rule that opens everything would hold all others; neither is in the index.

use rustc_hash::{FxHashMap, FxHashSet};

use super::atoms::{Atoms, Side};
use crate::ast::{Autogroup, PortRange, Protocol};
use crate::policy::{PostureId, Rule, Target};

/// A rule with more boxes, or one behind so many boxes, is left out: fewer findings, never wrong ones.
const MAX_OF_RULE: usize = 4_096;
const MAX_OF_ALL: usize = 500_000;

/// At most so many protocols and lists of postures of one pair are told apart.
const MAX_STACKS: usize = 64;

/// A piece of what a rule gives.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flow {
    /// The rule, by its position.
    pub(super) rule: u32,
    /// Who, as an atom.
    pub(super) src: Target,
    /// Whom, as an atom.
    pub(super) dst: Target,
    /// `None` is the default: TCP, UDP and ICMP.
    pub(super) protocol: Option<Protocol>,
    /// The ports.
    pub(super) ports: PortRange,
    /// The number of the list of postures; 0 is none.
    pub(super) postures: u32,
}

/// Boxes of one source, destination, protocol and list of postures.
#[derive(Debug)]
struct Stack {
    protocol: Option<Protocol>,
    postures: u32,
    /// Before [`Stack::settle`] all boxes; then, for each first port, the two boxes of different
    /// rules that start there or before and reach furthest.
    steps: Vec<Step>,
}

#[derive(Clone, Copy, Debug)]
struct Step {
    first: u16,
    best: Reach,
    second: Option<Reach>,
}

/// How far a box goes.
#[derive(Clone, Copy, Debug)]
struct Reach {
    ports: PortRange,
    rule: u32,
}

/// Every box of a policy.
#[derive(Debug)]
pub(super) struct Access {
    /// The rules that open everything to everyone.
    pub(super) open: Vec<u32>,
    /// Whether no rule had to be left out for its size.
    pub(super) whole: bool,
    /// The flows of each rule, one list behind the other; see [`Access::of`].
    flows: Vec<Flow>,
    starts: Vec<u32>,
    pairs: FxHashMap<(Target, Target), Vec<Stack>>,
    sources: FxHashSet<Target>,
    destinations: FxHashSet<Target>,
}

impl Access {
    pub(super) fn new(rules: &[Rule], atoms: &Atoms<'_>) -> Self {
        let mut access = Self {
            open: Vec::new(),
            whole: true,
            flows: Vec::new(),
            starts: vec![0],
            pairs: FxHashMap::default(),
            sources: FxHashSet::default(),
            destinations: FxHashSet::default(),
        };
        let mut postures: FxHashMap<Vec<PostureId>, u32> = FxHashMap::default();
        postures.insert(Vec::new(), 0);
        for (rule, index) in rules.iter().zip(0..) {
            if opens_everything(rule) {
                access.open.push(index);
            } else if rule.via.is_empty() {
                let mut list = rule.postures.clone();
                list.sort_unstable();
                list.dedup();
                let next = postures.len() as u32;
                let postures = *postures.entry(list).or_insert(next);
                access.add(rule, index, postures, atoms);
            }
            access.starts.push(access.flows.len() as u32);
        }
        for flow in &access.flows {
            access.sources.insert(flow.src);
            access.destinations.insert(flow.dst);
            let stacks = access.pairs.entry((flow.src, flow.dst)).or_default();
            let reach = Reach { ports: flow.ports, rule: flow.rule };
            let step = Step { first: flow.ports.first, best: reach, second: None };
            let (protocol, postures) = (flow.protocol, flow.postures);
            let same = |it: &Stack| (it.protocol, it.postures) == (protocol, postures);
            match stacks.iter().position(same) {
                Some(at) => stacks.get_mut(at).into_iter().for_each(|it| it.steps.push(step)),
                None if stacks.len() == MAX_STACKS => {}
                None => stacks.push(Stack { protocol, postures, steps: vec![step] }),
            }
        }
        #[expect(clippy::iter_over_hash_type, reason = "each is settled by itself")]
        for stacks in access.pairs.values_mut() {
            stacks.iter_mut().for_each(Stack::settle);
        }
        access
    }

    fn add(&mut self, rule: &Rule, index: u32, postures: u32, atoms: &Atoms<'_>) {
        let src: Vec<Target> = rule.src.iter().map(|it| atoms.of(it.value)).collect();
        let boxes = || payload(rule).flat_map(|it| src.iter().map(move |src| (*src, it)));
        let room = MAX_OF_ALL.saturating_sub(self.flows.len()).min(MAX_OF_RULE);
        if boxes().take(room + 1).count() > room {
            self.whole = false;
            return;
        }
        self.flows.extend(boxes().map(|(src, (dst, protocol, ports))| Flow {
            rule: index,
            src,
            dst: atoms.of(dst),
            protocol,
            ports,
            postures,
        }));
    }

    /// What a rule gives; nothing for one that is left out.
    pub(super) fn of(&self, rule: usize) -> &[Flow] {
        let bounds = self.starts.get(rule).zip(self.starts.get(rule + 1));
        bounds.and_then(|(a, b)| self.flows.get(*a as usize..*b as usize)).unwrap_or_default()
    }

    /// Another rule that gives all of a flow. Of two that give the same, only the earlier does.
    pub(super) fn cover(&self, flow: &Flow, atoms: &Atoms<'_>) -> Option<u32> {
        let mut found = None;
        self.around((flow.src, flow.dst), atoms, |pair, stacks| {
            found = stacks.iter().find_map(|stack| {
                let protocols = stack.protocol == flow.protocol
                    || stack.protocol.is_none() && is_default(flow.protocol);
                let postures = stack.postures == flow.postures || stack.postures == 0;
                let same = pair == (flow.src, flow.dst)
                    && (stack.protocol, stack.postures) == (flow.protocol, flow.postures);
                stack.cover(flow, same).filter(|_| protocols && postures)
            });
            found.is_some()
        });
        found
    }

    /// A rule by which all of `src` reaches all of `dst` on some port; rules that open everything
    /// count.
    pub(super) fn reaches(&self, src: Target, dst: Target, atoms: &Atoms<'_>) -> Option<u32> {
        let mut found = self.open.first().copied();
        if found.is_none() {
            self.around((src, dst), atoms, |_, stacks| {
                let step = stacks.first().and_then(|it| it.steps.first());
                found = step.map(|it| it.best.rule);
                found.is_some()
            });
        }
        found
    }

    /// Hands every pair of source and destination that holds this one to `done`, until that says so.
    fn around(
        &self,
        (src, dst): (Target, Target),
        atoms: &Atoms<'_>,
        mut done: impl FnMut((Target, Target), &[Stack]) -> bool,
    ) {
        let holders = |atom, side, known: &FxHashSet<Target>| {
            let all = [atom].into_iter().chain(atoms.wider(atom, side));
            all.filter(|it| known.contains(it)).collect::<Vec<Target>>()
        };
        let destinations = holders(dst, Side::Dst, &self.destinations);
        for src in holders(src, Side::Src, &self.sources) {
            for dst in &destinations {
                let pair = (src, *dst);
                if self.pairs.get(&pair).is_some_and(|stacks| done(pair, stacks)) {
                    return;
                }
            }
        }
    }
}

impl Stack {
    fn settle(&mut self) {
        self.steps.sort_unstable_by_key(|it| (it.first, it.best.rule));
        let mut before: Option<Step> = None;
        for step in &mut self.steps {
            let own = step.best;
            if let Some(Step { best, second, .. }) = before {
                // What starts earlier keeps its place unless it is outdone.
                let further = |it: Reach| own.ports.last > it.ports.last;
                (step.best, step.second) = if own.rule == best.rule {
                    (if further(best) { own } else { best }, second)
                } else if further(best) {
                    (own, Some(best))
                } else if second.is_none_or(further) {
                    (best, Some(own))
                } else {
                    (best, second)
                };
            }
            before = Some(*step);
        }
    }

    /// A rule of which one box holds the flow. `same` says that the flow is itself in this stack.
    fn cover(&self, flow: &Flow, same: bool) -> Option<u32> {
        let behind = self.steps.partition_point(|it| it.first <= flow.ports.first);
        let step = self.steps.get(behind.checked_sub(1)?)?;
        let holds = |it: &Reach| {
            let earlier = !same || it.ports != flow.ports || it.rule < flow.rule;
            it.rule != flow.rule && it.ports.last >= flow.ports.last && earlier
        };
        [Some(step.best), step.second].into_iter().flatten().find(holds).map(|it| it.rule)
    }
}

/// Whether a protocol is among the default ones.
pub(super) const fn is_default(protocol: Option<Protocol>) -> bool {
    matches!(protocol, None | Some(1 | 6 | 17 | 58))
}

/// Each destination with each of its protocols and ranges of ports.
pub(super) fn payload(
    rule: &Rule,
) -> impl Iterator<Item = (Target, Option<Protocol>, PortRange)> + Clone + '_ {
    rule.dst.iter().flat_map(move |dst| {
        let of_acl = dst.ports.iter().flat_map(|it| it.iter());
        let of_acl = of_acl.map(move |it| (dst.target, rule.protocol, *it));
        let of_grant = rule.ip.iter().map(move |it| (dst.target, it.protocol, it.ports));
        of_acl.chain(of_grant)
    })
}

/// Whether a rule lets any device reach any other on every port.
fn opens_everything(rule: &Rule) -> bool {
    let anybody = |it: Target| matches!(it, Target::Any | Target::Autogroup(Autogroup::DangerAll));
    rule.postures.is_empty()
        && rule.via.is_empty()
        && rule.src.iter().any(|it| anybody(it.value))
        && payload(rule).any(|it| it == (Target::Any, None, PortRange::ALL))
}

/// Whether a rule opens every port of one of its destinations.
pub(super) fn is_everything(rule: &Rule) -> bool {
    payload(rule).any(|(_, protocol, ports)| protocol.is_none() && ports == PortRange::ALL)
}
