//! The devices and addresses at one end of an assertion, and which of them a selector stands for.

use std::cell::{OnceCell, RefCell};
use std::net::IpAddr;
use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::super::everybody::Everybody;
use super::super::node_set::NodeSet;
use super::super::routes::Routes;
use super::super::ssh::owner;
use super::super::{AddressBook, INTERNET};
use crate::ast::Autogroup;
use crate::dialect::Dialect;
use crate::policy::{Policy, TagId, Target};
use crate::tables::headscale;
use crate::tables::members::Members;
use crate::tailnet::{NodeId, Tailnet, UserId};

/// One of the devices or addresses that an assertion names.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct End {
    /// The device; an address need not be that of one.
    pub(super) node: Option<NodeId>,
    /// A device that is only imagined, because none carries this tag yet.
    pub(super) imagined: Option<TagId>,
    /// The addresses that the assertion means: IPv4, IPv6.
    pub(super) addresses: [Option<IpAddr>; 2],
}

/// Some of the ends of one list.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub(super) struct EndSet(Vec<u64>);

impl EndSet {
    pub(super) fn new(count: usize) -> Self {
        Self(vec![0; count.div_ceil(64)])
    }

    pub(super) fn all(count: usize) -> Self {
        let mut set = Self::new(count);
        (0..count).for_each(|it| set.insert(it));
        set
    }

    pub(super) fn insert(&mut self, end: usize) {
        if let Some(word) = self.0.get_mut(end / 64) {
            *word |= 1 << (end % 64);
        }
    }

    pub(super) fn contains(&self, end: usize) -> bool {
        self.0.get(end / 64).is_some_and(|it| it >> (end % 64) & 1 == 1)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(|it| *it == 0)
    }

    /// Adds the ends that a selector stands for.
    pub(super) fn add_touched(&mut self, touched: &NodeSet) {
        touched.iter().for_each(|it| self.insert(it.0 as usize));
    }

    /// Takes the ends away that a selector stands for.
    pub(super) fn remove_touched(&mut self, touched: &NodeSet) {
        for NodeId(end) in touched.iter() {
            if let Some(word) = self.0.get_mut(end as usize / 64) {
                *word &= !(1 << (end % 64));
            }
        }
    }

    pub(super) fn add(&mut self, other: &EndSet) {
        self.0.iter_mut().zip(&other.0).for_each(|(word, more)| *word |= more);
    }

    pub(super) fn keep(&mut self, other: &EndSet) {
        self.0.iter_mut().zip(&other.0).for_each(|(word, kept)| *word &= kept);
    }

    pub(super) fn remove(&mut self, other: &EndSet) {
        self.0.iter_mut().zip(&other.0).for_each(|(word, gone)| *word &= !gone);
    }

    pub(super) fn and(&self, other: &EndSet) -> EndSet {
        let mut both = self.clone();
        both.keep(other);
        both
    }

    /// The first end that is not in it, of so many.
    pub(super) fn first_missing(&self, count: usize) -> Option<usize> {
        let word = self.0.iter().position(|it| *it != u64::MAX)?;
        let bit = self.0.get(word)?.trailing_ones() as usize;
        Some(word * 64 + bit).filter(|it| *it < count)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().enumerate().flat_map(|(at, word)| {
            (0..64).filter(move |bit| word >> bit & 1 == 1).map(move |bit| at * 64 + bit)
        })
    }
}

/// Which ends a selector stands for, by family: IPv4, IPv6. An end is numbered as a node is in a set
/// of nodes: most selectors stand for few of many ends, or for nearly all.
#[derive(Clone, Debug)]
pub(super) struct Touch {
    /// Those that it certainly stands for.
    pub(super) certain: [NodeSet; 2],
    /// Those that it may stand for, where the inventory does not say enough: the certain ones and
    /// others. `None` where there are no others.
    possible: Option<[NodeSet; 2]>,
}

impl Touch {
    pub(super) fn possible(&self) -> &[NodeSet; 2] {
        self.possible.as_ref().unwrap_or(&self.certain)
    }
}

/// At which end of a rule a selector stands.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Side {
    Source,
    Destination,
}

/// The ends that one selector of assertions stands for.
#[derive(Debug)]
pub(super) struct Ends {
    pub(super) all: Vec<End>,
    /// Where each device stands; one may be named twice.
    by_node: FxHashMap<NodeId, Vec<usize>>,
    /// Those that are only imagined.
    imagined: Vec<usize>,
    /// Those that are, or may be taken for, devices.
    devices: EndSet,
    /// The untagged devices of each user.
    by_owner: Vec<(UserId, EndSet)>,
    /// By family, those that have an address of it.
    families: [EndSet; 2],
    touches: RefCell<FxHashMap<(Side, Target), Rc<Touch>>>,
    /// The rules that have one of the ends among their sources, by position; see `Evaluator`.
    pub(super) rules: OnceCell<Vec<u32>>,
}

/// What it takes to know what selectors stand for.
pub(super) struct Facts<'a> {
    pub(super) policy: &'a Policy,
    pub(super) tailnet: &'a Tailnet,
    pub(super) members: Members<'a>,
    pub(super) book: AddressBook<'a>,
    pub(super) everybody: Everybody,
}

impl<'a> Facts<'a> {
    pub(super) fn new(policy: &'a Policy, tailnet: &'a Tailnet) -> Self {
        Self {
            policy,
            tailnet,
            members: Members::new(policy, tailnet),
            book: AddressBook::new(policy, tailnet),
            everybody: Everybody::new(tailnet, &Routes::new(tailnet, policy.file.dialect)),
        }
    }

    /// Who a login stands for.
    pub(super) fn user(&self, login: &str) -> Option<UserId> {
        match self.policy.file.dialect {
            Dialect::Tailscale => self.tailnet.user_with_login(login),
            Dialect::Headscale => match headscale::Users::of(self.tailnet).named(login) {
                [user] => Some(*user),
                _ => None,
            },
        }
    }

    /// Whether a selector of addresses holds one, or everything at this end.
    fn holds(&self, side: Side, target: Target, end: &End, address: Option<IpAddr>) -> bool {
        let has = address.is_some() || end.imagined.is_some();
        match target {
            Target::Any if side == Side::Destination => has,
            Target::Any => address.is_some_and(|it| self.everybody.addresses().contains(it)),
            Target::Autogroup(Autogroup::DangerAll) => has,
            Target::Autogroup(_) => {
                address.is_some_and(|it| INTERNET.iter().any(|range| range.contains(it)))
            }
            _ => address.is_some_and(|it| self.book.contains(target, it)),
        }
    }

    /// Whether a target may stand for nodes of which the inventory does not say enough.
    fn leaves_open(&self, target: Target) -> bool {
        match target {
            Target::Group(id) => self.policy.groups.get(id.0 as usize).is_some_and(|it| it.synced),
            Target::Autogroup(it) => it.is_role(),
            _ => false,
        }
    }

    /// Whether a target may stand for a node of which the inventory does not say enough.
    fn may_be(&self, target: Target, node: NodeId) -> bool {
        let Some(user) = owner(self.tailnet, node) else { return false };
        match target {
            Target::Autogroup(it) if it.is_role() => {
                self.tailnet.user(user).is_some_and(|it| it.role.is_none())
            }
            _ => self.leaves_open(target),
        }
    }
}

impl Ends {
    pub(super) fn new(all: Vec<End>, tailnet: &Tailnet) -> Self {
        let count = all.len();
        let mut devices = EndSet::new(count);
        let mut families = [EndSet::new(count), EndSet::new(count)];
        let mut by_owner: FxHashMap<UserId, EndSet> = FxHashMap::default();
        let mut by_node: FxHashMap<NodeId, Vec<usize>> = FxHashMap::default();
        for (at, end) in all.iter().enumerate() {
            if let Some(node) = end.node {
                by_node.entry(node).or_default().push(at);
            }
            if end.node.is_some() || end.imagined.is_some() {
                devices.insert(at);
            }
            for (family, address) in families.iter_mut().zip(end.addresses) {
                if address.is_some() || end.imagined.is_some() {
                    family.insert(at);
                }
            }
            if let Some(user) = end.node.and_then(|it| owner(tailnet, it)) {
                by_owner.entry(user).or_insert_with(|| EndSet::new(count)).insert(at);
            }
        }
        let mut by_owner: Vec<_> = by_owner.into_iter().collect();
        by_owner.sort_unstable_by_key(|it| it.0);
        let imagined = (0..count).filter(|it| all.get(*it).is_some_and(|it| it.imagined.is_some()));
        let imagined = imagined.collect();
        let (touches, rules) = (RefCell::default(), OnceCell::new());
        Self { all, by_node, imagined, devices, by_owner, families, touches, rules }
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn devices(&self) -> &EndSet {
        &self.devices
    }

    pub(super) fn by_owner(&self) -> &[(UserId, EndSet)] {
        &self.by_owner
    }

    pub(super) fn owned_by(&self, user: UserId) -> Option<&EndSet> {
        let at = self.by_owner.binary_search_by_key(&user, |it| it.0).ok()?;
        self.by_owner.get(at).map(|it| &it.1)
    }

    pub(super) fn families(&self) -> &[EndSet; 2] {
        &self.families
    }

    /// Which of the ends a selector at one side of a rule stands for; worked out once.
    pub(super) fn touch(&self, facts: &Facts<'_>, side: Side, target: Target) -> Rc<Touch> {
        if let Some(known) = self.touches.borrow().get(&(side, target)) {
            return Rc::clone(known);
        }
        let touch = Rc::new(self.touch_anew(facts, side, target));
        self.touches.borrow_mut().insert((side, target), Rc::clone(&touch));
        touch
    }

    fn touch_anew(&self, facts: &Facts<'_>, side: Side, target: Target) -> Touch {
        let members = facts.members.of(target);
        let addresses = matches!(
            target,
            Target::Any
                | Target::Literal(_)
                | Target::Host(_)
                | Target::Ipset(_)
                | Target::Service(_)
                | Target::Autogroup(Autogroup::DangerAll | Autogroup::Internet)
        );
        // A selector of few devices is looked up among many ends, not the other way round.
        let few = !addresses && members.len() < self.len() && !facts.leaves_open(target);
        let candidates: Vec<usize> = if few {
            let known = members.iter().filter_map(|it| self.by_node.get(&it)).flatten().copied();
            known.chain(self.imagined.iter().copied()).collect()
        } else {
            (0..self.len()).collect()
        };
        let (mut certain, mut possible) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
        for at in candidates {
            let Some(end) = self.all.get(at) else { continue };
            let named =
                end.node.is_some_and(|it| members.contains(it)) || end.is_imagined_as(target);
            let may_be = end.node.is_some_and(|it| facts.may_be(target, it));
            for (family, slots) in certain.iter_mut().zip(&mut possible).enumerate() {
                let address = end.addresses.get(family).copied().flatten();
                let has = address.is_some() || end.imagined.is_some();
                let holds = addresses && facts.holds(side, target, end, address);
                if has && named || holds {
                    slots.0.push(at as u32);
                } else if has && may_be {
                    slots.1.push(at as u32);
                }
            }
        }
        let set = NodeSet::new;
        let open = possible.iter().any(|it| !it.is_empty());
        let both = possible.iter_mut().zip(&certain);
        both.for_each(|(possible, certain)| possible.extend(certain));
        Touch { certain: certain.map(set), possible: open.then(|| possible.map(set)) }
    }
}

impl End {
    /// Whether a selector stands for a device that is only imagined.
    fn is_imagined_as(&self, target: Target) -> bool {
        self.imagined.is_some_and(|it| match target {
            Target::Any | Target::Autogroup(Autogroup::Tagged) => true,
            Target::Tag(tag) => tag == it,
            _ => false,
        })
    }
}
