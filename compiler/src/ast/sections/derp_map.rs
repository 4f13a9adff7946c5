//! `derpMap` → the regions of one's own relays, and what clients could not make use of in it.
//!
//! The control plane passes the map on as it is. SOURCE: docs/language.md, "Relay maps".

use std::net::IpAddr;

use rustc_hash::FxHashMap;

use super::super::problem::{RelayTrouble, Shape};
use super::*;

/// The greatest number of a region: the greatest whole number that JavaScript holds exactly.
///
/// SOURCE: docs/language.md, "The file".
const MAX_REGION: u64 = (1 << 53) - 1;

/// The numbers that are kept for regions of one's own.
const OWN_REGIONS: std::ops::RangeInclusive<u64> = 900..=999;

pub(in crate::ast) fn derp_map<'t>(reader: &mut Reader<'t>, node: Node<'t>) -> Option<DerpMap> {
    let [omit, regions, home] = reader.fields(node, &words::DERP_MAP)?;
    let mut map = DerpMap { omit_default_regions: reader.bool(omit), regions: Vec::new() };
    let mut names = Names::default();
    for (key, value) in reader.map(regions) {
        let id = key.value.parse().ok().filter(|it| (1..=MAX_REGION).contains(it));
        let Some(id) = id else {
            reader.problems.push(Problem::RegionId { span: key.span, written: key.value });
            continue;
        };
        let is_own = OWN_REGIONS.contains(&id);
        let why = match value {
            None if is_own => Some(RelayTrouble::NothingToRemove(id)),
            Some(_) if !is_own => Some(RelayTrouble::Number(id)),
            _ => None,
        };
        trouble(reader, key.span, why);
        let region = value.and_then(|it| derp_region(reader, it, id, &mut names));
        map.regions.push((Spanned::new(id, key.span), region));
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

/// The names that the map has given so far: codes of regions, names and hosts of relays.
#[derive(Default)]
struct Names(FxHashMap<(&'static str, Text), Span>);

impl Names {
    /// Notes a name, and that it was there before.
    fn note(&mut self, reader: &mut Reader<'_>, what: &'static str, name: Option<&Spanned<Text>>) {
        let Some(Spanned { value: name, span }) = name else { return };
        if self.0.insert((what, Arc::clone(name)), *span).is_some() {
            trouble(reader, *span, Some(RelayTrouble::SameName(Arc::clone(name))));
        }
    }
}

fn trouble(reader: &mut Reader<'_>, span: Span, why: Option<RelayTrouble>) {
    reader.problems.extend(why.map(|why| Problem::RelayMap { span, why }));
}

fn derp_region<'t>(
    reader: &mut Reader<'t>,
    node: Node<'t>,
    key: u64,
    names: &mut Names,
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
    if let Some(found) = region_id {
        same_region(reader, key, found);
    }
    let code = code.and_then(|it| reader.text(it));
    names.note(reader, "RegionCode", code.as_ref());
    let relays = reader.list(nodes);
    match relays.as_slice() {
        [] => trouble(reader, opening(node), Some(RelayTrouble::NoRelay)),
        [_] => {}
        [_, second, ..] => trouble(reader, opening(*second), Some(RelayTrouble::SeveralRelays)),
    }
    let hosts = relays.into_iter().filter_map(|it| relay_host(reader, it, key, names)).collect();
    Some(DerpRegion { code, hosts })
}

/// Checks that a `RegionID` says the same as the key of its region.
fn same_region<'t>(reader: &mut Reader<'t>, key: u64, found: Node<'t>) {
    if Shape::of(found) == Some(Shape::Number) && found.text() != key.to_string() {
        let (span, found) = (found.span(), found.text().into());
        reader.problems.push(Problem::RegionMismatch { span, key, found });
    }
}

/// The host name of a relay.
fn relay_host<'t>(
    reader: &mut Reader<'t>,
    node: Node<'t>,
    region: u64,
    names: &mut Names,
) -> Option<Spanned<Text>> {
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
    for text in [cert, stun_ip].into_iter().flatten() {
        reader.text(text);
    }
    // -1 switches STUN off.
    port(reader, stun, -1);
    port(reader, derp, 0);
    address(reader, ipv4, IpAddr::is_ipv4);
    address(reader, ipv6, IpAddr::is_ipv6);
    if let Some(found) = region_id
        && Shape::of(found) == Some(Shape::Number)
        && found.text() != region.to_string()
    {
        trouble(reader, found.span(), Some(RelayTrouble::OtherRegion(region)));
    }
    let name = name.and_then(|it| reader.text(it));
    names.note(reader, "Name", name.as_ref());
    let host = host.and_then(|it| reader.text(it));
    if host.as_ref().is_none_or(|it| it.value.is_empty()) {
        trouble(reader, opening(node), Some(RelayTrouble::NoHost));
    }
    host
}

fn port(reader: &mut Reader<'_>, node: Option<Node<'_>>, least: i64) {
    let number = node.and_then(|it| Some((it.span(), it.text().parse::<i64>().ok()?)));
    if let Some((span, port)) = number.filter(|it| !(least..=i64::from(u16::MAX)).contains(&it.1)) {
        trouble(reader, span, Some(RelayTrouble::Port(port)));
    }
}

fn address<'t>(reader: &mut Reader<'t>, node: Option<Node<'t>>, family: fn(&IpAddr) -> bool) {
    let Some(Spanned { value, span }) = node.and_then(|it| reader.text(it)) else { return };
    let fits = value.parse::<IpAddr>().is_ok_and(|it| family(&it));
    if !(fits || matches!(&*value, "" | "none")) {
        trouble(reader, span, Some(RelayTrouble::Address(value)));
    }
}
