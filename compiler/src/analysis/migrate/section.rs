//! The section `acls` → `grants`: in its place, or moved to the end of the section that is there.

use super::Obstacle;
use super::list::{Item, List};
use super::rule;
use crate::ast::{Acl, PolicyFile};
use crate::cst::{Member, SyntaxKind, SyntaxNode, SyntaxTree};
use crate::span::Span;

/// A text without `acls`.
pub(super) struct Written {
    pub(super) text: String,
    /// How many grants the acls became.
    pub(super) grants: usize,
}

/// Writes the acls of a file as grants.
pub(super) fn write(
    tree: &SyntaxTree,
    file: &PolicyFile,
    acls: &[Acl],
) -> Result<Written, Obstacle> {
    let text = tree.text();
    let Some(top) = tree.root().values().next() else { return Err(Obstacle::Broken) };
    let members: Vec<Member<'_>> = top.members().collect();
    let place = |section: &str| {
        let named = |it: &&crate::span::Spanned<&str>| it.value == section;
        let name = file.sections.iter().find(named)?.span;
        let at = members.iter().position(|it| it.name.inner_span() == name)?;
        let member = members.get(at)?;
        Some((at, member.name, member.value?))
    };
    let Some((at, name, value)) = place("acls") else { return Err(Obstacle::Broken) };
    let mut moved = List::of(text, value);
    moved.items = converted(text, moved.items, value, acls, file)?;
    let grants = moved.items.iter().filter(|it| it.body.is_some()).count();

    let mut whole = List::of(text, top);
    let body = |name: &str, end: u32, value: SyntaxNode<'_>, list: &List| {
        name.to_owned() + Span::new(end, value.span().start).of(text) + &list.render()
    };
    match place("grants") {
        Some((other, ..)) if file.grants.is_some() => {
            let (their_name, theirs) = match members.get(other) {
                Some(Member { name, value: Some(value), .. }) => (*name, *value),
                _ => return Err(Obstacle::Broken),
            };
            let mut list = List::of(text, theirs);
            let Some(section) = whole.items.get_mut(at) else { return Err(Obstacle::Broken) };
            join(&mut list, moved, section);
            if let Some(item) = whole.items.get_mut(other) {
                item.body = Some(body(their_name.text(), their_name.span().end, theirs, &list));
            }
        }
        null => {
            if let Some((other, ..)) = null
                && let Some(item) = whole.items.get_mut(other)
            {
                item.body = None;
            }
            if let Some(item) = whole.items.get_mut(at) {
                item.body = Some(body("\"grants\"", name.span().end, value, &moved));
            }
        }
    }
    let before = Span::new(0, top.span().start).of(text);
    let after = Span::new(top.span().end, text.len() as u32).of(text);
    Ok(Written { text: format!("{before}{}{after}", whole.render()), grants })
}

/// The entries of `acls` as grants.
fn converted(
    text: &str,
    items: Vec<Item>,
    section: SyntaxNode<'_>,
    acls: &[Acl],
    file: &PolicyFile,
) -> Result<Vec<Item>, Obstacle> {
    let mut converted = Vec::with_capacity(items.len());
    let mut acls = acls.iter();
    for (item, node) in items.iter().zip(section.values()) {
        if node.kind() != SyntaxKind::Object {
            // To headscale a null is an acl of nothing.
            let lead = Item::comments(&item.lead);
            converted.push(Item { tail: item.tail.clone(), ..lead });
            continue;
        }
        let Some(acl) = acls.next() else { return Err(Obstacle::Broken) };
        converted.extend(rule::grants(text, item, node, acl, file.dialect)?);
    }
    Ok(converted)
}

/// Puts what was `acls` behind the grants, with the comments of the section.
fn join(list: &mut List, moved: List, section: &mut Item) {
    let first = |it: &List| it.items.first().map(|it| last_blanks(&it.lead).to_owned());
    let breaks = |it: &String| it.contains('\n');
    let own = first(&moved);
    let lead = first(list).filter(breaks).or(own.filter(breaks)).unwrap_or(" ".to_owned());
    let words = moved.last_words().to_owned();
    let bracket = moved.close.get(words.len()..).unwrap_or("]").to_owned();

    // A comment of the section stands over it, without an empty line between.
    let (stays, goes) = split_at_empty_line(&section.lead);
    let (stays, goes) = (stays.to_owned(), goes.trim().to_owned());
    let tail = section.tail.trim().to_owned();
    *section = Item::comments(&stays);

    let mut items = Vec::new();
    if !goes.is_empty() {
        items.push(Item::comments(&indented(&goes, &lead)));
    }
    items.extend(moved.items);
    for words in [words.trim(), &tail] {
        if !words.is_empty() {
            items.push(Item::comments(&(lead.clone() + words)));
        }
    }
    let mut fresh = true;
    for item in &mut items {
        let blanks = item.lead.len() - item.lead.trim_start().len();
        let breaks = item.lead.get(..blanks).is_some_and(|it| it.contains('\n'));
        if lead.contains('\n') && (std::mem::take(&mut fresh) || item.body.is_some()) && !breaks {
            item.lead = lead.clone() + item.lead.trim_start();
        }
    }
    if list.items.is_empty() {
        list.trailing = moved.trailing;
    }
    // Behind a list that was on one line, the bracket stands as it stood behind the acls.
    let one_line = !list.close.contains('\n') && list.last_words().is_empty();
    if one_line && items.iter().any(|it| it.lead.contains('\n')) {
        list.close = bracket;
    }
    // Comments before the bracket stay behind the grants that were there.
    let own_words = list.last_words().to_owned();
    if !own_words.trim().is_empty() {
        list.close = list.close.get(own_words.len()..).unwrap_or("]").to_owned();
        list.items.push(Item::comments(&own_words));
    }
    list.items.extend(items);
}

/// Comments, each on a line that begins with `lead`; what goes on over several lines stays as it is.
fn indented(comments: &str, lead: &str) -> String {
    let mut out = String::new();
    for (at, line) in comments.lines().enumerate() {
        if at == 0 || line.trim_start().starts_with("//") {
            out += lead;
            out += line.trim_start();
        } else {
            out.push('\n');
            out += line;
        }
    }
    out
}

/// The blanks from the last line end on.
fn last_blanks(lead: &str) -> &str {
    let start = lead.rfind('\n').map_or(0, |it| {
        if lead.get(..it).is_some_and(|it| it.ends_with('\r')) { it - 1 } else { it }
    });
    lead.get(start..).filter(|it| it.trim().is_empty()).unwrap_or(" ")
}

/// What stands up to the last empty line, and what follows it.
fn split_at_empty_line(lead: &str) -> (&str, &str) {
    let mut end = None;
    let mut at = 0;
    for line in lead.split_inclusive('\n') {
        // The first piece ends the line before.
        if at > 0 && line.ends_with('\n') && line.trim().is_empty() {
            end = Some(at);
        }
        at += line.len();
    }
    lead.split_at_checked(end.unwrap_or_default()).unwrap_or(("", lead))
}
