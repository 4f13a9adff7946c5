//! What may be written at a place: only what is allowed there.
//!
//! Works in unclosed strings, empty lists, after a comma, in a file that is broken elsewhere: a place
//! is known by what stands around it, and only the text before the cursor is taken for written.

mod fields;
mod ports;
mod postures;
mod selectors;

use compiler::cst::{SyntaxKind, SyntaxNode};
use compiler::span::Span;

pub(super) use postures::about as about_values;

use super::analysis::Analysis;
use super::shape::{Form, Shape, Slot};
use super::site::{self, Expected, Site};

/// What may be written at a place.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Completions {
    /// In the order in which they are best shown.
    pub items: Vec<Item>,
    /// Whether other items may come up with the next letter.
    pub incomplete: bool,
}

/// One thing that may be written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Item {
    /// What is shown.
    pub label: String,
    /// What it is.
    pub kind: ItemKind,
    /// A few words beside it.
    pub detail: Option<String>,
    /// More about it, as Markdown.
    pub documentation: Option<String>,
    /// What is replaced: it lies in one line and holds the cursor.
    pub span: Span,
    /// By what, line ends as `\n`.
    pub text: String,
    /// Where in `text` the cursor is to stand afterwards, in bytes; at its end unless said.
    pub caret: Option<usize>,
    /// Where in `text` one goes on to write, in bytes and in order, the caret's place first: what stands
    /// there is to be replaced. Empty where it is the caret alone.
    pub stops: Vec<std::ops::Range<usize>>,
    /// What a typed text is compared with.
    pub filter: String,
    /// Whether one goes on to choose: ports behind a name.
    pub goes_on: bool,
}

/// What an item is.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ItemKind {
    /// The name of a field.
    Field,
    /// A whole entry.
    Entry,
    /// A name that the file defines.
    Name,
    /// Somebody.
    User,
    /// A selector or word of Tailscale's own.
    Word,
    /// A number or value.
    Value,
}

/// At most so many items are offered at once; with more, a typed letter decides.
const MAX_ITEMS: usize = 400;

/// What may be written at `offset`.
pub fn completions(analysis: &Analysis, offset: u32) -> Completions {
    let Some(site) = site::at(analysis.tree(), offset) else { return Completions::default() };
    let Some(hole) = Hole::new(analysis, site, offset) else { return Completions::default() };
    let mut list = List { analysis, hole, items: Vec::new() };
    match site.expected {
        Expected::Name(Slot::Field(form)) => fields::names(&mut list, form),
        Expected::Name(slot) => text(&mut list, slot),
        Expected::Value(Shape::Text(slot)) => text(&mut list, slot),
        Expected::Value(Shape::Flag) => fields::flags(&mut list),
        Expected::Value(Shape::Object(form)) => fields::entries(&mut list, form),
        Expected::Value(Shape::List(_) | Shape::Map(..) | Shape::Number | Shape::Foreign) => {}
    }
    list.finish()
}

fn text(list: &mut List<'_, '_>, slot: Slot) {
    match slot {
        Slot::Field(_) | Slot::Plain => {}
        Slot::Definition(named) => selectors::undefined(list, named),
        Slot::Selector(place) => selectors::at_place(list, place),
        Slot::Destination => ports::destinations(list),
        Slot::PortSpec => ports::specs(list),
        Slot::Protocol => ports::protocols(list),
        Slot::Posture => selectors::postures(list),
        Slot::Condition => postures::conditions(list),
        Slot::AttributeName => postures::attributes(list),
        Slot::IpsetStep => selectors::ipset_steps(list),
        Slot::Address => selectors::routes(list),
        Slot::ServiceOrTag => selectors::services_and_tags(list),
        Slot::NodeAttribute => fields::node_attributes(list),
        Slot::Capability => fields::capabilities(list, false),
        Slot::NodeCapability => fields::capabilities(list, true),
        Slot::HostUser => selectors::host_users(list, true),
        Slot::TestedUser => selectors::host_users(list, false),
        Slot::TestSource => selectors::test_sources(list),
        Slot::TestDestination => ports::test_destinations(list),
        Slot::SshTestDestination => selectors::ssh_test_destinations(list),
        Slot::AclAction => fields::words(list, &["accept"]),
        Slot::SshAction => fields::words(list, &["accept", "check"]),
        Slot::CheckPeriod => fields::words(list, &["always", "1h", "12h", "168h"]),
        Slot::CgnatRoute => fields::words(list, &compiler::ast::words::CGNAT_ROUTES),
    }
}

/// The text that an item replaces, and what must stand around it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hole<'t> {
    site: Site<'t>,
    /// The text of the string before the cursor.
    before: &'t str,
    /// Where that begins.
    start: u32,
    /// The end of what is replaced: the word goes on behind the cursor.
    end: u32,
    /// The text of the string behind the cursor, as far as it is one word.
    behind: &'t str,
    /// Whether an opening quote must be written.
    opens: bool,
    /// Whether a closing quote must be written.
    closes: bool,
}

impl<'t> Hole<'t> {
    /// `None` behind the closing quote of a string: it is written.
    fn new(analysis: &'t Analysis, site: Site<'t>, offset: u32) -> Option<Self> {
        let text = analysis.text();
        let empty = Self {
            site,
            before: "",
            start: offset,
            end: offset,
            behind: "",
            opens: true,
            closes: true,
        };
        let Some(leaf) = site.leaf else { return Some(empty) };
        if leaf.kind() != SyntaxKind::String {
            let start = leaf.span().start;
            let before = Span::new(start, offset).of(text);
            let end = leaf.span().end.max(offset);
            return Some(Self { before, start, end, ..empty });
        }
        let (span, inner) = (leaf.span(), leaf.inner_span());
        if offset < inner.start {
            return None;
        }
        let closed = inner.end < span.end;
        if offset > inner.end {
            return None;
        }
        let rest = Span::new(offset, inner.end).of(text);
        // Behind an unclosed string stands whatever its line has: only a word belongs to it.
        let word = |it: char| it.is_alphanumeric() || ":@._*/-[]".contains(it);
        let only_word = |it: char| if closed { it != '\n' } else { word(it) && !"[]".contains(it) };
        let behind_end = rest.find(|it| !only_word(it)).unwrap_or(rest.len());
        // `"src": ["tag:|], "dst": [` is a string up to the next quote, which opens another.
        let runs_on = closed && rest.contains([',', ']', '}']) && rest.contains([']', '}', ',']);
        let behind_end = if runs_on {
            rest.find(|it| !word(it) || it == ']').unwrap_or(rest.len())
        } else {
            behind_end
        };
        Some(Self {
            site,
            before: Span::new(inner.start, offset).of(text),
            start: inner.start,
            end: offset + behind_end as u32,
            behind: rest.get(..behind_end).unwrap_or_default(),
            opens: false,
            closes: !closed || runs_on,
        })
    }
}

/// Items as they are collected.
pub(super) struct List<'a, 't> {
    analysis: &'a Analysis,
    hole: Hole<'t>,
    items: Vec<Item>,
}

impl List<'_, '_> {
    /// Offers a text that replaces the whole of the string.
    fn offer(&mut self, label: impl Into<String>, kind: ItemKind) -> &mut Item {
        let (start, end) = (self.hole.start, self.hole.end);
        self.offer_part(label, kind, start, end, true)
    }

    /// Offers a text that replaces a part of the string; `last` where nothing of the string comes behind.
    fn offer_part(
        &mut self,
        label: impl Into<String>,
        kind: ItemKind,
        start: u32,
        end: u32,
        last: bool,
    ) -> &mut Item {
        let label = label.into();
        let mut text = String::with_capacity(label.len() + 2);
        if self.hole.opens {
            text.push('"');
        }
        text.push_str(&label);
        if self.hole.closes && last {
            text.push('"');
        }
        // What is compared with a typed text is all of what is replaced.
        let filter = if self.hole.opens { text.clone() } else { label.clone() };
        self.items.push(Item {
            label,
            kind,
            detail: None,
            documentation: None,
            span: Span::new(start, end),
            text,
            caret: None,
            stops: Vec::new(),
            filter,
            goes_on: false,
        });
        let at = self.items.len() - 1;
        #[expect(clippy::indexing_slicing, reason = "it was pushed two lines above")]
        &mut self.items[at]
    }

    /// The texts of the list or object around that are written already, but for the one at the cursor.
    fn written(&self) -> Vec<String> {
        let around = self.hole.site.around;
        let here = self.hole.site.leaf.map(SyntaxNode::span);
        let others = around.values().chain(around.members().map(|it| it.name));
        others
            .filter(|it| Some(it.span()) != here)
            .filter_map(|it| Some(it.string()?.into_owned()))
            .collect()
    }

    /// What is written already is not offered again; of too many those that look like what is typed.
    fn finish(mut self) -> Completions {
        let written = self.written();
        self.items.retain(|it| !written.contains(&it.label));
        let mut incomplete = false;
        if self.items.len() > MAX_ITEMS {
            incomplete = true;
            let typed = self.hole.before.to_lowercase();
            self.items.retain(|it| is_within(&typed, &it.label.to_lowercase()));
            self.items.truncate(MAX_ITEMS);
        }
        Completions { items: self.items, incomplete }
    }
}

/// Whether the letters of one text stand in another, in their order.
fn is_within(letters: &str, text: &str) -> bool {
    let mut rest = text.chars();
    letters.chars().all(|letter| rest.any(|it| it == letter))
}

impl Item {
    fn detail(&mut self, detail: impl Into<String>) -> &mut Self {
        self.detail = Some(detail.into());
        self
    }
}

/// Whether a form is an entry of a list, which can be written as a whole: its name, and its text with
/// `‹` and `›` around what is to be written.
fn entry(form: Form) -> Option<(&'static str, &'static str)> {
    Some(match form {
        Form::Grant => ("new grant", r#"{"src": ["‹›"], "dst": [‹›], "ip": [‹"*"›]}"#),
        Form::Acl => ("new acl", r#"{"action": "accept", "src": ["‹›"], "dst": [‹›]}"#),
        Form::Ssh => (
            "new SSH rule",
            r#"{"action": "check", "src": ["‹›"], "dst": [‹›], "users": [‹"autogroup:nonroot"›]}"#,
        ),
        Form::NodeAttr => ("new attributes", r#"{"target": ["‹›"], "attr": [‹›]}"#),
        Form::Test => ("new test", r#"{"src": "‹›", "accept": [‹›], "deny": [‹›]}"#),
        Form::SshTest => ("new SSH test", r#"{"src": "‹›", "dst": [‹›], "accept": [‹›]}"#),
        _ => return None,
    })
}
