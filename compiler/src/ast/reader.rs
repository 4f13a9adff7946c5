//! Reading one piece of the tree at a time: an object with known fields, a list, a string.
//!
//! Whatever is not of the wanted shape is reported once and left out, so a section is read as far as
//! it can be understood. `null` is the same as leaving a member out.

use std::borrow::Cow;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::problem::{Problem, Shape};
use super::selector::{self, Malformed};
use super::{BadPorts, PortRange, PortSpec, Protocol, Selector, Text, headscale, ports};
use crate::cst::{Member, SyntaxKind, SyntaxNode};
use crate::diagnostic::{Turn, similar};
use crate::dialect::Dialect;
use crate::span::{Span, Spanned};

/// For at most so many unknown fields it is said what was meant: more is no help to a person, and a
/// file of a million of them must not take a million comparisons with every name.
const MAX_SUGGESTIONS: usize = 200;

/// Reads nodes of one tree, collects problems, and keeps each distinct text once.
pub(super) struct Reader<'t> {
    /// Whose control plane is to take the file.
    pub(super) dialect: Dialect,
    pub(super) problems: Vec<Problem>,
    /// Which section is being read: the turn at which the control plane would stop at a problem of it.
    pub(super) turn: Turn,
    /// Ten thousand rules name a few hundred selectors, so each text is understood once.
    selectors: FxHashMap<Cow<'t, str>, Result<selector::Read, Malformed>>,
    ports: FxHashMap<Text, Result<Arc<[PortRange]>, BadPorts>>,
    port_specs: FxHashMap<Text, Result<Arc<[PortSpec]>, BadPorts>>,
    texts: FxHashMap<&'t str, Text>,
    suggested: usize,
}

impl<'t> Reader<'t> {
    pub(super) fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            problems: Vec::new(),
            turn: Turn::Others,
            selectors: FxHashMap::default(),
            ports: FxHashMap::default(),
            port_specs: FxHashMap::default(),
            texts: FxHashMap::default(),
            suggested: 0,
        }
    }

    /// The values of an object's known fields, in the order of `names`; `None` where a field is
    /// missing or null. Unknown, oddly spelled and repeated names are reported; the first counts.
    pub(super) fn fields<const N: usize>(
        &mut self,
        node: SyntaxNode<'t>,
        names: &'static [&'static str; N],
    ) -> Option<[Option<SyntaxNode<'t>>; N]> {
        let members = self.object(node)?;
        let mut values = [None; N];
        let mut seen: [Option<SyntaxNode<'t>>; N] = [None; N];
        for member in members {
            let Some(name) = member.name.string() else { continue };
            let Some(value) = member.value else { continue };
            let span = member.name.inner_span();
            let Some(position) = names.iter().position(|it| self.is_field(&name, it)) else {
                if self.dialect == Dialect::Headscale
                    && self.turn == Turn::Acls
                    && name.starts_with('#')
                {
                    let name = name.into_owned();
                    self.problems.push(Problem::IgnoredField { span, name });
                    continue;
                }
                let known: &[_] = if self.suggested < MAX_SUGGESTIONS { names } else { &[] };
                self.suggested += 1;
                // Not a name that is there already: the two would be one name twice.
                let is_there = |it: &str| {
                    let mut others = node.members().filter_map(|it| it.name.string());
                    others.any(|other| other.eq_ignore_ascii_case(it))
                };
                let similar = similar(&name, known.iter().copied()).filter(|it| !is_there(it));
                self.problems.push(Problem::UnknownField {
                    span,
                    similar,
                    name: name.into_owned(),
                    known,
                });
                continue;
            };
            let (Some(canonical), Some(first), Some(slot)) =
                (names.get(position), seen.get_mut(position), values.get_mut(position))
            else {
                continue;
            };
            if self.dialect == Dialect::Headscale && headscale::refuses(self.turn, canonical) {
                let instead = headscale::renamed(self.turn, canonical);
                let name = name.into_owned();
                self.problems.push(Problem::NotInHeadscale { span, name, instead });
                continue;
            }
            if *canonical != name {
                self.problems.push(Problem::UnusualSpelling {
                    span,
                    written: name.clone().into_owned(),
                    canonical,
                });
            }
            match *first {
                None => *first = Some(member.name),
                // The same name in the same letters has been reported with the text.
                Some(first) if first.string().as_ref() == Some(&name) => continue,
                Some(first) => {
                    let first = first.inner_span();
                    self.problems.push(Problem::Repeated { span, first, name: name.into_owned() });
                    continue;
                }
            }
            *slot = Some(value).filter(|it| it.text() != "null");
        }
        Some(values)
    }

    /// Whether a written name means a field.
    pub(super) fn is_field(&self, written: &str, canonical: &str) -> bool {
        match self.dialect {
            Dialect::Tailscale => written.eq_ignore_ascii_case(canonical),
            Dialect::Headscale => headscale::is_field(written, canonical),
        }
    }

    /// The members of an object; anything else is reported.
    pub(super) fn object(
        &mut self,
        node: SyntaxNode<'t>,
    ) -> Option<impl Iterator<Item = Member<'t>> + use<'t>> {
        self.of_kind(node, SyntaxKind::Object, Shape::Object)?;
        Some(node.members())
    }

    /// The members of an object whose names are data: each name, and its value unless it is null.
    pub(super) fn map(
        &mut self,
        node: Option<SyntaxNode<'t>>,
    ) -> Vec<(Spanned<Text>, Option<SyntaxNode<'t>>)> {
        let not_null = |it: &SyntaxNode<'t>| it.text() != "null";
        let members = self.members(node).into_iter();
        members.map(|(name, value)| (name, value.filter(not_null))).collect()
    }

    /// The same, where a value may not be null.
    pub(super) fn members(
        &mut self,
        node: Option<SyntaxNode<'t>>,
    ) -> Vec<(Spanned<Text>, Option<SyntaxNode<'t>>)> {
        // A name that is no string has been reported as such.
        let Some(members) = node.and_then(|it| self.object(it)) else { return Vec::new() };
        let members = members.filter(|it| it.name.kind() == SyntaxKind::String);
        members.filter_map(|it| Some((self.text_of(it.name)?, it.value))).collect()
    }

    /// The elements of a list; anything else is reported. Nothing for a missing member.
    pub(super) fn list(&mut self, node: Option<SyntaxNode<'t>>) -> Vec<SyntaxNode<'t>> {
        let Some(node) = node else { return Vec::new() };
        if self.of_kind(node, SyntaxKind::Array, Shape::List).is_none() {
            return Vec::new();
        }
        node.values().collect()
    }

    /// A string; anything else is reported.
    pub(super) fn text(&mut self, node: SyntaxNode<'t>) -> Option<Spanned<Text>> {
        self.of_kind(node, SyntaxKind::String, Shape::String)?;
        self.text_of(node)
    }

    /// The strings of a list.
    pub(super) fn texts(&mut self, node: Option<SyntaxNode<'t>>) -> Vec<Spanned<Text>> {
        let nodes = self.list(node);
        nodes.into_iter().filter_map(|it| self.text(it)).collect()
    }

    /// The strings of a list, without the blanks around each.
    pub(super) fn trimmed_texts(&mut self, node: Option<SyntaxNode<'t>>) -> Vec<Spanned<Text>> {
        self.texts(node).into_iter().map(trimmed).collect()
    }

    /// The selectors of a list.
    pub(super) fn selectors(&mut self, node: Option<SyntaxNode<'t>>) -> Vec<Spanned<Selector>> {
        match self.dialect {
            Dialect::Headscale if headscale::trims(self.turn) => self.trimmed_selectors(node),
            _ => self.list(node).into_iter().filter_map(|it| self.selector_of(it)).collect(),
        }
    }

    /// The selector that a string is; anything else is reported.
    fn selector_of(&mut self, node: SyntaxNode<'t>) -> Option<Spanned<Selector>> {
        self.of_kind(node, SyntaxKind::String, Shape::String)?;
        let (span, text) = (node.inner_span(), node.string()?);
        let read = match self.selectors.get(&text) {
            Some(read) => read.clone(),
            None => self.read_selector(text.clone()),
        };
        self.selector_read(&text, read, span)
    }

    /// The selectors of a list, whatever blanks are around each.
    pub(super) fn trimmed_selectors(
        &mut self,
        node: Option<SyntaxNode<'t>>,
    ) -> Vec<Spanned<Selector>> {
        let nodes = self.list(node).into_iter();
        nodes
            .filter_map(|it| {
                let text = trimmed(self.text(it)?);
                self.selector(&text.value, text.span)
            })
            .collect()
    }

    /// The selector that a text, or a part of one, names.
    pub(super) fn selector(&mut self, text: &str, span: Span) -> Option<Spanned<Selector>> {
        let read = match self.selectors.get(text) {
            Some(read) => read.clone(),
            None => self.read_selector(Cow::Owned(text.to_owned())),
        };
        self.selector_read(text, read, span)
    }

    /// Reads a selector that was not read before.
    fn read_selector(&mut self, text: Cow<'t, str>) -> Result<selector::Read, Malformed> {
        let read = match self.dialect {
            Dialect::Tailscale => selector::read(&text),
            Dialect::Headscale => headscale::read_selector(&text),
        };
        self.selectors.insert(text, read.clone());
        read
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

    /// The ports of an acl destination; problems are for the caller, who knows the whole of it.
    pub(super) fn ports(&mut self, text: &str) -> Result<Arc<[PortRange]>, BadPorts> {
        if let Some(read) = self.ports.get(text) {
            return read.clone();
        }
        let read = match self.dialect {
            Dialect::Tailscale => ports::read_ports(text),
            Dialect::Headscale => headscale::read_ports(text),
        };
        let read = read.map(Arc::from);
        self.ports.insert(text.into(), read.clone());
        read
    }

    /// The protocol of an acl.
    pub(super) fn protocol(&self, text: &str) -> Result<Option<Protocol>, BadPorts> {
        match self.dialect {
            Dialect::Tailscale => ports::read_protocol(text),
            Dialect::Headscale => headscale::read_protocol(text, true),
        }
    }

    /// What one entry of a grant's `ip` lets through.
    pub(super) fn port_specs(&mut self, text: &Text) -> Result<Arc<[PortSpec]>, BadPorts> {
        if let Some(read) = self.port_specs.get(text) {
            return read.clone();
        }
        let read = match self.dialect {
            Dialect::Tailscale => ports::read_port_spec(text).map(|it| Arc::from([it])),
            Dialect::Headscale => headscale::read_port_specs(text).map(Arc::from),
        };
        self.port_specs.insert(Arc::clone(text), read.clone());
        read
    }

    /// Notes what headscale takes and Tailscale does not.
    pub(super) fn only_headscale<T, E>(
        &mut self,
        text: &Spanned<Text>,
        tailscale: impl FnOnce() -> Result<T, E>,
    ) {
        if self.dialect == Dialect::Headscale && tailscale().is_err() {
            let Spanned { value: written, span } = text.clone();
            self.problems.push(Problem::OnlyHeadscale { span, written });
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

    /// Checks that a member is a number, where it is there; nobody here reads which.
    pub(super) fn number(&mut self, node: Option<SyntaxNode<'t>>) {
        if let Some(node) = node.filter(|it| Shape::of(*it) != Some(Shape::Number)) {
            self.wrong_type(node, Shape::Number);
        }
    }

    pub(super) fn wrong_type(&mut self, node: SyntaxNode<'t>, wanted: Shape) {
        // A word that is no JSON value has been reported as such.
        if let Some(found) = Shape::of(node) {
            self.problems.push(Problem::WrongType { span: node.span(), wanted, found });
        }
    }

    fn of_kind(&mut self, node: SyntaxNode<'t>, kind: SyntaxKind, wanted: Shape) -> Option<()> {
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
fn raw<'t>(node: SyntaxNode<'t>) -> &'t str {
    let (start, inner) = (node.span().start, node.inner_span());
    Span::new(inner.start - start, inner.end - start).of(node.text())
}

/// A string without the spaces and tabs around it.
///
/// SOURCE: docs/language.md, "The file": only the texts of SSH rules are treated so.
pub(super) fn trimmed(text: Spanned<Text>) -> Spanned<Text> {
    let Spanned { value, span } = &text;
    let start = value.trim_start_matches([' ', '\t']);
    let both = start.trim_end_matches([' ', '\t']);
    if both.len() == value.len() {
        return text;
    }
    let (before, after) = (value.len() - start.len(), start.len() - both.len());
    Spanned::new(both.into(), part(*span, value, before..value.len() - after))
}

/// Where some bytes of a string stand; the whole string where escapes hide that.
pub(crate) fn part(span: Span, text: &str, range: std::ops::Range<usize>) -> Span {
    if text.len() == span.len() as usize {
        Span::new(span.start + range.start as u32, span.start + range.end as u32)
    } else {
        span
    }
}

/// Where the name of the member with this value stands.
pub(super) fn name_of(object: SyntaxNode<'_>, value: SyntaxNode<'_>) -> Span {
    let member = object.members().find(|it| it.value.is_some_and(|it| it.span() == value.span()));
    member.map_or(value.span(), |it| it.name.inner_span())
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
