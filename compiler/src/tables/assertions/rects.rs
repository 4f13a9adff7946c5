//! What rules let through between the ends of an assertion, as rectangles: every one of some sources
//! to every one of some destinations. An assertion is about all pairs of its ends; rectangles say it
//! without going through the pairs.

use rustc_hash::FxHashSet;

use super::ends::{EndSet, Ends, Facts, Side};
use crate::ast::{Autogroup, PortRange, Protocol};
use crate::policy::ssh::local_part;
use crate::policy::{PostureId, Rule, Section, SshRule, SshUser, Target};
use crate::span::Spanned;
use crate::tables::ssh::owner;

pub(super) const OWN_DEVICES: Target = Target::Autogroup(Autogroup::OwnDevices);

/// Sources that reach destinations.
#[derive(Clone, Debug)]
pub(super) struct Rect {
    pub(super) src: EndSet,
    pub(super) dst: EndSet,
}

impl Rect {
    fn is_empty(&self) -> bool {
        self.src.is_empty() || self.dst.is_empty()
    }
}

/// Whether only what is certain counts, or also what the inventory leaves open.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Level {
    Certain,
    Possible,
}

/// The ends of an assertion and what its source is taken to be like.
#[derive(Clone, Debug)]
pub(super) struct Between<'e> {
    pub(super) src: &'e Ends,
    pub(super) dst: &'e Ends,
    /// For each posture of the policy, whether the source meets it.
    pub(super) met: &'e [bool],
}

/// What an assertion of `tests` sends.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Probe {
    /// `None` is TCP or UDP, whichever is let through.
    pub(super) protocol: Option<Protocol>,
    pub(super) port: u16,
    /// Whether that also means ICMP, as to headscale.
    pub(super) any_icmp: bool,
}

impl Probe {
    /// Whether a rule's protocol is the one; `None` there is TCP, UDP and ICMP.
    pub(super) fn has_protocol(self, protocol: Option<Protocol>) -> bool {
        match (self.protocol, protocol) {
            (None, None) => true,
            (None, Some(it)) => matches!(it, 6 | 17) || (self.any_icmp && matches!(it, 1 | 58)),
            (Some(it), None) => matches!(it, 1 | 6 | 17 | 58),
            (Some(one), Some(other)) => one == other,
        }
    }

    /// Whether the rule sends it on, as far as protocol and ports go, to its destination at `dst`.
    pub(super) fn passes(self, rule: &Rule, dst: usize) -> bool {
        let pairs = ports_of(rule, dst);
        pairs.into_iter().any(|(protocol, ports)| {
            self.has_protocol(protocol) && ports.iter().any(|it| it.contains(self.port))
        })
    }
}

/// The protocols and ports of a rule at one of its destinations.
pub(super) fn ports_of(rule: &Rule, dst: usize) -> Vec<(Option<Protocol>, &[PortRange])> {
    match rule.section {
        Section::Acls => {
            let ports = rule.dst.get(dst).and_then(|it| it.ports.as_deref());
            vec![(rule.protocol, ports.unwrap_or_default())]
        }
        Section::Grants => {
            rule.ip.iter().map(|it| (it.protocol, std::slice::from_ref(&it.ports))).collect()
        }
    }
}

impl Between<'_> {
    pub(super) fn meets(&self, postures: &[PostureId]) -> bool {
        let met = |it: &PostureId| self.met.get(it.0 as usize) == Some(&true);
        postures.is_empty() || postures.iter().any(met)
    }

    /// The ends among the sources that selectors stand for, by family. A posture that is not met
    /// leaves out devices, and nothing else.
    fn sources(
        &self,
        facts: &Facts<'_>,
        src: &[Spanned<Target>],
        postures: &[PostureId],
        level: Level,
    ) -> [EndSet; 2] {
        let mut sets = [EndSet::new(self.src.len()), EndSet::new(self.src.len())];
        for target in src {
            add_touched(&mut sets, self.src, facts, Side::Source, target.value, level);
        }
        if !self.meets(postures) {
            sets.iter_mut().for_each(|it| it.remove(self.src.devices()));
        }
        sets
    }

    /// What a rule lets through to its destination at `dst`, whatever the ports.
    pub(super) fn rects(
        &self,
        facts: &Facts<'_>,
        rule: &Rule,
        dst: usize,
        level: Level,
    ) -> Vec<Rect> {
        let Some(target) = rule.dst.get(dst).map(|it| it.target) else { return Vec::new() };
        let sources = || self.sources(facts, &rule.src, &rule.postures, level);
        if target == OWN_DEVICES {
            return self.own_devices(&sources());
        }
        // There are mostly fewer destinations than sources, and most rules have none of them.
        let mut sets = self.no_destinations();
        add_touched(&mut sets, self.dst, facts, Side::Destination, target, level);
        if sets.iter().all(EndSet::is_empty) {
            return Vec::new();
        }
        let rects = sources().into_iter().zip(sets).map(|(src, dst)| Rect { src, dst });
        rects.filter(|it| !it.is_empty()).collect()
    }

    fn no_destinations(&self) -> [EndSet; 2] {
        [EndSet::new(self.dst.len()), EndSet::new(self.dst.len())]
    }

    /// From callers to all devices of the same user.
    fn own_devices(&self, callers: &[EndSet; 2]) -> Vec<Rect> {
        let mut rects = Vec::new();
        for (user, devices) in self.dst.by_owner() {
            let Some(own) = self.src.owned_by(*user) else { continue };
            for (callers, family) in callers.iter().zip(self.dst.families()) {
                rects.push(Rect { src: own.and(callers), dst: devices.and(family) });
            }
        }
        rects.retain(|it| !it.is_empty());
        rects
    }

    /// Whom an SSH rule lets log in where, as one user of the host.
    pub(super) fn sessions(
        &self,
        facts: &Facts<'_>,
        rule: &SshRule,
        user: &str,
        level: Level,
    ) -> Vec<Rect> {
        if !rule.may_call(user) {
            return Vec::new();
        }
        let mut members = self.no_destinations();
        let mut others = rule.dst.iter().map(|it| it.value).filter(|it| *it != OWN_DEVICES);
        let spreads = others.clone().next().is_some() && rule.localparts().next().is_some();
        others.by_ref().for_each(|target| {
            add_touched(&mut members, self.dst, facts, Side::Source, target, level)
        });
        let members = either(members);
        let own = rule.dst.iter().any(|it| it.value == OWN_DEVICES);
        if members.is_empty() && !own && !spreads {
            return Vec::new();
        }
        let mut callers = either(self.sources(facts, &rule.src, &rule.postures, level));
        callers.keep(&self.called(facts, rule, user));
        let mut rects = Vec::new();
        if own {
            rects = self.own_devices(&[callers.clone(), callers.clone()]);
        }
        if spreads {
            rects.extend(self.spread(facts, rule, &callers, level));
        }
        rects.push(Rect { src: callers, dst: members });
        rects.retain(|it| !it.is_empty());
        rects
    }

    /// With a `localpart`, sources get the rule for themselves: from their user's devices, or where
    /// they are tagged from themselves alone.
    fn spread(
        &self,
        facts: &Facts<'_>,
        rule: &SshRule,
        callers: &EndSet,
        level: Level,
    ) -> Vec<Rect> {
        let mut named = self.no_destinations();
        for target in &rule.src {
            add_touched(&mut named, self.dst, facts, Side::Source, target.value, level);
        }
        let named = either(named);
        let mut rects = Vec::new();
        for (user, devices) in self.dst.by_owner() {
            if let Some(own) = self.src.owned_by(*user) {
                rects.push(Rect { src: own.and(callers), dst: devices.and(&named) });
            }
        }
        let tagged = |ends: &Ends, at: usize| {
            let node = ends.all.get(at).and_then(|it| it.node);
            node.filter(|it| owner(facts.tailnet, *it).is_none())
        };
        let known: FxHashSet<_> = named.iter().filter_map(|it| tagged(self.dst, it)).collect();
        for at in callers.iter() {
            let Some(node) = tagged(self.src, at).filter(|it| known.contains(it)) else { continue };
            let (mut src, mut dst) = (EndSet::new(self.src.len()), EndSet::new(self.dst.len()));
            src.insert(at);
            named
                .iter()
                .filter(|it| tagged(self.dst, *it) == Some(node))
                .for_each(|it| dst.insert(it));
            rects.push(Rect { src, dst });
        }
        rects
    }

    /// The sources whom a rule lets in as this user of the host, by their login where that decides.
    pub(super) fn called(&self, facts: &Facts<'_>, rule: &SshRule, user: &str) -> EndSet {
        let plain = rule.users.iter().any(|it| match &it.value {
            SshUser::Named(name) => **name == *user,
            SshUser::Nonroot => user != "root",
            SshUser::Localpart(_) => false,
        });
        if plain {
            return EndSet::all(self.src.len());
        }
        let dialect = facts.policy.file.dialect;
        let mut called = EndSet::new(self.src.len());
        for (id, devices) in self.src.by_owner() {
            let login = facts.tailnet.user(*id).map_or("", |it| &it.login);
            if rule.localparts().any(|it| local_part(login, it, dialect) == Some(user)) {
                called.add(devices);
            }
        }
        called
    }
}

fn add_touched(
    sets: &mut [EndSet; 2],
    ends: &Ends,
    facts: &Facts<'_>,
    side: Side,
    target: Target,
    level: Level,
) {
    let touch = ends.touch(facts, side, target);
    let touched = if level == Level::Certain { &touch.certain } else { touch.possible() };
    sets.iter_mut().zip(touched).for_each(|(set, more)| set.add_touched(more));
}

fn either([mut one, other]: [EndSet; 2]) -> EndSet {
    one.add(&other);
    one
}

/// The first pair of a source and a destination in none of the rectangles.
///
/// Destinations that the same rectangles hold are asked once.
pub(super) fn uncovered(between: &Between<'_>, rects: &[Rect]) -> Option<(usize, usize)> {
    let mut seen: FxHashSet<Vec<u32>> = FxHashSet::default();
    for dst in 0..between.dst.len() {
        let holding: Vec<u32> =
            (0..).zip(rects).filter(|(_, it)| it.dst.contains(dst)).map(|it| it.0).collect();
        let mut covered = EndSet::new(between.src.len());
        for rect in holding.iter().filter_map(|it| rects.get(*it as usize)) {
            covered.add(&rect.src);
        }
        if !seen.insert(holding) {
            continue;
        }
        if let Some(src) = covered.first_missing(between.src.len()) {
            return Some((src, dst));
        }
    }
    None
}

/// The first pair of a source and a destination in one of the rectangles.
pub(super) fn covered(rects: &[Rect]) -> Option<(usize, usize)> {
    let rect = rects.iter().find(|it| !it.is_empty())?;
    rect.src.iter().next().zip(rect.dst.iter().next())
}
