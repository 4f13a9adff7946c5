//! [`Policy`] → the boxes of network access that its rules give, over a universe of atoms.
//!
//! What is carried is that of the tables: without a protocol a rule is for TCP and UDP, and where it
//! names no ports also for ICMP.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::atom_set::{AtomId, AtomSet};
use super::region::{Layer, Login, Pairs, Protocols, Region};
use super::universe::Universe;
use crate::ast::posture::Assertion;
use crate::ast::{Autogroup, PortRange, Protocol, SshAction, Text};
use crate::policy::{Policy, Posture, PostureId, Rule, Section, SshRule, SshUser, TagId, Target};
use crate::span::Spanned;

const OWN_DEVICES: Target = Target::Autogroup(Autogroup::OwnDevices);

/// TCP and UDP, whose ports a rule without a protocol names.
const WITH_PORTS: [Protocol; 2] = [6, 17];

/// What such a rule lets through besides where it names no ports: ICMP of both families.
const ICMP: [Protocol; 2] = [1, 58];

/// The postures that rules ask for, as kinds of senders: the first is a device of which nothing is known.
///
/// A posture is known by what it asks and not by its name, so that two policies can be compared.
#[derive(Debug, Default)]
pub struct Conditions(BTreeMap<String, Vec<Assertion>>);

impl Conditions {
    /// All conditions of a few policies.
    pub fn of<'p>(policies: impl IntoIterator<Item = &'p Policy>) -> Self {
        let mut conditions = BTreeMap::new();
        for policy in policies {
            for posture in &policy.postures {
                let assertions = posture.assertions.iter().map(|it| it.value.clone()).collect();
                conditions.insert(text(posture), assertions);
            }
        }
        Self(conditions)
    }

    /// How many kinds of senders there are.
    pub fn len(&self) -> usize {
        self.0.len() + 1
    }

    /// Whether there are none; never true.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// Every kind of sender: what a rule without a posture lets in.
    pub fn all(&self) -> AtomSet {
        let mut set = AtomSet::new(self.len());
        (0..self.len() as u32).for_each(|it| set.insert(AtomId(it)));
        set
    }

    /// The senders that meet one of the postures.
    fn meeting(&self, policy: &Policy, postures: &[PostureId]) -> AtomSet {
        if postures.is_empty() {
            return self.all();
        }
        let mut set = AtomSet::new(self.len());
        let known = postures.iter().filter_map(|it| policy.postures.get(it.0 as usize));
        for text in known.map(text) {
            if let Some(position) = self.0.keys().position(|it| *it == text) {
                set.insert(AtomId(position as u32 + 1));
            }
        }
        set
    }

    /// What a kind of sender meets, in the words of the policy; `None` for one of which nothing is
    /// asked.
    pub fn condition(&self, id: AtomId) -> Option<&str> {
        (id.0 as usize).checked_sub(1).and_then(|it| self.0.keys().nth(it)).map(String::as_str)
    }

    /// The assertions that a kind of sender meets.
    pub fn assertions(&self, id: AtomId) -> &[Assertion] {
        let values = || self.0.values();
        (id.0 as usize).checked_sub(1).and_then(|it| values().nth(it)).map_or(&[], Vec::as_slice)
    }
}

/// What a posture asks for, in one form however it is written.
fn text(posture: &Posture) -> String {
    let mut texts: Vec<String> = posture.assertions.iter().map(|it| it.value.to_string()).collect();
    texts.sort();
    texts.dedup();
    texts.join(" && ")
}

/// Lowers rules to boxes; lists of selectors that occur again are resolved once.
#[derive(Debug)]
pub struct Lowering<'u> {
    universe: &'u Universe,
    conditions: &'u Conditions,
    policy: &'u Policy,
    known: RefCell<FxHashMap<Vec<Target>, Rc<AtomSet>>>,
}

impl<'u> Lowering<'u> {
    /// Prepares for the rules of one policy.
    pub fn new(universe: &'u Universe, conditions: &'u Conditions, policy: &'u Policy) -> Self {
        Self { universe, conditions, policy, known: RefCell::default() }
    }

    /// The boxes of every rule, in their order.
    pub fn all(&self) -> Vec<Region> {
        match &self.policy.rules {
            None => vec![self.allow_all()],
            Some(rules) => {
                rules.iter().zip(0..).flat_map(|(rule, id)| self.rule(rule, id)).collect()
            }
        }
    }

    /// What a file without any section of rules lets in: everything.
    fn allow_all(&self) -> Region {
        let everything = Rc::new(self.universe.everything());
        Region {
            layer: Layer::Network,
            pairs: Pairs::Product(Rc::clone(&everything), everything),
            postures: Rc::new(self.conditions.all()),
            protocols: Protocols::all_of(&[WITH_PORTS, ICMP].concat()),
            via: [].into(),
            ports: PortRange::ALL,
            rule: None,
        }
    }

    /// The boxes of one rule; capabilities are no access to the network.
    pub fn rule(&self, rule: &Rule, id: u32) -> Vec<Region> {
        let src: Vec<Target> = rule.src.iter().map(|it| it.value).collect();
        let src = self.set(src);
        let postures = Rc::new(self.conditions.meeting(self.policy, &rule.postures));
        let via = self.via(rule);
        let mut regions = Vec::new();
        let mut add = |pairs: &Pairs, protocol: Option<Protocol>, ports: PortRange| {
            regions.push(Region {
                layer: Layer::Network,
                pairs: pairs.clone(),
                postures: Rc::clone(&postures),
                protocols: carried(protocol, ports),
                via: Rc::clone(&via),
                ports,
                rule: Some(id),
            });
        };
        if rule.section == Section::Acls {
            for dst in &rule.dst {
                let pairs = self.pairs(&src, vec![dst.target]);
                for ports in dst.ports.iter().flat_map(|it| it.iter()) {
                    pairs.iter().for_each(|it| add(it, rule.protocol, *ports));
                }
            }
        } else {
            let pairs = self.pairs(&src, rule.dst.iter().map(|it| it.target).collect());
            for spec in &rule.ip {
                pairs.iter().for_each(|it| add(it, spec.protocol, spec.ports));
            }
        }
        regions
    }

    /// The boxes of the capabilities that grants give.
    pub fn apps(&self) -> Vec<Region> {
        let mut regions = Vec::new();
        for (rule, id) in self.policy.rules.iter().flatten().zip(0..) {
            if rule.app.is_empty() || !rule.via.is_empty() {
                continue;
            }
            let src = self.set(rule.src.iter().map(|it| it.value).collect());
            let pairs = self.pairs(&src, rule.dst.iter().map(|it| it.target).collect());
            for cap in &rule.app {
                let layer = Layer::App(cap.name.value.clone(), (*cap.values).into());
                let all =
                    pairs.iter().map(|it| self.whole(layer.clone(), it, &rule.postures, Some(id)));
                regions.extend(all);
            }
        }
        regions
    }

    /// The boxes of logins by SSH as each of these users: what is checked, and what is accepted and
    /// not checked. The rules of these boxes are positions in the section `ssh`.
    pub fn ssh(&self, users: &BTreeSet<Text>) -> Vec<Region> {
        let (mut checked, mut accepted) = (Vec::new(), Vec::new());
        for (rule, id) in self.policy.ssh.iter().zip(0..) {
            let src = self.set(rule.src.iter().map(|it| it.value).collect());
            let mut dst: Vec<Target> = rule.dst.iter().map(|it| it.value).collect();
            // With a `localpart` the control plane sends a rule to its sources as well, where their
            // users are let in from their own devices.
            if !dst.is_empty() && rule.localparts().next().is_some() {
                dst.push(OWN_DEVICES);
            }
            let pairs = self.pairs(&src, dst);
            let check = rule.action.value == SshAction::Check;
            let (login, list) =
                if check { (Login::Check, &mut checked) } else { (Login::Accept, &mut accepted) };
            for user in users.iter().filter(|it| lets_in(rule, it)) {
                let layer = Layer::Ssh(user.clone(), login);
                let all =
                    pairs.iter().map(|it| self.whole(layer.clone(), it, &rule.postures, Some(id)));
                list.extend(all);
            }
        }
        // A check stands before every accept, so it wins where both would let in.
        let as_accepted = |it: &Region| match &it.layer {
            Layer::Ssh(user, _) => {
                Region { layer: Layer::Ssh(user.clone(), Login::Accept), ..it.clone() }
            }
            _ => it.clone(),
        };
        let before: Vec<Region> = checked.iter().map(as_accepted).collect();
        checked.extend(super::diff::left_over(&accepted, &before));
        checked
    }

    /// A box that has no ports.
    fn whole(
        &self,
        layer: Layer,
        pairs: &Pairs,
        postures: &[PostureId],
        rule: Option<u32>,
    ) -> Region {
        Region {
            layer,
            pairs: pairs.clone(),
            postures: Rc::new(self.conditions.meeting(self.policy, postures)),
            protocols: Protocols::of(6),
            via: [].into(),
            ports: PortRange::ALL,
            rule,
        }
    }

    /// The tags of the routers that a grant leads through.
    fn via(&self, rule: &Rule) -> Rc<[Text]> {
        let name = |it: &Spanned<TagId>| self.policy.tags.get(it.value.0 as usize);
        let mut tags: Vec<Text> =
            rule.via.iter().filter_map(name).map(|it| it.name.value.clone()).collect();
        tags.sort();
        tags.dedup();
        tags.into()
    }

    /// Who reaches whom by a list of destinations.
    fn pairs(&self, src: &Rc<AtomSet>, dst: Vec<Target>) -> Vec<Pairs> {
        let own = dst.contains(&OWN_DEVICES);
        let dst = self.set(dst.into_iter().filter(|it| *it != OWN_DEVICES).collect());
        let mut pairs = Vec::new();
        if !src.is_empty() && !dst.is_empty() {
            pairs.push(Pairs::Product(Rc::clone(src), dst));
        }
        let users = src.and(self.universe.users());
        if own && !users.is_empty() {
            pairs.push(Pairs::Own(Rc::new(users)));
        }
        pairs
    }

    /// What a list of selectors stands for together.
    fn set(&self, targets: Vec<Target>) -> Rc<AtomSet> {
        if let Some(known) = self.known.borrow().get(&targets) {
            return Rc::clone(known);
        }
        let mut set = self.universe.nothing();
        for target in &targets {
            set.add(&self.universe.of_target(self.policy, *target));
        }
        let set = Rc::new(set);
        self.known.borrow_mut().insert(targets, Rc::clone(&set));
        set
    }
}

/// Users of hosts that stand for others in questions about SSH.
pub const ANY_OTHER_USER: &str = "any other user but root";

/// The user who is called as the caller logs in.
pub const OWN_NAME: &str = "the user of one's own name";

/// Every user of hosts that policies tell apart.
pub fn host_users<'p>(policies: impl IntoIterator<Item = &'p Policy>) -> BTreeSet<Text> {
    let mut users = BTreeSet::from([ANY_OTHER_USER.into(), "root".into()]);
    for user in policies.into_iter().flat_map(|it| &it.ssh).flat_map(|it| &it.users) {
        match &user.value {
            SshUser::Named(name) => _ = users.insert(name.clone()),
            SshUser::Localpart(_) => _ = users.insert(OWN_NAME.into()),
            SshUser::Nonroot => {}
        }
    }
    users
}

/// Whether a rule lets in as a user.
pub(super) fn lets_in(rule: &SshRule, user: &str) -> bool {
    rule.users.iter().any(|it| match &it.value {
        SshUser::Named(name) => **name == *user,
        SshUser::Nonroot => user != "root",
        SshUser::Localpart(_) => user == OWN_NAME,
    })
}

/// The protocols that a rule carries.
pub(super) fn carried(protocol: Option<Protocol>, ports: PortRange) -> Protocols {
    match protocol {
        Some(protocol) => Protocols::of(protocol),
        None if ports == PortRange::ALL => Protocols::all_of(&[WITH_PORTS, ICMP].concat()),
        None => Protocols::all_of(&WITH_PORTS),
    }
}
