//! Where each name of a policy is written: its definition and its uses, in all sections and in comments.
//!
//! A tag is the same in any case, to Tailscale; everything else is as it is written.

use std::sync::Arc;

use compiler::Dialect;
use compiler::ast::invariant;
use compiler::ast::{Selector, Text};
use compiler::span::{Span, Spanned};
use rustc_hash::FxHashMap;

use super::analysis::Analysis;
use super::pieces::{self, Meaning};
use super::shape::{Named, Slot};
use super::site;

/// A name by its position in [`Names::all`].
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct NameId(u32);

/// A name that the file defines or uses.
#[derive(Clone, Debug)]
pub struct Name {
    /// What it names.
    pub named: Named,
    /// With its prefix; of a tag in lower case, to Tailscale.
    pub text: Text,
    /// Where it is written, in the order of the text; the positions in [`Names::occurrences`].
    places: Vec<u32>,
}

/// One place where a name is written.
#[derive(Clone, Copy, Debug)]
pub struct Occurrence {
    /// Which name.
    pub name: NameId,
    /// The name alone, without quotes and ports; the whole string where escapes hide the name.
    pub span: Span,
    /// The string it stands in, between the quotes; in a comment the name itself.
    pub string: Span,
    /// Whether this defines it.
    pub definition: bool,
}

/// All names of a text.
#[derive(Clone, Debug, Default)]
pub struct Names {
    all: Vec<Name>,
    occurrences: Vec<Occurrence>,
    ids: FxHashMap<(Named, Text), NameId>,
}

impl Names {
    pub(super) fn new(analysis: &Analysis) -> Self {
        let mut found = Collector {
            names: Names::default(),
            any_case: analysis.settings().dialect == Dialect::Tailscale,
        };
        // What others read names something only where the file defines it.
        let mut foreign = Vec::new();
        for leaf in site::leaves(analysis.tree()) {
            let Some(text) = leaf.node.string() else { continue };
            let pieces = match leaf.slot {
                Some(Slot::Field(_)) => continue,
                Some(slot) => pieces::pieces(slot, &text),
                None => pieces::foreign(&text),
            };
            for piece in pieces {
                let (named, definition) = match piece.meaning {
                    Meaning::Name(named) => (named, false),
                    Meaning::Definition(named) => (named, true),
                    _ => continue,
                };
                let written = text.get(piece.range.clone()).unwrap_or_default();
                let span = pieces::place(leaf.node, &text, piece.range.clone());
                let string = leaf.node.inner_span();
                if leaf.slot.is_none() {
                    foreign.push((named, written.to_owned(), span, string));
                    continue;
                }
                found.add(named, written, span, string, definition);
            }
        }
        for (named, written, span, string) in foreign {
            let key = (named, found.key(named, &written));
            if found.names.ids.get(&key).is_some_and(|it| found.names.is_defined(*it)) {
                found.add(named, &written, span, string, false);
            }
        }
        for invariant in invariant::read_comments(analysis.tree()).into_iter().flatten() {
            let sources = invariant.src.iter().flatten().chain(&invariant.dst_except);
            for selector in sources.chain(invariant.dst.iter().map(|it| &it.selector)) {
                found.selector(selector, analysis.text());
            }
        }
        found.finish()
    }

    /// Every name, in the order of its first place.
    pub fn all(&self) -> &[Name] {
        &self.all
    }

    /// Every place where a name is written, in the order of the text.
    pub fn occurrences(&self) -> &[Occurrence] {
        &self.occurrences
    }

    /// A name by its id.
    pub fn name(&self, id: NameId) -> Option<&Name> {
        self.all.get(id.0 as usize)
    }

    /// Every name with its id.
    pub fn ids(&self) -> impl Iterator<Item = (&Name, NameId)> {
        self.all.iter().zip((0..).map(NameId))
    }

    /// The id of a name.
    pub fn find(&self, named: Named, text: &str) -> Option<NameId> {
        self.ids.get(&(named, Text::from(text))).copied()
    }

    /// The place with a name that touches `offset`.
    pub fn at(&self, offset: u32) -> Option<&Occurrence> {
        let before = self.occurrences.partition_point(|it| it.span.start <= offset);
        let found = self.occurrences.get(before.checked_sub(1)?)?;
        Some(found).filter(|it| it.span.touches(offset))
    }

    /// The places of a name, in the order of the text.
    pub fn places(&self, id: NameId) -> impl Iterator<Item = &Occurrence> {
        let places = self.name(id).map_or(&[][..], |it| &it.places);
        places.iter().filter_map(|it| self.occurrences.get(*it as usize))
    }

    /// The place that defines a name; the first where there are several.
    pub fn definition(&self, id: NameId) -> Option<&Occurrence> {
        self.places(id).find(|it| it.definition)
    }

    /// Whether the file defines a name.
    pub fn is_defined(&self, id: NameId) -> bool {
        self.definition(id).is_some()
    }
}

struct Collector {
    names: Names,
    /// Whether tags are the same in any case.
    any_case: bool,
}

impl Collector {
    fn key(&self, named: Named, written: &str) -> Text {
        if named == Named::Tag && self.any_case {
            Text::from(written.to_ascii_lowercase())
        } else {
            Text::from(written)
        }
    }

    fn add(&mut self, named: Named, written: &str, span: Span, string: Span, definition: bool) {
        let text = self.key(named, written);
        let names = &mut self.names;
        let next = NameId(names.all.len() as u32);
        let id = *names.ids.entry((named, Arc::clone(&text))).or_insert(next);
        if id == next {
            names.all.push(Name { named, text, places: Vec::new() });
        }
        let place = names.occurrences.len() as u32;
        names.occurrences.push(Occurrence { name: id, span, string, definition });
        if let Some(name) = names.all.get_mut(id.0 as usize) {
            name.places.push(place);
        }
    }

    /// A selector of an invariant.
    fn selector(&mut self, selector: &Spanned<Selector>, text: &str) {
        let named = match &selector.value {
            Selector::User(_) => Named::User,
            Selector::Group(_) => Named::Group,
            Selector::Tag(_) => Named::Tag,
            Selector::Ipset(_) => Named::Ipset,
            Selector::Service(_) => Named::Service,
            Selector::Host(_) => Named::Host,
            Selector::Any
            | Selector::UserDomain(_)
            | Selector::Autogroup(_)
            | Selector::Literal(_) => return,
        };
        self.add(named, selector.span.of(text), selector.span, selector.span, false);
    }

    /// Puts the places in the order of the text.
    fn finish(self) -> Names {
        let mut names = self.names;
        if !names.occurrences.is_sorted_by_key(|it| it.span.start) {
            names.occurrences.sort_by_key(|it| it.span.start);
            names.all.iter_mut().for_each(|it| it.places.clear());
            for (occurrence, place) in names.occurrences.iter().zip(0..) {
                if let Some(name) = names.all.get_mut(occurrence.name.0 as usize) {
                    name.places.push(place);
                }
            }
        }
        names
    }
}
