//! Selectors as sets, by the policy alone: which certainly holds all that another does, and which
//! may share something with another.
//!
//! Equal sets are equal values: a host is its prefix, a group of one is its member, and of two
//! groups with the same members the first stands for both. So "wider" never goes in a circle.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use rustc_hash::FxHashMap;

use crate::ast::Autogroup;
use crate::policy::{DomainId, GroupId, LoginId, Policy, Target};

/// At most so many groups of one user are looked at: fewer findings, never wrong ones.
const MAX_GROUPS: usize = 32;

/// The IPv4 addresses of devices.
pub(super) const DEVICES_V4: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(100, 64, 0, 0), 10);

/// What of them ChromeOS keeps for containers, and no device has.
const CONTAINERS: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(100, 115, 92, 0), 23);

/// The IPv6 addresses of devices.
pub(super) const DEVICES_V6: Ipv6Net =
    Ipv6Net::new_assert(Ipv6Addr::new(0xfd7a, 0x115c, 0xa1e0, 0, 0, 0, 0, 0), 48);

/// The IPv6 addresses that stand for IPv4 networks behind routers.
const VIA: Ipv6Net =
    Ipv6Net::new_assert(Ipv6Addr::new(0xfd7a, 0x115c, 0xa1e0, 0x0b1a, 0, 0, 0, 0), 64);

/// On which side of a rule a selector stands: `*` is not the same on both.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Side {
    /// Who.
    Src,
    /// Whom.
    Dst,
}

/// Whether a prefix lies among the addresses that devices have themselves.
pub(super) fn is_of_devices(net: IpNet) -> bool {
    match net {
        IpNet::V4(net) => DEVICES_V4.contains(&net),
        IpNet::V6(net) => DEVICES_V6.contains(&net) && !VIA.contains(&net),
    }
}

/// Whether a prefix and the addresses that devices have share one.
pub(super) fn meets_devices(net: IpNet) -> bool {
    match net {
        IpNet::V4(net) => DEVICES_V4.contains(&net) || net.contains(&DEVICES_V4),
        IpNet::V6(net) => DEVICES_V6.contains(&net) || net.contains(&DEVICES_V6),
    }
}

/// The selectors of one policy as sets.
#[derive(Debug)]
pub(super) struct Atoms<'a> {
    policy: &'a Policy,
    /// The members of each group, sorted.
    members: Vec<Box<[LoginId]>>,
    /// What stands for each group.
    same: Vec<Target>,
    /// The groups of each user, without those that another stands for.
    groups: FxHashMap<LoginId, Vec<GroupId>>,
    domains: FxHashMap<&'a str, DomainId>,
    /// The lengths of the prefixes that rules name, of each family.
    lengths: [Vec<u8>; 2],
}

impl<'a> Atoms<'a> {
    pub(super) fn new(policy: &'a Policy) -> Self {
        let sorted = |it: &crate::policy::Group| {
            let mut members: Vec<LoginId> = it.members.iter().map(|it| it.value).collect();
            members.sort_unstable();
            members.dedup();
            members.into_boxed_slice()
        };
        let members: Vec<Box<[LoginId]>> = policy.groups.iter().map(sorted).collect();
        let mut first: FxHashMap<&[LoginId], GroupId> = FxHashMap::default();
        let mut groups: FxHashMap<LoginId, Vec<GroupId>> = FxHashMap::default();
        let mut same = Vec::with_capacity(members.len());
        for (list, id) in members.iter().zip((0..).map(GroupId)) {
            same.push(match **list {
                [] => Target::Group(id),
                [one] => Target::Login(one),
                _ => Target::Group(*first.entry(list).or_insert(id)),
            });
            if same.last() == Some(&Target::Group(id)) {
                list.iter().for_each(|it| groups.entry(*it).or_default().push(id));
            }
        }
        let domains = policy
            .domains
            .iter()
            .zip((0..).map(DomainId))
            .map(|(it, id)| (&*it.value, id))
            .collect();
        let lengths = lengths(policy);
        Self { policy, members, same, groups, domains, lengths }
    }

    /// What stands for all selectors that name the same set.
    pub(super) fn of(&self, target: Target) -> Target {
        match target {
            Target::Group(id) => self.same.get(id.0 as usize).copied().unwrap_or(target),
            Target::Host(_) => self.policy.net(target).map_or(target, Target::Literal),
            _ => target,
        }
    }

    /// Every set that certainly holds all of `atom` and more, the narrower ones first.
    pub(super) fn wider(&self, atom: Target, side: Side) -> Vec<Target> {
        let mut wider = match atom {
            Target::Login(id) => self.around_login(id),
            Target::Group(id) => self.around_group(id),
            Target::Domain(_) => vec![MEMBER],
            Target::Tag(_) => vec![Target::Autogroup(Autogroup::Tagged)],
            Target::Autogroup(Autogroup::Owner) => {
                vec![Target::Autogroup(Autogroup::Admin), MEMBER]
            }
            Target::Autogroup(it) if is_role(it) || it == Autogroup::OwnDevices => vec![MEMBER],
            Target::Literal(net) => self.around_net(net),
            _ => Vec::new(),
        };
        if side == Side::Dst {
            wider.extend((atom != Target::Any).then_some(Target::Any));
            return wider;
        }
        wider.extend(self.is_of_anybody(atom).then_some(Target::Any));
        let everything = Target::Autogroup(Autogroup::DangerAll);
        wider.extend((atom != everything).then_some(everything));
        wider
    }

    /// Whether `*` as a source certainly holds all of a set.
    fn is_of_anybody(&self, atom: Target) -> bool {
        match atom {
            Target::Any | Target::Autogroup(Autogroup::DangerAll | Autogroup::Internet) => false,
            Target::Ipset(_) | Target::Service(_) | Target::Host(_) => false,
            Target::Literal(IpNet::V4(net)) => {
                let hole = CONTAINERS.contains(&net) || net.contains(&CONTAINERS);
                DEVICES_V4.contains(&net) && !hole
            }
            Target::Literal(IpNet::V6(net)) => DEVICES_V6.contains(&net),
            _ => true,
        }
    }

    fn around_login(&self, id: LoginId) -> Vec<Target> {
        let groups = self.groups.get(&id).into_iter().flatten();
        let groups = groups.take(MAX_GROUPS).map(|it| Target::Group(*it));
        let login = self.policy.logins.get(id.0 as usize);
        let domain = login.and_then(|it| self.domains.get(it.value.rsplit_once('@')?.1));
        groups.chain(domain.map(|it| Target::Domain(*it))).chain([MEMBER]).collect()
    }

    fn around_group(&self, id: GroupId) -> Vec<Target> {
        let members = self.members.get(id.0 as usize).map_or(&[][..], |it| it);
        let candidates = members.first().and_then(|it| self.groups.get(it));
        let holds = |other: &&GroupId| {
            let others = self.members.get(other.0 as usize).map_or(&[][..], |it| it);
            others.len() > members.len()
                && members.iter().all(|it| others.binary_search(it).is_ok())
        };
        let groups = candidates.into_iter().flatten().take(MAX_GROUPS).filter(holds);
        groups.map(|it| Target::Group(*it)).chain([MEMBER]).collect()
    }

    fn around_net(&self, net: IpNet) -> Vec<Target> {
        let lengths = if net.addr().is_ipv4() { &self.lengths[0] } else { &self.lengths[1] };
        let shorter = lengths.iter().rev().filter(|it| **it < net.prefix_len());
        let around = shorter.filter_map(|it| Some(IpNet::new(net.addr(), *it).ok()?.trunc()));
        around.map(Target::Literal).collect()
    }

    /// Whether somebody or something may belong to both sets; what nobody knows may be.
    pub(super) fn may_share(&self, one: Target, other: Target) -> bool {
        let pair = (one, other);
        match pair {
            _ if one == other => true,
            (Target::Any | Target::Ipset(_), _) | (_, Target::Any | Target::Ipset(_)) => true,
            (Target::Autogroup(Autogroup::DangerAll), _)
            | (_, Target::Autogroup(Autogroup::DangerAll)) => true,
            (Target::Literal(a), Target::Literal(b)) => a.contains(&b) || b.contains(&a),
            (Target::Literal(net), it) | (it, Target::Literal(net)) => {
                (is_person(it) || is_tag(it)) && meets_devices(net)
            }
            // A device may carry two tags, but rules for one are not written for the other.
            (Target::Tag(_), Target::Tag(_)) => false,
            _ if is_tag(one) => is_tag(other),
            (Target::Login(_), Target::Login(_)) => false,
            (Target::Login(login), Target::Group(group))
            | (Target::Group(group), Target::Login(login)) => self.is_member(login, group),
            (Target::Group(a), Target::Group(b)) => {
                let members = self.members.get(a.0 as usize).map_or(&[][..], |it| it);
                self.is_synced(a)
                    || self.is_synced(b)
                    || members.iter().any(|it| self.is_member(*it, b))
            }
            _ => is_person(one) && is_person(other),
        }
    }

    fn is_member(&self, login: LoginId, group: GroupId) -> bool {
        let members = self.members.get(group.0 as usize);
        self.is_synced(group) || members.is_some_and(|it| it.binary_search(&login).is_ok())
    }

    fn is_synced(&self, group: GroupId) -> bool {
        self.policy.groups.get(group.0 as usize).is_some_and(|it| it.synced)
    }
}

const MEMBER: Target = Target::Autogroup(Autogroup::Member);

/// Whether an autogroup stands for the people of a role.
pub(super) const fn is_role(autogroup: Autogroup) -> bool {
    matches!(
        autogroup,
        Autogroup::Owner
            | Autogroup::Admin
            | Autogroup::NetworkAdmin
            | Autogroup::ItAdmin
            | Autogroup::BillingAdmin
            | Autogroup::Auditor
    )
}

/// Whether a set is one of people of this tailnet.
pub(super) fn is_person(target: Target) -> bool {
    match target {
        Target::Login(_) | Target::Group(_) | Target::Domain(_) => true,
        Target::Autogroup(it) => {
            matches!(it, Autogroup::Member | Autogroup::OwnDevices) || is_role(it)
        }
        _ => false,
    }
}

/// Whether a set is one of tagged devices.
pub(super) fn is_tag(target: Target) -> bool {
    matches!(target, Target::Tag(_) | Target::Autogroup(Autogroup::Tagged))
}

fn lengths(policy: &Policy) -> [Vec<u8>; 2] {
    let mut lengths = [Vec::new(), Vec::new()];
    let rules = policy.rules.iter().flatten();
    let targets = rules
        .flat_map(|it| it.src.iter().map(|it| it.value).chain(it.dst.iter().map(|it| it.target)));
    for net in targets.filter_map(|it| policy.net(it)) {
        let [v4, v6] = &mut lengths;
        let family = if matches!(net.addr(), IpAddr::V4(_)) { v4 } else { v6 };
        if !family.contains(&net.prefix_len()) {
            family.push(net.prefix_len());
        }
    }
    lengths.iter_mut().for_each(|it| it.sort_unstable());
    lengths
}
