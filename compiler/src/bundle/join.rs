//! Fragments → the text of one policy, not yet laid out, and where each piece was copied from.
//!
//! What one fragment alone has is copied whole. What several have is joined by the kind of its
//! section: objects by name, lists in the order of the fragments. A comment line names the fragment in
//! front of each part.

use rustc_hash::FxHashMap;

use super::problem::Problem;
use super::source_map::Piece;
use super::{Fragment, is_field};
use crate::cst::{SyntaxKind, SyntaxNode};
use crate::dialect::Dialect;
use crate::span::Span;

/// How the parts of a section become one.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// An object whose names are data; each is defined once.
    Names,
    /// A list.
    List,
    /// An object of known members, each with its kind.
    Members(&'static [(&'static str, Kind)]),
    /// A setting of the whole tailnet: one fragment has it.
    Setting,
}

/// Every section and its kind.
///
/// `defaultSrcPosture` is a list, but a setting: one more entry would let in whom the first fragment
/// keeps out.
pub(super) const SECTIONS: &[(&str, Kind)] = &[
    ("acls", Kind::List),
    ("grants", Kind::List),
    ("ssh", Kind::List),
    ("groups", Kind::Names),
    ("hosts", Kind::Names),
    ("tagOwners", Kind::Names),
    ("ipsets", Kind::Names),
    ("postures", Kind::Names),
    ("defaultSrcPosture", Kind::Setting),
    ("autoApprovers", Kind::Members(AUTO_APPROVERS)),
    ("nodeAttrs", Kind::List),
    ("tests", Kind::List),
    ("sshTests", Kind::List),
    ("derpMap", Kind::Members(DERP_MAP)),
    ("disableIPv4", Kind::Setting),
    ("OneCGNATRoute", Kind::Setting),
    ("randomizeClientPort", Kind::Setting),
    ("attrConfig", Kind::Names),
    ("extraDNSRecords", Kind::List),
];

const AUTO_APPROVERS: &[(&str, Kind)] =
    &[("routes", Kind::Names), ("exitNode", Kind::List), ("services", Kind::Names)];

const DERP_MAP: &[(&str, Kind)] = &[
    ("OmitDefaultRegions", Kind::Setting),
    ("Regions", Kind::Names),
    ("HomeParams", Kind::Setting),
];

/// A text that was put together, and its pieces in the order of that text.
#[derive(Debug, Default)]
pub(super) struct Joined {
    pub(super) text: String,
    pub(super) pieces: Vec<Piece>,
}

impl Joined {
    fn copy(&mut self, fragment: usize, source: &str, span: Span) {
        if span.is_empty() {
            return;
        }
        let start = self.text.len() as u32;
        self.text.push_str(span.of(source));
        let bundle = Span::new(start, self.text.len() as u32);
        self.pieces.push(Piece { bundle, fragment, from: span });
    }
}

/// A member of a fragment, with the comments around it.
#[derive(Debug)]
struct Part<'t> {
    fragment: usize,
    /// The whole member.
    node: SyntaxNode<'t>,
    name: SyntaxNode<'t>,
    value: SyntaxNode<'t>,
    /// Comments on the lines above.
    lead: Vec<SyntaxNode<'t>>,
    /// Comments between name and value.
    inside: Vec<SyntaxNode<'t>>,
    /// Comments behind it on its line.
    trail: Vec<SyntaxNode<'t>>,
}

impl<'t> Part<'t> {
    /// The comments around it, in their order.
    fn comments(&self) -> Vec<SyntaxNode<'t>> {
        [&self.lead, &self.inside, &self.trail].into_iter().flatten().copied().collect()
    }
}

/// Joins fragments; what two of them claim is told with the position of the second.
pub(super) fn join(fragments: &[Fragment], dialect: Dialect) -> (Joined, Vec<(usize, Problem)>) {
    let mut joiner =
        Joiner { fragments, dialect, out: Joined::default(), problems: Vec::new(), said: None };
    joiner.file();
    (joiner.out, joiner.problems)
}

struct Joiner<'t> {
    fragments: &'t [Fragment],
    dialect: Dialect,
    out: Joined,
    problems: Vec<(usize, Problem)>,
    /// The fragment that the last comment of ours names, where all since then is from it.
    said: Option<usize>,
}

impl<'t> Joiner<'t> {
    fn file(&mut self) {
        self.glue("// Made by `aclc bundle`: change the fragments named below, not this file.\n\n");
        let objects: Vec<(usize, SyntaxNode<'t>)> = (0..)
            .zip(self.fragments)
            .filter_map(|(at, it)| it.object().map(|object| (at, object)))
            .collect();
        for (at, object) in &objects {
            let above = self.around(*at, |it| it.start < object.span().start);
            self.comments_of(*at, &above);
        }
        self.said = None;
        self.members(&objects, SECTIONS, &[]);
        self.glue("\n");
        self.said = None;
        for (at, object) in &objects {
            let below = self.around(*at, |it| it.start > object.span().start);
            self.comments_of(*at, &below);
        }
    }

    /// The comments of a file outside of its object.
    fn around(&self, at: usize, is_there: impl Fn(Span) -> bool) -> Vec<SyntaxNode<'t>> {
        let root = self.fragments.get(at).map(|it| it.tree().root());
        let comments = root.into_iter().flat_map(|it| comments(it));
        comments.filter(|it| is_there(it.span())).collect()
    }

    /// An object of known members, from the objects that fragments have for it, and the comments
    /// around those.
    fn members(
        &mut self,
        objects: &[(usize, SyntaxNode<'t>)],
        known: &'static [(&'static str, Kind)],
        around: &[Part<'t>],
    ) {
        self.bracket(objects, '{', true);
        self.glue("\n");
        for part in around {
            self.comments_of(part.fragment, &part.comments());
        }
        let mut sections: Vec<(Option<usize>, Vec<Part<'t>>)> = Vec::new();
        let mut tails = Vec::new();
        for (at, object) in objects {
            let (parts, tail) = self.parts(*at, *object);
            tails.push((*at, tail));
            for part in parts {
                let name = part.name.string().unwrap_or_default();
                let key = known.iter().position(|it| is_field(self.dialect, &name, it.0));
                match sections.iter_mut().find(|it| key.is_some() && it.0 == key) {
                    Some(section) => section.1.push(part),
                    None => sections.push((key, vec![part])),
                }
            }
        }
        for (index, (key, parts)) in sections.into_iter().enumerate() {
            // The sections of the file stand apart.
            if index > 0 && around.is_empty() {
                self.glue("\n");
                self.said = None;
            }
            let kind = key.and_then(|it| known.get(it)).map_or(Kind::Setting, |it| it.1);
            self.section(kind, &parts);
        }
        for (at, tail) in tails {
            self.comments_of(at, &tail);
        }
        self.bracket(objects, '}', false);
    }

    /// One section, from the parts that fragments have of it.
    fn section(&mut self, kind: Kind, parts: &[Part<'t>]) {
        let [first, others @ ..] = parts else { return };
        let wanted = match kind {
            Kind::List => SyntaxKind::Array,
            _ => SyntaxKind::Object,
        };
        let is_null = |it: &Part<'_>| it.value.text() == "null";
        let joins = !matches!(kind, Kind::Setting)
            && parts.iter().all(|it| it.value.kind() == wanted || is_null(it));
        if others.is_empty() || !joins || parts.iter().all(is_null) {
            self.whole(first);
            for other in others.iter().filter(|_| !joins) {
                let setting = first.name.string().unwrap_or_default().into_owned();
                let first = self.place(first.fragment, first.name);
                let span = other.name.inner_span();
                self.problems
                    .push((other.fragment, Problem::SettingTwice { setting, span, first }));
            }
            for other in others.iter().filter(|_| joins) {
                self.comments_of(other.fragment, &other.comments());
            }
            return;
        }
        let named = |it: &&Part<'t>| !is_null(it);
        let values: Vec<_> = parts.iter().filter(named).map(|it| (it.fragment, it.value)).collect();
        self.copy(first.fragment, first.name.span());
        self.glue(": ");
        self.said = None;
        match kind {
            Kind::Members(known) => self.members(&values, known, parts),
            Kind::Names | Kind::List | Kind::Setting => {
                if matches!(kind, Kind::Names) {
                    self.defined_twice(&values);
                }
                let [open, close] =
                    if matches!(kind, Kind::List) { ['[', ']'] } else { ['{', '}'] };
                self.bracket(&values, open, true);
                for part in parts {
                    self.glue("\n");
                    self.inner(part);
                }
                self.bracket(&values, close, false);
            }
        }
        self.glue(",\n");
        self.said = None;
    }

    /// A member that one fragment alone has.
    fn whole(&mut self, part: &Part<'t>) {
        self.name_fragment(part.fragment);
        self.lines(part.fragment, &part.lead);
        self.copy(part.fragment, part.node.span());
        self.glue(",");
        for comment in &part.trail {
            // A second one behind a line comment would become a part of it.
            let behind_line = self.out.text.ends_with('\n');
            self.glue(if behind_line { "" } else { " " });
            self.copy(part.fragment, comment.span());
            if comment.text().starts_with("//") {
                self.glue("\n");
            }
        }
        if !self.out.text.ends_with('\n') {
            self.glue("\n");
        }
    }

    /// What stands within a part, and the comments around it.
    fn inner(&mut self, part: &Part<'t>) {
        let at = part.fragment;
        let last = part.value.children().last();
        let children = last.is_some() && part.value.text() != "null";
        if !children && part.lead.is_empty() && part.inside.is_empty() && part.trail.is_empty() {
            return;
        }
        self.name_fragment(at);
        self.lines(at, &part.lead);
        self.lines(at, &part.inside);
        if children && let (Some(first), Some(last)) = (part.value.children().next(), last) {
            let content =
                part.value.children().filter(|it| it.kind() != SyntaxKind::Comment).last();
            let (start, end) = (first.span().start, last.span().end);
            match content.filter(|it| it.kind() != SyntaxKind::Comma).map(|it| it.span().end) {
                // The next part stands behind it.
                Some(middle) => {
                    self.copy(at, Span::new(start, middle));
                    self.glue(",");
                    self.copy(at, Span::new(middle, end));
                }
                None => self.copy(at, Span::new(start, end)),
            }
            self.glue("\n");
        }
        self.lines(at, &part.trail);
    }

    /// Reports each name that an earlier fragment defines.
    fn defined_twice(&mut self, values: &[(usize, SyntaxNode<'t>)]) {
        let mut known: FxHashMap<String, (usize, SyntaxNode<'t>)> = FxHashMap::default();
        for (at, object) in values {
            for member in object.members() {
                let name = member.name.string().unwrap_or_default().into_owned();
                // Tailscale takes tags in any letters for the same.
                let folds = self.dialect == Dialect::Tailscale
                    && name.get(..4).is_some_and(|it| it.eq_ignore_ascii_case("tag:"));
                let key = if folds { name.to_ascii_lowercase() } else { name.clone() };
                match known.get(&key) {
                    // Within one fragment that is a matter of its text.
                    Some((first, _)) if first == at => {}
                    Some((first, node)) => {
                        let first = self.place(*first, *node);
                        let span = member.name.inner_span();
                        self.problems.push((*at, Problem::DefinedTwice { name, span, first }));
                    }
                    None => drop(known.insert(key, (*at, member.name))),
                }
            }
        }
    }

    /// The members of an object with the comments around each, and the comments behind the last.
    fn parts(
        &self,
        fragment: usize,
        object: SyntaxNode<'t>,
    ) -> (Vec<Part<'t>>, Vec<SyntaxNode<'t>>) {
        let text = self.text(fragment);
        let (mut parts, mut open): (Vec<Part<'t>>, Vec<_>) = (Vec::new(), Vec::new());
        let mut end = object.span().start;
        let mut members = object.members();
        for child in object.children() {
            match child.kind() {
                SyntaxKind::Member => {
                    let member = members.next();
                    end = child.span().end;
                    let Some((name, value)) = member.and_then(|it| Some((it.name, it.value?)))
                    else {
                        continue;
                    };
                    let inside = comments(child).collect();
                    let lead = std::mem::take(&mut open);
                    let trail = Vec::new();
                    parts.push(Part { fragment, node: child, name, value, lead, inside, trail });
                }
                SyntaxKind::Comment => {
                    let beside = !Span::new(end, child.span().start).of(text).contains('\n');
                    match parts.last_mut().filter(|_| beside && open.is_empty()) {
                        Some(part) => {
                            part.trail.push(child);
                            end = child.span().end;
                        }
                        None => open.push(child),
                    }
                }
                _ => end = child.span().end,
            }
        }
        (parts, open)
    }

    fn text(&self, fragment: usize) -> &'t str {
        self.fragments.get(fragment).map_or("", Fragment::text)
    }

    fn place(&self, fragment: usize, node: SyntaxNode<'_>) -> String {
        let offset = node.inner_span().start;
        self.fragments.get(fragment).map(|it| it.place(offset)).unwrap_or_default()
    }

    fn glue(&mut self, text: &str) {
        self.out.text.push_str(text);
    }

    fn copy(&mut self, fragment: usize, span: Span) {
        self.out.copy(fragment, self.text(fragment), span);
    }

    /// A bracket of what was joined: that of the first fragment opens it, that of the last closes it.
    fn bracket(&mut self, values: &[(usize, SyntaxNode<'t>)], bracket: char, opens: bool) {
        match if opens { values.first() } else { values.last() } {
            Some((at, node)) => {
                let Span { start, end } = node.span();
                let span =
                    if opens { Span::new(start, start + 1) } else { Span::new(end - 1, end) };
                self.copy(*at, span);
            }
            None => self.out.text.push(bracket),
        }
    }

    /// A comment that names a fragment, unless the last such comment still holds.
    fn name_fragment(&mut self, at: usize) {
        if self.said == Some(at) {
            return;
        }
        let name = self.fragments.get(at).map(|it| it.name.as_str()).unwrap_or_default();
        // A name may hold a line end, which would end the comment.
        let name: String = name
            .chars()
            .map(|it| if it.is_control() { char::REPLACEMENT_CHARACTER } else { it })
            .collect();
        self.glue(&format!("// from {name}\n"));
        self.said = Some(at);
    }

    /// Comments that stand by nothing else, below the name of their fragment.
    fn comments_of(&mut self, at: usize, comments: &[SyntaxNode<'t>]) {
        if !comments.is_empty() {
            self.name_fragment(at);
            self.lines(at, comments);
        }
    }

    /// Comments, each on its lines; an empty line between two of them stays.
    fn lines(&mut self, at: usize, comments: &[SyntaxNode<'t>]) {
        let mut end = None;
        for comment in comments {
            let Span { start, end: next } = comment.span();
            let gap = end.map_or("", |it| Span::new(it, start).of(self.text(at)));
            if gap.trim().is_empty() && gap.matches('\n').count() > 1 {
                self.glue("\n");
            }
            self.copy(at, comment.span());
            self.glue("\n");
            end = Some(next);
        }
    }
}

fn comments(node: SyntaxNode<'_>) -> impl Iterator<Item = SyntaxNode<'_>> {
    node.children().filter(|it| it.kind() == SyntaxKind::Comment)
}
