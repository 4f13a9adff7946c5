//! `tailscale status --json` → facts: the nodes under `Self` and `Peer`, the users under `User`.
//!
//! A status knows of routes only those that are approved and in use, and says so in a note.
//! SOURCE: `ipn/ipnstate`, types `Status` and `PeerStatus`.

use super::draft::{Draft, Layout, Moment, SELF, first_label};
use super::json::{Id, Loose, Members, Object, Stopped, Take, Text, record};
use super::locate::{At, Part};
use super::problem::Problem;
use super::{Details, Node, User};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};

pub(super) const LAYOUT: Layout = Layout {
    list: &["Peer"],
    name: &["DNSName", "HostName"],
    user: &[&["UserID"]],
    addresses: &["TailscaleIPs"],
    numbered_users: true,
};

record! {
    /// A node.
    Peer<'t> {
        host_name: Text<'t> = "HostName";
        dns_name: Text<'t> = "DNSName";
        os: Text<'t> = "OS";
        user_id: Id<'t> = "UserID";
        tailscale_ips: Vec<Loose<Text<'t>>> = "TailscaleIPs";
        tags: Vec<Loose<Text<'t>>> = "Tags";
        primary_routes: Vec<Loose<Text<'t>>> = "PrimaryRoutes";
        exit_node_option: bool = "ExitNodeOption";
        created: Moment<'t> = "Created";
        key_expiry: Moment<'t> = "KeyExpiry";
        public_key: Text<'t> = "PublicKey";
        addrs: Vec<Loose<Text<'t>>> = "Addrs";
        online: bool = "Online";
        active: bool = "Active";
        cur_addr: Text<'t> = "CurAddr";
        relay: Text<'t> = "Relay";
    }
}

record! {
    /// A user.
    Profile<'t> {
        login_name: Text<'t> = "LoginName";
    }
}

record! {
    /// The tailnet that the machine is in.
    CurrentTailnet<'t> {
        name: Text<'t> = "Name";
    }
}

/// Reads one member of the document.
pub(super) fn member<'t>(
    draft: &mut Draft<'t>,
    key: Text<'t>,
    object: &mut dyn Object<'t>,
) -> Result<(), Stopped> {
    match &*key {
        "Self" => {
            let value = object.typed()?;
            let at = At::TOP.key("Self");
            if let Some(peer) = draft.value(&at, value) {
                node(draft, &at, SELF, peer);
            }
            draft.problems.add(Problem::StatusRoutes, (&at, Part::Name), None);
        }
        "Peer" => {
            let value: Loose<Members<'t, Peer<'t>>> = object.typed()?;
            let list = At::TOP.key("Peer");
            for (key, peer) in draft.value(&list, value).map(|it| it.0).unwrap_or_default() {
                let at = list.key(&key);
                let origin = draft.keys.len() as u32;
                draft.keys.push(key.as_ref().into());
                if let Some(peer) = draft.value(&at, peer) {
                    node(draft, &at, origin, peer);
                }
            }
        }
        "User" => {
            let value: Loose<Members<'t, Profile<'t>>> = object.typed()?;
            let list = At::TOP.key("User");
            for (id, profile) in draft.value(&list, value).map(|it| it.0).unwrap_or_default() {
                let at = list.key(&id);
                let Some(profile) = draft.value(&at, profile) else { continue };
                if let Some(login) = draft.text(&at.field(&["LoginName"]), profile.login_name)
                    && login != TAGGED
                {
                    let login: std::sync::Arc<str> = login.as_ref().into();
                    draft.owners.number(id, User { name: login.clone(), login, role: None });
                }
            }
        }
        "CurrentTailnet" => {
            let at = At::TOP.key("CurrentTailnet");
            let value: Loose<CurrentTailnet<'t>> = object.typed()?;
            if let Some(tailnet) = draft.value(&at, value) {
                draft.facts.settings.display_name = draft.owned(&at.field(&["Name"]), tailnet.name);
            }
        }
        _ => object.skip()?,
    }
    Ok(())
}

/// The login under which both Tailscale and headscale file the devices that have tags.
pub(super) const TAGGED: &str = "tagged-devices";

fn node<'t>(draft: &mut Draft<'t>, at: &At<'_>, origin: u32, peer: Peer<'t>) {
    let dns_name = draft.name(&at.field(&["DNSName"]), peer.dns_name).map(first_label);
    let host_name = draft.name(&at.field(&["HostName"]), peer.host_name);
    let (ipv4, ipv6) = draft.address_pair(&at.field(&["TailscaleIPs"]), peer.tailscale_ips);
    let tags = draft.tags(&at.field(&["Tags"]), peer.tags);
    let user = draft.value(&at.field(&["UserID"]), peer.user_id).map(|it| it.0);
    let owner = draft.owner(origin, tags, user);
    let mut routes = draft.routes(&at.field(&["PrimaryRoutes"]), peer.primary_routes);
    if draft.value(&at.field(&["ExitNodeOption"]), peer.exit_node_option) == Some(true) {
        let exits = [IpNet::V4(Ipv4Net::default()), IpNet::V6(Ipv6Net::default())];
        routes.extend(exits.into_iter().filter(|it| !routes.contains(it)).collect::<Vec<_>>());
    }
    let created = draft.time(&at.field(&["Created"]), peer.created);
    // While nothing is sent there is no way yet, direct or not.
    let direct =
        draft.owned(&at.field(&["CurAddr"]), peer.cur_addr).is_some_and(|it| !it.is_empty());
    let active = draft.value(&at.field(&["Active"]), peer.active) == Some(true);
    let relay = draft.owned(&at.field(&["Relay"]), peer.relay).filter(|it| !it.is_empty());
    let details = Details {
        node_key: draft.owned(&at.field(&["PublicKey"]), peer.public_key),
        key_expiry: draft.time(&at.field(&["KeyExpiry"]), peer.key_expiry),
        os: draft.owned(&at.field(&["OS"]), peer.os),
        endpoints: draft
            .texts(&at.field(&["Addrs"]), peer.addrs)
            .into_iter()
            .map(|(_, it)| it.as_ref().into())
            .collect(),
        online: draft.value(&at.field(&["Online"]), peer.online),
        relay: relay.filter(|_| active && !direct),
        ..Details::default()
    };
    draft.node(origin, dns_name.filter(|it| !it.is_empty()).or(host_name), |name| Node {
        name,
        ipv4,
        ipv6,
        owner,
        advertised: routes.as_slice().into(),
        routes: routes.into(),
        created,
        details: details.boxed(),
    });
}
