//! The devices list of Tailscale's API → facts: `{"devices": […]}`.
//!
//! SOURCE: `GET /api/v2/tailnet/{tailnet}/devices`; routes are in it only with `?fields=all`.

use super::draft::{Draft, Layout, Moment, effective, first_label};
use super::json::{Loose, Object, Stopped, Take, Text, record};
use super::locate::{At, Part};
use super::native::{required, wrong_list};
use super::problem::Problem;
use super::status::TAGGED;
use super::{Details, Node};

pub(super) const LAYOUT: Layout = Layout {
    list: &["devices"],
    name: &["name", "hostname"],
    user: &[&["user"]],
    addresses: &["addresses"],
    numbered_users: false,
};

record! {
    /// A device.
    Device<'t> {
        name: Text<'t> = "name";
        hostname: Text<'t> = "hostname";
        addresses: Vec<Loose<Text<'t>>> = "addresses";
        user: Text<'t> = "user";
        tags: Vec<Loose<Text<'t>>> = "tags";
        advertised_routes: Vec<Loose<Text<'t>>> = "advertisedRoutes";
        enabled_routes: Vec<Loose<Text<'t>>> = "enabledRoutes";
        created: Moment<'t> = "created";
        expires: Moment<'t> = "expires";
        key_expiry_disabled: bool = "keyExpiryDisabled";
        os: Text<'t> = "os";
        node_key: Text<'t> = "nodeKey";
        tailnet_lock_key: Text<'t> = "tailnetLockKey";
        authorized: bool = "authorized";
        client_connectivity: Connectivity<'t> = "clientConnectivity";
    }
}

record! {
    /// What a device found out about the network around it.
    Connectivity<'t> {
        endpoints: Vec<Loose<Text<'t>>> = "endpoints";
    }
}

/// Reads one member of the document.
pub(super) fn member<'t>(
    draft: &mut Draft<'t>,
    key: Text<'t>,
    object: &mut dyn Object<'t>,
) -> Result<(), Stopped> {
    if key != "devices" {
        object.skip()?;
        return Ok(());
    }
    let (mut any, mut any_routes) = (false, false);
    let list = object.items(|index, device: Loose<Device<'t>>| {
        any = true;
        if let Loose::Is(device) = &device {
            any_routes |= !matches!(
                (&device.advertised_routes, &device.enabled_routes),
                (Loose::Absent, Loose::Absent)
            );
        }
        node(draft, index, device);
    })?;
    wrong_list(draft, &["devices"], list);
    if any && !any_routes {
        draft.problems.add(Problem::DeviceRoutes, (&At::TOP.field(&["devices"]), Part::Name), None);
    }
    Ok(())
}

fn node<'t>(draft: &mut Draft<'t>, index: u32, device: Loose<Device<'t>>) {
    let list = At::TOP.field(&["devices"]);
    let at = &list.item(index);
    let Some(device) = required(draft, at, device) else { return };
    let name = draft.name(&at.field(&["name"]), device.name).map(first_label);
    let hostname = draft.name(&at.field(&["hostname"]), device.hostname);
    let (ipv4, ipv6) = draft.address_pair(&at.field(&["addresses"]), device.addresses);
    let tags = draft.tags(&at.field(&["tags"]), device.tags);
    let user = draft.text(&at.field(&["user"]), device.user).filter(|it| it != TAGGED);
    let owner = draft.owner(index, tags, user);
    let advertised = draft.routes(&at.field(&["advertisedRoutes"]), device.advertised_routes);
    let approved = draft.routes(&at.field(&["enabledRoutes"]), device.enabled_routes);
    let created = draft.time(&at.field(&["created"]), device.created);
    let expires = draft.time(&at.field(&["expires"]), device.expires);
    let never_expires =
        draft.value(&at.field(&["keyExpiryDisabled"]), device.key_expiry_disabled) == Some(true);
    let connectivity = at.field(&["clientConnectivity"]);
    let endpoints = draft
        .value(&connectivity, device.client_connectivity)
        .map(|it| it.endpoints)
        .unwrap_or_default();
    let endpoints = draft.texts(&connectivity.field(&["endpoints"]), endpoints);
    let details = Details {
        node_key: draft.owned(&at.field(&["nodeKey"]), device.node_key),
        lock_key: draft.owned(&at.field(&["tailnetLockKey"]), device.tailnet_lock_key),
        key_expiry: expires.filter(|_| !never_expires),
        os: draft.owned(&at.field(&["os"]), device.os),
        endpoints: endpoints.into_iter().map(|(_, it)| it.as_ref().into()).collect(),
        authorized: draft.value(&at.field(&["authorized"]), device.authorized),
        ..Details::default()
    };
    draft.node(index, name.filter(|it| !it.is_empty()).or(hostname), |name| Node {
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
