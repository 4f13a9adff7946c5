//! Members of groups, and definitions that refer to each other in a circle.

use super::names::Names;
use super::problem::Problem;
use super::*;
use crate::ast::Selector;

/// Resolves the members of every group. Groups within groups are refused.
pub(super) fn groups(names: &mut Names, file: &PolicyFile) -> Vec<Group> {
    // SOURCE: docs/language.md, "Where each may stand": of several groups with groups
    // inside, the API names the
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
        groups.push(Group { name: group.name.clone(), members, synced: false });
    }
    groups
}

/// Puts the sets in an order in which each stands behind all that it names, and finds the references
/// that close a circle: without them, none would be left.
///
/// A depth-first walk with a stack of its own, because a file may chain as many sets as it has lines.
pub(super) fn order(inner: &[Vec<Spanned<IpsetId>>]) -> (Vec<IpsetId>, Vec<Spanned<IpsetId>>) {
    #[derive(Clone, Copy, PartialEq)]
    enum Seen {
        No,
        OnTheWay,
        Settled,
    }
    let mut seen = vec![Seen::No; inner.len()];
    let mut order = Vec::with_capacity(inner.len());
    let mut back = Vec::new();
    for start in 0..inner.len() {
        // The sets on the way, each with the position of the next reference to follow.
        let mut way = vec![(start, 0)];
        if seen.get(start) != Some(&Seen::No) {
            continue;
        }
        while let Some((id, next)) = way.last_mut() {
            let (id, reference) = (*id, inner.get(*id).and_then(|it| it.get(*next)));
            *next += 1;
            let mark = |seen: &mut Vec<Seen>, as_what| {
                if let Some(it) = seen.get_mut(id) {
                    *it = as_what;
                }
            };
            mark(&mut seen, Seen::OnTheWay);
            let Some(reference) = reference else {
                mark(&mut seen, Seen::Settled);
                order.push(IpsetId(id as u32));
                way.pop();
                continue;
            };
            let inner = reference.value.0 as usize;
            match seen.get(inner) {
                Some(Seen::No) => way.push((inner, 0)),
                Some(Seen::OnTheWay) => back.push(*reference),
                _ => {}
            }
        }
    }
    (order, back)
}
