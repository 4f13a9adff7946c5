//! Reading one piece of the tree at a time: an object with known fields, a list, a string.
//!
//! Whatever is not of the wanted shape is reported once and left out, so a section is read as far as
//! it can be understood. `null` is the same as leaving a member out.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::problem::{Problem, Shape};
use super::selector::{self, Malformed};
use super::{PortRange, Selector, Text, ports};
use crate::cst::{Member, SyntaxKind, SyntaxNode};
use crate::diagnostic::{Turn, similar};
use crate::span::{Span, Spanned};

/// Reads nodes of one tree, collects problems, and keeps each distinct text once.
pub(super) struct Reader<'t> {
    pub(super) problems: Vec<Problem>,
    /// Which section is being read: the turn at which the control plane would stop at a problem of it.
    pub(super) turn: Turn,
    /// Ten thousand rules name a few hundred selectors, so each text is understood once.
    selectors: FxHashMap<&'t str, Result<selector::Read, Malformed>>,
    ports: FxHashMap<&'t str, Result<Arc<[PortRange]>, String>>,
    texts: FxHashMap<&'t str, Text>,
}

impl<'t> Reader<'t> {
    pub(super) fn new() -> Self {
        Self {
            problems: Vec::new(),
            turn: Turn::Others,
            selectors: FxHashMap::default(),
            ports: FxHashMap::default(),
            texts: FxHashMap::default(),
        }
    }

    /// The values of an object's known fields, in the order of `names`; `None` where a field is
    /// missing or null. Unknown and oddly spelled names are reported, a repeated one counts once.
    pub(super) fn fields<const N: usize>(
        &mut self,
        node: SyntaxNode<'t>,
        names: &[&'static str; N],
    ) -> Option<[Option<SyntaxNode<'t>>; N]> {
        let members = self.object(node)?;
        let mut values = [None; N];
        for member in members {
            let Some(name) = member.name.string() else { continue };
            let Some(value) = member.value else { continue };
            let position = names.iter().position(|it| *it == name).or_else(|| {
                let position = names.iter().position(|it| it.eq_ignore_ascii_case(&name))?;
                let canonical = names.get(position)?;
                self.problems.push(Problem::UnusualSpelling {
                    span: member.name.inner_span(),
                    written: name.clone().into_owned(),
                    canonical,
                });
                Some(position)
            });
            let Some(slot) = position.and_then(|it| values.get_mut(it)) else {
                self.problems.push(Problem::UnknownField {
                    span: member.name.inner_span(),
                    similar: similar(&name, names.iter().copied()).map(str::to_owned),
                    name: name.into_owned(),
                });
                continue;
            };
            if slot.is_none() && value.text() != "null" {
                *slot = Some(value);
            }
        }
        Some(values)
    }

    /// The members of an object; anything else is reported.
    pub(super) fn object(
        &mut self,
        node: SyntaxNode<'t>,
    ) -> Option<impl Iterator<Item = Member<'t>> + use<'t>> {
        self.expect(node, SyntaxKind::Object, Shape::Object)?;
        Some(node.members())
    }

    /// The members of an object whose names are data: each name, and its value unless it is null.
    pub(super) fn map(
        &mut self,
        node: Option<SyntaxNode<'t>>,
    ) -> Vec<(Spanned<Text>, Option<SyntaxNode<'t>>)> {
        let Some(members) = node.and_then(|it| self.object(it)) else { return Vec::new() };
        let mut map = Vec::new();
        for member in members {
            let Some(name) = self.text_of(member.name) else { continue };
            map.push((name, member.value.filter(|it| it.text() != "null")));
        }
        map
    }

    /// The elements of a list; anything else is reported. Nothing for a missing member.
    pub(super) fn list(&mut self, node: Option<SyntaxNode<'t>>) -> Vec<SyntaxNode<'t>> {
        let Some(node) = node else { return Vec::new() };
        if self.expect(node, SyntaxKind::Array, Shape::List).is_none() {
            return Vec::new();
        }
        node.values().collect()
    }

    /// A string; anything else is reported.
    pub(super) fn text(&mut self, node: SyntaxNode<'t>) -> Option<Spanned<Text>> {
        self.expect(node, SyntaxKind::String, Shape::String)?;
        self.text_of(node)
    }

    /// The strings of a list.
    pub(super) fn texts(&mut self, node: Option<SyntaxNode<'t>>) -> Vec<Spanned<Text>> {
        let nodes = self.list(node);
        nodes.into_iter().filter_map(|it| self.text(it)).collect()
    }

    /// The selectors of a list.
    pub(super) fn selectors(&mut self, node: Option<SyntaxNode<'t>>) -> Vec<Spanned<Selector>> {
        let nodes = self.list(node);
        let mut selectors = Vec::with_capacity(nodes.len());
        for node in nodes {
            if self.expect(node, SyntaxKind::String, Shape::String).is_some() {
                selectors.extend(self.selector(node, node.inner_span()));
            }
        }
        selectors
    }

    /// The selector that stands at `span` within a string node.
    pub(super) fn selector(
        &mut self,
        node: SyntaxNode<'t>,
        span: Span,
    ) -> Option<Spanned<Selector>> {
        let inner = raw(node);
        if inner.contains('\\') {
            let text = node.string()?;
            let read = selector::read(&text);
            return self.selector_read(&text, read, span);
        }
        let start = span.start.checked_sub(node.inner_span().start)?;
        let text: &'t str = inner.get(start as usize..(start + span.len()) as usize)?;
        let read = self.selectors.entry(text).or_insert_with(|| selector::read(text)).clone();
        self.selector_read(text, read, span)
    }

    fn selector_read(
        &mut self,
        text: &str,
        read: Result<selector::Read, Malformed>,
        span: Span,
    ) -> Option<Spanned<Selector>> {
        match read {
            Ok(selector::Read { selector, host_bits }) => {
                if host_bits {
                    self.problems.push(Problem::HostBits { span, meant: selector.to_string() });
                }
                Some(Spanned::new(selector, span))
            }
            Err(why) => {
                self.problems.push(Problem::Selector {
                    span,
                    written: text.to_owned(),
                    why,
                    turn: self.turn,
                });
                None
            }
        }
    }

    /// The ports of an acl destination; `entry` is the whole destination, for the message.
    pub(super) fn ports(
        &mut self,
        text: &'t str,
        span: Span,
        entry: &str,
    ) -> Option<Arc<[PortRange]>> {
        let read = self
            .ports
            .entry(text)
            .or_insert_with(|| ports::read_ports(text).map(Arc::from))
            .clone();
        match read {
            Ok(ports) => Some(ports),
            Err(why) => {
                self.problems.push(Problem::Ports {
                    span,
                    why,
                    entry: Some(entry.to_owned()),
                    turn: self.turn,
                });
                None
            }
        }
    }

    /// `true` or `false`; anything else is reported and taken as `false`.
    pub(super) fn bool(&mut self, node: Option<SyntaxNode<'t>>) -> bool {
        match node.map(|it| (it, it.text())) {
            None | Some((_, "false")) => false,
            Some((_, "true")) => true,
            Some((node, _)) => {
                self.wrong_type(node, Shape::Bool);
                false
            }
        }
    }

    pub(super) fn wrong_type(&mut self, node: SyntaxNode<'t>, wanted: Shape) {
        // A word that is no JSON value has been reported as such.
        if let Some(found) = Shape::of(node) {
            self.problems.push(Problem::WrongType { span: node.span(), wanted, found });
        }
    }

    fn expect(&mut self, node: SyntaxNode<'t>, kind: SyntaxKind, wanted: Shape) -> Option<()> {
        if node.kind() == kind {
            return Some(());
        }
        self.wrong_type(node, wanted);
        None
    }

    /// A string that is known to be one.
    fn text_of(&mut self, node: SyntaxNode<'t>) -> Option<Spanned<Text>> {
        let inner = raw(node);
        let text = if inner.contains('\\') {
            node.string()?.as_ref().into()
        } else {
            Arc::clone(self.texts.entry(inner).or_insert_with(|| inner.into()))
        };
        Some(Spanned::new(text, node.inner_span()))
    }
}

/// The characters between the quotes, escapes as written.
pub(super) fn raw<'t>(node: SyntaxNode<'t>) -> &'t str {
    let text = node.text();
    let text = text.strip_prefix('"').unwrap_or(text);
    text.strip_suffix('"').unwrap_or(text)
}

/// A node as compact JSON: no blanks, comments or trailing commas, all else untouched.
pub(super) fn compact_json(node: SyntaxNode<'_>) -> String {
    let mut out = String::with_capacity(node.text().len());
    write_compact(node, &mut out);
    out
}

fn write_compact(node: SyntaxNode<'_>, out: &mut String) {
    let (open, close) = match node.kind() {
        SyntaxKind::Object => ('{', '}'),
        SyntaxKind::Array => ('[', ']'),
        _ => return out.push_str(node.text()),
    };
    out.push(open);
    let mut first = true;
    let mut separate = |out: &mut String| {
        if !std::mem::take(&mut first) {
            out.push(',');
        }
    };
    for member in node.members() {
        if let Some(value) = member.value {
            separate(out);
            out.push_str(member.name.text());
            out.push(':');
            write_compact(value, out);
        }
    }
    for value in node.values() {
        separate(out);
        write_compact(value, out);
    }
    out.push(close);
}
