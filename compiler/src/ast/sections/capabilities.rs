//! The member `app` of grants and of `nodeAttrs` → capabilities: their names, and their values, which
//! are passed on as they are.
//!
//! What Tailscale's own programs know of the values is checked against the table in
//! `ast/capability.rs`; nothing of it refuses a file.

use super::super::problem::Shape;
use super::super::reader::compact_json;
use super::*;
use crate::ast::capability::{self, Kind, Member};
use crate::cst::SyntaxKind;
use crate::diagnostic::similar;
use crate::dialect::Dialect;

/// The capabilities of `app`; those of a grant have rules for their names.
pub(super) fn app_caps<'t>(
    reader: &mut Reader<'t>,
    node: Option<Node<'t>>,
    in_grant: bool,
) -> Vec<AppCap> {
    let mut caps = Vec::new();
    for (name, value) in reader.map(node) {
        if in_grant && let Err(problem) = check_capability(reader.dialect, &name) {
            reader.problems.push(problem);
            continue;
        }
        if let Some(capability) = capability::known(&name.value, !in_grant) {
            let values = value.into_iter().flat_map(|it| it.values());
            values.for_each(|it| check_object(reader, capability.members, it));
        }
        let values = match value {
            None => "null".to_owned(),
            Some(value) if value.kind() == SyntaxKind::Array => compact_json(value),
            Some(value) => {
                reader.wrong_type(value, Shape::List);
                continue;
            }
        };
        caps.push(AppCap { name, values: values.into() });
    }
    caps
}

/// What Tailscale lets users grant of its own capabilities.
///
/// SOURCE: docs/language.md, "Rules": captured answers have the first four, the documentation
/// has the rest.
pub const GRANTABLE: [&str; 8] = [
    "tailscale.com/cap/drive",
    "tailscale.com/cap/relay",
    "tailscale.com/cap/webui",
    "tailscale.com/cap/kubernetes",
    "tailscale.com/cap/golink",
    "tailscale.com/cap/tailsql",
    "tailscale.com/cap/tsidp",
    "tailscale.com/cap/secrets",
];

fn check_capability(dialect: Dialect, name: &Spanned<Text>) -> Result<(), Problem> {
    let Spanned { value, span } = name;
    let (domain, path) = value.split_once('/').unwrap_or((value, ""));
    // Whether the domain must have a dot nobody has seen: without one the name passes.
    let whole = dialect == Dialect::Headscale || !(domain.is_empty() || path.is_empty());
    if !whole || value.contains("://") {
        return Err(Problem::CapabilityForm { span: *span, name: value.clone() });
    }
    let elsewhere = dialect == Dialect::Headscale && headscale::NOT_GRANTABLE.contains(&&**value);
    if domain == "tailscale.com" && (elsewhere || !GRANTABLE.contains(&&**value)) {
        return Err(Problem::ReservedCapability { span: *span, name: value.clone() });
    }
    Ok(())
}

/// What an `app` says of connectors, one by one.
pub(super) fn connectors(app: Option<Node<'_>>) -> Vec<Connector> {
    let members = app.into_iter().flat_map(|it| it.members());
    let values = members.filter(|it| it.name.string().as_deref() == Some(APP_CONNECTORS));
    values.filter_map(|it| it.value).flat_map(|it| it.values()).map(connector).collect()
}

/// One value of [`APP_CONNECTORS`]. Where it does not say which devices are connectors, all are.
fn connector(value: Node<'_>) -> Connector {
    let list = value.members().find(|it| it.name.string().as_deref() == Some("connectors"));
    let items = list.and_then(|it| it.value).into_iter().flat_map(|it| it.values());
    let on: Vec<Text> = items.filter_map(|it| Some(it.string()?.into())).collect();
    Connector {
        on: if on.is_empty() { vec!["*".into()] } else { on },
        json: compact_json(value).into(),
    }
}

/// Checks a value of a capability, or an object within one.
fn check_object(reader: &mut Reader<'_>, members: &'static [Member], value: Node<'_>) {
    if value.kind() != SyntaxKind::Object {
        return cap_type(reader, value, "an object");
    }
    for it in value.members() {
        let (Some(name), Some(value)) = (it.name.string(), it.value) else { continue };
        // The programs are written in Go, whose decoder overlooks case.
        match members.iter().find(|member| member.name.eq_ignore_ascii_case(&name)) {
            Some(member) => check_member(reader, member, value),
            None => {
                let known: Vec<&str> = members.iter().map(|it| it.name).collect();
                let similar = similar(&name, known.iter().copied());
                let (span, name) = (it.name.inner_span(), name.into_owned());
                reader.problems.push(Problem::CapMember { span, name, similar, known });
            }
        }
    }
}

fn check_member(reader: &mut Reader<'_>, member: &'static Member, value: Node<'_>) {
    if value.text() == "null" {
        return;
    }
    let wanted = member.value.to_string();
    let list = value.kind() == SyntaxKind::Array;
    match member.value {
        Kind::Object(members) => check_object(reader, members, value),
        Kind::Claims if value.kind() == SyntaxKind::Object => {}
        Kind::Flag if matches!(value.text(), "true" | "false") => {}
        Kind::Text if value.kind() == SyntaxKind::String => {}
        Kind::OneOf(known) if value.kind() == SyntaxKind::String => {
            check_text(reader, member, known, value);
        }
        Kind::Texts | Kind::SomeOf(_) | Kind::OneTag | Kind::Tags | Kind::Prefixes if list => {
            for (at, item) in value.values().enumerate() {
                if item.kind() != SyntaxKind::String || (at > 0 && is_one(member.value)) {
                    return cap_type(reader, item, &wanted);
                }
                check_item(reader, member, item);
            }
        }
        _ => cap_type(reader, value, &wanted),
    }
}

const fn is_one(kind: Kind) -> bool {
    matches!(kind, Kind::OneTag)
}

/// Checks a text in the list of a member.
fn check_item(reader: &mut Reader<'_>, member: &'static Member, item: Node<'_>) {
    let Some(text) = item.string() else { return };
    let is_tag = || selector::read(&text).is_ok_and(|it| matches!(it.selector, Selector::Tag(_)));
    match member.value {
        Kind::SomeOf(known) => check_text(reader, member, known, item),
        Kind::OneTag if !is_tag() => cap_type(reader, item, "a tag"),
        Kind::Tags if !(is_tag() || *text == *"*") => cap_type(reader, item, "a tag or `*`"),
        Kind::Prefixes if selector::read_literal(&text).is_err() => {
            cap_type(reader, item, "a prefix");
        }
        _ => {}
    }
}

fn check_text(
    reader: &mut Reader<'_>,
    member: &'static Member,
    known: &'static [&'static str],
    item: Node<'_>,
) {
    let Some(text) = item.string().filter(|it| !known.contains(&&**it)) else { return };
    let (span, written) = (item.inner_span(), text.into_owned());
    reader.problems.push(Problem::CapValue { span, member: member.name, written, known });
}

fn cap_type(reader: &mut Reader<'_>, value: Node<'_>, wanted: &str) {
    // A word that is no JSON value has been reported as such.
    if Shape::of(value).is_some() {
        let wanted = wanted.to_owned();
        reader.problems.push(Problem::CapType { span: value.inner_span(), wanted });
    }
}
