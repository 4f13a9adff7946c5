//! `autoApprovers`, `OneCGNATRoute` and `derpMap` → what is written in them.

use super::super::problem::Shape;
use super::*;

pub(in crate::ast) fn auto_approvers<'t>(
    reader: &mut Reader<'t>,
    node: Option<Node<'t>>,
) -> AutoApprovers {
    let Some(node) = node else { return AutoApprovers::default() };
    let Some([routes, exit_node, services]) = reader.fields(node, &words::AUTO_APPROVERS) else {
        return AutoApprovers::default();
    };
    let mut approvers =
        AutoApprovers { exit_node: reader.selectors(exit_node), ..AutoApprovers::default() };
    for (name, value) in reader.map(routes) {
        let who = reader.selectors(value);
        approvers.routes.extend(prefix(reader, name).map(|it| (it, who)));
    }
    for (name, value) in reader.map(services) {
        let who = reader.selectors(value);
        match selector::read(&name.value) {
            Ok(read) if matches!(read.selector, Selector::Service(_) | Selector::Tag(_)) => {
                approvers.services.push((Spanned::new(read.selector, name.span), who));
            }
            _ => reader.problems.push(Problem::ServiceName { span: name.span, name: name.value }),
        }
    }
    approvers
}

pub(in crate::ast) fn one_cgnat_route<'t>(
    reader: &mut Reader<'t>,
    node: Option<Node<'t>>,
) -> Option<Spanned<Text>> {
    let text = reader.text(node?)?;
    if words::CGNAT_ROUTES.contains(&&*text.value) {
        return Some(text);
    }
    reader.problems.push(Problem::CgnatRoute { span: text.span, written: text.value });
    None
}

pub(in crate::ast) fn derp_map<'t>(reader: &mut Reader<'t>, node: Node<'t>) -> Option<DerpMap> {
    let [omit, regions, home] = reader.fields(node, &words::DERP_MAP)?;
    let mut map = DerpMap { omit_default_regions: reader.bool(omit), regions: Vec::new() };
    for (key, value) in reader.map(regions) {
        let id = key.value.parse().ok().filter(|it| (1..=MAX_REGION).contains(it));
        let region = value.and_then(|it| derp_region(reader, it, id));
        match id {
            Some(id) => map.regions.push((Spanned::new(id, key.span), region)),
            None => reader.problems.push(Problem::RegionId { span: key.span, written: key.value }),
        }
    }
    if let Some(home) = home
        && let Some([scores]) = reader.fields(home, &words::DERP_HOME)
    {
        for (_, score) in reader.map(scores) {
            reader.number(score);
        }
    }
    Some(map)
}

/// The greatest number of a region: the greatest whole number that JavaScript holds exactly.
///
/// SOURCE: docs/language.md, "The file".
const MAX_REGION: u64 = (1 << 53) - 1;

fn derp_region<'t>(
    reader: &mut Reader<'t>,
    node: Node<'t>,
    key: Option<u64>,
) -> Option<DerpRegion> {
    let [region_id, code, name, nodes, avoid, no_measure, latitude, longitude] =
        reader.fields(node, &words::DERP_REGION)?;
    for number in [region_id, latitude, longitude] {
        reader.number(number);
    }
    for flag in [avoid, no_measure] {
        reader.bool(flag);
    }
    name.map(|it| reader.text(it));
    if let (Some(key), Some(found)) = (key, region_id) {
        same_region(reader, key, found);
    }
    let mut hosts = Vec::new();
    for relay in reader.list(nodes) {
        hosts.extend(relay_host(reader, relay));
    }
    Some(DerpRegion { code: code.and_then(|it| reader.text(it)), hosts })
}

/// Checks that a `RegionID` says the same as the key of its region.
fn same_region<'t>(reader: &mut Reader<'t>, key: u64, found: Node<'t>) {
    if Shape::of(found) == Some(Shape::Number) && found.text() != key.to_string() {
        let (span, found) = (found.span(), found.text().into());
        reader.problems.push(Problem::RegionMismatch { span, key, found });
    }
}

/// The host name of a relay.
fn relay_host<'t>(reader: &mut Reader<'t>, node: Node<'t>) -> Option<Spanned<Text>> {
    let [
        host,
        name,
        region_id,
        cert,
        ipv4,
        ipv6,
        stun,
        stun_only,
        derp,
        insecure,
        stun_ip,
        port_80,
    ] = reader.fields(node, &words::DERP_RELAY)?;
    for number in [region_id, stun, derp] {
        reader.number(number);
    }
    for flag in [stun_only, insecure, port_80] {
        reader.bool(flag);
    }
    for text in [name, cert, ipv4, ipv6, stun_ip].into_iter().flatten() {
        reader.text(text);
    }
    host.and_then(|it| reader.text(it))
}
