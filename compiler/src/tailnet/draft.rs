//! What all shapes have in common: checked values, owners by name, and the way to a [`Tailnet`].
//!
//! A shape's reader hands over one node after the other; users may stand before the nodes or
//! behind them, so whose a node is becomes known at the end.

use std::hash::Hash;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use ipnet::IpNet;
use rustc_hash::FxHashSet;

use super::json::{Extra, Loose, Object, Stopped, Take, Text, record};
use super::locate::{At, Part, Step};
use super::owners::Owners;
use super::problem::{Problem, Problems};
use super::{Facts, Node, Owner, Role, Tailnet};
use crate::diagnostic::similar;
use crate::time::Timestamp;

/// Where the nodes of a shape stand in the document, for problems that come to light at the end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    /// The list that holds the nodes; empty where the document itself is it.
    pub(super) list: &'static [&'static str],
    /// Where a node's name stands.
    pub(super) name: &'static [&'static str],
    /// The field of a node's user, and a field of that.
    pub(super) user: &'static [&'static [&'static str]],
    /// The list of a node's addresses; empty where they have fields of their own.
    pub(super) addresses: &'static [&'static str],
    /// Whether nodes name their users by numbers that mean nothing elsewhere.
    pub(super) numbered_users: bool,
}

/// Facts as they come in, and what was wrong so far.
#[derive(Debug)]
pub(super) struct Draft<'t> {
    pub(super) facts: Facts,
    pub(super) problems: Problems,
    pub(super) layout: Layout,
    pub(super) owners: Owners<'t>,
    /// Names of the nodes of a `tailscale status`, which are members rather than items.
    pub(super) keys: Vec<Box<str>>,
    /// Which item of the list, or which of `keys`, each node came from.
    origins: Vec<u32>,
    /// Whether the next node has a name of the wrong type, which was reported as that.
    wrong_name: bool,
    tags: FxHashSet<Arc<str>>,
}

/// The origin of the node that is `Self` in a `tailscale status`.
pub(super) const SELF: u32 = u32::MAX;

impl<'t> Draft<'t> {
    pub(super) fn new(layout: Layout) -> Self {
        Self {
            facts: Facts::default(),
            problems: Problems::default(),
            layout,
            owners: Owners::default(),
            keys: Vec::new(),
            origins: Vec::new(),
            wrong_name: false,
            tags: FxHashSet::default(),
        }
    }

    /// The value, if it is there and of the right type.
    pub(super) fn value<T: Take<'t>>(&mut self, at: &At<'_>, value: Loose<T>) -> Option<T> {
        match value {
            Loose::Is(value) => Some(value),
            Loose::Absent | Loose::Null => None,
            Loose::Wrong(found) => {
                self.problems.push(Problem::WrongType { expected: T::EXPECTED, found }, at);
                None
            }
        }
    }

    /// A text that is there and not empty.
    pub(super) fn text(&mut self, at: &At<'_>, value: Loose<Text<'t>>) -> Option<Text<'t>> {
        self.value(at, value).filter(|it| !it.is_empty())
    }

    /// A text that may become the name of the next node.
    pub(super) fn name(&mut self, at: &At<'_>, value: Loose<Text<'t>>) -> Option<Text<'t>> {
        self.wrong_name |= matches!(value, Loose::Wrong(_));
        self.text(at, value)
    }

    /// A text that is there and not empty, owned.
    pub(super) fn owned(&mut self, at: &At<'_>, value: Loose<Text<'t>>) -> Option<Box<str>> {
        self.text(at, value).map(Box::from)
    }

    /// The texts of a list, each with its position.
    pub(super) fn texts(
        &mut self,
        at: &At<'_>,
        list: Loose<Vec<Loose<Text<'t>>>>,
    ) -> Vec<(u32, Text<'t>)> {
        let items = self.value(at, list).unwrap_or_default();
        items
            .into_iter()
            .zip(0..)
            .filter_map(|(item, index)| Some((index, self.text(&at.item(index), item)?)))
            .collect()
    }

    /// Warns of fields that mean nothing, and of those that came twice.
    pub(super) fn extras(
        &mut self,
        at: &At<'_>,
        extras: Vec<(Text<'t>, Extra)>,
        known: &'static [&'static str],
    ) {
        for (name, extra) in extras {
            let problem = match extra {
                Extra::Unknown => Problem::UnknownField {
                    similar: similar(&name, known.iter().copied())
                        .and_then(|near| known.iter().copied().find(|it| *it == near)),
                    name: name.as_ref().into(),
                },
                Extra::Repeated => Problem::Repeated { name: name.as_ref().into() },
            };
            self.problems.add(problem, (&at.key(&name), Part::Name), None);
        }
    }

    /// An IPv4 address.
    pub(super) fn ipv4(&mut self, at: &At<'_>, value: Loose<Text<'t>>) -> Option<Ipv4Addr> {
        let text = self.text(at, value)?;
        let address = text.parse().ok();
        if address.is_none() {
            self.problems
                .push(Problem::Address { text: text.as_ref().into(), expected: "IPv4" }, at);
        }
        address
    }

    /// An IPv6 address.
    pub(super) fn ipv6(&mut self, at: &At<'_>, value: Loose<Text<'t>>) -> Option<Ipv6Addr> {
        let text = self.text(at, value)?;
        let address = text.parse().ok();
        if address.is_none() {
            self.problems
                .push(Problem::Address { text: text.as_ref().into(), expected: "IPv6" }, at);
        }
        address
    }

    /// All addresses of a list.
    pub(super) fn addresses(
        &mut self,
        at: &At<'_>,
        list: Loose<Vec<Loose<Text<'t>>>>,
    ) -> Vec<IpAddr> {
        let mut addresses = Vec::new();
        for (index, text) in self.texts(at, list) {
            match text.parse() {
                Ok(address) => addresses.push(address),
                Err(_) => {
                    let problem = Problem::Address { text: text.as_ref().into(), expected: "IP" };
                    self.problems.push(problem, &at.item(index));
                }
            }
        }
        addresses
    }

    /// The first address of each family in a list.
    pub(super) fn address_pair(
        &mut self,
        at: &At<'_>,
        list: Loose<Vec<Loose<Text<'t>>>>,
    ) -> (Option<Ipv4Addr>, Option<Ipv6Addr>) {
        let (mut ipv4, mut ipv6) = (None, None);
        for address in self.addresses(at, list) {
            match address {
                IpAddr::V4(it) => ipv4 = ipv4.or(Some(it)),
                IpAddr::V6(it) => ipv6 = ipv6.or(Some(it)),
            }
        }
        (ipv4, ipv6)
    }

    /// Routes without repeats, host bits cleared, in the order of the list.
    pub(super) fn routes(&mut self, at: &At<'_>, list: Loose<Vec<Loose<Text<'t>>>>) -> Vec<IpNet> {
        if let Loose::Absent = list {
            return Vec::new();
        }
        let mut routes = Vec::new();
        for (index, text) in self.texts(at, list) {
            let Ok(route) = text.parse::<IpNet>() else {
                self.problems.push(Problem::Route { text: text.as_ref().into() }, &at.item(index));
                continue;
            };
            let network = route.trunc();
            if network != route {
                let problem = Problem::HostBits { text: text.as_ref().into(), route: network };
                self.problems.push(problem, &at.item(index));
            }
            routes.push(network);
        }
        without_repeats(routes)
    }

    /// Tags, each text kept once for all nodes.
    pub(super) fn tags(&mut self, at: &At<'_>, list: Loose<Vec<Loose<Text<'t>>>>) -> Vec<Arc<str>> {
        let mut tags: Vec<Arc<str>> = Vec::new();
        for (index, text) in self.texts(at, list) {
            if !text.starts_with("tag:") {
                self.problems.push(Problem::Tag { text: text.as_ref().into() }, &at.item(index));
                continue;
            }
            let tag = match self.tags.get(text.as_ref()) {
                Some(tag) => Arc::clone(tag),
                None => {
                    let tag: Arc<str> = text.as_ref().into();
                    self.tags.insert(Arc::clone(&tag));
                    tag
                }
            };
            tags.push(tag);
        }
        without_repeats(tags)
    }

    /// A time; `None` for one that is missing, empty or in the year 1, which is Go's word for never.
    pub(super) fn time(&mut self, at: &At<'_>, value: Loose<Moment<'t>>) -> Option<Timestamp> {
        const YEAR_2: i64 = -62_104_060_800;
        let time = match self.value(at, value)? {
            Moment::Text(text) if text.is_empty() => return None,
            Moment::Text(text) => {
                let time = text.parse::<Timestamp>();
                if time.is_err() {
                    self.problems.push(Problem::Time { text: text.as_ref().into() }, at);
                }
                time.ok()?
            }
            Moment::Parts(parts) => {
                let seconds =
                    self.value(&at.field(&["seconds"]), parts.seconds).unwrap_or_default();
                let nanos = self.value(&at.field(&["nanos"]), parts.nanos).unwrap_or_default();
                let time = Timestamp::new(seconds as i64, nanos as i32);
                if time.is_none() {
                    self.problems.push(Problem::Time { text: seconds.to_string().into() }, at);
                }
                time?
            }
        };
        Some(time).filter(|it| it.as_second() >= YEAR_2)
    }

    /// A user of this role; unknown roles are reported.
    pub(super) fn role(&mut self, at: &At<'_>, value: Loose<Text<'t>>) -> Option<Role> {
        let text = self.text(at, value)?;
        let role = Role::ALL.into_iter().find(|it| it.name() == text);
        if role.is_none() {
            let near = similar(&text, Role::ALL.map(Role::name));
            let near = Role::ALL.map(Role::name).into_iter().find(|it| Some(*it) == near);
            self.problems.push(Problem::Role { role: text.as_ref().into(), similar: near }, at);
        }
        role
    }

    /// The tags, or else the user whom `user` names; to be settled by [`Draft::finish`].
    pub(super) fn owner(
        &mut self,
        origin: u32,
        tags: Vec<Arc<str>>,
        user: Option<Text<'t>>,
    ) -> Owner {
        match user {
            _ if !tags.is_empty() => Owner::Tags(tags.into()),
            None => Owner::Nobody,
            Some(user) => Owner::User(self.owners.named(user, origin)),
        }
    }

    /// Adds a node; `None` for one without a name, which is reported.
    pub(super) fn node(
        &mut self,
        origin: u32,
        name: Option<Text<'t>>,
        node: impl FnOnce(Arc<str>) -> Node,
    ) {
        let reported = std::mem::take(&mut self.wrong_name);
        match name {
            None if reported => {}
            Some(name) => {
                self.facts.nodes.push(node(name.as_ref().into()));
                self.origins.push(origin);
            }
            None => self.at_node(origin, |problems, at| {
                problems.add(Problem::Nameless, (at, Part::Open), None)
            }),
        }
    }

    /// Does something with the path of a node.
    fn at_node(&mut self, origin: u32, then: impl FnOnce(&mut Problems, &At<'_>)) {
        let list = At::TOP.field(self.layout.list);
        let list = if self.layout.list.is_empty() { &At::TOP } else { &list };
        match self.keys.get(origin as usize) {
            _ if origin == SELF => then(&mut self.problems, &At::TOP.key("Self")),
            Some(key) => then(&mut self.problems, &list.key(key)),
            None => then(&mut self.problems, &list.item(origin)),
        }
    }

    /// Settles owners, indexes the nodes and finds those that stand in each other's way.
    pub(super) fn finish(mut self) -> (Option<Tailnet>, Problems) {
        self.settle_owners();
        let (tailnet, clashes) = Tailnet::with_clashes(std::mem::take(&mut self.facts));
        let origin =
            |id: super::NodeId| self.origins.get(id.0 as usize).copied().unwrap_or_default();
        let names: Vec<_> = clashes
            .names
            .iter()
            .map(|(first, second)| (origin(*first), origin(*second), *second))
            .collect();
        let addresses: Vec<_> = clashes
            .addresses
            .iter()
            .map(|(first, second, it)| (origin(*first), origin(*second), *it))
            .collect();
        for (first, second, id) in names {
            let name = tailnet.node(id).map_or_else(Box::default, |it| it.name.as_ref().into());
            let field = self.layout.name;
            self.clash(first, second, Problem::SameName { name }, Step::Field(field), None);
        }
        for (first, second, address) in addresses {
            let problem = Problem::SameAddress { address };
            let (step, inside) = match (self.layout.addresses, address) {
                (&[], IpAddr::V4(_)) => (Step::Field(&["ipv4"]), None),
                (&[], IpAddr::V6(_)) => (Step::Field(&["ipv6"]), None),
                (list, _) => (Step::Field(list), Some(Step::Address(address))),
            };
            self.clash(first, second, problem, step, inside);
        }
        let tailnet = if self.problems.is_fatal() { None } else { Some(tailnet) };
        (tailnet, self.problems)
    }

    /// Reports two nodes that share a value.
    fn clash(
        &mut self,
        first: u32,
        second: u32,
        problem: Problem,
        step: Step<'static>,
        inside: Option<Step<'static>>,
    ) {
        let keys = std::mem::take(&mut self.keys);
        let list = At::TOP.field(self.layout.list);
        let list = if self.layout.list.is_empty() { &At::TOP } else { &list };
        let node = |origin: u32| match keys.get(origin as usize) {
            _ if origin == SELF => At::TOP.key("Self"),
            Some(key) => list.key(key),
            None => list.item(origin),
        };
        let (first, second) = (node(first), node(second));
        let (first, second) = (first.step(step), second.step(step));
        match inside {
            Some(inside) => {
                self.problems.add(
                    problem,
                    (&second.step(inside), Part::Value),
                    Some(&first.step(inside)),
                );
            }
            None => self.problems.add(problem, (&second, Part::Value), Some(&first)),
        }
        self.keys = keys;
    }

    /// Finds for each user that nodes name the one that is meant, and enters it into the nodes.
    fn settle_owners(&mut self) {
        let (users, settled) = std::mem::take(&mut self.owners).settle(self.layout.numbered_users);
        self.facts.users = users;
        let settled: Vec<Owner> = settled
            .into_iter()
            .map(|it| match it {
                Ok(user) => Owner::User(user),
                Err((origin, problem)) => self.refuse_owner(origin, problem),
            })
            .collect();
        for node in &mut self.facts.nodes {
            if let Owner::User(user) = node.owner {
                node.owner = settled.get(user.0 as usize).cloned().unwrap_or(Owner::Nobody);
            }
        }
    }

    fn refuse_owner(&mut self, origin: u32, problem: Problem) -> Owner {
        let user = self.layout.user;
        self.at_node(origin, |problems, at| match user {
            [field, inside, ..] => problems.push(problem, &at.field(field).field(inside)),
            [field] => problems.push(problem, &at.field(field)),
            [] => problems.push(problem, at),
        });
        Owner::Nobody
    }
}

/// A list of up to this length is searched from its start; a longer one through a set.
const SHORT: usize = 16;

/// The list without those that stood in it before.
pub(super) fn without_repeats<T: Clone + Eq + Hash>(mut list: Vec<T>) -> Vec<T> {
    if list.len() > SHORT {
        let mut seen = FxHashSet::default();
        list.retain(|it| seen.insert(it.clone()));
    } else if list.len() > 1 {
        let mut kept: Vec<T> = Vec::with_capacity(list.len());
        list.into_iter().for_each(|it| kept.extend(Some(it).filter(|it| !kept.contains(it))));
        list = kept;
    }
    list
}

/// The routes that are both advertised and approved, in the order they are advertised.
pub(super) fn effective(advertised: &[IpNet], approved: &[IpNet]) -> Box<[IpNet]> {
    if approved.len() > SHORT {
        let approved: FxHashSet<&IpNet> = approved.iter().collect();
        return advertised.iter().copied().filter(|it| approved.contains(it)).collect();
    }
    advertised.iter().copied().filter(|it| approved.contains(it)).collect()
}

/// The part of a DNS name before its first dot.
pub(super) fn first_label(name: Text<'_>) -> Text<'_> {
    match name {
        Text::Borrowed(name) => Text::Borrowed(name.split('.').next().unwrap_or(name)),
        Text::Owned(name) => Text::Owned(name.split('.').next().unwrap_or(&name).to_owned()),
    }
}

record! {
    /// A time as protocol buffers write it.
    TimeParts<'t> {
        seconds: f64 = "seconds";
        nanos: f64 = "nanos";
    }
}

/// A time as inventories write it.
#[derive(Debug)]
pub(super) enum Moment<'t> {
    /// RFC 3339.
    Text(Text<'t>),
    /// Seconds since 1970, and nanoseconds.
    Parts(Box<TimeParts<'t>>),
}

impl<'t> Take<'t> for Moment<'t> {
    const EXPECTED: &'static str = "a time as text";

    fn from_text(text: Text<'t>) -> Option<Self> {
        Some(Self::Text(text))
    }

    fn from_object(object: &mut dyn Object<'t>) -> Result<Option<Self>, Stopped> {
        Ok(TimeParts::from_object(object)?.map(|it| Self::Parts(Box::new(it))))
    }
}
