//! Sets of atoms → the fewest selectors that say them, in the words of the policy file.
//!
//! A set is covered greedily: of all named sets that lie inside it, the one that says most of what is
//! not said yet comes first. That is not always the fewest, but short, and the same on every run.

use super::atom_set::AtomSet;
use super::universe::{Atom, Standing, Universe};
use crate::ast::Autogroup;
use crate::policy::{DomainId, GroupId, HostId, IpsetId, Policy, Target};

/// Named sets of one or two policies, to describe other sets with.
#[derive(Debug)]
pub struct Vocabulary<'u> {
    universe: &'u Universe,
    /// Wide names before narrow ones of the same width.
    names: Vec<(String, AtomSet)>,
}

impl<'u> Vocabulary<'u> {
    /// The names that these policies have for more than one thing, and `*`.
    pub fn new<'p>(universe: &'u Universe, policies: impl IntoIterator<Item = &'p Policy>) -> Self {
        let mut names: Vec<(String, AtomSet)> = vec![("*".to_owned(), universe.everything())];
        for policy in policies {
            let groups = (0..policy.groups.len() as u32).map(|it| Target::Group(GroupId(it)));
            let domains = (0..policy.domains.len() as u32).map(|it| Target::Domain(DomainId(it)));
            let ipsets = (0..policy.ipsets.len() as u32).map(|it| Target::Ipset(IpsetId(it)));
            let hosts = (0..policy.hosts.len() as u32).map(|it| Target::Host(HostId(it)));
            let autogroups = [
                Autogroup::Member,
                Autogroup::Tagged,
                Autogroup::Internet,
                Autogroup::Owner,
                Autogroup::Admin,
                Autogroup::NetworkAdmin,
                Autogroup::ItAdmin,
                Autogroup::BillingAdmin,
                Autogroup::Auditor,
            ];
            let autogroups = autogroups.map(Target::Autogroup).into_iter();
            for target in groups.chain(domains).chain(autogroups).chain(hosts).chain(ipsets) {
                let set = universe.of_target(policy, target);
                let name = policy.describe(target);
                // Of two policies' meanings of a name, the head's is listed last and both count.
                if !set.is_empty() && !names.iter().any(|it| it.0 == name && it.1 == set) {
                    names.push((name, set));
                }
            }
        }
        Self { universe, names }
    }

    /// The selectors that together say a set.
    pub fn describe(&self, set: &AtomSet) -> Vec<String> {
        let mut inside: Vec<&(String, AtomSet)> =
            self.names.iter().filter(|it| it.1.len() > 1 && it.1.is_subset(set)).collect();
        let mut left = set.clone();
        let mut words = Vec::new();
        while !left.is_empty() {
            inside.retain(|it| it.1.overlaps(&left));
            // The first of several as good.
            let gain = |it: &&&(String, AtomSet)| it.1.and(&left).len();
            let Some(best) = inside.iter().rev().max_by_key(gain) else { break };
            // A name that says one more thing only is no shorter than that thing.
            if gain(&best) < 2 && best.1.len() > 1 && self.single(&left).is_some() {
                break;
            }
            words.push(best.0.clone());
            left = left.minus(&best.1);
        }
        words.extend(self.singles(&left));
        words.dedup();
        words
    }

    fn single(&self, left: &AtomSet) -> Option<String> {
        self.singles(left).into_iter().next()
    }

    /// One by one; users are named once, whatever else is true of them, where all of it is in the set.
    fn singles(&self, left: &AtomSet) -> Vec<String> {
        let mut words = Vec::new();
        for id in left.iter() {
            let word = match self.universe.atom(id) {
                Some(Atom::User(login, standing)) => with(login, standing),
                Some(Atom::OtherUser(Some(domain), standing)) => {
                    with(&format!("user:*@{domain}"), standing)
                }
                Some(Atom::OtherUser(None, standing)) => with("any other user", standing),
                Some(Atom::Tag(tag)) => tag.to_string(),
                Some(Atom::Shared) => "autogroup:shared".to_owned(),
                Some(Atom::Service(name)) => name.to_string(),
                Some(Atom::Addresses(range)) => crate::tables::Addresses::from(*range).to_string(),
                Some(Atom::OtherAddresses(it)) if it.is_ipv4() => {
                    "any other IPv4 address".to_owned()
                }
                Some(Atom::OtherAddresses(_)) => "any other IPv6 address".to_owned(),
                None => continue,
            };
            if !words.contains(&word) {
                words.push(word);
            }
        }
        // A user as such says all that is true of them.
        let plain: Vec<String> = words.iter().filter(|it| !it.contains(" (")).cloned().collect();
        words.retain(|it| {
            it.split_once(" (").is_none_or(|(name, _)| !plain.iter().any(|plain| plain == name))
        });
        words
    }
}

/// A user, and what else must be true of them.
fn with(name: &str, standing: &Standing) -> String {
    match standing {
        Standing::Plain => name.to_owned(),
        Standing::Role(role) => format!("{name} (as autogroup:{})", role.name()),
        Standing::Synced(group) => format!("{name} (in {group})"),
    }
}
