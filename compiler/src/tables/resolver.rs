//! A list of selectors and postures → the [`Source`] it stands for on a tailnet.

use std::cell::OnceCell;
use std::net::IpAddr;

use super::address::{Addresses, NODES_V6};
use super::address_book::AddressBook;
use super::everybody::Everybody;
use super::ip_set::{IpRange, IpSet};
use super::members::Members;
use super::node_set::{Bits, NodeSet};
use super::posture::Qualified;
use super::routes::{Routes, nodes_in};
use super::sources::Source;
use crate::ast::Autogroup;
use crate::policy::{Policy, PostureId, Target};
use crate::tailnet::{Node, NodeId, Tailnet};

/// Resolves the source lists of rules.
pub(super) struct Resolver<'a> {
    pub(super) policy: &'a Policy,
    pub(super) tailnet: &'a Tailnet,
    pub(super) members: Members<'a>,
    pub(super) routes: &'a Routes,
    pub(super) book: &'a AddressBook<'a>,
    /// Made when the first `*` is met.
    everybody: OnceCell<Everybody>,
    pub(super) qualified: Qualified,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(
        policy: &'a Policy,
        tailnet: &'a Tailnet,
        routes: &'a Routes,
        book: &'a AddressBook<'a>,
    ) -> Self {
        Self {
            policy,
            tailnet,
            members: Members::new(policy, tailnet),
            routes,
            book,
            everybody: OnceCell::new(),
            qualified: Qualified::default(),
        }
    }

    /// The same, where it is known what `*` stands for.
    pub(super) fn knowing(self, everybody: Option<Everybody>) -> Self {
        let everybody = everybody.map(OnceCell::from).unwrap_or_default();
        Self { everybody, ..self }
    }

    /// The source that a list of selectors stands for, with only those nodes that certainly meet one
    /// of the postures.
    pub(super) fn source(
        &self,
        targets: impl Iterator<Item = Target> + Clone,
        postures: &[PostureId],
    ) -> Source {
        let everybody = Target::Autogroup(Autogroup::DangerAll);
        if targets.clone().any(|it| it == everybody) {
            let mut extra = vec![Addresses::Any];
            self.cut(&mut extra, postures);
            return Source { extra: extra.into(), ..Source::default() };
        }
        let mut nodes = self.identities(targets.clone());
        let mut extra = Vec::new();
        let mut all = false;
        for target in targets {
            match target {
                Target::Any => all = true,
                _ => extra.extend(self.book.ranges(target).into_iter().map(Addresses::from)),
            }
        }
        let mut everybody = None;
        if all && postures.is_empty() {
            extra.extend(Everybody::owned(self.tailnet, self.routes));
            everybody = Some(self.everybody().clone());
        } else if all {
            // The nodes that meet the posture stand here for themselves, and the routes stay.
            extra.extend(self.routes.all().iter().map(|it| Addresses::Net(it.net)));
            nodes = NodeSet::all(self.tailnet);
        }
        if !postures.is_empty() {
            let qualified = self.qualified.get(self.policy, self.tailnet, postures);
            let meeting = nodes.iter().filter(|it| qualified.certain.contains(*it));
            nodes = NodeSet::new(meeting.map(|it| it.0).collect());
            self.cut(&mut extra, postures);
        }
        extra.sort_unstable();
        extra.dedup();
        self.unique(Source { nodes, everybody, extra: extra.into() })
    }

    /// What `*` stands for.
    pub(super) fn everybody(&self) -> &Everybody {
        self.everybody.get_or_init(|| Everybody::new(self.tailnet, self.routes))
    }

    /// The nodes that selectors name by identity.
    fn identities(&self, targets: impl Iterator<Item = Target>) -> NodeSet {
        let sets: Vec<_> = targets.map(|it| self.members.of(it)).collect();
        NodeSet::union(sets.iter())
    }

    /// The nodes that a list of selectors names, of which nobody knows whether they meet one of the
    /// postures: the first few of them, and how many there are.
    pub(super) fn undecided(
        &self,
        targets: impl Iterator<Item = Target> + Clone,
        postures: &[PostureId],
        few: usize,
    ) -> (Vec<NodeId>, usize) {
        let qualified = self.qualified.get(self.policy, self.tailnet, postures);
        if qualified.unknown.is_empty() {
            return (Vec::new(), 0);
        }
        let everybody = Target::Autogroup(Autogroup::DangerAll);
        let mut named = Bits::new(self.tailnet.nodes().len());
        if targets.clone().any(|it| it == Target::Any || it == everybody) {
            named.add(&qualified.unknown);
        }
        named.add(&self.identities(targets.clone()));
        for range in targets.flat_map(|it| self.book.ranges(it)) {
            nodes_in(self.tailnet, range).for_each(|it| named.insert(it.0));
        }
        let unknown = || qualified.unknown.iter().filter(|it| named.contains(*it));
        (unknown().take(few).collect(), unknown().count())
    }

    /// A posture restricts nodes of this tailnet only: hosts behind routers and foreign addresses
    /// stay, so the nodes that fail are cut out of the addresses around them.
    ///
    /// SOURCE: docs/language.md, "Postures".
    fn cut(&self, extra: &mut Vec<Addresses>, postures: &[PostureId]) {
        if postures.is_empty() {
            return;
        }
        let qualified = self.qualified.get(self.policy, self.tailnet, postures);
        for addresses in std::mem::take(extra) {
            let mut failing = Vec::new();
            for range in addresses.ranges() {
                let nodes =
                    nodes_in(self.tailnet, range).filter(|it| !qualified.certain.contains(*it));
                let inside = nodes.filter_map(|it| self.tailnet.node(it)).flat_map(Node::addresses);
                failing.extend(inside.filter(|it| range.contains(*it)));
            }
            if failing.is_empty() {
                extra.push(addresses);
                continue;
            }
            let mut left = IpSet::default();
            addresses.ranges().for_each(|it| left.add(it));
            failing.into_iter().for_each(|it| left.remove(IpRange::of(it)));
            extra.extend(left.ranges().map(Addresses::from));
        }
    }

    /// Brings a source into the form that is unique for its texts; its `extra` is sorted.
    fn unique(&self, source: Source) -> Source {
        let Source { mut nodes, mut everybody, extra } = source;
        let mut extra = extra.into_vec();
        let listed = |it: &Addresses| extra.binary_search(it).is_ok();
        // Whoever lists all that `*` stands for has written `*`.
        if listed(&NODES_V6) && self.everybody().entries().iter().all(listed) {
            everybody = Some(self.everybody().clone());
        }
        if let Some(everybody) = &everybody {
            extra.retain(|it| everybody.entries().binary_search(it).is_err());
        }
        let owned = |it: &Addresses| self.tailnet.node_at(it.single()?);
        let mut whole: Vec<u32> = Vec::new();
        for id in extra.iter().filter_map(owned) {
            let listed = |it: IpAddr| extra.binary_search(&it.into()).is_ok();
            let node = self.tailnet.node(id);
            if node.is_some_and(|it| it.addresses().all(listed)) && !nodes.contains(id) {
                whole.push(id.0);
            }
        }
        if !whole.is_empty() {
            nodes = NodeSet::union([&nodes, &NodeSet::new(whole)].into_iter());
        }
        extra.retain(|it| owned(it).is_none_or(|id| !nodes.contains(id)));
        Source { nodes, everybody, extra: extra.into() }
    }
}
