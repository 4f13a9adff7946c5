//! The addresses that selectors stand for by themselves, whoever owns them: literals, hosts, IP sets
//! and services. IP sets are worked out once, step by step.

use std::net::IpAddr;

use rustc_hash::FxHashMap;

use super::address::INTERNET;
use super::ip_set::{IpRange, IpSet};
use crate::policy::{IpsetAddresses, Policy, Target};
use crate::tailnet::Tailnet;

/// What every IP set and service of a policy stands for on a tailnet.
#[derive(Debug)]
pub(super) struct AddressBook<'a> {
    policy: &'a Policy,
    ipsets: Vec<IpSet>,
    services: Vec<Vec<IpRange>>,
}

impl<'a> AddressBook<'a> {
    pub(super) fn new(policy: &'a Policy, tailnet: &Tailnet) -> Self {
        Self { policy, ipsets: ipsets(policy), services: services(policy, tailnet) }
    }

    /// Whether an address is among those of a literal, host, IP set or service.
    pub(super) fn contains(&self, target: Target, address: IpAddr) -> bool {
        match target {
            Target::Ipset(id) => {
                self.ipsets.get(id.0 as usize).is_some_and(|it| it.contains(address))
            }
            Target::Service(id) => self
                .services
                .get(id.0 as usize)
                .is_some_and(|it| it.iter().any(|it| it.contains(address))),
            _ => self.policy.net(target).is_some_and(|it| it.contains(&address)),
        }
    }

    /// The addresses of a literal, host, IP set or service; none for any other selector.
    pub(super) fn ranges(&self, target: Target) -> Vec<IpRange> {
        match target {
            Target::Ipset(id) => {
                self.ipsets.get(id.0 as usize).into_iter().flat_map(IpSet::ranges).collect()
            }
            Target::Service(id) => self.services.get(id.0 as usize).cloned().unwrap_or_default(),
            _ => self.policy.net(target).map(IpRange::from).into_iter().collect(),
        }
    }
}

/// The addresses of the services that the policy names; one that the tailnet lacks has none.
fn services(policy: &Policy, tailnet: &Tailnet) -> Vec<Vec<IpRange>> {
    let known: FxHashMap<&str, _> =
        tailnet.services().iter().map(|it| (&*it.name, &it.addresses)).collect();
    let addresses = |name: &str| {
        known.get(name).into_iter().copied().flatten().map(|it| IpRange::of(*it)).collect()
    };
    policy.services.iter().map(|it| addresses(&it.value)).collect()
}

/// The addresses of every IP set of a policy after its last step, in the order of [`Policy::ipsets`].
pub fn ipsets(policy: &Policy) -> Vec<IpSet> {
    let mut sets = vec![IpSet::default(); policy.ipsets.len()];
    // INVARIANT: `ipset_order` puts a set behind all that it refers to; those in a circle are errors.
    for id in &policy.ipset_order {
        let mut set = IpSet::default();
        for step in policy.ipsets.get(id.0 as usize).into_iter().flat_map(|it| &it.steps) {
            let ranges: Vec<IpRange> = match step.addresses {
                IpsetAddresses::Net(net) => vec![net.into()],
                IpsetAddresses::Range(first, last) => {
                    IpRange::new(first, last).into_iter().collect()
                }
                IpsetAddresses::Internet => INTERNET.iter().flat_map(|it| it.ranges()).collect(),
                IpsetAddresses::Set(inner) => {
                    sets.get(inner.0 as usize).into_iter().flat_map(IpSet::ranges).collect()
                }
            };
            for range in ranges {
                if step.remove { set.remove(range) } else { set.add(range) }
            }
        }
        if let Some(slot) = sets.get_mut(id.0 as usize) {
            *slot = set;
        }
    }
    sets
}
