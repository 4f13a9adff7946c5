//! Boxes of access: senders × receivers × postures × protocols × ports, and what is left of one box
//! when another is taken away.
//!
//! All that a policy lets in is a union of such boxes, because rules only add. So a question about
//! meaning becomes a few subtractions and intersections, which are exact.

use std::fmt;
use std::rc::Rc;

use super::atom_set::AtomSet;
use crate::ast::{PortRange, Protocol, Text};

/// A set of protocols.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Protocols([u64; 4]);

impl Protocols {
    /// One protocol.
    pub fn of(protocol: Protocol) -> Self {
        let mut set = Self::default();
        if let Some(word) = set.0.get_mut(usize::from(protocol) / 64) {
            *word |= 1 << (protocol % 64);
        }
        set
    }

    /// Several.
    pub fn all_of(protocols: &[Protocol]) -> Self {
        protocols.iter().fold(Self::default(), |set, it| set.with(Self::of(*it), |a, b| a | b))
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == [0; 4]
    }

    /// What is in both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        self.with(other, |a, b| a & b)
    }

    /// What is in it and not in the other.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        self.with(other, |a, b| a & !b)
    }

    /// The protocols, ascending.
    pub fn iter(self) -> impl Iterator<Item = Protocol> {
        (0..=u8::MAX).filter(move |it| !self.and(Self::of(*it)).is_empty())
    }

    fn with(self, other: Self, word: impl Fn(u64, u64) -> u64) -> Self {
        let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
        Self([word(a, e), word(b, f), word(c, g), word(d, h)])
    }
}

/// Which pairs of sender and receiver a box has.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Pairs {
    /// Every one of the first with every one of the second.
    Product(Rc<AtomSet>, Rc<AtomSet>),
    /// Each user with their own devices, as `autogroup:self` means.
    Own(Rc<AtomSet>),
}

/// What kind of access a box gives. Different kinds never stand for each other.
#[derive(Clone, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Layer {
    /// Packets.
    #[default]
    Network,
    /// A capability of an application, with its values.
    App(Text, Text),
    /// A login by SSH.
    Ssh(Text, Login),
}

/// How a login by SSH is let in.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Login {
    /// At once.
    Accept,
    /// After a fresh login to the tailnet.
    Check,
}

/// One box.
#[derive(Clone, Eq, PartialEq)]
pub struct Region {
    /// What kind of access it is.
    pub layer: Layer,
    /// Who reaches whom.
    pub pairs: Pairs,
    /// Which kinds of senders: an atom for each posture that is asked for, and one for devices of
    /// which nothing is asked.
    pub postures: Rc<AtomSet>,
    /// What is carried.
    pub protocols: Protocols,
    /// The tags of the routers it leads through; empty for a direct way. A direct way is as good as
    /// any, a way through routers only as good as the same.
    pub via: Rc<[Text]>,
    /// To which ports; all of them where the protocol has none.
    pub ports: PortRange,
    /// The rule it comes from, by its position in the policy.
    pub rule: Option<u32>,
}

impl fmt::Debug for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids = |set: &AtomSet| set.iter().map(|it| it.0).collect::<Vec<_>>();
        match &self.pairs {
            Pairs::Product(src, dst) => write!(f, "{:?} -> {:?}", ids(src), ids(dst))?,
            Pairs::Own(users) => write!(f, "{:?} -> own", ids(users))?,
        }
        let protocols: Vec<_> = self.protocols.iter().collect();
        write!(f, " {protocols:?}:{} if {:?}", self.ports, ids(&self.postures))
    }
}

impl Region {
    /// What is in both; nothing where that is empty. A difference of rules stays with `self`.
    pub fn and(&self, other: &Region) -> Option<Region> {
        let ports = both(self.ports, other.ports)?;
        if self.layer != other.layer {
            return None;
        }
        let protocols = self.protocols.and(other.protocols);
        let postures = self.postures.and(&other.postures);
        if protocols.is_empty() || postures.is_empty() {
            return None;
        }
        let pairs = self.pairs.and(&other.pairs)?;
        Some(Region { pairs, postures: Rc::new(postures), protocols, ports, ..self.clone() })
    }

    /// What is in it and not in the other, as boxes that do not overlap.
    pub fn minus(&self, other: &Region) -> Vec<Region> {
        let other_way = !other.via.is_empty() && other.via != self.via;
        let Some(common) = self.and(other).filter(|_| !other_way) else {
            return vec![self.clone()];
        };
        let mut left = Vec::new();
        let mut rest = self.clone();
        for pairs in self.pairs.minus(&other.pairs) {
            left.push(Region { pairs, ..self.clone() });
        }
        rest.pairs = common.pairs;
        let postures = rest.postures.minus(&other.postures);
        if !postures.is_empty() {
            left.push(Region { postures: Rc::new(postures), ..rest.clone() });
        }
        rest.postures = common.postures;
        let protocols = rest.protocols.minus(other.protocols);
        if !protocols.is_empty() {
            left.push(Region { protocols, ..rest.clone() });
        }
        rest.protocols = common.protocols;
        let PortRange { first, last } = common.ports;
        if rest.ports.first < first {
            let ports = PortRange { first: rest.ports.first, last: first - 1 };
            left.push(Region { ports, ..rest.clone() });
        }
        if last < rest.ports.last {
            let ports = PortRange { first: last + 1, last: rest.ports.last };
            left.push(Region { ports, ..rest });
        }
        left
    }
}

impl Pairs {
    /// The senders.
    pub fn senders(&self) -> &AtomSet {
        match self {
            Pairs::Product(src, _) | Pairs::Own(src) => src,
        }
    }

    fn and(&self, other: &Pairs) -> Option<Pairs> {
        let product = |src: AtomSet, dst: AtomSet| {
            let some = !src.is_empty() && !dst.is_empty();
            some.then(|| Pairs::Product(Rc::new(src), Rc::new(dst)))
        };
        let own = |users: AtomSet| (!users.is_empty()).then(|| Pairs::Own(Rc::new(users)));
        match (self, other) {
            (Pairs::Product(a, b), Pairs::Product(c, d)) => product(a.and(c), b.and(d)),
            (Pairs::Own(users), Pairs::Product(c, d))
            | (Pairs::Product(c, d), Pairs::Own(users)) => own(users.and(c).and(d)),
            (Pairs::Own(users), Pairs::Own(others)) => own(users.and(others)),
        }
    }

    fn minus(&self, other: &Pairs) -> Vec<Pairs> {
        let product = |src: AtomSet, dst: AtomSet| {
            let some = !src.is_empty() && !dst.is_empty();
            some.then(|| Pairs::Product(Rc::new(src), Rc::new(dst)))
        };
        match (self, other) {
            (Pairs::Product(a, b), Pairs::Product(c, d)) => {
                let outside = product(a.minus(c), (**b).clone());
                let inside = product(a.and(c), b.minus(d));
                outside.into_iter().chain(inside).collect()
            }
            (Pairs::Own(users), Pairs::Product(c, d)) => {
                let left = users.minus(&c.and(d));
                if left.is_empty() { Vec::new() } else { vec![Pairs::Own(Rc::new(left))] }
            }
            (Pairs::Own(users), Pairs::Own(others)) => {
                let left = users.minus(others);
                if left.is_empty() { Vec::new() } else { vec![Pairs::Own(Rc::new(left))] }
            }
            // Each user keeps everything but their own devices.
            (Pairs::Product(a, b), Pairs::Own(users)) => {
                let own = users.and(a).and(b);
                let mut left: Vec<Pairs> =
                    product(a.minus(&own), (**b).clone()).into_iter().collect();
                for user in own.iter() {
                    let mut alone = own.minus(&own);
                    alone.insert(user);
                    let others = b.minus(&alone);
                    left.extend(product(alone, others));
                }
                left
            }
        }
    }
}

/// The ports in both ranges.
fn both(one: PortRange, other: PortRange) -> Option<PortRange> {
    let (first, last) = (one.first.max(other.first), one.last.min(other.last));
    (first <= last).then_some(PortRange { first, last })
}
