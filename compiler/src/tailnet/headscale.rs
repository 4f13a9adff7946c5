//! `headscale nodes list -o json` → facts: a bare array, or `{"nodes": […]}` as its API wraps it.
//!
//! Names are camelCase since 0.30 and were snake_case before; both are read. A `users` list beside
//! the nodes gives users their rank; without it the nodes describe their users themselves.
//! SOURCE: what `headscale nodes list -o json` prints.

use std::sync::Arc;

use super::draft::{Draft, Layout, Moment, effective, without_repeats};
use super::json::{Id, Loose, Object, Stopped, Take, Text, record};
use super::locate::At;
use super::native::{required, wrong_list};
use super::status::TAGGED;
use super::{Details, Node, User};

/// As the API wraps it.
pub(super) const WRAPPED: Layout = Layout {
    list: &["nodes"],
    name: GIVEN_NAME,
    user: &[&["user"], &["name"]],
    addresses: ADDRESSES,
    numbered_users: false,
};

/// As the command prints it.
pub(super) const BARE: Layout = Layout { list: &[], ..WRAPPED };

const GIVEN_NAME: &[&str] = &["givenName", "given_name", "name"];
const ADDRESSES: &[&str] = &["ipAddresses", "ip_addresses"];

record! {
    /// A node.
    HeadscaleNode<'t> {
        name: Text<'t> = "name";
        given_name: Text<'t> = "givenName" | "given_name";
        ip_addresses: Vec<Loose<Text<'t>>> = "ipAddresses" | "ip_addresses";
        tags: Vec<Loose<Text<'t>>> = "tags";
        forced_tags: Vec<Loose<Text<'t>>> = "forcedTags" | "forced_tags";
        valid_tags: Vec<Loose<Text<'t>>> = "validTags" | "valid_tags";
        user: HeadscaleUser<'t> = "user";
        available_routes: Vec<Loose<Text<'t>>> = "availableRoutes" | "available_routes";
        approved_routes: Vec<Loose<Text<'t>>> = "approvedRoutes" | "approved_routes";
        created_at: Moment<'t> = "createdAt" | "created_at";
        expiry: Moment<'t> = "expiry";
        node_key: Text<'t> = "nodeKey" | "node_key";
        online: bool = "online";
    }
}

record! {
    /// A user.
    HeadscaleUser<'t> {
        id: Id<'t> = "id";
        name: Text<'t> = "name";
        email: Text<'t> = "email";
    }
}

/// Reads one member of the wrapped document.
pub(super) fn member<'t>(
    draft: &mut Draft<'t>,
    key: Text<'t>,
    object: &mut dyn Object<'t>,
) -> Result<(), Stopped> {
    match &*key {
        "nodes" => {
            let list = object.items(|index, node| self::node(draft, index, node))?;
            wrong_list(draft, &["nodes"], list);
        }
        "users" => {
            let list = object.items(|index, user: Loose<HeadscaleUser<'t>>| {
                let list = At::TOP.field(&["users"]);
                let at = &list.item(index);
                if let Some(user) = required(draft, at, user)
                    && let Some((id, user)) = described(draft, at, user)
                {
                    draft.owners.number(id, user);
                }
            })?;
            wrong_list(draft, &["users"], list);
        }
        _ => object.skip()?,
    }
    Ok(())
}

/// A user and how nodes name them: by id where there is one.
fn described<'t>(
    draft: &mut Draft<'t>,
    at: &At<'_>,
    user: HeadscaleUser<'t>,
) -> Option<(Text<'t>, User)> {
    let id = draft.value(&at.field(&["id"]), user.id).map(|it| it.0);
    let name = draft.text(&at.field(&["name"]), user.name);
    let email = draft.text(&at.field(&["email"]), user.email);
    let login: Arc<str> = email.as_ref().or(name.as_ref())?.as_ref().into();
    let id = id.or_else(|| name.clone()).or(email)?;
    let name = name
        .filter(|it| **it != *login)
        .map_or_else(|| Arc::clone(&login), |it| it.as_ref().into());
    Some((id, User { name, login, role: None }))
}

/// Reads one node.
pub(super) fn node<'t>(draft: &mut Draft<'t>, index: u32, node: Loose<HeadscaleNode<'t>>) {
    let list = At::TOP.field(&["nodes"]);
    let list = if draft.layout.list.is_empty() { &At::TOP } else { &list };
    let at = &list.item(index);
    let Some(node) = required(draft, at, node) else { return };
    let given_name = draft.name(&at.field(&["givenName", "given_name"]), node.given_name);
    let name = draft.name(&at.field(&["name"]), node.name);
    let (ipv4, ipv6) = draft.address_pair(&at.field(ADDRESSES), node.ip_addresses);
    let mut tags = draft.tags(&at.field(&["tags"]), node.tags);
    // Before there was one list there were two: tags set by an admin, and those a node asked for and may have.
    tags.extend(draft.tags(&at.field(&["forcedTags", "forced_tags"]), node.forced_tags));
    tags.extend(draft.tags(&at.field(&["validTags", "valid_tags"]), node.valid_tags));
    let tags = without_repeats(tags);
    let user = draft.value(&at.field(&["user"]), node.user);
    let user = user
        .and_then(|it| described(draft, &at.field(&["user"]), it))
        .filter(|(_, user)| *user.name != *TAGGED);
    let user = user.filter(|_| tags.is_empty()).map(|(id, user)| {
        draft.owners.describe(id.clone(), user);
        id
    });
    let owner = draft.owner(index, tags, user);
    let advertised =
        draft.routes(&at.field(&["availableRoutes", "available_routes"]), node.available_routes);
    let approved =
        draft.routes(&at.field(&["approvedRoutes", "approved_routes"]), node.approved_routes);
    let created = draft.time(&at.field(&["createdAt", "created_at"]), node.created_at);
    let details = Details {
        node_key: draft.owned(&at.field(&["nodeKey", "node_key"]), node.node_key),
        key_expiry: draft.time(&at.field(&["expiry"]), node.expiry),
        online: draft.value(&at.field(&["online"]), node.online),
        ..Details::default()
    };
    draft.node(index, given_name.or(name), |name| Node {
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
