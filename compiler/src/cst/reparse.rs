//! Tree of a text → tree of the same text edited: where the edit lies within one object, only that is
//! parsed again.
//!
//! Of a policy of a megabyte the grammar takes half the time of a check, and a letter typed changes one
//! rule.

use super::edit;
use super::from_text::parse;
use super::{MAX_BYTES, MAX_DEPTH, MAX_PIECES, NodeData, SyntaxKind, SyntaxTree};
use crate::span::Span;

/// The tree that [`parse`] gives of `text`, which has no problem then; `before` must have had none.
///
/// `None` says nothing about `text`: it differs in too much, or has to be read whole to tell what is
/// wrong with it.
pub fn reparse(before: &SyntaxTree, text: &str) -> Option<SyntaxTree> {
    let old = before.text();
    if old == text {
        return Some(before.clone());
    }
    if text.len() > MAX_BYTES {
        return None;
    }
    let (head, tail) = edit::difference(old, text);
    let place = innermost_object(before, head as u32, tail as u32)?;
    let object = *before.nodes.get(place.id)?;

    let grown = Growth(text.len() as i64 - old.len() as i64);
    let span = Span::new(object.span.start, grown.of(object.span.end));
    let part = text.get(span.start as usize..span.end as usize)?;
    // An object of half the text is the policy, or nearly.
    if part.len() > text.len() / 2 {
        return None;
    }
    let parsed = parse(part);
    let new = parsed.tree.nodes.get(1..)?;
    let is_whole = new.first().is_some_and(|it| {
        it.kind == SyntaxKind::Object
            && it.span.len() == span.len()
            && it.end as usize == new.len() + 1
    });
    let known = before.nodes.len() + new.len();
    // A node that is no leaf has two pieces, its brackets.
    if !parsed.problems.is_empty()
        || !is_whole
        || place.around.len() + depth(new) > MAX_DEPTH
        || known > MAX_PIECES / 2
    {
        return None;
    }
    Some(SyntaxTree { text: text.into(), nodes: joined(before, &place, new, grown)? })
}

/// How much longer something has become.
#[derive(Clone, Copy)]
struct Growth(i64);

impl Growth {
    fn of(self, place: u32) -> u32 {
        (i64::from(place) + self.0) as u32
    }
}

/// An object, and the nodes that it lies within.
struct Place {
    id: usize,
    around: Vec<usize>,
}

/// The innermost object with both its brackets outside of what lies between two places.
fn innermost_object(tree: &SyntaxTree, head: u32, tail: u32) -> Option<Place> {
    let holds = |span: Span| span.start < head && tail < span.end;
    let mut found = None;
    let mut around = Vec::new();
    let mut node = tree.root();
    while let Some(child) = node.children().find(|it| holds(it.span())) {
        around.push(node.id as usize);
        node = child;
        if node.kind() == SyntaxKind::Object {
            found = Some(Place { id: node.id as usize, around: around.clone() });
        }
    }
    found
}

/// How deep brackets are nested.
fn depth(nodes: &[NodeData]) -> usize {
    let mut open: Vec<u32> = Vec::new();
    let mut deepest = 0;
    // The node of the file, with number 0, is not among them.
    for (id, node) in (1..).zip(nodes) {
        while open.last().is_some_and(|end| *end <= id) {
            open.pop();
        }
        if matches!(node.kind, SyntaxKind::Object | SyntaxKind::Array) {
            open.push(node.end);
            deepest = deepest.max(open.len());
        }
    }
    deepest
}

/// All nodes, with `new` in place of the object. Numbers and places behind it move on.
fn joined(
    before: &SyntaxTree,
    place: &Place,
    new: &[NodeData],
    longer: Growth,
) -> Option<Vec<NodeData>> {
    let object = before.nodes.get(place.id)?;
    let more = Growth(new.len() as i64 - (i64::from(object.end) - place.id as i64));
    let mut nodes = Vec::with_capacity(more.of(before.nodes.len() as u32) as usize);
    nodes.extend_from_slice(before.nodes.get(..place.id)?);
    for id in &place.around {
        let node = nodes.get_mut(*id)?;
        node.span.end = longer.of(node.span.end);
        node.end = more.of(node.end);
    }
    let (start, first) = (object.span.start, place.id as u32);
    nodes.extend(new.iter().map(|it| NodeData {
        kind: it.kind,
        span: Span::new(it.span.start + start, it.span.end + start),
        end: it.end - 1 + first,
    }));
    nodes.extend(before.nodes.get(object.end as usize..)?.iter().map(|it| NodeData {
        kind: it.kind,
        span: Span::new(longer.of(it.span.start), longer.of(it.span.end)),
        end: more.of(it.end),
    }));
    Some(nodes)
}
