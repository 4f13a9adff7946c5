//! Stage 1, text → tree: a lossless HuJSON syntax tree. Knows nothing of policies.
//!
//! Every text has a tree. What fits nowhere is a node of its own, so editors always have one and
//! printing it gives the text back. The tree is one `Vec` in the order of the text: a node's first
//! child follows it, and each node knows where its descendants end. White space is not in the
//! tree: it is what lies between the nodes.

mod brackets;
mod check;
mod collect;
mod decode;
pub mod edit;
mod format;
mod from_text;
mod grammar;
mod literal;
pub mod pointer;
pub mod problem;
mod reparse;
mod rewrite;
mod strict;

use std::borrow::Cow;
use std::sync::Arc;

use crate::span::Span;
pub use decode::decode;
pub use format::format;
pub use from_text::{parse, parse_bytes};
pub use pointer::Pointer;
pub use problem::{Fault, Problem, Upstream};
pub use reparse::reparse;

/// The longest policy: 32 MiB.
pub const MAX_BYTES: usize = 32 << 20;

/// The deepest nesting of brackets.
pub const MAX_DEPTH: usize = 500;

/// The most pieces a policy may have: brackets, strings, words, commas, comments.
///
/// A piece costs up to 200 bytes while it is parsed, so this bounds what a hostile text can take. A
/// policy of 32 MiB as generators write them has five million.
pub const MAX_PIECES: usize = 7_000_000;

/// What a node is.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum SyntaxKind {
    /// The whole text; the root.
    File,
    /// `{ … }`
    Object,
    /// `"name": value` within an object.
    Member,
    /// `[ … ]`
    Array,
    /// `"…"`, perhaps without its closing quote; in a broken text also `'…'` and `“…”`.
    String,
    /// A number, `true`, `false`, `null`, or a word that is none of these.
    Scalar,
    /// `,`
    Comma,
    /// `//…` or `/*…*/`
    Comment,
    /// Nothing, where a bracket, a colon or a value should be.
    Missing,
    /// A character that has no place where it stands.
    Junk,
}

impl SyntaxKind {
    /// Whether a node of this kind is a JSON value.
    pub const fn is_value(self) -> bool {
        matches!(self, Self::Object | Self::Array | Self::String | Self::Scalar)
    }
}

/// One node as stored.
#[derive(Clone, Copy, Debug)]
struct NodeData {
    kind: SyntaxKind,
    span: Span,
    /// The index after the last descendant.
    end: u32,
}

/// A text and its nodes.
#[derive(Clone, Debug)]
pub struct SyntaxTree {
    text: Arc<str>,
    nodes: Vec<NodeData>,
}

/// What parsing gives: always a tree, and what was wrong with the text.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// The tree, whatever the text.
    pub tree: SyntaxTree,
    /// What was wrong, by place. Any of it refuses the policy.
    pub problems: Vec<Problem>,
}

impl SyntaxTree {
    /// The text it was parsed from.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The node of the whole file.
    pub fn root(&self) -> SyntaxNode<'_> {
        SyntaxNode { tree: self, id: 0 }
    }

    /// Every node, in the order of the text, parents before children.
    pub fn nodes(&self) -> impl Iterator<Item = SyntaxNode<'_>> {
        (0..self.nodes.len() as u32).map(|id| SyntaxNode { tree: self, id })
    }

    /// The innermost node that touches `offset`; of two that meet there, the later.
    pub fn node_at(&self, offset: u32) -> SyntaxNode<'_> {
        let mut node = self.root();
        while let Some(child) = node.children().filter(|it| it.span().touches(offset)).last() {
            node = child;
        }
        node
    }

    /// The text again, put together from the nodes and what lies between them.
    pub fn print(&self) -> String {
        let mut printed = String::with_capacity(self.text.len());
        let mut done = 0;
        // A node without children is printed whole; the rest is brackets, colons and blanks.
        let leaves = (1..).zip(&self.nodes).filter(|(next, node)| node.end == *next);
        for (_, NodeData { span, .. }) in leaves {
            printed.push_str(Span::new(done, span.start).of(&self.text));
            printed.push_str(span.of(&self.text));
            done = span.end;
        }
        printed.push_str(Span::new(done, self.text.len() as u32).of(&self.text));
        printed
    }

    /// Every comment, in the order of the text.
    pub fn comments(&self) -> impl Iterator<Item = SyntaxNode<'_>> {
        self.nodes().filter(|it| it.kind() == SyntaxKind::Comment)
    }
}

/// A node of a tree. Copying it copies a reference.
#[derive(Clone, Copy)]
pub struct SyntaxNode<'t> {
    tree: &'t SyntaxTree,
    id: u32,
}

impl<'t> SyntaxNode<'t> {
    fn data(self) -> NodeData {
        const NOTHING: NodeData = NodeData { kind: SyntaxKind::Missing, span: Span::at(0), end: 0 };
        self.tree.nodes.get(self.id as usize).copied().unwrap_or(NOTHING)
    }

    /// What it is.
    pub fn kind(self) -> SyntaxKind {
        self.data().kind
    }

    /// Where it stands, with its brackets or quotes.
    pub fn span(self) -> Span {
        self.data().span
    }

    /// Its text, with its brackets or quotes.
    pub fn text(self) -> &'t str {
        self.span().of(&self.tree.text)
    }

    /// Its children, in the order of the text, commas and comments included.
    pub fn children(self) -> impl Iterator<Item = SyntaxNode<'t>> {
        let tree = self.tree;
        let end = self.data().end;
        let first = Some(self.id + 1).filter(|id| *id < end);
        std::iter::successors(first, move |id| {
            tree.nodes.get(*id as usize).map(|it| it.end).filter(|next| *next < end)
        })
        .map(move |id| SyntaxNode { tree, id })
    }

    /// The values among its children: the elements of an array, the value of a file.
    pub fn values(self) -> impl Iterator<Item = SyntaxNode<'t>> {
        self.children().filter(|it| it.kind().is_value())
    }

    /// The members of an object; nothing for any other node.
    pub fn members(self) -> impl Iterator<Item = Member<'t>> {
        self.children().filter(|it| it.kind() == SyntaxKind::Member).filter_map(|node| {
            let mut values = node.values();
            Some(Member { node, name: values.next()?, value: values.next() })
        })
    }

    /// The characters between the quotes, for a string; the whole node for any other.
    pub fn inner_span(self) -> Span {
        let NodeData { kind, span, .. } = self.data();
        if kind != SyntaxKind::String {
            return span;
        }
        let text = self.text();
        let open = text.chars().next().map_or(0, char::len_utf8);
        Span::new(span.start + open as u32, span.end - closing_quote(text) as u32)
    }

    /// What a string means, its escapes resolved; `None` for any other node.
    ///
    /// A broken escape stands for U+FFFD; parsing has reported it.
    pub fn string(self) -> Option<Cow<'t, str>> {
        if self.kind() != SyntaxKind::String {
            return None;
        }
        let inner = self.inner_span().of(&self.tree.text);
        Some(if inner.contains('\\') { Cow::Owned(unescape(inner)) } else { Cow::Borrowed(inner) })
    }
}

impl std::fmt::Debug for SyntaxNode<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} {:?}", self.kind(), self.text())
    }
}

/// A member of an object.
#[derive(Clone, Copy, Debug)]
pub struct Member<'t> {
    /// The whole member.
    pub node: SyntaxNode<'t>,
    /// Its name; a string, unless the text is broken.
    pub name: SyntaxNode<'t>,
    /// Its value; `None` where the text has none.
    pub value: Option<SyntaxNode<'t>>,
}

/// How many bytes the closing quote of a string has; none where there is none.
fn closing_quote(string: &str) -> usize {
    let mut chars = string.chars();
    let Some(open) = chars.next() else { return 0 };
    let Some(close) = chars.next_back() else { return 0 };
    let slashes = chars.as_str().bytes().rev().take_while(|it| *it == b'\\').count();
    // The grammar takes curly quotes only where they are closed.
    let closes =
        if matches!(open, '"' | '\'') { close == open && slashes.is_multiple_of(2) } else { true };
    if closes { close.len_utf8() } else { 0 }
}

/// The text that a JSON string means, given what stands between its quotes.
fn unescape(inner: &str) -> String {
    let mut text = String::with_capacity(inner.len());
    let mut rest = inner.chars();
    while let Some(char) = rest.next() {
        if char != '\\' {
            text.push(char);
            continue;
        }
        text.push(match rest.next() {
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some(it @ ('"' | '\\' | '/' | '\'')) => it,
            Some('u') => unicode_escape(&mut rest),
            _ => char::REPLACEMENT_CHARACTER,
        });
    }
    text
}

/// The character of a `\u` escape whose digits come next in `rest`, perhaps with a second escape
/// that completes a surrogate pair.
fn unicode_escape(rest: &mut std::str::Chars<'_>) -> char {
    let Some(first) = hex_digits(rest) else { return char::REPLACEMENT_CHARACTER };
    if let Some(char) = char::from_u32(first) {
        return char;
    }
    // A low half alone, or a high half without its low half, stands for nothing.
    let mut ahead = rest.clone();
    if (ahead.next(), ahead.next()) == (Some('\\'), Some('u'))
        && let Some(second) = hex_digits(&mut ahead)
        && let (0xd800..0xdc00, 0xdc00..0xe000) = (first, second)
    {
        *rest = ahead;
        let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        return char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
    }
    char::REPLACEMENT_CHARACTER
}

fn hex_digits(rest: &mut std::str::Chars<'_>) -> Option<u32> {
    let digits = rest.as_str().get(..4).filter(|it| it.bytes().all(|b| b.is_ascii_hexdigit()))?;
    *rest = rest.as_str().get(4..)?.chars();
    u32::from_str_radix(digits, 16).ok()
}
