//! Selectors, by the table of places: only what may stand at a place is offered.

use std::collections::BTreeSet;

use compiler::ast::{Autogroup, Selector};
use compiler::policy::place::allowed_by;
use compiler::policy::{Kind, Place};

use super::super::analysis::Analysis;
use super::super::hover::about_autogroup;
use super::super::shape::Named;
use super::{ItemKind, List};

/// Whatever may stand at a place.
pub(super) fn at_place(list: &mut List<'_, '_>, place: Place) {
    let dialect = list.analysis.settings().dialect;
    let may = |kind: Kind| allowed_by(dialect, place, kind);
    if may(Kind::Any) {
        list.offer("*", ItemKind::Word).detail("everything");
    }
    for named in [Named::Group, Named::Tag, Named::Host, Named::Ipset] {
        let kind = match named {
            Named::Group => Kind::Group,
            Named::Tag => Kind::Tag,
            Named::Host => Kind::Host,
            _ => Kind::Ipset,
        };
        if may(kind) {
            defined(list, named);
        }
    }
    for (autogroup, name) in Autogroup::ALL {
        let offered = autogroup != Autogroup::Members;
        if offered && may(Kind::of(&Selector::Autogroup(autogroup))) {
            let item = list.offer(format!("autogroup:{name}"), ItemKind::Word);
            item.detail(about_autogroup(autogroup));
        }
    }
    if may(Kind::User) {
        users(list);
    }
    if may(Kind::UserDomain) {
        domains(list);
    }
    if may(Kind::Service) {
        services(list);
    }
}

/// The names that the file defines.
pub(super) fn defined(list: &mut List<'_, '_>, named: Named) {
    let policy = list.analysis.policy();
    let count = |number: usize, one: &str| super::super::words::count(number, one);
    match named {
        Named::Group => {
            for it in policy.groups.iter() {
                let detail = if it.synced {
                    "synced by an identity provider".to_owned()
                } else {
                    count(it.members.len(), "member")
                };
                list.offer(&*it.name.value, ItemKind::Name).detail(detail);
            }
        }
        Named::Tag => {
            let tailnet = list.analysis.tailnet();
            for it in &policy.tags {
                let name = &*it.name.value;
                let devices = tailnet.map(|tailnet| tailnet.tagged(name).len());
                let item = list.offer(name, ItemKind::Name);
                if let Some(devices) = devices {
                    item.detail(count(devices, "device"));
                }
            }
        }
        Named::Host => {
            for it in &policy.hosts {
                let net = Selector::Literal(it.net).to_string();
                list.offer(&*it.name.value, ItemKind::Name).detail(net);
            }
        }
        Named::Ipset => {
            for it in &policy.ipsets {
                let detail = count(it.steps.len(), "step");
                list.offer(&*it.name.value, ItemKind::Name).detail(detail);
            }
        }
        Named::Posture => {
            for it in &policy.postures {
                let conditions: Vec<String> =
                    it.assertions.iter().map(|it| it.value.to_string()).collect();
                list.offer(&*it.name.value, ItemKind::Name).detail(conditions.join(" and "));
            }
        }
        Named::Service | Named::User => {}
    }
}

/// Names that are used and not defined yet; for tags also those that devices carry.
pub(super) fn undefined(list: &mut List<'_, '_>, named: Named) {
    let names = list.analysis.names();
    let (start, end) = (list.hole.start, list.hole.end);
    let here = |at: u32| start <= at && at <= end;
    let mut wanted = BTreeSet::new();
    for (name, id) in names.ids() {
        let elsewhere = names.places(id).any(|it| !here(it.span.start));
        if name.named == named && elsewhere && !names.is_defined(id) {
            wanted.insert(name.text.to_string());
        }
    }
    if named == Named::Tag
        && let Some(tailnet) = list.analysis.tailnet()
    {
        let defined = &list.analysis.policy().tags;
        for node in tailnet.nodes() {
            if let compiler::tailnet::Owner::Tags(tags) = &node.owner {
                let missing =
                    tags.iter().filter(|tag| !defined.iter().any(|it| *it.name.value == ***tag));
                wanted.extend(missing.map(ToString::to_string));
            }
        }
    }
    for name in wanted {
        list.offer(name, ItemKind::Name).detail("used, and not defined yet");
    }
    if list.items.is_empty() && list.hole.before.is_empty() && !named.prefix().is_empty() {
        let closes = list.hole.closes;
        let item = list.offer(named.prefix(), ItemKind::Word);
        item.caret = Some(item.text.len() - usize::from(closes));
    }
}

/// Everybody whom the file or the inventory names.
pub(super) fn users(list: &mut List<'_, '_>) {
    for (login, known) in all_users(list.analysis) {
        let item = list.offer(login, ItemKind::User);
        if let Some(known) = known {
            item.detail(known);
        }
    }
}

/// The logins of the inventory with their roles, and those that only the file names.
fn all_users(analysis: &Analysis) -> Vec<(String, Option<String>)> {
    let mut users = Vec::new();
    let mut seen = BTreeSet::new();
    let facts = analysis.tailnet().map_or(&[][..], |it| it.users());
    for user in facts.iter().filter(|it| !it.has_left()) {
        seen.insert(&*user.login);
        users.push((user.login.to_string(), user.role.map(|it| it.name().to_owned())));
    }
    for login in analysis.policy().logins.iter().filter(|it| !it.value.is_empty()) {
        if seen.insert(&*login.value) {
            users.push((login.value.to_string(), None));
        }
    }
    users
}

fn domains(list: &mut List<'_, '_>) {
    let mut domains = BTreeSet::new();
    for (login, _) in all_users(list.analysis) {
        let domain = login.rsplit_once('@').map(|it| it.1.to_owned());
        domains.extend(domain.filter(|it| it.contains('.')));
    }
    let known = list.analysis.tailnet().and_then(|it| it.domains());
    domains.extend(known.into_iter().flatten().map(ToString::to_string));
    for domain in domains {
        list.offer(format!("user:*@{domain}"), ItemKind::Word).detail("everybody of the domain");
    }
}

fn services(list: &mut List<'_, '_>) {
    let policy = list.analysis.policy().services.iter().map(|it| it.value.to_string());
    let facts = list.analysis.tailnet().map_or(&[][..], |it| it.services());
    let known = facts.iter().map(|it| it.name.to_string());
    for name in policy.chain(known).collect::<BTreeSet<_>>() {
        list.offer(name, ItemKind::Name).detail("service");
    }
}

/// Services, and tags that stand for all services with them.
pub(super) fn services_and_tags(list: &mut List<'_, '_>) {
    services(list);
    defined(list, Named::Tag);
}

/// The postures of the file.
pub(super) fn postures(list: &mut List<'_, '_>) {
    defined(list, Named::Posture);
}

/// `add` or `remove`, then what.
pub(super) fn ipset_steps(list: &mut List<'_, '_>) {
    let before = list.hole.before;
    let word = ["add ", "remove "]
        .into_iter()
        .find(|it| before.get(..it.len()).is_some_and(|begun| begun.eq_ignore_ascii_case(it)));
    let start = word.map_or(0, str::len);
    let (from, end) = (list.hole.start + start as u32, list.hole.end);
    if word.is_none() {
        for (word, about) in [("add ", "adds addresses"), ("remove ", "takes addresses away")] {
            let closes = list.hole.closes;
            let item = list.offer(word, ItemKind::Word);
            item.detail(about);
            item.caret = Some(item.text.len() - usize::from(closes));
            item.goes_on = true;
        }
    }
    let policy = list.analysis.policy();
    for host in &policy.hosts {
        let net = Selector::Literal(host.net).to_string();
        let label = format!("host:{}", host.name.value);
        list.offer_part(label, ItemKind::Name, from, end, true).detail(net);
    }
    for set in &policy.ipsets {
        list.offer_part(&*set.name.value, ItemKind::Name, from, end, true);
    }
    list.offer_part("autogroup:internet", ItemKind::Word, from, end, true)
        .detail(about_autogroup(Autogroup::Internet));
}

/// The routes that devices of the inventory advertise.
pub(super) fn routes(list: &mut List<'_, '_>) {
    let Some(tailnet) = list.analysis.tailnet() else { return };
    let mut routes: BTreeSet<(String, String)> = BTreeSet::new();
    for node in tailnet.nodes() {
        let all = node.advertised.iter().chain(&node.routes);
        let subnets = all.filter(|it| it.prefix_len() > 0);
        routes.extend(subnets.map(|it| (it.to_string(), node.name.to_string())));
    }
    for (route, router) in routes {
        list.offer(route, ItemKind::Value).detail(format!("advertised by {router}"));
    }
}

/// Users of a host: those of Tailscale's own words where they may stand, and those named elsewhere.
pub(super) fn host_users(list: &mut List<'_, '_>, in_rule: bool) {
    if in_rule {
        list.offer("autogroup:nonroot", ItemKind::Word).detail(about_autogroup(Autogroup::Nonroot));
        let domains: BTreeSet<String> = all_users(list.analysis)
            .iter()
            .filter_map(|it| it.0.rsplit_once('@').map(|it| it.1.to_owned()))
            .filter(|it| it.contains('.'))
            .collect();
        for domain in domains {
            list.offer(format!("localpart:*@{domain}"), ItemKind::Word)
                .detail("as one logs in, without the domain");
        }
    }
    let rules = list.analysis.policy().file.ssh.iter().flat_map(|it| &it.users);
    let named = rules.map(|it| it.value.to_string());
    let plain = named.filter(|it| !it.contains(':')).chain(["root".to_owned()]);
    for user in plain.collect::<BTreeSet<_>>() {
        list.offer(user, ItemKind::User);
    }
}

/// Whom an assertion may be about.
pub(super) fn test_sources(list: &mut List<'_, '_>) {
    users(list);
    defined(list, Named::Tag);
    defined(list, Named::Group);
    defined(list, Named::Host);
}

/// Where an assertion may lead.
pub(super) fn ssh_test_destinations(list: &mut List<'_, '_>) {
    defined(list, Named::Tag);
    defined(list, Named::Host);
    users(list);
}
