//! What the inventory adds: which devices rules reach, and which routes wait for somebody to approve
//! them.

use ipnet::IpNet;

use crate::ast::Autogroup;
use crate::policy::{Policy, Target};
use crate::tables::ip_set::IpRange;
use crate::tables::{Bits, Tables};
use crate::tailnet::{Node, NodeId, Owner, Tailnet};

/// What the lints about devices share.
#[derive(Debug)]
pub(super) struct Devices<'a> {
    pub(super) tailnet: &'a Tailnet,
    pub(super) tables: &'a Tables<'a>,
    /// Whom any rule reaches.
    pub(super) reached: Bits,
    /// Whom a rule reaches whose destination is neither `*` nor the devices of people as such.
    pub(super) named: Bits,
    /// Who is a source of any rule.
    pub(super) callers: Bits,
    /// Advertised routes that nobody approved, sorted by address; exit routes not among them.
    pub(super) waiting: Waiting,
    /// The devices that would be exit nodes if somebody approved them.
    pub(super) waiting_exits: Vec<NodeId>,
    /// The approved exit nodes.
    pub(super) exits: Vec<NodeId>,
}

/// Destinations that say nothing about the device that is reached.
const FOR_ALL: [Target; 3] =
    [Target::Any, Target::Autogroup(Autogroup::Member), Target::Autogroup(Autogroup::OwnDevices)];

impl<'a> Devices<'a> {
    pub(super) fn new(tables: &'a Tables<'a>) -> Self {
        let tailnet = tables.tailnet();
        let (mut waiting, mut waiting_exits, mut exits) = (Vec::new(), Vec::new(), Vec::new());
        for (node, id) in tailnet.nodes().iter().zip(tailnet.node_ids()) {
            if node.exit_routes().next().is_some() {
                exits.push(id);
            } else if node.advertised.iter().any(Node::is_exit_route) {
                waiting_exits.push(id);
            }
            let open = node
                .advertised
                .iter()
                .filter(|it| !Node::is_exit_route(it) && !node.routes.contains(it));
            waiting.extend(open.map(|it| (*it, id)));
        }
        Self {
            tailnet,
            tables,
            reached: tables.reached(|_, _| true),
            named: tables.reached(|_, target| !FOR_ALL.contains(&target)),
            callers: tables.callers(),
            waiting: Waiting::new(waiting),
            waiting_exits,
            exits,
        }
    }

    /// The name of a device.
    pub(super) fn name(&self, id: NodeId) -> &'a str {
        self.tailnet.node(id).map_or("", |it| &it.name)
    }

    /// Whether a device carries a tag or is one of a user's or group's; roles are not looked up.
    pub(super) fn is_one_of(&self, id: NodeId, target: Target, policy: &Policy) -> bool {
        let Some(node) = self.tailnet.node(id) else { return false };
        match (&node.owner, target) {
            (Owner::Tags(own), Target::Tag(tag)) => {
                let tag = policy.tags.get(tag.0 as usize);
                tag.is_some_and(|it| own.contains(&it.name.value))
            }
            (Owner::Tags(_), Target::Autogroup(Autogroup::Tagged))
            | (Owner::User(_), Target::Autogroup(Autogroup::Member)) => true,
            (Owner::User(user), Target::Login(login)) => {
                let login = policy.logins.get(login.0 as usize);
                login.is_some_and(|it| self.tailnet.user_with_login(&it.value) == Some(*user))
            }
            (Owner::User(_), Target::Group(group)) => {
                let group = policy.groups.get(group.0 as usize);
                let mut members = group.into_iter().flat_map(|it| &it.members);
                members.any(|it| self.is_one_of(id, Target::Login(it.value), policy))
            }
            _ => false,
        }
    }

    /// Devices that carry no tag and are not known to be somebody's laptop or phone.
    pub(super) fn untagged_servers(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.tailnet
            .untagged_nodes()
            .iter()
            .copied()
            .filter(|it| self.tailnet.node(*it).is_some_and(|it| !is_personal(it, self.tailnet)))
    }
}

/// Whether a device is one that a person carries or sits at: its system says so, and it routes for
/// nobody else. Where its system is not known, its name does, or that the person has no other.
fn is_personal(node: &Node, tailnet: &Tailnet) -> bool {
    const SERVERS: [&str; 6] = ["linux", "freebsd", "openbsd", "netbsd", "illumos", "solaris"];
    const NAMES: [&str; 14] = [
        "laptop",
        "notebook",
        "desktop",
        "workstation",
        "pc",
        "mac",
        "macbook",
        "imac",
        "thinkpad",
        "phone",
        "iphone",
        "ipad",
        "tablet",
        "pixel",
    ];
    let Owner::User(user) = node.owner else { return false };
    if !node.advertised.is_empty() {
        return false;
    }
    match node.details.as_ref().and_then(|it| it.os.as_deref()) {
        Some(os) => !SERVERS.iter().any(|it| os.eq_ignore_ascii_case(it)),
        None => {
            let mut words = node.name.split(|it: char| !it.is_ascii_alphabetic());
            tailnet.nodes_of(user).len() == 1
                || words.any(|word| NAMES.iter().any(|it| it.eq_ignore_ascii_case(word)))
        }
    }
}

/// Routes that nobody approved.
#[derive(Debug)]
pub(super) struct Waiting {
    /// Sorted by address, then length.
    routes: Vec<(IpNet, NodeId)>,
    /// The lengths in use.
    lengths: Vec<u8>,
}

impl Waiting {
    fn new(mut routes: Vec<(IpNet, NodeId)>) -> Self {
        routes.sort_unstable_by_key(|(net, id)| (net.addr(), net.prefix_len(), *id));
        let mut lengths: Vec<u8> = routes.iter().map(|it| it.0.prefix_len()).collect();
        lengths.sort_unstable();
        lengths.dedup();
        Self { routes, lengths }
    }

    /// All of them.
    pub(super) fn all(&self) -> &[(IpNet, NodeId)] {
        &self.routes
    }

    /// One that shares an address with a range.
    pub(super) fn meeting(&self, range: IpRange) -> Option<(IpNet, NodeId)> {
        let (first, last) = (range.first(), range.last());
        let from = |it: &(IpNet, NodeId)| it.0.addr() < first;
        let inside = self.routes.get(self.routes.partition_point(from));
        let inside =
            inside.filter(|it| it.0.addr() <= last && it.0.addr().is_ipv4() == last.is_ipv4());
        inside.copied().or_else(|| {
            self.lengths.iter().find_map(|length| {
                let net = IpNet::new(first, *length).ok()?.trunc();
                let key = |it: &(IpNet, NodeId)| (it.0.addr(), it.0.prefix_len());
                let at = self.routes.partition_point(|it| key(it) < (net.addr(), *length));
                self.routes.get(at).copied().filter(|it| it.0 == net)
            })
        })
    }
}
