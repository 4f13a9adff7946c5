//! Everything that a policy can tell apart: the atoms of all possible tailnets.
//!
//! A device may do exactly what the union of its identities may do, so it is enough to look at devices
//! of one identity each: a user, a tag, or an address that no device of the tailnet owns. A user is
//! split further by what may be true of them beside their login, one thing at a time: a role, or being
//! in a group whose members an identity provider knows. One thing at a time is enough for the same
//! reason: what somebody with two gains, they gain by one of them.
//!
//! Addresses are cut where some literal, host or IP set begins or ends; what no policy names is one
//! atom for each family.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use rustc_hash::FxHashMap;

use super::atom_set::{AtomId, AtomSet};
use super::subject::Subject;
use crate::ast::{Autogroup, Text};
use crate::policy::{Policy, Target};
use crate::tables::INTERNET;
use crate::tables::ip_set::{IpRange, IpSet};

/// What is true of a user beside their login.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Standing {
    /// Nothing: a member as any other.
    Plain,
    /// They hold a role, named by its autogroup.
    Role(Autogroup),
    /// They are in a group that an identity provider defines.
    Synced(Text),
}

/// One of the things that rules tell apart.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Atom {
    /// The untagged devices of a user that some policy names.
    User(Text, Standing),
    /// Those of a user of this domain that no policy names; of any other domain where it is `None`.
    OtherUser(Option<Text>, Standing),
    /// Devices with a tag.
    Tag(Text),
    /// Devices that other tailnets share with this one.
    Shared,
    /// A service.
    Service(Text),
    /// Addresses that no device of the tailnet owns, of which all that policies name hold all or none.
    Addresses(IpRange),
    /// Every address of a family that nobody names; one of them stands for all.
    OtherAddresses(IpAddr),
}

/// All atoms of some policies, and what finds them.
#[derive(Debug)]
pub struct Universe {
    atoms: Vec<Atom>,
    /// The atoms of each login, tag and service.
    users: FxHashMap<Text, Vec<AtomId>>,
    tags: FxHashMap<Text, AtomId>,
    services: FxHashMap<Text, AtomId>,
    /// The atoms of addresses by their first address: of IPv4, then of IPv6.
    addresses: [BTreeMap<u128, (u128, AtomId)>; 2],
    all_users: AtomSet,
    all_tags: AtomSet,
    all_addresses: AtomSet,
    /// Users by what is true of them.
    standing: BTreeMap<Standing, AtomSet>,
}

/// The names that the atoms are made of.
#[derive(Debug, Default)]
pub struct Names {
    logins: BTreeSet<Text>,
    domains: BTreeSet<Text>,
    tags: BTreeSet<Text>,
    services: BTreeSet<Text>,
    standings: BTreeSet<Standing>,
    ranges: BTreeSet<IpRange>,
}

impl Names {
    /// Adds all that a policy names.
    pub fn add_policy(&mut self, policy: &Policy) {
        let texts = |list: &[crate::span::Spanned<Text>]| {
            list.iter().map(|it| it.value.clone()).collect::<Vec<_>>()
        };
        self.logins.extend(texts(&policy.logins));
        self.domains.extend(texts(&policy.domains));
        self.services.extend(texts(&policy.services));
        self.tags.extend(policy.tags.iter().map(|it| it.name.value.clone()));
        for rule in policy.rules.iter().flatten() {
            rule.src.iter().for_each(|it| self.add_target(policy, it.value));
            rule.dst.iter().for_each(|it| self.add_target(policy, it.target));
        }
        for set in crate::tables::ipsets(policy) {
            self.ranges.extend(set.ranges());
        }
    }

    /// Adds a stretch of addresses.
    pub fn add_range(&mut self, range: IpRange) {
        self.ranges.insert(range);
    }

    /// Adds what one selector of a policy names.
    pub fn add_target(&mut self, policy: &Policy, target: Target) {
        match target {
            Target::Autogroup(Autogroup::Internet) => {
                self.ranges.extend(INTERNET.iter().flat_map(|it| it.ranges()));
            }
            Target::Autogroup(role) if is_role(role) => {
                self.standings.insert(Standing::Role(role));
                // Owners count as admins, so they are told apart from them.
                if role == Autogroup::Admin {
                    self.standings.insert(Standing::Role(Autogroup::Owner));
                }
            }
            Target::Group(id) => {
                let group = policy.groups.get(id.0 as usize).filter(|it| it.synced);
                self.standings.extend(group.map(|it| Standing::Synced(it.name.value.clone())));
            }
            _ => self.ranges.extend(policy.net(target).map(IpRange::from)),
        }
    }
}

impl Names {
    /// Adds what a question about a policy names.
    pub fn add_subject(&mut self, policy: &Policy, subject: &Subject) {
        match subject {
            Subject::Target(target) => self.add_target(policy, *target),
            Subject::Login(login) => _ = self.logins.insert(login.clone()),
            Subject::Domain(domain) => _ = self.domains.insert(domain.clone()),
            Subject::Service(name) => _ = self.services.insert(name.clone()),
        }
    }
}

impl Universe {
    /// The atoms that these names make.
    pub fn new(names: Names) -> Self {
        let mut standings = names.standings;
        standings.insert(Standing::Plain);
        let mut atoms = Vec::new();
        for login in &names.logins {
            atoms.extend(standings.iter().map(|it| Atom::User(login.clone(), it.clone())));
        }
        for domain in names.domains.iter().cloned().map(Some).chain([None]) {
            atoms.extend(standings.iter().map(|it| Atom::OtherUser(domain.clone(), it.clone())));
        }
        atoms.extend(names.tags.into_iter().map(Atom::Tag));
        atoms.push(Atom::Shared);
        atoms.extend(names.services.into_iter().map(Atom::Service));
        atoms.extend(stretches(&names.ranges).into_iter().map(Atom::Addresses));
        atoms.extend([v4(0), v6(0)].map(|any| unnamed(&names.ranges, any)).into_iter().flatten());
        Self::of(atoms)
    }

    fn of(atoms: Vec<Atom>) -> Self {
        let empty = AtomSet::new(atoms.len());
        let mut universe = Self {
            users: FxHashMap::default(),
            tags: FxHashMap::default(),
            services: FxHashMap::default(),
            addresses: [BTreeMap::new(), BTreeMap::new()],
            all_users: empty.clone(),
            all_tags: empty.clone(),
            all_addresses: empty.clone(),
            standing: BTreeMap::new(),
            atoms: Vec::new(),
        };
        for (atom, id) in atoms.iter().zip((0..).map(AtomId)) {
            match atom {
                Atom::User(login, standing) => {
                    universe.users.entry(login.clone()).or_default().push(id);
                    universe.all_users.insert(id);
                    universe
                        .standing
                        .entry(standing.clone())
                        .or_insert_with(|| empty.clone())
                        .insert(id);
                }
                Atom::OtherUser(_, standing) => {
                    universe.all_users.insert(id);
                    universe
                        .standing
                        .entry(standing.clone())
                        .or_insert_with(|| empty.clone())
                        .insert(id);
                }
                Atom::Tag(tag) => {
                    universe.tags.insert(tag.clone(), id);
                    universe.all_tags.insert(id);
                }
                Atom::Shared => {}
                Atom::Service(name) => {
                    universe.services.insert(name.clone(), id);
                }
                Atom::Addresses(range) => {
                    let (family, first, last) = bounds(*range);
                    if let Some(family) = universe.addresses.get_mut(family) {
                        family.insert(first, (last, id));
                    }
                    universe.all_addresses.insert(id);
                }
                Atom::OtherAddresses(_) => universe.all_addresses.insert(id),
            }
        }
        universe.atoms = atoms;
        universe
    }

    /// How many atoms there are.
    pub fn len(&self) -> usize {
        self.atoms.len()
    }

    /// Whether there are none; never true.
    pub fn is_empty(&self) -> bool {
        self.atoms.is_empty()
    }

    /// An atom by its id.
    pub fn atom(&self, id: AtomId) -> Option<&Atom> {
        self.atoms.get(id.0 as usize)
    }

    /// No atom at all.
    pub fn nothing(&self) -> AtomSet {
        AtomSet::new(self.len())
    }

    /// Every atom.
    pub fn everything(&self) -> AtomSet {
        let mut all = self.nothing();
        (0..self.len() as u32).for_each(|it| all.insert(AtomId(it)));
        all
    }

    /// What a selector of a policy stands for, as a source or as a destination. For `autogroup:self`
    /// that is nothing: it is no set, but depends on who asks.
    pub fn of_target(&self, policy: &Policy, target: Target) -> AtomSet {
        let standing =
            |it: Standing| self.standing.get(&it).cloned().unwrap_or_else(|| self.nothing());
        match target {
            Target::Any | Target::Autogroup(Autogroup::DangerAll) => self.everything(),
            Target::Login(id) => {
                self.of_login(policy.logins.get(id.0 as usize).map_or("", |it| &*it.value))
            }
            Target::Domain(id) => {
                self.of_domain(policy.domains.get(id.0 as usize).map_or("", |it| &*it.value))
            }
            Target::Group(id) => {
                let Some(group) = policy.groups.get(id.0 as usize) else { return self.nothing() };
                let mut set = if group.synced {
                    standing(Standing::Synced(group.name.value.clone()))
                } else {
                    self.nothing()
                };
                for member in &group.members {
                    let login = policy.logins.get(member.value.0 as usize);
                    set.add(&self.of_login(login.map_or("", |it| &*it.value)));
                }
                set
            }
            Target::Tag(id) => {
                let name = policy.tags.get(id.0 as usize).map(|it| &it.name.value);
                self.one(name.and_then(|it| self.tags.get(it)))
            }
            Target::Service(id) => {
                let name = policy.services.get(id.0 as usize).map(|it| &it.value);
                self.one(name.and_then(|it| self.services.get(it)))
            }
            Target::Autogroup(it) => match it {
                Autogroup::Member | Autogroup::Members => self.all_users.clone(),
                Autogroup::Tagged => self.all_tags.clone(),
                Autogroup::Shared => {
                    let shared = self.atoms.iter().position(|it| *it == Atom::Shared);
                    self.one(shared.map(|it| AtomId(it as u32)).as_ref())
                }
                Autogroup::Admin => {
                    standing(Standing::Role(it)).or(&standing(Standing::Role(Autogroup::Owner)))
                }
                Autogroup::Internet => {
                    let mut set = self.nothing();
                    INTERNET
                        .iter()
                        .flat_map(|it| it.ranges())
                        .for_each(|it| self.add_range(it, &mut set));
                    set
                }
                role if is_role(role) => standing(Standing::Role(role)),
                _ => self.nothing(),
            },
            Target::Ipset(id) => {
                let sets = crate::tables::ipsets(policy);
                let mut set = self.nothing();
                let ranges = sets.get(id.0 as usize).into_iter().flat_map(IpSet::ranges);
                ranges.for_each(|it| self.add_range(it, &mut set));
                set
            }
            Target::Host(_) | Target::Literal(_) => {
                let mut set = self.nothing();
                policy.net(target).into_iter().for_each(|it| self.add_range(it.into(), &mut set));
                set
            }
        }
    }

    /// What the subject of a question stands for.
    pub fn of_subject(&self, policy: &Policy, subject: &Subject) -> AtomSet {
        match subject {
            Subject::Target(target) => self.of_target(policy, *target),
            Subject::Login(login) => self.of_login(login),
            Subject::Domain(domain) => self.of_domain(domain),
            Subject::Service(name) => self.one(self.services.get(name)),
        }
    }

    /// Every address that no device owns.
    pub fn addresses(&self) -> &AtomSet {
        &self.all_addresses
    }

    /// Every tag.
    pub fn tags(&self) -> &AtomSet {
        &self.all_tags
    }

    /// Every user.
    pub fn users(&self) -> &AtomSet {
        &self.all_users
    }

    fn of_login(&self, login: &str) -> AtomSet {
        let mut set = self.nothing();
        self.users.get(login).into_iter().flatten().for_each(|it| set.insert(*it));
        set
    }

    fn of_domain(&self, domain: &str) -> AtomSet {
        let mut set = self.nothing();
        for id in self.all_users.iter() {
            let inside = match self.atom(id) {
                Some(Atom::User(login, _)) => {
                    login.rsplit_once('@').is_some_and(|it| it.1 == domain)
                }
                Some(Atom::OtherUser(own, _)) => own.as_deref() == Some(domain),
                _ => false,
            };
            if inside {
                set.insert(id);
            }
        }
        set
    }

    fn one(&self, id: Option<&AtomId>) -> AtomSet {
        id.map_or_else(|| self.nothing(), |it| AtomSet::of(self.len(), *it))
    }

    /// Puts in the atoms of all addresses of a range; it begins and ends where atoms do.
    pub fn add_range(&self, range: IpRange, set: &mut AtomSet) {
        let (family, first, last) = bounds(range);
        let Some(family) = self.addresses.get(family) else { return };
        family.range(first..=last).for_each(|(_, (_, id))| set.insert(*id));
        if first == 0
            && last == if matches!(range, IpRange::V4(..)) { u32::MAX.into() } else { u128::MAX }
        {
            for id in self.all_addresses.iter() {
                if let Some(Atom::OtherAddresses(it)) = self.atom(id)
                    && it.is_ipv4() == matches!(range, IpRange::V4(..))
                {
                    set.insert(id);
                }
            }
        }
    }
}

fn is_role(it: Autogroup) -> bool {
    matches!(
        it,
        Autogroup::Owner
            | Autogroup::Admin
            | Autogroup::NetworkAdmin
            | Autogroup::ItAdmin
            | Autogroup::BillingAdmin
            | Autogroup::Auditor
    )
}

/// The family by number, and the first and last address as numbers.
pub(super) fn bounds(range: IpRange) -> (usize, u128, u128) {
    match range {
        IpRange::V4(first, last) => (0, first.into(), last.into()),
        IpRange::V6(first, last) => (1, first, last),
    }
}

fn v4_bounds(range: IpRange) -> Option<(u128, u128)> {
    matches!(range, IpRange::V4(..)).then(|| (bounds(range).1, bounds(range).2))
}

fn v6_bounds(range: IpRange) -> Option<(u128, u128)> {
    matches!(range, IpRange::V6(..)).then(|| (bounds(range).1, bounds(range).2))
}

fn v4(number: u128) -> IpRange {
    IpRange::V4(number as u32, u32::MAX)
}

fn v6(number: u128) -> IpRange {
    IpRange::V6(number, u128::MAX)
}

/// The stretches between the places where some range begins or ends, as far as some range holds them.
pub(super) fn stretches(ranges: &BTreeSet<IpRange>) -> Vec<IpRange> {
    [cut(ranges, v4_bounds), cut(ranges, v6_bounds)].concat()
}

/// The stretches of one family between the places where some range begins or ends, as far as some
/// range holds them.
fn cut(ranges: &BTreeSet<IpRange>, family: fn(IpRange) -> Option<(u128, u128)>) -> Vec<IpRange> {
    let own: Vec<(u128, u128)> = ranges.iter().filter_map(|it| family(*it)).collect();
    let is_v4 = family(v4(0)).is_some();
    // How many ranges begin at a place, less those that ended before it.
    let mut changes: BTreeMap<u128, i64> = BTreeMap::new();
    let mut endless = 0;
    for (first, last) in own {
        *changes.entry(first).or_default() += 1;
        match last.checked_add(1) {
            Some(next) => *changes.entry(next).or_default() -= 1,
            None => endless += 1,
        }
    }
    let mut pieces = Vec::new();
    let mut open = 0;
    let mut places = changes.iter().peekable();
    while let Some((first, change)) = places.next() {
        open += change;
        let last = match places.peek() {
            Some((next, _)) => **next - 1,
            None if endless > 0 => u128::MAX,
            None => break,
        };
        if open > 0 {
            pieces.push(if is_v4 {
                IpRange::V4(*first as u32, last as u32)
            } else {
                IpRange::V6(*first, last)
            });
        }
    }
    pieces
}

/// One address of a family that no range holds, if there is one.
fn unnamed(ranges: &BTreeSet<IpRange>, family: IpRange) -> Option<Atom> {
    let mut free = IpSet::default();
    free.add(family);
    ranges.iter().for_each(|it| free.remove(*it));
    let first = free.ranges().next();
    first.map(|it| Atom::OtherAddresses(it.first()))
}
