//! A tree and a place in it → what is expected there; and all strings of a tree with what each is.

use compiler::cst::{SyntaxKind, SyntaxNode, SyntaxTree};
use compiler::span::Span;

use super::shape::{Form, Shape, Slot};

/// What stands, or is to stand, at a place.
#[derive(Clone, Copy, Debug)]
pub struct Site<'t> {
    /// What is expected there.
    pub expected: Expected,
    /// The string or word that stands there; `None` where there is nothing yet.
    pub leaf: Option<SyntaxNode<'t>>,
    /// The object or list around it.
    pub around: SyntaxNode<'t>,
}

/// What a place expects.
#[derive(Clone, Copy, Debug)]
pub enum Expected {
    /// The name of a member: a field or a definition.
    Name(Slot),
    /// A value.
    Value(Shape),
}

/// What is expected at `offset`; `None` in a comment, and where nothing is known.
pub fn at(tree: &SyntaxTree, offset: u32) -> Option<Site<'_>> {
    let in_comment = |it: SyntaxNode<'_>| {
        let span = it.span();
        // Behind a block comment one writes on; a line comment goes on to the end of its line.
        let line = it.text().starts_with("//");
        span.start < offset && (offset < span.end || line && offset == span.end)
    };
    let mut node = tree.root();
    let mut shape = Shape::Object(Form::File);
    loop {
        if node.children().any(|it| it.kind() == SyntaxKind::Comment && in_comment(it)) {
            return None;
        }
        let inner = match node.kind() {
            SyntaxKind::File => {
                node.values().find(|it| it.span().touches(offset)).map(|it| (it, shape))
            }
            SyntaxKind::Array => {
                let Shape::List(element) = shape else { return None };
                let found = touched(node.values(), offset);
                match found {
                    Some(found) => Some((found, *element)),
                    None => return Some(site(Expected::Value(*element), None, node)),
                }
            }
            SyntaxKind::Object => match member_at(node, shape, offset)? {
                Found::Site(site) => return Some(site),
                Found::Value(value, shape) => Some((value, shape)),
            },
            _ => None,
        };
        let (next, expected) = inner?;
        match next.kind() {
            SyntaxKind::Object | SyntaxKind::Array if inside(next, offset) => {
                (node, shape) = (next, expected)
            }
            SyntaxKind::Object | SyntaxKind::Array => return None,
            _ => return Some(site(Expected::Value(expected), Some(next), node)),
        }
    }
}

fn site<'t>(expected: Expected, leaf: Option<SyntaxNode<'t>>, around: SyntaxNode<'t>) -> Site<'t> {
    Site { expected, leaf, around }
}

/// Whether a place lies between the brackets of a node.
fn inside(node: SyntaxNode<'_>, offset: u32) -> bool {
    let span = node.span();
    span.start < offset && (offset < span.end || !is_closed(node) && offset == span.end)
}

/// Whether an object or list has its closing bracket.
pub fn is_closed(node: SyntaxNode<'_>) -> bool {
    node.children().last().is_none_or(|it| it.kind() != SyntaxKind::Missing)
}

/// Of the nodes that touch a place, the one before it: that is the one being written.
fn touched<'t>(
    mut nodes: impl Iterator<Item = SyntaxNode<'t>>,
    offset: u32,
) -> Option<SyntaxNode<'t>> {
    nodes.find(|it| it.span().touches(offset))
}

enum Found<'t> {
    Site(Site<'t>),
    Value(SyntaxNode<'t>, Shape),
}

fn member_at(object: SyntaxNode<'_>, shape: Shape, offset: u32) -> Option<Found<'_>> {
    let slot = match shape {
        Shape::Object(form) => Slot::Field(form),
        Shape::Map(slot, _) => slot,
        _ => return None,
    };
    let members = object.children().filter(|it| it.kind() == SyntaxKind::Member);
    let Some(member) = touched(members, offset) else {
        // A word without quotes, where a name should be.
        let words = object.values().filter(|it| it.kind() != SyntaxKind::Object);
        let leaf = touched(words, offset);
        return Some(Found::Site(site(Expected::Name(slot), leaf, object)));
    };
    let mut values = member.values();
    let name = values.next()?;
    if name.span().touches(offset) {
        return Some(Found::Site(site(Expected::Name(slot), Some(name), object)));
    }
    let expected = value_shape(shape, name)?;
    match values.next() {
        Some(value) if value.span().touches(offset) => Some(Found::Value(value, expected)),
        Some(value) if value.span().end < offset => None,
        _ => Some(Found::Site(site(Expected::Value(expected), None, object))),
    }
}

/// What the value of a member is to be.
fn value_shape(shape: Shape, name: SyntaxNode<'_>) -> Option<Shape> {
    match shape {
        Shape::Object(form) => Some(form.shape_of(form.field(&name.string()?)?)),
        Shape::Map(_, value) => Some(*value),
        _ => None,
    }
}

/// A string of the file, and what it is to be.
#[derive(Clone, Copy, Debug)]
pub struct Leaf<'t> {
    /// The string.
    pub node: SyntaxNode<'t>,
    /// What it is; `None` in what others read, such as values of capabilities.
    pub slot: Option<Slot>,
    /// The name of the section it stands in; its own for the name of a section.
    pub section: &'t str,
    /// Whether it is the name of a member.
    pub is_name: bool,
}

/// Every string whose place is known, in the order of the text.
///
/// Walks with a stack of its own: a file may be nested as deep as the grammar allows.
pub fn leaves(tree: &SyntaxTree) -> Vec<Leaf<'_>> {
    let mut leaves = Vec::new();
    let Some(top) = tree.root().values().next() else { return leaves };
    let mut open = vec![(top, Some(Shape::Object(Form::File)), "")];
    while let Some((node, shape, section)) = open.pop() {
        match node.kind() {
            SyntaxKind::Object => {
                let from = open.len();
                for member in node.members() {
                    let section = match shape {
                        Some(Shape::Object(Form::File)) => {
                            Span::of(member.name.inner_span(), tree.text())
                        }
                        _ => section,
                    };
                    open.push((member.name, shape.map(name_shape), section));
                    let value = shape.and_then(|it| value_shape(it, member.name));
                    // What others read may name anything.
                    let value = value.or(shape.filter(|it| matches!(it, Shape::Foreign)));
                    open.extend(member.value.map(|it| (it, value, section)));
                }
                open.get_mut(from..).unwrap_or_default().reverse();
            }
            SyntaxKind::Array => {
                let element = match shape {
                    Some(Shape::List(element)) => Some(*element),
                    Some(Shape::Foreign) => Some(Shape::Foreign),
                    _ => None,
                };
                let from = open.len();
                open.extend(node.values().map(|it| (it, element, section)));
                open.get_mut(from..).unwrap_or_default().reverse();
            }
            SyntaxKind::String => match shape {
                Some(Shape::Text(slot)) => {
                    leaves.push(Leaf { node, slot: Some(slot), section, is_name: false });
                }
                Some(Shape::Map(slot, _)) => {
                    leaves.push(Leaf { node, slot: Some(slot), section, is_name: true });
                }
                Some(Shape::Foreign) => {
                    leaves.push(Leaf { node, slot: None, section, is_name: false })
                }
                _ => {}
            },
            _ => {}
        }
    }
    leaves
}

/// The names of an object as if they were values: what kind of string each is to be.
fn name_shape(object: Shape) -> Shape {
    match object {
        Shape::Object(form) => Shape::Map(Slot::Field(form), &Shape::Foreign),
        Shape::Map(slot, value) => Shape::Map(slot, value),
        other => other,
    }
}
