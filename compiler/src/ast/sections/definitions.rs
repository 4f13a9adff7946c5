//! `groups`, `tagOwners`, `hosts`, `ipsets`, `postures` → names with what each stands for.

use std::collections::hash_map::Entry;

use rustc_hash::FxHashMap;

use super::super::problem::Shape;
use super::*;
use crate::dialect::Dialect;

pub(in crate::ast) fn groups<'t>(
    reader: &mut Reader<'t>,
    node: Option<Node<'t>>,
) -> Vec<Definition<Vec<Spanned<Selector>>>> {
    if reader.dialect == Dialect::Headscale {
        // Elsewhere null is an empty list.
        for (_, value) in reader.members(node) {
            if let Some(value) = value.filter(|it| it.text() == "null") {
                reader.wrong_type(value, Shape::List);
            }
        }
    }
    named(reader, node, "group:", |reader, value| reader.selectors(value))
}

pub(in crate::ast) fn tag_owners<'t>(
    reader: &mut Reader<'t>,
    node: Option<Node<'t>>,
) -> Vec<Definition<Vec<Spanned<Selector>>>> {
    let mut owners = Vec::new();
    let mut written: FxHashMap<Text, Spanned<Text>> = FxHashMap::default();
    for (name, value) in reader.map(node) {
        let value = reader.selectors(value);
        let checked = match name.value.strip_prefix("tag:") {
            Some(rest) => selector::check_tag_name(rest),
            None => Err("tags must start with 'tag:'"),
        };
        // headscale asks for a letter, and takes whatever follows as it is written.
        let exact = reader.dialect == Dialect::Headscale;
        let taken =
            exact && behind_tag(&name.value).starts_with(|it: char| it.is_ascii_alphabetic());
        if taken {
            reader.only_headscale(&name, || checked);
        } else if let Err(why) = checked {
            reader.problems.push(Problem::TagName { span: name.span, name: name.value, why });
            continue;
        }
        let lower = match !exact && name.value.bytes().any(|it| it.is_ascii_uppercase()) {
            true => Text::from(name.value.to_ascii_lowercase()),
            false => Arc::clone(&name.value),
        };
        let Spanned { value: spelled, span } = name;
        match written.entry(Arc::clone(&lower)) {
            Entry::Vacant(slot) => {
                slot.insert(Spanned::new(spelled, span));
            }
            // The same name in the same letters has been reported with the text.
            Entry::Occupied(first) if first.get().value == spelled => {}
            Entry::Occupied(first) => {
                let first = first.get().span;
                let name = spelled.to_string();
                reader.problems.push(Problem::Repeated { span, first, name });
            }
        }
        owners.push(Definition { name: Spanned::new(lower, span), value });
    }
    owners
}

/// What stands behind `tag:`; nothing for another name.
fn behind_tag(name: &str) -> &str {
    name.strip_prefix("tag:").unwrap_or_default()
}

pub(in crate::ast) fn hosts<'t>(
    reader: &mut Reader<'t>,
    node: Option<Node<'t>>,
) -> Vec<Definition<Spanned<IpNet>>> {
    let mut hosts = Vec::new();
    for (name, value) in reader.members(node) {
        let value = value.and_then(|it| reader.text(it)).and_then(|it| prefix(reader, it));
        let nameless = name.value.is_empty() && reader.dialect == Dialect::Tailscale;
        if nameless || name.value.contains(['@', ':']) {
            reader.problems.push(Problem::HostName { span: name.span, name: name.value });
        } else if let Some(value) = value {
            hosts.push(Definition { name, value });
        }
    }
    hosts
}

/// A section whose names must begin with `start`.
fn named<'t, T>(
    reader: &mut Reader<'t>,
    node: Option<Node<'t>>,
    start: &'static str,
    read: impl Fn(&mut Reader<'t>, Option<Node<'t>>) -> T,
) -> Vec<Definition<T>> {
    let mut definitions = Vec::new();
    for (name, value) in reader.map(node) {
        let value = read(reader, value);
        let nameless = reader.dialect == Dialect::Headscale;
        if name.value.strip_prefix(start).is_some_and(|rest| nameless || !rest.is_empty()) {
            definitions.push(Definition { name, value });
        } else {
            reader.problems.push(Problem::NamePrefix {
                span: name.span,
                name: name.value,
                start,
                turn: reader.turn,
            });
        }
    }
    definitions
}

pub(in crate::ast) fn ipsets<'t>(
    reader: &mut Reader<'t>,
    node: Option<Node<'t>>,
) -> Vec<Definition<Vec<Operation>>> {
    named(reader, node, "ipset:", |reader, value| {
        let texts = reader.texts(value);
        let bare: Vec<_> = texts.iter().filter(|it| !has_word(&it.value)).cloned().collect();
        let before = reader.problems.len();
        let steps: Vec<Operation> =
            texts.into_iter().filter_map(|it| operation(reader, it)).collect();
        // SOURCE: docs/language.md, "Selectors": `add` may be left out where nothing is removed.
        if let Some(remove) = steps.iter().find(|it| it.remove)
            && reader.problems.len() == before
        {
            let bare = bare.into_iter().map(|Spanned { span, value: written }| {
                Problem::IpsetWithoutWord { span, written, remove: remove.span }
            });
            reader.problems.extend(bare);
        }
        steps
    })
}

/// Whether a step says in its first word that it adds or removes.
fn has_word(step: &str) -> bool {
    let word = step.split_once(' ').map_or("", |it| it.0);
    word.eq_ignore_ascii_case("add") || word.eq_ignore_ascii_case("remove")
}

fn operation(reader: &mut Reader<'_>, text: Spanned<Text>) -> Option<Operation> {
    use pest::Parser;
    use selector::{Grammar, Rule};
    let Spanned { value, span } = text;
    let parsed = Grammar::parse(Rule::operation, &value).ok().and_then(|mut it| it.next());
    let mut remove = false;
    for part in parsed.into_iter().flat_map(|it| it.into_inner()) {
        let target = match part.as_rule() {
            Rule::remove => {
                remove = true;
                continue;
            }
            Rule::range => ip_range(part.as_str()),
            Rule::member => ipset_member(part.as_str()),
            _ => continue,
        };
        if let Some(target) = target {
            let prefix = if part.as_str().starts_with("host:") { "host:".len() } else { 0 };
            let (start, end) = (part.as_span().start() + prefix, part.as_span().end());
            // With escapes, bytes of the text and of the value are not the same.
            let name = if value.len() as u32 == span.end - span.start {
                Span::new(span.start + start as u32, span.start + end as u32)
            } else {
                span
            };
            return Some(Operation { span, remove, target, name });
        }
    }
    reader.problems.push(Problem::IpsetOperation { span, written: value });
    None
}

fn ip_range(text: &str) -> Option<IpsetTarget> {
    let (first, last) = text.split_once('-')?;
    let (first, last): (std::net::IpAddr, std::net::IpAddr) =
        (first.parse().ok()?, last.parse().ok()?);
    (first.is_ipv4() == last.is_ipv4() && first <= last).then_some(IpsetTarget::Range(first, last))
}

fn ipset_member(text: &str) -> Option<IpsetTarget> {
    let selector = match text.strip_prefix("host:") {
        Some(name) => Selector::Host(name.into()),
        None => selector::read(text).ok()?.selector,
    };
    let allowed = matches!(
        selector,
        Selector::Host(_)
            | Selector::Literal(_)
            | Selector::Ipset(_)
            | Selector::Autogroup(Autogroup::Internet)
    );
    let plain_host = matches!(selector, Selector::Host(_)) && !text.starts_with("host:");
    (allowed && !plain_host).then_some(IpsetTarget::Selector(selector))
}

pub(in crate::ast) fn postures<'t>(
    reader: &mut Reader<'t>,
    node: Option<Node<'t>>,
) -> Vec<Definition<Vec<Spanned<posture::Assertion>>>> {
    named(reader, node, "posture:", |reader, value| {
        let texts = reader.texts(value);
        let mut assertions = Vec::new();
        for text in texts {
            match posture::read(&text.value) {
                Some(it) => assertions.push(Spanned::new(it, text.span)),
                None => reader
                    .problems
                    .push(Problem::Assertion { span: text.span, written: text.value }),
            }
        }
        assertions
    })
}
