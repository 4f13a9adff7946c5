//! Names → ids, and selectors → targets: what is defined where, and what may stand where.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::place::{self, Kind, Place};
use super::*;
use crate::ast::{Definition, Selector};
use crate::diagnostic::similar;
use crate::dialect::Dialect;

/// At most so many pairs of names are compared for a "did you mean": a file of a million wrong names
/// beside a million right ones must not take a million times a million steps.
const MAX_COMPARED: usize = 500_000;

/// All names of one file, and the problems found while resolving.
pub(super) struct Names {
    pub(super) dialect: Dialect,
    pub(super) problems: Vec<Problem>,
    groups: Table<GroupId>,
    tags: Table<TagId>,
    hosts: Table<HostId>,
    ipsets: Table<IpsetId>,
    postures: Table<PostureId>,
    logins: Mentions,
    domains: Mentions,
    services: Mentions,
    /// Groups that an identity provider defines, and how many the file defines before them.
    synced: Mentions,
    defined_groups: u32,
    /// The first place of each spelling of `autogroup:member`.
    member: [Option<Span>; 2],
    /// What was most likely meant by a name that nobody defines.
    suggestions: FxHashMap<(What, Text), Option<Text>>,
    /// How many more pairs of names may be compared.
    comparisons: usize,
    /// Each selector is classified once for each place, however often it stands there.
    resolved: FxHashMap<(Place, Selector), Option<Target>>,
}

/// The definitions of one kind of name.
struct Table<Id>(FxHashMap<Text, Id>);

impl<Id: Copy> Table<Id> {
    fn new<T>(definitions: &[Definition<T>], id: fn(u32) -> Id) -> Self {
        let mut table = FxHashMap::default();
        for (definition, position) in definitions.iter().zip(0..) {
            table.entry(Arc::clone(&definition.name.value)).or_insert_with(|| id(position));
        }
        Self(table)
    }

    fn find(&self, name: &str) -> Option<Id> {
        self.0.get(name).copied()
    }
}

/// Names that need no definition, numbered as they come.
#[derive(Default)]
struct Mentions {
    ids: FxHashMap<Text, u32>,
    all: Vec<Spanned<Text>>,
}

impl Mentions {
    fn id(&mut self, name: &Text, span: Span) -> u32 {
        if let Some(id) = self.ids.get(name) {
            return *id;
        }
        let id = self.all.len() as u32;
        self.ids.insert(Arc::clone(name), id);
        self.all.push(Spanned::new(Arc::clone(name), span));
        id
    }
}

impl Names {
    pub(super) fn new(file: &PolicyFile) -> Self {
        Self {
            dialect: file.dialect,
            problems: Vec::new(),
            groups: Table::new(&file.groups, GroupId),
            tags: Table::new(&file.tag_owners, TagId),
            hosts: Table::new(&file.hosts, HostId),
            ipsets: Table::new(&file.ipsets, IpsetId),
            postures: Table::new(&file.postures, PostureId),
            logins: Mentions::default(),
            domains: Mentions::default(),
            services: Mentions::default(),
            synced: Mentions::default(),
            defined_groups: file.groups.len() as u32,
            member: [None; 2],
            suggestions: FxHashMap::default(),
            comparisons: MAX_COMPARED,
            resolved: FxHashMap::default(),
        }
    }

    /// What a selector at a place stands for; `None`, and a problem, where it may not stand there or
    /// its name is not defined.
    pub(super) fn resolve(
        &mut self,
        place: Place,
        selector: &Spanned<Selector>,
    ) -> Option<Spanned<Target>> {
        let Spanned { value, span } = selector;
        self.note_spelling(value, *span);
        if let Some(Some(target)) = self.resolved.get(&(place, value.clone())) {
            return Some(Spanned::new(*target, *span));
        }
        let target = self.resolve_anew(place, value, *span);
        self.resolved.insert((place, value.clone()), target);
        target.map(|it| Spanned::new(it, *span))
    }

    /// The same for a list; what cannot be resolved is left out.
    pub(super) fn resolve_all(
        &mut self,
        place: Place,
        selectors: &[Spanned<Selector>],
    ) -> Vec<Spanned<Target>> {
        selectors.iter().filter_map(|it| self.resolve(place, it)).collect()
    }

    fn resolve_anew(&mut self, place: Place, selector: &Selector, span: Span) -> Option<Target> {
        let kind = Kind::of(selector);
        if !place::allowed_by(self.dialect, place, kind) {
            self.problems.push(Problem::NotAllowed {
                span,
                place,
                kind,
                written: selector.to_string(),
            });
            return None;
        }
        if let (Dialect::Headscale, Selector::UserDomain(domain)) = (self.dialect, selector) {
            let domain = Arc::clone(domain);
            self.problems.push(Problem::MatchesNobody { span, domain });
        }
        Some(match selector {
            Selector::Any => Target::Any,
            Selector::User(login) => Target::Login(LoginId(self.logins.id(login, span))),
            Selector::UserDomain(domain) => Target::Domain(DomainId(self.domains.id(domain, span))),
            Selector::Service(name) => Target::Service(ServiceId(self.services.id(name, span))),
            Selector::Literal(net) => Target::Literal(*net),
            Selector::Autogroup(Autogroup::Members) => Target::Autogroup(Autogroup::Member),
            Selector::Autogroup(it) => Target::Autogroup(*it),
            Selector::Group(name) => match self.groups.find(name) {
                Some(id) => Target::Group(id),
                // `group:eng@example.com` is synced: its members are not in the file.
                None if name.contains('@') => {
                    Target::Group(GroupId(self.defined_groups + self.synced.id(name, span)))
                }
                None => return self.unknown(What::Group, place, name, span),
            },
            Selector::Tag(name) => match self.tags.find(name) {
                Some(id) => Target::Tag(id),
                None => return self.unknown(What::Tag, place, name, span),
            },
            Selector::Host(name) => match self.hosts.find(name) {
                Some(id) => Target::Host(id),
                None => return self.unknown(What::Host, place, name, span),
            },
            Selector::Ipset(name) => match self.ipsets.find(name) {
                Some(id) => Target::Ipset(id),
                None => return self.unknown(What::Ipset, place, name, span),
            },
        })
    }

    fn unknown<T>(&mut self, what: What, place: Place, name: &Text, span: Span) -> Option<T> {
        let similar = self.suggest(what, name, Some(place));
        self.problems.push(Problem::Unknown {
            span,
            what,
            place: Some(place),
            name: Arc::clone(name),
            similar,
        });
        None
    }

    /// The name that was most likely meant; each wrong name is compared once, however often it is used.
    fn suggest(&mut self, what: What, name: &Text, place: Option<Place>) -> Option<Text> {
        let key = (what, Arc::clone(name));
        if let Some(known) = self.suggestions.get(&key) {
            return known.clone();
        }
        let cost = 1 + match what {
            What::Group => self.groups.0.len(),
            What::Tag => self.tags.0.len(),
            // A supposed host is compared with one table of other names first.
            What::Host => {
                let others = [self.groups.0.len(), self.tags.0.len(), self.ipsets.0.len()];
                self.hosts.0.len() + others.into_iter().max().unwrap_or_default()
            }
            What::Ipset => self.ipsets.0.len(),
            What::Posture => self.postures.0.len(),
        };
        self.comparisons = self.comparisons.checked_sub(cost)?;
        let found = match what {
            What::Group => nearest(name, &self.groups),
            What::Tag => nearest(name, &self.tags),
            What::Host => self.other_kind(name, place).or_else(|| nearest(name, &self.hosts)),
            What::Ipset => nearest(name, &self.ipsets),
            What::Posture => {
                let whole = format!("posture:{name}");
                let prefixed = self.postures.0.get_key_value(whole.as_str());
                prefixed.map(|it| Arc::clone(it.0)).or_else(|| nearest(name, &self.postures))
            }
        };
        self.suggestions.insert(key, found.clone());
        found
    }

    /// What a supposed host would be if its prefix were not forgotten or misspelled: `eng` is
    /// `group:eng`, `Tag:web` is `tag:web`.
    fn other_kind(&self, name: &str, place: Option<Place>) -> Option<Text> {
        let place = place?;
        let autogroups = Autogroup::ALL.iter().filter(|it| it.0 != Autogroup::Members);
        let autogroup = autogroups.map(|it| format!("autogroup:{}", it.1));
        if let Some((prefix, rest)) = name.split_once(':') {
            return match similar(prefix, ["group", "tag", "ipset", "autogroup"])? {
                "group" => nearest(rest, &self.groups),
                "tag" => nearest(rest, &self.tags),
                "ipset" => nearest(rest, &self.ipsets),
                _ => similar(rest, Autogroup::ALL.map(|it| it.1))
                    .map(|it| format!("autogroup:{it}").into()),
            };
        }
        let named = ["group", "tag", "ipset"].map(|it| format!("{it}:{name}"));
        named.into_iter().chain(autogroup.filter(|it| it.ends_with(&format!(":{name}")))).find_map(
            |it| {
                let selector = crate::ast::selector::read(&it).ok()?.selector;
                let defined = match &selector {
                    Selector::Group(it) => self.groups.find(it).is_some(),
                    Selector::Tag(it) => self.tags.find(it).is_some(),
                    Selector::Ipset(it) => self.ipsets.find(it).is_some(),
                    _ => true,
                };
                (defined && place::allowed_by(self.dialect, place, Kind::of(&selector)))
                    .then(|| it.into())
            },
        )
    }

    /// The posture of this name, or a problem.
    pub(super) fn posture(&mut self, name: &Spanned<Text>) -> Option<PostureId> {
        let found = self.postures.find(&name.value);
        if found.is_none() {
            let similar = self.suggest(What::Posture, &name.value, None);
            let name = Spanned::new(Arc::clone(&name.value), name.span);
            let unknown = Problem::Unknown {
                span: name.span,
                what: What::Posture,
                place: None,
                name: name.value,
                similar,
            };
            self.problems.push(unknown);
        }
        found
    }

    /// The host of this name; `None`, and a problem, where there is none.
    pub(super) fn host(&mut self, name: &Text, span: Span) -> Option<HostId> {
        let found = self.hosts.find(name);
        found.or_else(|| {
            let similar = self.suggest(What::Host, name, None);
            let name = Arc::clone(name);
            self.problems.push(Problem::Unknown {
                span,
                what: What::Host,
                place: None,
                name,
                similar,
            });
            None
        })
    }

    /// The IP set of this name; `None`, and a problem, where there is none.
    pub(super) fn ipset(&mut self, name: &Text, span: Span) -> Option<IpsetId> {
        let found = self.ipsets.find(name);
        found.or_else(|| {
            let similar = self.suggest(What::Ipset, name, None);
            let name = Arc::clone(name);
            self.problems.push(Problem::Unknown {
                span,
                what: What::Ipset,
                place: None,
                name,
                similar,
            });
            None
        })
    }

    fn note_spelling(&mut self, selector: &Selector, span: Span) {
        let [new, old] = &mut self.member;
        match selector {
            Selector::Autogroup(Autogroup::Member) => _ = new.get_or_insert(span),
            Selector::Autogroup(Autogroup::Members) => {
                old.get_or_insert(span);
                self.problems.push(Problem::OldSpelling { span });
            }
            _ => {}
        }
    }

    /// Ends resolving: hands the names that were only mentioned to the policy, and the problems to the caller.
    pub(super) fn finish(mut self, policy: &mut Policy) -> Vec<Problem> {
        if let [Some(new), Some(old)] = self.member {
            self.problems.push(Problem::BothSpellings { new, old });
        }
        let group = |name| Group { name, members: Vec::new(), synced: true };
        policy.groups.extend(self.synced.all.into_iter().map(group));
        policy.logins = self.logins.all;
        policy.domains = self.domains.all;
        policy.services = self.services.all;
        self.problems
    }
}

/// A kind of name that must be defined.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum What {
    /// In `groups`.
    Group,
    /// In `tagOwners`.
    Tag,
    /// In `hosts`.
    Host,
    /// In `ipsets`.
    Ipset,
    /// In `postures`.
    Posture,
}

/// The name in a table that is nearest to another, the prefixes left out: they make all names alike.
fn nearest<Id>(name: &str, table: &Table<Id>) -> Option<Text> {
    let bare = |name: &str| name.split_once(':').map_or(0, |(prefix, _)| prefix.len() + 1);
    // Hash order does not decide between equally near names: `similar` takes the least of them.
    let names = table.0.keys().map(|it| it.get(bare(it)..).unwrap_or_default());
    let found = similar(name.get(bare(name)..)?, names)?;
    table.0.keys().find(|it| it.get(bare(it)..) == Some(found)).cloned()
}
