//! Our own shape → facts: `{"users": […], "nodes": […], "services": […], "tailnet": {…}}`.
//!
//! The only shape that people write by hand, so here an unknown field is worth a warning.

use std::sync::Arc;

use super::draft::{Draft, Layout, Moment, effective};
use super::json::{Extra, Kind, Loose, Members, Object, Record, Stopped, Take, Text, record};
use super::locate::{At, Part};
use super::problem::Problem;
use super::{Details, Fact, Node, Service, User};

pub(super) const LAYOUT: Layout = Layout {
    list: &["nodes"],
    name: &["name"],
    user: &[&["user"]],
    addresses: &[],
    numbered_users: false,
};

/// The members of the document.
const MEMBERS: &[&str] = &["users", "nodes", "services", "tailnet"];

record! {
    /// A user.
    NativeUser<'t> {
        name: Text<'t> = "name";
        email: Text<'t> = "email";
        role: Text<'t> = "role";
    }
}

record! {
    /// A node.
    NativeNode<'t> {
        name: Text<'t> = "name";
        ipv4: Text<'t> = "ipv4";
        ipv6: Text<'t> = "ipv6";
        tags: Vec<Loose<Text<'t>>> = "tags";
        user: Text<'t> = "user";
        routable_ips: Vec<Loose<Text<'t>>> = "routableIPs";
        approved_routes: Vec<Loose<Text<'t>>> = "approvedRoutes";
        created: Moment<'t> = "created";
        node_key: Text<'t> = "nodeKey";
        lock_key: Text<'t> = "lockKey";
        key_signature: Text<'t> = "keySignature";
        key_expiry: Moment<'t> = "keyExpiry";
        os: Text<'t> = "os";
        attributes: Members<'t, Fact> = "attributes";
        endpoints: Vec<Loose<Endpoint<'t>>> = "endpoints";
        online: bool = "online";
        relay: Text<'t> = "relay";
        authorized: bool = "authorized";
    }
}

record! {
    /// A service.
    NativeService<'t> {
        name: Text<'t> = "name";
        addresses: Vec<Loose<Text<'t>>> = "addresses";
        tags: Vec<Loose<Text<'t>>> = "tags";
    }
}

record! {
    /// What the whole tailnet has.
    NativeTailnet<'t> {
        dns: Members<'t, Anything> = "dns";
        settings: NativeSettings<'t> = "settings";
        domains: Vec<Loose<Text<'t>>> = "domains";
    }
}

record! {
    /// Settings; there are many more than we need, so others are no surprise.
    NativeSettings<'t> {
        display_name: Text<'t> = "display_name" | "displayName";
        devices_auto_updates_on: bool = "devices_auto_updates_on" | "devicesAutoUpdatesOn";
        https_enabled: bool = "https_enabled" | "httpsEnabled";
    }
}

/// A value that is not looked at.
#[derive(Debug)]
pub(super) struct Anything;

impl Take<'_> for Anything {
    const EXPECTED: &'static str = "anything";
}

/// `address:port`, or an object that holds it.
#[derive(Debug)]
pub(super) struct Endpoint<'t>(Text<'t>);

impl<'t> Take<'t> for Endpoint<'t> {
    const EXPECTED: &'static str = "an `address:port`";

    fn from_text(text: Text<'t>) -> Option<Self> {
        Some(Self(text))
    }

    fn from_object(object: &mut dyn Object<'t>) -> Result<Option<Self>, Stopped> {
        let mut address = None;
        while let Some(key) = object.key()? {
            let value = object.typed::<Text<'t>>()?;
            if let ("addr" | "address" | "endpoint", Loose::Is(text)) = (&*key, value) {
                address = Some(Self(text));
            }
        }
        Ok(address)
    }
}

impl<'t> Take<'t> for Fact {
    const EXPECTED: &'static str = "a text, a number, `true` or `false`";

    fn from_bool(value: bool) -> Option<Self> {
        Some(Self::Bool(value))
    }

    fn from_number(value: f64) -> Option<Self> {
        Some(Self::Number(value)).filter(|_| value.is_finite())
    }

    fn from_text(text: Text<'t>) -> Option<Self> {
        Some(Self::Text(text.as_ref().into()))
    }
}

/// Reads one member of the document.
pub(super) fn member<'t>(
    draft: &mut Draft<'t>,
    key: Text<'t>,
    object: &mut dyn Object<'t>,
) -> Result<(), Stopped> {
    match &*key {
        "users" => {
            let list = object.items(|index, user| self::user(draft, index, user))?;
            draft.owners.listed |= matches!(list, Loose::Is(()));
            wrong_list(draft, &["users"], list);
        }
        "nodes" => {
            let list = object.items(|index, node| self::node(draft, index, node))?;
            wrong_list(draft, &["nodes"], list);
        }
        "services" => {
            let list = object.items(|index, service| self::service(draft, index, service))?;
            wrong_list(draft, &["services"], list);
        }
        "tailnet" => {
            let value = object.typed()?;
            tailnet(draft, value);
        }
        _ => {
            object.skip()?;
            draft.extras(&At::TOP, vec![(key, Extra::Unknown)], MEMBERS);
        }
    }
    Ok(())
}

/// Reports a value that stands where a list should.
pub(super) fn wrong_list(draft: &mut Draft<'_>, names: &'static [&'static str], list: Loose<()>) {
    if let Loose::Wrong(found) = list {
        draft
            .problems
            .push(Problem::WrongType { expected: "a list", found }, &At::TOP.field(names));
    }
}

fn user<'t>(draft: &mut Draft<'t>, index: u32, user: Loose<NativeUser<'t>>) {
    let list = At::TOP.field(&["users"]);
    let at = &list.item(index);
    let Some(user) = required(draft, at, user) else { return };
    draft.extras(at, user.extras, NativeUser::FIELDS);
    let role = draft.role(&at.field(&["role"]), user.role);
    let name = draft.text(&at.field(&["name"]), user.name);
    let email = draft.text(&at.field(&["email"]), user.email);
    let Some(login) = email.as_ref().or(name.as_ref()) else {
        draft.problems.add(
            Problem::WrongType {
                expected: "a user with a name or an e-mail address",
                found: Kind::Object,
            },
            (at, Part::Open),
            None,
        );
        return;
    };
    let login: Arc<str> = login.as_ref().into();
    let name = name
        .filter(|it| **it != *login)
        .map_or_else(|| Arc::clone(&login), |it| it.as_ref().into());
    if let Err(first) = draft.owners.list(User { name, login: Arc::clone(&login), role }, index) {
        const LOGIN: &[&str] = &["email", "name"];
        let problem = Problem::SameUser { login: login.as_ref().into() };
        let first = list.item(first);
        draft.problems.add(problem, (&at.field(LOGIN), Part::Value), Some(&first.field(LOGIN)));
    }
}

fn node<'t>(draft: &mut Draft<'t>, index: u32, node: Loose<NativeNode<'t>>) {
    let list = At::TOP.field(&["nodes"]);
    let at = &list.item(index);
    let Some(node) = required(draft, at, node) else { return };
    draft.extras(at, node.extras, NativeNode::FIELDS);
    let name = draft.name(&at.field(&["name"]), node.name);
    let ipv4 = draft.ipv4(&at.field(&["ipv4"]), node.ipv4);
    let ipv6 = draft.ipv6(&at.field(&["ipv6"]), node.ipv6);
    let tags = draft.tags(&at.field(&["tags"]), node.tags);
    let user = draft.text(&at.field(&["user"]), node.user);
    if let Some(user) = &user
        && !tags.is_empty()
    {
        draft
            .problems
            .push(Problem::UserAndTags { user: user.as_ref().into() }, &at.field(&["user"]));
    }
    let owner = draft.owner(index, tags, user);
    let advertised = draft.routes(&at.field(&["routableIPs"]), node.routable_ips);
    let approved = draft.routes(&at.field(&["approvedRoutes"]), node.approved_routes);
    let created = draft.time(&at.field(&["created"]), node.created);
    let details = Details {
        node_key: draft.owned(&at.field(&["nodeKey"]), node.node_key),
        lock_key: draft.owned(&at.field(&["lockKey"]), node.lock_key),
        key_signature: draft.owned(&at.field(&["keySignature"]), node.key_signature),
        key_expiry: draft.time(&at.field(&["keyExpiry"]), node.key_expiry),
        os: draft.owned(&at.field(&["os"]), node.os),
        attributes: attributes(draft, &at.field(&["attributes"]), node.attributes),
        endpoints: endpoints(draft, &at.field(&["endpoints"]), node.endpoints),
        online: draft.value(&at.field(&["online"]), node.online),
        relay: draft.owned(&at.field(&["relay"]), node.relay),
        authorized: draft.value(&at.field(&["authorized"]), node.authorized),
    };
    draft.node(index, name, |name| Node {
        name,
        ipv4,
        ipv6,
        owner,
        routes: effective(&advertised, &approved),
        advertised: advertised.into(),
        created,
        details: details.boxed(),
    });
}

impl Details {
    /// On the heap, unless nothing is known.
    pub(super) fn boxed(self) -> Option<Box<Self>> {
        Some(self).filter(|it| *it != Self::default()).map(Box::new)
    }
}

/// The item of a list, which may not be `null`.
pub(super) fn required<'t, T: Take<'t>>(
    draft: &mut Draft<'t>,
    at: &At<'_>,
    item: Loose<T>,
) -> Option<T> {
    let item = if let Loose::Null = item { Loose::Wrong(Kind::Null) } else { item };
    draft.value(at, item)
}

/// Attributes sorted by name; of two with one name the last.
fn attributes<'t>(
    draft: &mut Draft<'t>,
    at: &At<'_>,
    members: Loose<Members<'t, Fact>>,
) -> Vec<(Box<str>, Fact)> {
    let members = draft.value(at, members).map(|it| it.0).unwrap_or_default();
    let mut attributes: Vec<(Box<str>, Fact)> = Vec::with_capacity(members.len());
    for (name, fact) in members {
        let fact = match fact {
            Loose::Null => Some(Fact::NotSet),
            fact => draft.value(&at.key(&name), fact),
        };
        attributes.extend(fact.map(|it| (name.as_ref().into(), it)));
    }
    // The sort is stable; backwards, the last of equals becomes the first, which stays.
    attributes.reverse();
    attributes.sort_by(|(one, _), (other, _)| one.cmp(other));
    attributes.dedup_by(|(later, _), (earlier, _)| later == earlier);
    attributes
}

fn endpoints<'t>(
    draft: &mut Draft<'t>,
    at: &At<'_>,
    list: Loose<Vec<Loose<Endpoint<'t>>>>,
) -> Vec<Box<str>> {
    let items = draft.value(at, list).unwrap_or_default();
    let items = items.into_iter().zip(0..);
    items
        .filter_map(|(item, index)| draft.value(&at.item(index), item))
        .map(|it| it.0.as_ref().into())
        .collect()
}

fn service<'t>(draft: &mut Draft<'t>, index: u32, service: Loose<NativeService<'t>>) {
    let list = At::TOP.field(&["services"]);
    let at = &list.item(index);
    let Some(service) = required(draft, at, service) else { return };
    draft.extras(at, service.extras, NativeService::FIELDS);
    let addresses = draft.addresses(&at.field(&["addresses"]), service.addresses);
    draft.texts(&at.field(&["tags"]), service.tags);
    match draft.text(&at.field(&["name"]), service.name) {
        Some(name) => draft.facts.services.push(Service { name: name.as_ref().into(), addresses }),
        None => {
            let problem =
                Problem::WrongType { expected: "a service with a name", found: Kind::Object };
            draft.problems.add(problem, (at, Part::Open), None);
        }
    }
}

fn tailnet<'t>(draft: &mut Draft<'t>, tailnet: Loose<NativeTailnet<'t>>) {
    let at = At::TOP.field(&["tailnet"]);
    let Some(tailnet) = draft.value(&at, tailnet) else { return };
    draft.extras(&at, tailnet.extras, NativeTailnet::FIELDS);
    draft.value(&at.field(&["dns"]), tailnet.dns);
    let known = matches!(tailnet.domains, Loose::Is(_));
    let domains = draft.texts(&at.field(&["domains"]), tailnet.domains);
    if known {
        draft.facts.domains = Some(domains.into_iter().map(|(_, it)| it.as_ref().into()).collect());
    }
    let at = at.field(&["settings"]);
    if let Some(settings) = draft.value(&at, tailnet.settings) {
        let name = draft.owned(&at.field(&["display_name", "displayName"]), settings.display_name);
        draft.facts.settings.display_name = name;
        let updates = &at.field(&["devices_auto_updates_on", "devicesAutoUpdatesOn"]);
        draft.facts.settings.devices_auto_updates_on =
            draft.value(updates, settings.devices_auto_updates_on);
        let https = &at.field(&["https_enabled", "httpsEnabled"]);
        draft.facts.settings.https_enabled = draft.value(https, settings.https_enabled);
    }
}
