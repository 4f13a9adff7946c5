//! Members of groups, and definitions that refer to each other in a circle.

use super::names::Names;
use super::problem::Problem;
use super::*;
use crate::ast::Selector;

/// Resolves the members of every group. Groups within groups are refused.
pub(super) fn groups(names: &mut Names, file: &PolicyFile) -> Vec<Group> {
    // SOURCE: spec/policy-language.md 3.4: of several groups with groups inside, the API names the
    // greatest.
    let inner = |it: &Spanned<Selector>| matches!(it.value, Selector::Group(_));
    let parents = file.groups.iter().filter(|it| it.value.iter().any(inner));
    let named_by_api = parents.map(|it| Arc::clone(&it.name.value)).max();
    let mut groups = Vec::with_capacity(file.groups.len());
    for group in &file.groups {
        let mut members = Vec::with_capacity(group.value.len());
        for member in &group.value {
            if let Selector::Group(inner) = &member.value {
                let outer = Arc::clone(&group.name.value);
                let named_by_api = named_by_api.as_ref() == Some(&outer);
                let inner = Arc::clone(inner);
                names.problems.push(Problem::GroupInGroup {
                    span: member.span,
                    outer,
                    inner,
                    named_by_api,
                });
                continue;
            }
            if let Some(Spanned { value: Target::Login(login), span }) =
                names.resolve(Place::GroupMember, member)
            {
                members.push(Spanned::new(login, span));
            }
        }
        groups.push(Group { name: group.name.clone(), members });
    }
    groups
}

/// Puts the sets in an order in which each stands behind all that it refers to; what is left over
/// contains itself, directly or through others.
///
/// Walks without recursion, because a file may chain as many sets as it has lines.
pub(super) fn order(sets: &[Ipset]) -> (Vec<IpsetId>, Vec<IpsetId>) {
    let inner = |id: usize| {
        sets.get(id).into_iter().flat_map(|it| &it.steps).filter_map(|it| match it.addresses {
            IpsetAddresses::Set(id) => Some(id.0 as usize),
            _ => None,
        })
    };
    // What refers to nothing, or only to what is already settled, can be settled next.
    let mut waiting: Vec<usize> = (0..sets.len()).map(|id| inner(id).count()).collect();
    let mut used_by = vec![Vec::new(); sets.len()];
    for id in 0..sets.len() {
        for other in inner(id) {
            if let Some(users) = used_by.get_mut(other) {
                users.push(id);
            }
        }
    }
    let mut settled: Vec<usize> =
        (0..sets.len()).filter(|id| waiting.get(*id) == Some(&0)).collect();
    let mut order = Vec::with_capacity(sets.len());
    while let Some(id) = settled.pop() {
        order.push(IpsetId(id as u32));
        for user in used_by.get(id).into_iter().flatten() {
            if let Some(count) = waiting.get_mut(*user) {
                *count -= 1;
                if *count == 0 {
                    settled.push(*user);
                }
            }
        }
    }
    let circles = (0..).zip(waiting).filter(|(_, count)| *count > 0).map(|(id, _)| IpsetId(id));
    (order, circles.collect())
}
