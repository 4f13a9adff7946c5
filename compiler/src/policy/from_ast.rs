//! [`PolicyFile`] → [`Policy`]: runs the passes below in this order and collects what they report.

use super::names::Names;
use super::*;
use crate::ast::{IpsetTarget, Selector};
use crate::dialect::Dialect;
use crate::policy::problem::Problem;

/// Resolves every name and checks every rule of the language that needs no facts of a tailnet.
///
/// Never fails: what is wrong is reported and left out, so editors can use the rest.
pub fn from_ast(file: PolicyFile) -> (Policy, Vec<Problem>) {
    let mut names = Names::new(&file);
    let mut policy = Policy {
        groups: groups::groups(&mut names, &file),
        tags: tags(&mut names, &file),
        hosts: file
            .hosts
            .iter()
            .map(|it| Host { name: it.name.clone(), net: it.value.value })
            .collect(),
        postures: postures(&file),
        ..Policy::default()
    };
    (policy.ipsets, policy.ipset_order) = ipsets(&mut names, &file);
    policy.rules = rules::rules(&mut names, &file);
    policy.auto_approvers = approvers(&mut names, &file);
    attributes(&mut names, &file);
    ssh::check(&mut names, &file);
    if file.dialect == Dialect::Headscale {
        headscale::check(&mut names, &file, policy.rules.as_deref());
    }
    policy.file = file;
    let problems = names.finish(&mut policy);
    (policy, problems)
}

fn tags(names: &mut Names, file: &PolicyFile) -> Vec<Tag> {
    let tag = |it: &crate::ast::Definition<Vec<Spanned<Selector>>>| Tag {
        name: it.name.clone(),
        owners: names.resolve_all(Place::TagOwner, &it.value),
    };
    file.tag_owners.iter().map(tag).collect()
}

fn postures(file: &PolicyFile) -> Vec<Posture> {
    let posture = |it: &crate::ast::Definition<_>| Posture {
        name: it.name.clone(),
        assertions: Clone::clone(&it.value),
    };
    file.postures.iter().map(posture).collect()
}

fn approvers(names: &mut Names, file: &PolicyFile) -> AutoApprovers {
    let written = &file.auto_approvers;
    let mut approvers = AutoApprovers {
        exit_node: names.resolve_all(Place::Approver, &written.exit_node),
        ..AutoApprovers::default()
    };
    for (prefix, who) in &written.routes {
        approvers.routes.push((*prefix, names.resolve_all(Place::Approver, who)));
    }
    for (service, who) in &written.services {
        let who = names.resolve_all(Place::Approver, who);
        // A service needs no definition, so the place of its report does not matter; a tag does.
        let place = match service.value {
            Selector::Service(_) => Place::GrantDst,
            _ => Place::Approver,
        };
        if let Some(service) = names.resolve(place, service) {
            approvers.services.push((service, who));
        }
    }
    approvers
}

/// Checks `nodeAttrs`; what they give to whom is lowered from the file.
fn attributes(names: &mut Names, file: &PolicyFile) {
    for entry in &file.node_attrs {
        names.resolve_all(Place::NodeAttrTarget, &entry.target);
        for pool in &entry.ip_pool {
            if let Some(why) = pool_trouble(pool.value) {
                names.problems.push(Problem::Pool { span: pool.span, pool: pool.value, why });
            }
        }
    }
}

/// Why no addresses may be taken from a pool, if so.
fn pool_trouble(pool: IpNet) -> Option<problem::PoolTrouble> {
    const CGNAT: [u8; 4] = [100, 64, 0, 0];
    // SOURCE: docs/language.md, "SSH, node attributes, assertions": Tailscale's own
    // addresses, and ChromeOS containers.
    const RESERVED: [([u8; 4], u8); 3] =
        [([100, 100, 0, 0], 24), ([100, 100, 100, 0], 24), ([100, 115, 92, 0], 23)];
    let net = |(address, bits): ([u8; 4], u8)| {
        IpNet::new(IpAddr::from(address), bits).unwrap_or_default()
    };
    if !net((CGNAT, 10)).contains(&pool) {
        return Some(problem::PoolTrouble::Outside);
    }
    RESERVED.iter().any(|it| overlap(&net(*it), &pool)).then_some(problem::PoolTrouble::Reserved)
}

fn overlap(one: &IpNet, other: &IpNet) -> bool {
    one.contains(other) || other.contains(one)
}

fn ipsets(names: &mut Names, file: &PolicyFile) -> (Vec<Ipset>, Vec<IpsetId>) {
    let mut sets: Vec<Ipset> = Vec::with_capacity(file.ipsets.len());
    // For each set, the sets that it names, and where.
    let mut inner: Vec<Vec<Spanned<IpsetId>>> = Vec::with_capacity(file.ipsets.len());
    for definition in &file.ipsets {
        let (mut steps, mut named) = (Vec::new(), Vec::new());
        for operation in &definition.value {
            let addresses = match &operation.target {
                IpsetTarget::Range(first, last) => Some(IpsetAddresses::Range(*first, *last)),
                IpsetTarget::Selector(Selector::Literal(net)) => Some(IpsetAddresses::Net(*net)),
                IpsetTarget::Selector(Selector::Host(name)) => names
                    .host(name, operation.name)
                    .and_then(|id| file.hosts.get(id.0 as usize))
                    .map(|it| IpsetAddresses::Net(it.value.value)),
                IpsetTarget::Selector(Selector::Ipset(name)) => {
                    let set = names.ipset(name, operation.name);
                    named.extend(set.map(|it| Spanned::new(it, operation.name)));
                    set.map(IpsetAddresses::Set)
                }
                IpsetTarget::Selector(_) => Some(IpsetAddresses::Internet),
            };
            let remove = operation.remove;
            steps.extend(addresses.map(|addresses| IpsetStep { remove, addresses }));
        }
        sets.push(Ipset { name: definition.name.clone(), steps });
        inner.push(named);
    }
    let (order, back) = groups::order(&inner);
    for reference in back {
        if let Some(set) = sets.get(reference.value.0 as usize) {
            names.problems.push(Problem::IpsetCircle {
                span: reference.span,
                name: Arc::clone(&set.name.value),
                defined: set.name.span,
            });
        }
    }
    bound_ipsets(names, &mut sets, &order);
    (sets, order)
}

/// The most ranges that all IP sets of a file may have together. A set may name another any number of
/// times, so a few lines can stand for more addresses than any machine holds.
const MAX_RANGES: usize = 1_000_000;

/// Refuses the sets with which the bound is passed, and empties them.
fn bound_ipsets(names: &mut Names, sets: &mut [Ipset], order: &[IpsetId]) {
    let mut sizes = vec![0usize; sets.len()];
    let mut total = 0usize;
    for id in order {
        let Some(set) = sets.get_mut(id.0 as usize) else { continue };
        let size = |step: &IpsetStep| match step.addresses {
            IpsetAddresses::Set(inner) => sizes.get(inner.0 as usize).copied().unwrap_or_default(),
            IpsetAddresses::Internet => 7,
            IpsetAddresses::Net(_) | IpsetAddresses::Range(..) => 1,
        };
        let size = set.steps.iter().map(size).fold(0, usize::saturating_add);
        if total.saturating_add(size) > MAX_RANGES {
            let (span, name) = (set.name.span, Arc::clone(&set.name.value));
            names.problems.push(Problem::IpsetTooLarge { span, name });
            set.steps.clear();
            continue;
        }
        total += size;
        if let Some(slot) = sizes.get_mut(id.0 as usize) {
            *slot = size;
        }
    }
}
