//! Facts → our own shape, as JSON with one user, node or service to a line.
//!
//! What is written is read back as the same facts.

use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::{Details, Fact, Facts, Node, Owner, Role, Tailnet, User};

/// The inventory as text in our own shape; ends with a line end.
pub fn write(tailnet: &Tailnet) -> String {
    let facts = &tailnet.facts().without_gaps();
    let mut text = String::from("{\n");
    list(&mut text, "users", facts.users.iter().map(user));
    text.push_str(",\n");
    list(&mut text, "nodes", facts.nodes.iter().map(|node| json(&NodeLine { node, facts })));
    if !facts.services.is_empty() {
        text.push_str(",\n");
        list(
            &mut text,
            "services",
            facts
                .services
                .iter()
                .map(|it| json(&ServiceLine { name: &it.name, addresses: &it.addresses })),
        );
    }
    if facts.domains.is_some() || facts.settings != super::Settings::default() {
        text.push_str(",\n  \"tailnet\": ");
        text.push_str(&json(&TailnetLine {
            settings: SettingsLine {
                display_name: facts.settings.display_name.as_deref(),
                devices_auto_updates_on: facts.settings.devices_auto_updates_on,
                https_enabled: facts.settings.https_enabled,
            },
            domains: facts.domains.as_deref(),
        }));
    }
    text.push_str("\n}\n");
    text
}

/// A member whose list has one item to a line.
fn list(text: &mut String, name: &str, items: impl Iterator<Item = String>) {
    text.push_str("  \"");
    text.push_str(name);
    text.push_str("\": [");
    let mut empty = true;
    for item in items {
        text.push_str(if empty { "\n    " } else { ",\n    " });
        text.push_str(&item);
        empty = false;
    }
    text.push_str(if empty { "]" } else { "\n  ]" });
}

/// One value on one line. serde_json fails only on maps whose keys are no texts; none here.
fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn user(user: &User) -> String {
    #[derive(serde::Serialize)]
    struct Line<'a> {
        name: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        email: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        role: Option<&'static str>,
    }
    let email = Some(&*user.login).filter(|it| **it != *user.name);
    json(&Line { name: &user.name, email, role: user.role.map(Role::name) })
}

#[derive(serde::Serialize)]
struct ServiceLine<'a> {
    name: &'a str,
    addresses: &'a [IpAddr],
}

#[derive(serde::Serialize)]
struct TailnetLine<'a> {
    settings: SettingsLine<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    domains: Option<&'a [Box<str>]>,
}

#[derive(serde::Serialize)]
struct SettingsLine<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    devices_auto_updates_on: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    https_enabled: Option<bool>,
}

/// A node; what is not known is left out.
struct NodeLine<'a> {
    node: &'a Node,
    facts: &'a Facts,
}

impl Serialize for NodeLine<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let node = self.node;
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("name", &*node.name)?;
        entry(&mut object, "ipv4", node.ipv4.as_ref())?;
        entry(&mut object, "ipv6", node.ipv6.as_ref())?;
        match &node.owner {
            Owner::User(user) => {
                entry(
                    &mut object,
                    "user",
                    self.facts.users.get(user.0 as usize).map(|it| &*it.login),
                )?;
            }
            Owner::Tags(tags) => object.serialize_entry("tags", &Texts(tags))?,
            Owner::Nobody => {}
        }
        entry(
            &mut object,
            "routableIPs",
            Some(&node.advertised).filter(|it| !it.is_empty()).map(|it| Routes(it)),
        )?;
        entry(
            &mut object,
            "approvedRoutes",
            Some(&node.routes).filter(|it| !it.is_empty()).map(|it| Routes(it)),
        )?;
        entry(&mut object, "created", node.created.map(|it| it.to_string()))?;
        if let Some(details) = &node.details {
            details_entries(&mut object, details)?;
        }
        object.end()
    }
}

fn details_entries<M: SerializeMap>(object: &mut M, details: &Details) -> Result<(), M::Error> {
    entry(object, "nodeKey", details.node_key.as_deref())?;
    entry(object, "lockKey", details.lock_key.as_deref())?;
    entry(object, "keySignature", details.key_signature.as_deref())?;
    entry(object, "keyExpiry", details.key_expiry.map(|it| it.to_string()))?;
    entry(object, "os", details.os.as_deref())?;
    entry(
        object,
        "attributes",
        Some(&details.attributes).filter(|it| !it.is_empty()).map(|it| Attributes(it)),
    )?;
    entry(object, "endpoints", Some(&details.endpoints).filter(|it| !it.is_empty()))?;
    entry(object, "online", details.online)?;
    entry(object, "relay", details.relay.as_deref())?;
    entry(object, "authorized", details.authorized)
}

fn entry<M: SerializeMap>(
    object: &mut M,
    name: &str,
    value: Option<impl Serialize>,
) -> Result<(), M::Error> {
    match value {
        Some(value) => object.serialize_entry(name, &value),
        None => Ok(()),
    }
}

struct Texts<'a>(&'a [Arc<str>]);

impl Serialize for Texts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|it| &**it))
    }
}

struct Routes<'a>(&'a [IpNet]);

impl Serialize for Routes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(IpNet::to_string))
    }
}

struct Attributes<'a>(&'a [(Box<str>, Fact)]);

impl Serialize for Attributes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, fact)| (&**name, fact)))
    }
}

impl Serialize for Fact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::NotSet => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Number(value) => serializer.serialize_f64(*value),
            Self::Text(text) => serializer.serialize_str(text),
        }
    }
}
