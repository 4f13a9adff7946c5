//! Invariants → whether they hold in every possible tailnet, or a flow that shows that they do not.
//!
//! *Never* and *only* ask for an intersection with some rule's boxes, *always* for what no rule's box
//! holds; both are exact (see [`super::region`]). A device meets any posture or none, any user holds
//! any role, and addresses are owned by nobody: what holds then holds in every tailnet.

use std::rc::Rc;

use super::access::{Conditions, Lowering};
use super::atom_set::{AtomId, AtomSet};
use super::diff::left_over;
use super::region::{Layer, Pairs, Protocols, Region};
use super::subject::{Subject, Unknown};
use super::universe::{Atom, Names, Universe};
use super::witness::{Flow, Witness};
use crate::ast::invariant::{Claim, Destination, Invariant};
use crate::ast::{Autogroup, PortRange, Protocol, Selector, Text};
use crate::policy::Valid;
use crate::span::Spanned;

/// What became of an invariant.
#[derive(Debug)]
pub struct Proof {
    /// What shows that it does not hold; `None` where it does.
    pub counterexample: Option<Counterexample>,
    /// Whether it holds only because it speaks of nobody: no device can be such a source, or such a
    /// destination.
    pub vacuous: bool,
}

/// A flow that an invariant forbids and the policy lets in, or the other way round.
#[derive(Debug)]
pub struct Counterexample {
    /// The box of such flows that was found first.
    pub region: Region,
    /// One of them, tried out; `None` where no inventory could show it, as for devices that are shared
    /// or users in groups that an identity provider defines.
    pub witness: Option<Witness>,
    /// The tag because of which the sender is meant, and that because of which the receiver is, where
    /// it is another than the one in the box.
    pub also: [Option<Text>; 2],
}

/// How many tags the devices of a possible tailnet have.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Tags {
    /// One at most.
    #[default]
    One,
    /// Any number. Such a device may do what any of its tags may, so two say all there is to say.
    Several,
}

/// A name in an invariant that the policy does not define.
pub type UnknownName = Spanned<Unknown>;

/// Some invariants against one policy.
#[derive(Debug)]
pub struct Prover<'p> {
    policy: Valid<'p>,
    /// All that policy and invariants tell apart.
    pub universe: Universe,
    /// The postures the policy asks for.
    pub conditions: Conditions,
    tags: Tags,
}

impl<'p> Prover<'p> {
    /// Prepares to judge these invariants over devices with so many tags.
    pub fn new<'i>(
        policy: Valid<'p>,
        invariants: impl Iterator<Item = &'i Invariant>,
        tags: Tags,
    ) -> Self {
        let mut names = Names::default();
        names.add_policy(policy.policy());
        for invariant in invariants {
            for selector in selectors(invariant) {
                if let Ok(subject) = Subject::of(policy.policy(), &selector.value) {
                    names.add_subject(policy.policy(), &subject);
                }
            }
        }
        let universe = Universe::new(names);
        Self { policy, universe, conditions: Conditions::of([policy.policy()]), tags }
    }

    /// The boxes of the policy, to judge invariants against.
    pub fn access(&self) -> Vec<Region> {
        Lowering::new(&self.universe, &self.conditions, self.policy.policy()).all()
    }

    /// Judges one invariant; `access` is [`Self::access`].
    ///
    /// Errors: every name in it that the policy does not define.
    pub fn prove(
        &self,
        invariant: &Invariant,
        access: &[Region],
    ) -> Result<Proof, Vec<UnknownName>> {
        let asked = self.asked(invariant)?;
        let vacuous = asked.is_empty();
        let found = match invariant.claim {
            // What is asked for is not among what rules give.
            Claim::Always => {
                let mut missing =
                    asked.iter().flat_map(|it| left_over(std::slice::from_ref(it), access));
                missing.next()
            }
            Claim::Never | Claim::Only => {
                let mut pairs =
                    access.iter().flat_map(|it| asked.iter().map(move |asked| (it, asked)));
                pairs.find_map(|(given, asked)| given.and(asked))
            }
        };
        let counterexample = found.map(|region| {
            let also = [None, None];
            let dropped = invariant.claim == Claim::Always;
            Counterexample { witness: self.witness(&region, &also, dropped), region, also }
        });
        let combined = || match self.tags {
            Tags::One => None,
            Tags::Several => self.combined(invariant, access),
        };
        Ok(Proof { counterexample: counterexample.or_else(combined), vacuous })
    }

    /// The boxes that an invariant speaks of; those of *only* have everybody else as senders.
    fn asked(&self, invariant: &Invariant) -> Result<Vec<Region>, Vec<UnknownName>> {
        let mut unknown = Vec::new();
        let [src, without] = &invariant.src;
        let mut senders = self.set(src, &mut unknown).minus(&self.set(without, &mut unknown));
        let except = self.set(&invariant.dst_except, &mut unknown);
        if invariant.claim == Claim::Only {
            senders = self.universe.everything().minus(&senders);
        }
        let senders = Rc::new(senders);
        let mut regions = Vec::new();
        for destination in &invariant.dst {
            let own = Selector::Autogroup(Autogroup::OwnDevices);
            let pairs = if destination.selector.value == own {
                let users = senders.and(self.universe.users()).minus(&except);
                Some(users).filter(|it| !it.is_empty()).map(|it| Pairs::Own(Rc::new(it)))
            } else {
                let dst = self.set(std::slice::from_ref(&destination.selector), &mut unknown);
                let dst = dst.minus(&except);
                let some = !senders.is_empty() && !dst.is_empty();
                some.then(|| Pairs::Product(Rc::clone(&senders), Rc::new(dst)))
            };
            let Some(pairs) = pairs else { continue };
            for ports in &destination.ports {
                regions.push(self.region(invariant.claim, destination, pairs.clone(), *ports));
            }
        }
        if unknown.is_empty() { Ok(regions) } else { Err(unknown) }
    }

    fn region(
        &self,
        claim: Claim,
        destination: &Destination,
        pairs: Pairs,
        ports: PortRange,
    ) -> Region {
        Region {
            layer: Layer::Network,
            pairs,
            postures: Rc::new(self.conditions.all()),
            protocols: protocols(claim, destination, ports),
            via: [].into(),
            ports,
            rule: None,
        }
    }

    /// What devices with two tags show against an invariant that holds for devices with one: such a
    /// device is meant because of one tag, and does or suffers what the other one may. With more access
    /// than with one tag, none can break an *always*.
    fn combined(&self, invariant: &Invariant, access: &[Region]) -> Option<Counterexample> {
        let mut unknown = Vec::new();
        let mut set = |selectors: &[Spanned<Selector>]| self.set(selectors, &mut unknown);
        let [asked, without] = &invariant.src;
        let (asked, without) = (set(asked), set(without));
        let except = set(&invariant.dst_except);
        let tags = self.universe.tags();
        let meant = asked.minus(&without);
        // Senders by one tag, the tag because of which they are meant, and senders by the other.
        let (senders, because, others) = match invariant.claim {
            Claim::Never => (meant.clone(), meant.and(tags), tags.minus(&without)),
            Claim::Only => {
                (self.universe.everything().minus(&meant), without.and(tags), meant.and(tags))
            }
            Claim::Always => return None,
        };
        let others = if because.is_empty() { self.universe.nothing() } else { others };
        for destination in &invariant.dst {
            let dst = set(std::slice::from_ref(&destination.selector)).minus(&except);
            let reached = dst.and(tags);
            let beside = if reached.is_empty() {
                self.universe.nothing()
            } else {
                tags.minus(&except).minus(&dst)
            };
            let (also_src, also_dst) = (self.tag_of(&because), self.tag_of(&reached));
            let tried = [
                (&others, &dst, [also_src.clone(), None]),
                (&senders, &beside, [None, also_dst.clone()]),
                (&others, &beside, [also_src, also_dst]),
            ];
            for (src, dst, also) in tried {
                if src.is_empty() || dst.is_empty() {
                    continue;
                }
                let pairs = Pairs::Product(Rc::new(src.clone()), Rc::new(dst.clone()));
                for ports in &destination.ports {
                    let asked = self.region(invariant.claim, destination, pairs.clone(), *ports);
                    let found = access.iter().filter_map(|it| it.and(&asked));
                    let mut shown = found.map(|region| Counterexample {
                        witness: self.witness(&region, &also, false),
                        region,
                        also: also.clone(),
                    });
                    if let Some(found) = shown.next() {
                        return Some(found);
                    }
                }
            }
        }
        None
    }

    /// The first tag of a set.
    fn tag_of(&self, set: &AtomSet) -> Option<Text> {
        set.iter().find_map(|it| match self.universe.atom(it) {
            Some(Atom::Tag(tag)) => Some(tag.clone()),
            _ => None,
        })
    }

    fn set(&self, selectors: &[Spanned<Selector>], unknown: &mut Vec<UnknownName>) -> AtomSet {
        let mut set = self.universe.nothing();
        for selector in selectors {
            match Subject::of(self.policy.policy(), &selector.value) {
                Ok(subject) => set.add(&self.universe.of_subject(self.policy.policy(), &subject)),
                Err(it) => unknown.push(Spanned::new(it, selector.span)),
            }
        }
        set
    }

    /// A flow of a box, tried through the tables of a small tailnet.
    fn witness(&self, region: &Region, also: &[Option<Text>; 2], dropped: bool) -> Option<Witness> {
        let flows = flows(region, &self.conditions);
        let flows = flows.map(|it| Flow { also: also.each_ref().map(Option::as_ref), ..it });
        let mut tried = flows.filter_map(|it| Witness::of(&self.universe, &it));
        tried.find(|it| it.is_let_in_by(self.policy) != dropped)
    }
}

/// At most so many pairs of a box are tried until one is found that an inventory can show.
const TRIES: usize = 64;

/// Some flows of a box, those of different devices first.
pub fn flows<'r>(region: &'r Region, conditions: &'r Conditions) -> impl Iterator<Item = Flow<'r>> {
    let pairs: Vec<(AtomId, Option<AtomId>)> = match &region.pairs {
        Pairs::Own(users) => users.iter().map(|it| (it, None)).take(TRIES).collect(),
        Pairs::Product(src, dst) => {
            let pairs = src
                .iter()
                .take(TRIES)
                .flat_map(|a| dst.iter().take(TRIES).map(move |b| (a, Some(b))));
            let mut pairs: Vec<_> = pairs.collect();
            pairs.sort_by_key(|(a, b)| Some(*a) == *b);
            pairs.truncate(TRIES);
            pairs
        }
    };
    let protocol =
        region.protocols.iter().find(|it| *it == 6).or_else(|| region.protocols.iter().next());
    let (ports, via) = (region.ports, &*region.via);
    let posture = region.postures.iter().next().map_or(&[][..], |it| conditions.assertions(it));
    pairs.into_iter().filter_map(move |(src, dst)| {
        Some(Flow { src, dst, protocol: protocol?, ports, via, posture, also: [None; 2] })
    })
}

/// What a destination of an invariant speaks of. Where it names no protocol, *always* means TCP, as a
/// question does, and the others every protocol that has such ports.
fn protocols(claim: Claim, destination: &Destination, ports: PortRange) -> Protocols {
    const TCP: Protocol = 6;
    match destination.protocol {
        Some(protocol) => Protocols::of(protocol),
        None if claim == Claim::Always => Protocols::of(TCP),
        None if ports == PortRange::ALL => Protocols::all_of(&(1..=u8::MAX).collect::<Vec<_>>()),
        None => {
            let with_ports = (1..=u8::MAX).filter(|it| crate::ast::ports::has_ports(*it));
            Protocols::all_of(&with_ports.collect::<Vec<_>>())
        }
    }
}

/// Every selector of an invariant.
fn selectors(invariant: &Invariant) -> impl Iterator<Item = &Spanned<Selector>> {
    let [src, without] = &invariant.src;
    let dst = invariant.dst.iter().map(|it| &it.selector);
    src.iter().chain(without).chain(dst).chain(&invariant.dst_except)
}
