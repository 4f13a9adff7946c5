//! Destinations with ports, ports by the name of their service, protocols.

use compiler::ast::ports::PROTOCOLS;
use compiler::policy::Place;

use super::super::pieces::split_destination;
use super::super::words::SERVICES;
use super::selectors;
use super::{ItemKind, List};

/// A selector with its colon, or ports behind one.
pub(super) fn destinations(list: &mut List<'_, '_>) {
    with_ports(list, |list| selectors::at_place(list, Place::AclDst));
}

/// The same in an assertion.
pub(super) fn test_destinations(list: &mut List<'_, '_>) {
    with_ports(list, selectors::ssh_test_destinations);
}

fn with_ports(list: &mut List<'_, '_>, names: impl Fn(&mut List<'_, '_>)) {
    let before = list.hole.before;
    if let (_, Some(start)) = split_destination(before) {
        // Of `22,8` only the last port is being written.
        let begun = before.get(start..).unwrap_or_default();
        let start = start + begun.rfind([',', '-']).map_or(0, |it| it + 1);
        return ports(list, start, start == before.len() - begun.len());
    }
    let rest = list.hole.behind;
    // The ports behind the cursor stay.
    let kept = rest.rfind(':').filter(|_| !rest.is_empty());
    if let Some(kept) = kept {
        list.hole.end -= (rest.len() - kept) as u32;
        list.hole.closes = false;
        return names(list);
    }
    let first = list.items.len();
    names(list);
    let opens = list.hole.opens;
    for item in list.items.iter_mut().skip(first) {
        let colon = if opens { item.label.len() + 1 } else { item.label.len() };
        item.text.insert(colon, ':');
        item.caret = Some(colon + 1);
        item.goes_on = true;
    }
}

/// An entry of a grant's `ip`.
pub(super) fn specs(list: &mut List<'_, '_>) {
    let before = list.hole.before;
    match before.rfind([':', '-']) {
        Some(at) => ports(list, at + 1, before.get(at..=at) == Some(":")),
        None => {
            ports(list, 0, true);
            for (_, name, _, has_ports) in PROTOCOLS {
                let label = if has_ports { format!("{name}:") } else { format!("{name}:*") };
                let closes = list.hole.closes;
                let item = list.offer(label, ItemKind::Word);
                item.goes_on = has_ports;
                if has_ports && closes {
                    item.caret = Some(item.text.len() - 1);
                }
            }
        }
    }
}

/// A protocol by its name.
pub(super) fn protocols(list: &mut List<'_, '_>) {
    for (number, name, others, _) in PROTOCOLS {
        let also: String = others.iter().map(|it| format!(", {it}")).collect();
        list.offer(name, ItemKind::Word).detail(format!("protocol {number}{also}"));
    }
}

/// Ports from `start` of the string on. Typed letters find a service by its name, digits by its number.
fn ports(list: &mut List<'_, '_>, start: usize, all: bool) {
    let typed = list.hole.before.get(start..).unwrap_or_default();
    let by_name = typed.starts_with(|it: char| it.is_ascii_alphabetic());
    let (from, end) = (list.hole.start + start as u32, list.hole.end);
    if all {
        list.offer_part("*", ItemKind::Value, from, end, true).detail("every port");
    }
    for service in &SERVICES {
        let number = service.port.to_string();
        let item = list.offer_part(number.clone(), ItemKind::Value, from, end, true);
        if by_name {
            item.label = service.name.to_owned();
            item.filter = item.filter.replace(&number, service.name);
            item.detail(format!("{number}: {}", service.about));
        } else {
            item.detail(format!("{}: {}", service.name, service.about));
        }
    }
}
