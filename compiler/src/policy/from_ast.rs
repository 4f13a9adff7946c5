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
    posture::check(&mut names, &file);
    let default = rules::default_postures(&mut names, &file);
    policy.rules = rules::rules(&mut names, &file, &default);
    policy.auto_approvers = approvers::approvers(&mut names, &file);
    policy.node_attrs = attributes::attributes(&mut names, &file);
    policy.ssh = ssh::rules(&mut names, &file, &default);
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
