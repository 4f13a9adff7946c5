//! Names of fields and sections, whole entries, and words that have a list of their own.

use compiler::ast::words;

use super::super::shape::{CAPABILITIES, Form, Shape};
use super::{ItemKind, List, entry};
use crate::features::hover::about_field;

/// The fields of an object that it has not yet.
pub(super) fn names(list: &mut List<'_, '_>, form: Form) {
    let written = list.written();
    let has_colon = has_colon(list);
    for field in form.fields().iter().filter(|it| !form.is_old(it)) {
        if written.iter().any(|it| form.field(it) == Some(field)) {
            continue;
        }
        let about = about_field(form, field);
        let opens = list.hole.opens;
        let item = list.offer(*field, ItemKind::Field);
        item.documentation = about.map(str::to_owned);
        if !has_colon {
            let value = empty(form.shape_of(field));
            let closed = if item.text.ends_with('"') && item.text.len() > 1 { "" } else { "\"" };
            // Behind a closing quote nothing can be inserted from within the string.
            if opens || closed.is_empty() {
                item.text = format!("{}: {value}", item.text);
                item.caret = Some(item.text.len() - value.len() / 2).filter(|_| !value.is_empty());
                item.goes_on = value == "\"\"";
            }
        }
    }
}

/// Whether the name at the cursor has its colon already.
fn has_colon(list: &List<'_, '_>) -> bool {
    let Some(leaf) = list.hole.site.leaf else { return false };
    let text = list.analysis.text().get(leaf.span().end as usize..).unwrap_or_default();
    text.trim_start().starts_with(':')
}

fn empty(shape: Shape) -> &'static str {
    match shape {
        Shape::Object(_) | Shape::Map(..) => "{}",
        Shape::List(_) => "[]",
        Shape::Text(_) => "\"\"",
        Shape::Flag | Shape::Number | Shape::Foreign => "",
    }
}

/// `true` and `false`, without quotes.
pub(super) fn flags(list: &mut List<'_, '_>) {
    list.hole.opens = false;
    list.hole.closes = false;
    for word in ["true", "false"] {
        list.offer(word, ItemKind::Value);
    }
}

/// A whole entry of a list.
pub(super) fn entries(list: &mut List<'_, '_>, form: Form) {
    let Some((label, text)) = entry(form).filter(|_| list.hole.site.leaf.is_none()) else { return };
    let mut plain = String::with_capacity(text.len());
    let mut stops = Vec::new();
    for (at, part) in text.split(['‹', '›']).enumerate() {
        // Every second part stands between the marks.
        if at % 2 == 1 {
            stops.push(plain.len()..plain.len() + part.len());
        }
        plain.push_str(part);
    }
    let item = list.offer(label, ItemKind::Entry);
    item.caret = stops.first().map(|it| it.start);
    item.stops = stops;
    item.text = plain;
    item.filter = label.to_owned();
}

/// A few words.
pub(super) fn words(list: &mut List<'_, '_>, words: &[&str]) {
    for word in words {
        list.offer(*word, ItemKind::Word);
    }
}

/// The attributes of devices that are known.
pub(super) fn node_attributes(list: &mut List<'_, '_>) {
    words(list, &words::ATTRIBUTES);
}

/// The capabilities that are known.
pub(super) fn capabilities(list: &mut List<'_, '_>, of_nodes: bool) {
    if of_nodes {
        words(list, &[compiler::ast::APP_CONNECTORS]);
    } else {
        words(list, &CAPABILITIES);
    }
    // A name of one's own is used again sooner than made up.
    let file = &list.analysis.policy().file;
    let grants = file.grants.iter().flatten().flat_map(|it| &it.app);
    let attributes = file.node_attrs.iter().flat_map(|it| &it.app);
    let mut own: Vec<&str> = if of_nodes {
        attributes.map(|it| &*it.name.value).collect()
    } else {
        grants.map(|it| &*it.name.value).collect()
    };
    own.sort_unstable();
    own.dedup();
    own.retain(|it| !CAPABILITIES.contains(it) && *it != compiler::ast::APP_CONNECTORS);
    for name in own {
        list.offer(name, ItemKind::Name).detail("of this policy");
    }
}
