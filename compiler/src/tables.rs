//! Stage 4, policy + tailnet → tables: what every node lets in, whom it sees, and why.
//!
//! [`Tables`] holds the rules once, interned, and knows for each part of a rule which nodes it
//! reaches. The table of one node is made from that on demand and takes time proportional to itself;
//! all tables together take the memory of their parts, not of their text.

mod address;
mod address_book;
mod apply;
mod approvals;
pub mod assertions;
mod at_node;
mod capabilities;
pub mod delivered;
mod everybody;
mod facts;
pub mod flows;
mod from_policy;
mod headscale;
mod identities;
mod incidence;
pub mod ip_set;
mod matches;
mod members;
mod node_set;
mod own_devices;
mod peers;
mod posture;
pub mod problem;
mod reach;
mod reached;
mod resolver;
mod routes;
mod sight;
mod sources;
pub mod ssh;
mod summary;
mod units;
pub mod verdict;
pub mod wire;

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use rustc_hash::FxHashMap;

use crate::ast::{AppCap, Autogroup, PortRange, Protocol};
use crate::dialect::Dialect;
use crate::policy::{Policy, Rule, Target, Valid};
use crate::span::Span;
use crate::tailnet::{Node, NodeId, Owner, Tailnet, UserId};
pub use address::{Addresses, INTERNET};
pub use apply::{Applied, SetChange, Touched};

use address_book::AddressBook;
pub use address_book::ipsets;
use approvals::AutoApproval;
pub use approvals::{Approval, Approver};
pub use capabilities::CapMap;
use capabilities::Given;
pub use everybody::Everybody;
pub use facts::check_facts;
use identities::Identities;
use incidence::Incidence;
use ip_set::IpRange;
pub use matches::{Match, matches};
pub use node_set::{Bits, NodeSet};
use own_devices::OwnSources;
pub use peers::Peer;
pub use problem::Problem;
use reach::{Reach, ReachId, Scope};
use resolver::Resolver;
pub(crate) use routes::nodes_in;
pub use routes::{Route, RouteId, Routes};
use sight::Sight;
use sources::{KeyId, Sources};
pub use sources::{Source, SourceId};
use ssh::SshRules;
pub use ssh::{SshLine, SshTable};
pub use summary::Summary;

const OWN_DEVICES: Target = Target::Autogroup(Autogroup::OwnDevices);
const INTERNET_TARGET: Target = Target::Autogroup(Autogroup::Internet);

/// The empty set that stands first among all.
const NOBODY: ReachId = ReachId(0);

/// A part of a rule, by its position in the stream of all parts: the order of the control plane.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct PartId(pub(crate) u32);

/// A grant with `via`, by its position in [`Tables::vias`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
struct ViaId(u32);

/// What one rule says about one protocol, or about capabilities.
#[derive(Clone, Copy, Debug)]
struct Unit<'a> {
    /// The rule by its position in the policy; `None` for the rule that a file without any has.
    rule: Option<u32>,
    source: KeyId,
    payload: Payload<'a>,
}

/// What a unit lets through.
#[derive(Clone, Copy, Debug)]
enum Payload<'a> {
    /// Packets of a protocol, or of the default ones; each part has its ports.
    Ports(Option<Protocol>),
    /// Capabilities of an application.
    Caps(&'a [AppCap]),
    /// The capability that comes with one of those, in the opposite direction.
    Companion(&'static str),
}

/// One destination of a unit.
#[derive(Clone, Debug)]
struct Part {
    unit: u32,
    target: Target,
    /// Where the destination is written.
    span: Span,
    ports: Arc<[PortRange]>,
    /// The nodes that may get something from it.
    reach: ReachId,
    /// The nodes that it names by identity.
    members: ReachId,
    via: Option<ViaId>,
    /// Whether those whom it lets in and those whom it reaches see each other for it.
    gives_sight: bool,
}

/// What a grant with `via` steers.
#[derive(Clone, Debug)]
struct ViaGrant {
    source: KeyId,
    /// The nodes with each of its tags.
    tags: Box<[ReachId]>,
    destinations: Vec<ViaTarget>,
}

/// Where a grant with `via` leads.
#[derive(Clone, Debug)]
enum ViaTarget {
    /// Through an exit node.
    Internet,
    /// To these addresses behind a router; never empty.
    Ranges(Box<[IpRange]>),
}

impl ViaTarget {
    fn is_empty(&self) -> bool {
        matches!(self, ViaTarget::Ranges(ranges) if ranges.is_empty())
    }
}

/// All tables of a policy on a tailnet.
#[derive(Debug)]
pub struct Tables<'a> {
    policy: &'a Policy,
    tailnet: Cow<'a, Tailnet>,
    book: AddressBook<'a>,
    routes: Routes,
    sources: Sources,
    reaches: Vec<Reach>,
    units: Vec<Unit<'a>>,
    parts: Vec<Part>,
    vias: Vec<ViaGrant>,
    ssh: OnceLock<SshRules>,
    given: OnceLock<Given>,
    /// Who approves routes unasked; made when it is first asked for.
    approval: OnceLock<AutoApproval>,
    own_sources: OwnSources,
    /// Where rules of a source and protocol stand on every node: before reduction, equal ones merge
    /// into the first.
    positions: FxHashMap<(SourceId, Option<Protocol>), PartId>,
    /// What finds the selectors that name a node; made for the first change.
    identities: OnceLock<Identities>,
    /// Which parts reach each node; made when more than one table is asked for.
    delivery: OnceLock<Incidence>,
    /// Who sees whom; made when it is first asked for.
    sight: OnceLock<Sight>,
    /// What of each node's entry is the same for all who see it, as text; made when it is first written.
    peer_texts: OnceLock<Vec<OnceLock<Box<str>>>>,
}

/// All rules of one node, in the order the control plane sends them.
#[derive(Clone, Debug)]
pub struct FilterTable<'t> {
    /// Whose it is.
    pub node: NodeId,
    /// The rules; none lets nobody in.
    pub rules: Vec<FilterRule<'t>>,
}

/// One line of a table: sources, and either ports or capabilities.
#[derive(Clone, Debug)]
pub struct FilterRule<'t> {
    /// Who is let in; see [`Tables::source`].
    pub source: SourceId,
    /// What for.
    pub access: Access<'t>,
    /// The parts of the policy it came from, in the order of the control plane; see [`Tables::origin`].
    pub origins: Vec<PartId>,
}

/// What a line of a table lets through.
#[derive(Clone, Debug)]
pub enum Access<'t> {
    /// Packets.
    Ports {
        /// The protocol; `None` is TCP, UDP and ICMP.
        protocol: Option<Protocol>,
        /// Where to; duplicates stay.
        dst: Vec<DstPort>,
    },
    /// Capabilities of applications.
    Caps(Vec<CapGrant<'t>>),
}

/// An address and ports that may be reached.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct DstPort {
    /// The addresses.
    pub addresses: Addresses,
    /// The ports.
    pub ports: PortRange,
}

/// Capabilities that peers have on some of the node's addresses.
#[derive(Clone, Debug)]
pub struct CapGrant<'t> {
    /// The addresses.
    pub dsts: Vec<Addresses>,
    /// The capabilities.
    pub caps: Caps<'t>,
}

/// Which capabilities.
#[derive(Clone, Copy, Debug)]
pub enum Caps<'t> {
    /// Those of a grant's `app`.
    Granted(&'t [AppCap]),
    /// One that comes with another, without a value.
    Companion(&'static str),
}

/// Where a line of a table comes from.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    /// The rule; `None` for the one that a file without `acls` and `grants` has.
    pub rule: Option<&'a Rule>,
    /// The destination within it.
    pub dst: Span,
}

impl<'a> Tables<'a> {
    /// Lowers a policy on a tailnet, which may be lent or given: a lent one is copied when the first
    /// change is applied to it. Cost: the rules, the nodes they name, and an index of both.
    pub fn new(policy: Valid<'a>, tailnet: impl Into<Cow<'a, Tailnet>>) -> Self {
        from_policy::lower(policy.policy(), tailnet.into())
    }

    /// The policy that was lowered.
    pub fn policy(&self) -> &'a Policy {
        self.policy
    }

    /// The tailnet it was lowered on, with all changes since.
    pub fn tailnet(&self) -> &Tailnet {
        &self.tailnet
    }

    /// Whose control plane sends the tables.
    pub fn dialect(&self) -> Dialect {
        self.policy.file.dialect
    }

    /// The approved subnet routes.
    pub fn routes(&self) -> &Routes {
        &self.routes
    }

    /// The addresses of a literal, host, IP set or service; none for any other selector.
    pub fn addresses(&self, target: Target) -> Vec<IpRange> {
        self.book.ranges(target)
    }

    /// A source by its id.
    pub fn source(&self, id: SourceId) -> &Source {
        self.sources.get(id)
    }

    /// Where a part of a rule is written.
    pub fn origin(&self, part: PartId) -> Origin<'a> {
        let part = self.parts.get(part.0 as usize);
        let rule = part.and_then(|it| self.units.get(it.unit as usize)).and_then(|it| it.rule);
        let rules = self.policy.rules.as_deref().unwrap_or_default();
        Origin {
            rule: rule.and_then(|it| rules.get(it as usize)),
            dst: part.map_or_else(Span::default, |it| it.span),
        }
    }

    /// The rule that a part comes from, by its position in the policy.
    pub fn rule_of(&self, part: PartId) -> Option<u32> {
        let part = self.parts.get(part.0 as usize)?;
        self.units.get(part.unit as usize)?.rule
    }

    /// Prepares for many nodes at once: from now on [`Self::table`] looks parts up instead of asking each.
    pub fn prepare_all(&self) {
        self.delivery();
        self.ssh().prepare(self.tailnet.nodes().len());
        self.given().prepare(self.tailnet.nodes().len());
    }

    fn delivery(&self) -> &Incidence {
        self.delivery.get_or_init(|| {
            let sets = (0..).zip(&self.parts).map(|(id, part)| (id, self.nodes_of(part.reach)));
            Incidence::new(sets, self.tailnet.nodes().len())
        })
    }

    /// The nodes that get something from a part.
    fn reach(&self, part: &Part) -> &NodeSet {
        self.nodes_of(if self.is_silent(part) { NOBODY } else { part.reach })
    }

    /// Whether nobody gets anything from a part, because its source is empty. Capabilities are sent
    /// even so, and `autogroup:self` has sources of its own.
    fn is_silent(&self, part: &Part) -> bool {
        self.units.get(part.unit as usize).is_none_or(|unit| match unit.payload {
            Payload::Ports(_) => self.source_of(unit).is_empty(),
            Payload::Caps(_) => false,
            Payload::Companion(_) => part.target != OWN_DEVICES && self.source_of(unit).is_empty(),
        })
    }

    /// The section `ssh`, lowered anew where the tailnet changed since.
    fn ssh(&self) -> &SshRules {
        self.ssh.get_or_init(|| ssh::lower(&self.resolver()))
    }

    fn given(&self) -> &Given {
        self.given.get_or_init(|| Given::new(&self.resolver()))
    }

    fn resolver(&self) -> Resolver<'_> {
        Resolver::new(self.policy, &self.tailnet, &self.routes, &self.book)
    }

    /// What a unit has as its source, but for `autogroup:self`.
    fn source_of(&self, unit: &Unit<'_>) -> &Source {
        self.sources.get(self.sources.now(unit.source))
    }
}
