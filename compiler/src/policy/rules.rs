//! `acls` and `grants` → [`Rule`]s, and the checks that look at more than one selector.
//!
//! SOURCE: docs/language.md, "Where each may stand" and "Order and merging".

use super::names::Names;
use super::problem::{Difference, Problem};
use super::*;
use crate::ast::ports::has_ports;
use crate::ast::{Acl, Grant};
use crate::dialect::Dialect;

/// The postures of rules without any of their own.
pub(super) fn default_postures(names: &mut Names, file: &PolicyFile) -> Vec<PostureId> {
    postures(names, &file.default_src_posture)
}

/// Every grant, then every acl; `None` where the file has neither section.
pub(super) fn rules(
    names: &mut Names,
    file: &PolicyFile,
    default: &[PostureId],
) -> Option<Vec<Rule>> {
    if file.grants.is_none() && file.acls.is_none() {
        return None;
    }
    let mut rules = Vec::new();
    for (grant, index) in file.grants.iter().flatten().zip(0..) {
        rules.push(from_grant(names, grant, index, default));
    }
    for (acl, index) in file.acls.iter().flatten().zip(0..) {
        rules.push(from_acl(names, acl, index, default));
    }
    Some(rules)
}

fn postures(names: &mut Names, written: &[Spanned<Text>]) -> Vec<PostureId> {
    written.iter().filter_map(|it| names.posture(it)).collect()
}

fn from_grant(names: &mut Names, grant: &Grant, index: u32, default: &[PostureId]) -> Rule {
    let src = names.resolve_all(Place::GrantSrc, &grant.src);
    let dst = names.resolve_all(Place::GrantDst, &grant.dst);
    let via = names.resolve_all(Place::Via, &grant.via);
    check_own_devices(names, Place::GrantSrc, &src, &dst);
    check_default_route(names, Section::Grants, &dst);
    let internet = dst.iter().find(|it| it.value == Target::Autogroup(Autogroup::Internet));
    if let Some(internet) = internet.filter(|_| !grant.app.is_empty()) {
        names.problems.push(Problem::AppToInternet { span: internet.span });
    }
    for spec in &grant.ip {
        check_portless(names, spec.value.protocol, spec.value.ports, spec.span, Section::Grants);
    }
    let destination =
        |it: Spanned<Target>| Destination { target: it.value, span: it.span, ports: None };
    let tag = |it: Spanned<Target>| match it.value {
        Target::Tag(tag) => Some(Spanned::new(tag, it.span)),
        _ => None,
    };
    Rule {
        section: Section::Grants,
        index,
        span: grant.span,
        src,
        dst: dst.into_iter().map(destination).collect(),
        protocol: None,
        ip: grant.ip.iter().map(|it| it.value).collect(),
        app: grant.app.clone(),
        via: via.into_iter().filter_map(tag).collect(),
        postures: own_or_default(names, &grant.src_posture, default),
    }
}

fn from_acl(names: &mut Names, acl: &Acl, index: u32, default: &[PostureId]) -> Rule {
    let src = names.resolve_all(Place::AclSrc, &acl.src);
    let protocol = acl.protocol.map(|it| it.value);
    let mut dst = Vec::with_capacity(acl.dst.len());
    for written in &acl.dst {
        if let Some(target) = names.resolve(Place::AclDst, &written.selector) {
            let ports = Arc::clone(&written.ports);
            dst.push(Destination { target: target.value, span: target.span, ports: Some(ports) });
        }
        // One report for `db:80,443`: the protocol is wrong, or all of the ports are.
        if let Some(ports) = written.ports.iter().find(|it| **it != PortRange::ALL) {
            check_portless(names, protocol, *ports, written.span, Section::Acls);
        }
    }
    let targets: Vec<_> = dst.iter().map(|it| Spanned::new(it.target, it.span)).collect();
    check_own_devices(names, Place::AclSrc, &src, &targets);
    check_default_route(names, Section::Acls, &targets);
    Rule {
        section: Section::Acls,
        index,
        span: acl.span,
        src,
        dst,
        protocol,
        ip: Vec::new(),
        app: Vec::new(),
        via: Vec::new(),
        postures: own_or_default(names, &acl.src_posture, default),
    }
}

/// A rule's own postures replace the default, they are not added to it.
pub(super) fn own_or_default(
    names: &mut Names,
    written: &[Spanned<Text>],
    default: &[PostureId],
) -> Vec<PostureId> {
    let own = postures(names, written);
    if written.is_empty() { default.to_vec() } else { own }
}

/// `autogroup:self` means "the caller's own devices", so every source must be people. `place` is that
/// of the sources.
pub(super) fn check_own_devices(
    names: &mut Names,
    place: Place,
    src: &[Spanned<Target>],
    dst: &[Spanned<Target>],
) {
    let Some(own) = dst.iter().find(|it| it.value == Target::Autogroup(Autogroup::OwnDevices))
    else {
        return;
    };
    let people = |target: Target| match target {
        Target::Login(_) | Target::Domain(_) | Target::Group(_) => true,
        Target::Autogroup(it) => {
            !matches!(it, Autogroup::Tagged | Autogroup::DangerAll | Autogroup::Shared)
        }
        Target::Any => place == Place::AclSrc,
        _ => false,
    };
    let others = src.iter().filter(|it| !people(it.value));
    names.problems.extend(others.map(|it| Problem::OwnDevicesOfOthers {
        span: it.span,
        own: own.span,
        place,
    }));
}

/// All of the internet is `autogroup:internet`, all of everything is `*`; a default route is neither.
fn check_default_route(names: &mut Names, section: Section, dst: &[Spanned<Target>]) {
    names.problems.extend(dst.iter().filter_map(|it| match it.value {
        Target::Literal(net) if net.prefix_len() == 0 => Some(match (names.dialect, section) {
            (Dialect::Headscale, Section::Acls) => Difference::DefaultRoute.at(it.span),
            _ => Problem::DefaultRoute { span: it.span, net, section },
        }),
        _ => None,
    }));
}

fn check_portless(
    names: &mut Names,
    protocol: Option<Protocol>,
    ports: PortRange,
    span: Span,
    section: Section,
) {
    if let Some(protocol) = protocol.filter(|it| !has_ports(*it) && ports != PortRange::ALL) {
        names.problems.push(match (names.dialect, section) {
            (Dialect::Headscale, Section::Grants) => Difference::Ports { protocol }.at(span),
            _ => Problem::PortsWithoutPorts { span, protocol, section },
        });
    }
}
