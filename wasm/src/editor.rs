//! The features of an editor, as objects with offsets in UTF-16 units.

use compiler::diagnostic::Edit;
use compiler::span::Span;
use lsp::features::completion::{self, ItemKind};
use lsp::features::{actions, hover};
use serde::Serialize;

use crate::places::Units;
use crate::workspace::Open;

/// What may be written at a place.
#[derive(Debug, Serialize)]
pub(crate) struct Completions {
    items: Vec<Item>,
    incomplete: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    label: String,
    kind: &'static str,
    detail: Option<String>,
    documentation: Option<String>,
    from: u32,
    to: u32,
    text: String,
    /// Where in `text` the cursor is to stand.
    caret: u32,
    filter: String,
    goes_on: bool,
}

/// What stands at a place.
#[derive(Debug, Serialize)]
pub(crate) struct Hover {
    from: u32,
    to: u32,
    markdown: String,
}

/// Something that may be done to the text.
#[derive(Debug, Serialize)]
pub(crate) struct Action {
    title: String,
    preferred: bool,
    edits: Vec<Replacement>,
}

/// A replacement of a part of the text.
#[derive(Debug, Serialize)]
pub(crate) struct Replacement {
    from: u32,
    to: u32,
    text: String,
}

impl Replacement {
    pub(crate) fn of(edit: &Edit, units: &Units) -> Self {
        let (from, to) = (units.unit(edit.span.start), units.unit(edit.span.end));
        Self { from, to, text: edit.text.clone() }
    }
}

pub(crate) fn completions(open: &Open, offset: u32) -> Completions {
    let Open { analysis, units, .. } = open;
    let found = completion::completions(analysis, units.byte(offset));
    let item = |it: completion::Item| Item {
        from: units.unit(it.span.start),
        to: units.unit(it.span.end),
        caret: caret(&it.text, it.caret),
        label: it.label,
        kind: kind(it.kind),
        detail: it.detail,
        documentation: it.documentation,
        text: it.text,
        filter: it.filter,
        goes_on: it.goes_on,
    };
    let items = found.items.into_iter().map(item).collect();
    Completions { items, incomplete: found.incomplete }
}

fn caret(text: &str, byte: Option<usize>) -> u32 {
    let before = byte.and_then(|it| text.get(..it)).unwrap_or(text);
    before.encode_utf16().count() as u32
}

const fn kind(kind: ItemKind) -> &'static str {
    match kind {
        ItemKind::Field => "property",
        ItemKind::Entry => "text",
        ItemKind::Name => "variable",
        ItemKind::User => "class",
        ItemKind::Word => "keyword",
        ItemKind::Value => "constant",
    }
}

pub(crate) fn hover(open: &Open, offset: u32) -> Option<Hover> {
    let Open { analysis, units, .. } = open;
    let found = hover::hover(analysis, units.byte(offset))?;
    let (from, to) = (units.unit(found.span.start), units.unit(found.span.end));
    Some(Hover { from, to, markdown: found.markdown })
}

pub(crate) fn actions(open: &Open, from: u32, to: u32) -> Vec<Action> {
    let Open { analysis, units, .. } = open;
    let range = Span::new(units.byte(from), units.byte(to));
    actions::actions(analysis, range).into_iter().map(|it| action(it, units)).collect()
}

pub(crate) fn fix_all(open: &Open) -> Option<Action> {
    actions::fix_all(&open.analysis).map(|it| action(it, &open.units))
}

fn action(action: actions::Action, units: &Units) -> Action {
    let edits = action.edits.iter().map(|it| Replacement::of(it, units)).collect();
    Action { title: action.title, preferred: action.preferred, edits }
}
