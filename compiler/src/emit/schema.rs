//! The tables of the language → a JSON Schema of the policy file, for editors without our server.
//!
//! It says which members there are, which words, and which kinds of selector stand where. What
//! depends on the rest of the file, such as whether a tag has an owner, no schema can say. It is no
//! stricter than the control plane: names of members are taken in any case, null as missing.

use serde_json::{Map, Value, json};

use crate::ast::ports::PROTOCOLS;
use crate::ast::{Autogroup, GRANTABLE, SECTIONS, Selector, words};
use crate::policy::place::{Kind, Place, allowed};

/// The dialect of JSON Schema.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// The JSON Schema of a policy file, as a standard JSON document.
///
/// Shape: an object whose definitions (`$defs`) are named after the tables of
/// [`words`].
pub fn schema() -> Value {
    let objects: [(&str, &[&str], Member); 10] = [
        ("acl", &words::ACL, acl),
        ("grant", &words::GRANT, grant),
        ("ssh", &words::SSH, ssh),
        ("autoApprovers", &words::AUTO_APPROVERS, auto_approvers),
        ("nodeAttr", &words::NODE_ATTR, node_attr),
        ("test", &words::TEST, test),
        ("sshTest", &words::SSH_TEST, ssh_test),
        ("derpMap", &words::DERP_MAP, derp_map),
        ("derpRegion", &words::DERP_REGION, derp_region),
        ("derpRelay", &words::DERP_RELAY, derp_relay),
    ];
    let mut definitions: Map<String, Value> = objects
        .into_iter()
        .map(|(name, names, member)| {
            (name.to_owned(), object(&format!("#/$defs/{name}"), names, member))
        })
        .collect();
    for place in Place::ALL {
        definitions.insert(key(place).to_owned(), selector(place));
    }
    definitions.insert("posture".to_owned(), json!({ "type": "string", "pattern": "^posture:." }));
    let mut schema = object("#", &SECTIONS, section);
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("$schema".to_owned(), DIALECT.into());
        schema.insert("title".to_owned(), "Tailnet policy file".into());
        schema.insert("$defs".to_owned(), definitions.into());
    }
    schema
}

/// The schema of a member by its name; null for a name it does not know.
type Member = fn(&str) -> Value;

/// An object with these members and no others. Tailscale takes their names in any case; editors
/// offer them as they are written here.
fn object(pointer: &str, names: &[&str], member: Member) -> Value {
    let object = pointer.rsplit('/').next().filter(|it| *it != "#").unwrap_or_default();
    let documented = |it: &str| match words::about(object, it) {
        Some(about) => described(member(it), about),
        None => member(it),
    };
    let properties: Map<String, Value> =
        names.iter().map(|it| ((*it).to_owned(), documented(it))).collect();
    let in_any_case: Map<String, Value> = names
        .iter()
        .map(|it| (any_case(it), reference(&format!("{pointer}/properties/{it}"))))
        .collect();
    json!({
        "type": ["object", "null"],
        "properties": properties,
        "patternProperties": in_any_case,
        "additionalProperties": false,
    })
}

/// A pattern for a word in any case; the expressions of JSON Schema know no flag for it.
fn any_case(word: &str) -> String {
    let letter = |it: char| match it {
        it if it.is_ascii_alphabetic() => {
            format!("[{}{}]", it.to_ascii_uppercase(), it.to_ascii_lowercase())
        }
        it => it.to_string(),
    };
    format!("^{}$", word.chars().map(letter).collect::<String>())
}

fn reference(pointer: &str) -> Value {
    json!({ "$ref": pointer })
}

fn define(name: &str) -> Value {
    reference(&format!("#/$defs/{name}"))
}

/// A list of what `items` says, or null.
fn list(items: Value) -> Value {
    json!({ "type": ["array", "null"], "items": items })
}

/// An object whose names are data.
fn map(names: &str, values: Value) -> Value {
    json!({
        "type": ["object", "null"],
        "propertyNames": { "pattern": names },
        "additionalProperties": values,
    })
}

fn described(mut schema: Value, description: &str) -> Value {
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("description".to_owned(), description.into());
    }
    schema
}

fn text() -> Value {
    json!({ "type": ["string", "null"] })
}

fn flag() -> Value {
    json!({ "type": ["boolean", "null"] })
}

fn number() -> Value {
    json!({ "type": ["number", "null"] })
}

/// One of these words, which editors offer, or a text of this pattern.
fn words_or(words: Vec<String>, pattern: &str) -> Value {
    json!({ "anyOf": [
        { "enum": words },
        { "type": "string", "pattern": pattern },
        { "type": "null" },
    ] })
}

/// Any text, with words that editors offer.
fn any_with(words: impl IntoIterator<Item = String>) -> Value {
    json!({ "anyOf": [{ "enum": words.into_iter().collect::<Vec<_>>() }, { "type": "string" }] })
}

fn section(name: &str) -> Value {
    match name {
        "acls" => list(define("acl")),
        "grants" => list(define("grant")),
        "ssh" => list(define("ssh")),
        "groups" => map("^group:.", list(define(key(Place::GroupMember)))),
        "hosts" => map("^[^@:]+$", text()),
        "tagOwners" => map("^tag:[A-Za-z]", list(define(key(Place::TagOwner)))),
        "ipsets" => map("^ipset:.", list(json!({ "type": "string" }))),
        "postures" => map("^posture:.", list(json!({ "type": "string" }))),
        "defaultSrcPosture" => list(define("posture")),
        "autoApprovers" => define("autoApprovers"),
        "nodeAttrs" => list(define("nodeAttr")),
        "tests" => list(define("test")),
        "sshTests" => list(define("sshTest")),
        "derpMap" => define("derpMap"),
        "disableIPv4" | "randomizeClientPort" => flag(),
        "OneCGNATRoute" => {
            json!({ "enum": words::CGNAT_ROUTES.iter().map(|it| json!(it)).chain([Value::Null]).collect::<Vec<_>>() })
        }
        "attrConfig" | "extraDNSRecords" => json!({}),
        _ => Value::Null,
    }
}

fn acl(name: &str) -> Value {
    match name {
        "action" => json!({ "enum": ["accept", null] }),
        "src" | "users" => list(define(key(Place::AclSrc))),
        "dst" | "ports" => list(destination()),
        "proto" => protocol(),
        "srcPosture" => list(define("posture")),
        _ => Value::Null,
    }
}

fn grant(name: &str) -> Value {
    match name {
        "src" => list(define(key(Place::GrantSrc))),
        "dst" => list(define(key(Place::GrantDst))),
        "ip" => list(port_spec()),
        "app" => {
            let properties: Map<String, Value> =
                GRANTABLE.iter().map(|it| ((*it).to_owned(), list(json!({})))).collect();
            json!({
                "type": ["object", "null"],
                "properties": properties,
                "additionalProperties": list(json!({})),
            })
        }
        "via" => list(define(key(Place::Via))),
        "srcPosture" => list(define("posture")),
        _ => Value::Null,
    }
}

fn ssh(name: &str) -> Value {
    match name {
        "action" => {
            words_or(vec!["accept".to_owned(), "check".to_owned()], "^\\s*(accept|check)\\s*$")
        }
        "src" => list(define(key(Place::SshSrc))),
        "dst" => list(define(key(Place::SshDst))),
        "users" => {
            let users = ["autogroup:nonroot", "root", "localpart:*@example.com"];
            list(any_with(users.map(str::to_owned)))
        }
        "checkPeriod" => words_or(
            ["always", "1h", "12h", "168h"].map(str::to_owned).to_vec(),
            "^[+]?([0-9.]+(ns|us|µs|μs|ms|s|m|h))+$|^[+]?0$",
        ),
        "acceptEnv" => list(json!({ "type": "string", "minLength": 1 })),
        "srcPosture" => list(define("posture")),
        "recorder" => list(define(key(Place::Recorder))),
        "enforceRecorder" => flag(),
        _ => Value::Null,
    }
}

fn auto_approvers(name: &str) -> Value {
    let approvers = list(define(key(Place::Approver)));
    match name {
        "routes" => map("^[0-9a-fA-F:.]+(/[0-9]+)?$", approvers),
        "exitNode" => approvers,
        "services" => map("^(svc|tag):.", approvers),
        _ => Value::Null,
    }
}

fn node_attr(name: &str) -> Value {
    match name {
        "target" => list(define(key(Place::NodeAttrTarget))),
        "attr" => list(any_with(words::ATTRIBUTES.map(str::to_owned))),
        "app" => map("", list(json!({}))),
        "ipPool" => list(json!({ "type": "string", "pattern": "^[0-9.]+/[0-9]+$" })),
        _ => Value::Null,
    }
}

fn test(name: &str) -> Value {
    match name {
        "src" | "user" => text(),
        "proto" => text(),
        "accept" | "allow" | "deny" => list(json!({ "type": "string" })),
        "srcPostureAttrs" => map("", json!({})),
        _ => Value::Null,
    }
}

fn ssh_test(name: &str) -> Value {
    match name {
        "src" => text(),
        "dst" | "accept" | "check" | "deny" => list(json!({ "type": "string" })),
        "srcPostureAttrs" => map("", json!({})),
        _ => Value::Null,
    }
}

fn derp_map(name: &str) -> Value {
    match name {
        "OmitDefaultRegions" => flag(),
        "Regions" => map("^[1-9][0-9]*$", define("derpRegion")),
        "HomeParams" => {
            let scores =
                |it: &str| if it == "RegionScore" { map("", number()) } else { Value::Null };
            json!({
                "type": ["object", "null"],
                "properties": words::DERP_HOME.iter().map(|it| ((*it).to_owned(), scores(it))).collect::<Map<_, _>>(),
            })
        }
        _ => Value::Null,
    }
}

fn derp_region(name: &str) -> Value {
    match name {
        "RegionID" | "Latitude" | "Longitude" => number(),
        "RegionCode" | "RegionName" => text(),
        "Nodes" => list(define("derpRelay")),
        "Avoid" | "NoMeasureNoHome" => flag(),
        _ => Value::Null,
    }
}

fn derp_relay(name: &str) -> Value {
    match name {
        "HostName" | "Name" | "CertName" | "IPv4" | "IPv6" | "STUNTestIP" => text(),
        "RegionID" | "STUNPort" | "DERPPort" => number(),
        "STUNOnly" | "InsecureForTests" | "CanPort80" => flag(),
        _ => Value::Null,
    }
}

/// The name of a place among the definitions.
const fn key(place: Place) -> &'static str {
    match place {
        Place::AclSrc => "aclSrc",
        Place::AclDst => "aclDst",
        Place::GrantSrc => "grantSrc",
        Place::GrantDst => "grantDst",
        Place::Via => "via",
        Place::SshSrc => "sshSrc",
        Place::SshDst => "sshDst",
        Place::Recorder => "recorder",
        Place::TagOwner => "tagOwner",
        Place::Approver => "approver",
        Place::NodeAttrTarget => "nodeAttrTarget",
        Place::GroupMember => "groupMember",
    }
}

/// What selects at a place, as the table of places has it. Around it blanks are taken everywhere,
/// because SSH rules take them.
fn selector(place: Place) -> Value {
    let pattern = format!("^\\s*({})\\s*$", alternatives(place));
    described(words_or(fixed(place), &pattern), &format!("{}{}", place.name(), '.'))
}

/// The selectors of Tailscale's own that may stand at a place.
fn fixed(place: Place) -> Vec<String> {
    let any = allowed(place, Kind::Any).then(|| "*".to_owned());
    let autogroups = Autogroup::ALL
        .iter()
        .filter(|(it, _)| allowed(place, Kind::of(&Selector::Autogroup(*it))))
        .map(|(_, name)| format!("autogroup:{name}"));
    any.into_iter().chain(autogroups).collect()
}

/// The same and all others as one pattern.
fn alternatives(place: Place) -> String {
    const KINDS: [(Kind, &str); 8] = [
        (Kind::UserDomain, "user:\\*@.+"),
        (Kind::User, "(?!user:)[^@]*@.*"),
        (Kind::Group, "group:.+"),
        (Kind::Tag, "tag:.+"),
        (Kind::Ipset, "ipset:.+"),
        (Kind::Service, "svc:.+"),
        (Kind::Address, "[0-9a-fA-F:.%]+(/[0-9]+)?"),
        // Whatever has no other meaning is the name of a host.
        (Kind::Host, "(?!(group|tag|autogroup|ipset|svc|user):)[^@*]+"),
    ];
    let fixed = fixed(place).into_iter().map(|it| it.replace('*', "\\*"));
    let kinds = KINDS.iter().filter(|(kind, _)| allowed(place, *kind));
    fixed.chain(kinds.map(|(_, it)| (*it).to_owned())).collect::<Vec<_>>().join("|")
}

/// A destination of an acl: a selector, a colon, ports.
fn destination() -> Value {
    let words = fixed(Place::AclDst).into_iter().map(|it| format!("{it}:*")).collect();
    let selector = alternatives(Place::AclDst);
    let schema = words_or(words, &format!("^\\[?({selector})\\]?:[-*,0-9\\s]+$"));
    described(schema, "A selector, a colon, ports: `tag:web:443`.")
}

/// An entry of `ip` in a grant.
fn port_spec() -> Value {
    let names = protocols().map(|it| format!("{it}:*"));
    let common = ["*", "22", "53", "80", "443", "tcp:443", "udp:53"].map(str::to_owned);
    let schema = words_or(
        common.into_iter().chain(names).collect(),
        "^\\s*(([A-Za-z0-9-]+|\\*):)?[-*,0-9\\s]+$",
    );
    described(schema, "Ports, perhaps with their protocol: `443`, `udp:53`, `tcp:8000-8999`, `*`.")
}

fn protocol() -> Value {
    let any: Vec<String> =
        protocols().map(|it| any_case(it).trim_matches(['^', '$']).to_owned()).collect();
    words_or(protocols().map(str::to_owned).collect(), &format!("^({}|[0-9]*)$", any.join("|")))
}

/// Every name of a protocol.
fn protocols() -> impl Iterator<Item = &'static str> {
    PROTOCOLS
        .iter()
        .flat_map(|(_, name, others, _)| std::iter::once(*name).chain(others.iter().copied()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A name that a table got and the schema did not would stand there as null.
    #[test]
    fn every_member_has_a_schema() {
        fn look(value: &Value, path: &str) {
            match value {
                Value::Object(members) => {
                    for (name, value) in members {
                        let is_member = path.ends_with("/properties");
                        assert!(!is_member || !value.is_null(), "{path}/{name}");
                        look(value, &format!("{path}/{name}"));
                    }
                }
                Value::Array(items) => items.iter().for_each(|it| look(it, path)),
                _ => {}
            }
        }
        look(&schema(), "#");
    }
}
