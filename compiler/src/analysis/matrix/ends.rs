//! A tailnet and a policy → the rows and columns of the matrix: groups, users, tags, subnets, the
//! internet, each of which opens to devices.

use std::collections::BTreeMap;

use crate::analysis::atom_set::{AtomId, AtomSet};
use crate::policy::{GroupId, Target};
use crate::tables::Tables;
use crate::tailnet::{NodeId, Owner};

/// With more ends than this at the top, each kind is one end that opens to them.
const MAX_TOP: usize = 40;

/// What kind of thing an end is.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum EndKind {
    /// A group of the policy.
    Group,
    /// A user.
    User,
    /// A tag.
    Tag,
    /// A device, or several that nobody owns.
    Device,
    /// A network behind a router.
    Subnet,
    /// The internet behind exit nodes.
    Internet,
}

impl EndKind {
    /// A word for it: `group`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Group => "group",
            Self::User => "user",
            Self::Tag => "tag",
            Self::Device => "device",
            Self::Subnet => "subnet",
            Self::Internet => "internet",
        }
    }
}

/// A row and a column.
#[derive(Clone, Debug)]
pub struct End {
    /// Its number, by which others refer to it.
    pub id: u32,
    /// The name of the group, user, tag, device or network.
    pub name: String,
    /// What it is.
    pub kind: EndKind,
    /// What it opens to.
    pub members: Vec<u32>,
    /// Whether it is one of those that are shown at first.
    pub top: bool,
    /// How many devices and networks it is.
    pub size: usize,
    /// Which.
    pub(super) places: AtomSet,
}

/// All ends, and how places are numbered: devices, then networks, then the internet.
#[derive(Debug)]
pub struct Ends {
    /// Each, by its number.
    pub all: Vec<End>,
    pub(super) devices: u32,
    pub(super) networks: u32,
}

impl Ends {
    /// The ends of a tailnet under a policy.
    pub fn of(tables: &Tables<'_>) -> Self {
        let tailnet = tables.tailnet();
        let devices = tailnet.nodes().len() as u32;
        let networks = tables.routes().all().len() as u32;
        let mut ends = Self { all: Vec::new(), devices, networks };
        let living =
            || tailnet.node_ids().filter(|it| tailnet.node(*it).is_some_and(|it| !it.has_left()));
        let mut of_device: BTreeMap<NodeId, u32> = BTreeMap::new();
        for id in living() {
            let name = tailnet.node(id).map_or("", |it| &it.name);
            of_device.insert(id, ends.add(EndKind::Device, name, Vec::new(), [id.0]));
        }
        let (mut users, mut tags, mut rest) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
        for id in living() {
            match tailnet.node(id).map(|it| &it.owner) {
                Some(Owner::User(user)) => users.entry(*user).or_insert_with(Vec::new).push(id),
                Some(Owner::Tags(names)) => {
                    for name in names.iter() {
                        tags.entry(name.to_string()).or_insert_with(Vec::new).push(id);
                    }
                }
                _ => rest.push(id),
            }
        }
        let mut kinds: Vec<(EndKind, &str, Vec<u32>)> = Vec::new();
        let of_user: BTreeMap<_, u32> = users
            .iter()
            .map(|(user, nodes)| {
                let login = tailnet.user(*user).map_or("", |it| &it.login);
                (*user, ends.open(EndKind::User, login, nodes, &of_device))
            })
            .collect();
        let mut alone: Vec<u32> = of_user.values().copied().collect();
        let mut groups = Vec::new();
        for (group, id) in tables.policy().groups.iter().zip(0..) {
            let nodes = tables.named_by(Target::Group(GroupId(id)));
            let mut owners: Vec<u32> = nodes
                .iter()
                .filter_map(|it| match tailnet.node(*it)?.owner {
                    Owner::User(user) => of_user.get(&user).copied(),
                    _ => None,
                })
                .collect();
            owners.sort_unstable();
            owners.dedup();
            alone.retain(|it| !owners.contains(it));
            groups.push(ends.add(
                EndKind::Group,
                &group.name.value,
                owners,
                nodes.iter().map(|it| it.0),
            ));
        }
        kinds.push((EndKind::Group, "all groups", groups));
        kinds.push((EndKind::User, "users without a group", alone));
        let tagged =
            tags.iter().map(|(name, nodes)| ends.open(EndKind::Tag, name, nodes, &of_device));
        kinds.push((EndKind::Tag, "all tags", tagged.collect()));
        if !rest.is_empty() {
            kinds.push((
                EndKind::Device,
                "",
                vec![ends.open(EndKind::Device, "devices of nobody", &rest, &of_device)],
            ));
        }
        let routes = tables.routes().all().iter().zip(devices..);
        let routes = routes.map(|(route, place)| {
            ends.add(EndKind::Subnet, &route.net.to_string(), Vec::new(), [place])
        });
        kinds.push((EndKind::Subnet, "all subnets", routes.collect()));
        if tailnet.nodes().iter().any(|it| it.exit_routes().next().is_some()) {
            let internet =
                ends.add(EndKind::Internet, "the internet", Vec::new(), [devices + networks]);
            kinds.push((EndKind::Internet, "", vec![internet]));
        }
        ends.choose_top(kinds);
        ends
    }

    fn choose_top(&mut self, kinds: Vec<(EndKind, &str, Vec<u32>)>) {
        let many = kinds.iter().map(|it| it.2.len()).sum::<usize>() > MAX_TOP;
        let mut top = Vec::new();
        for (kind, name, members) in kinds {
            if many && members.len() > 1 {
                let mut places = self.none();
                for member in members.iter().filter_map(|it| self.all.get(*it as usize)) {
                    places.add(&member.places);
                }
                top.push(self.keep(kind, name, members, places));
            } else {
                top.extend(members);
            }
        }
        for id in top {
            self.all.get_mut(id as usize).into_iter().for_each(|it| it.top = true);
        }
    }

    pub(super) fn none(&self) -> AtomSet {
        AtomSet::new((self.devices + self.networks + 1) as usize)
    }

    /// An end that opens to its devices.
    fn open(
        &mut self,
        kind: EndKind,
        name: &str,
        nodes: &[NodeId],
        of_device: &BTreeMap<NodeId, u32>,
    ) -> u32 {
        let members = nodes.iter().filter_map(|it| of_device.get(it).copied()).collect();
        self.add(kind, name, members, nodes.iter().map(|it| it.0))
    }

    fn add(
        &mut self,
        kind: EndKind,
        name: &str,
        members: Vec<u32>,
        places: impl IntoIterator<Item = u32>,
    ) -> u32 {
        let mut set = self.none();
        places.into_iter().for_each(|it| set.insert(AtomId(it)));
        self.keep(kind, name, members, set)
    }

    fn keep(&mut self, kind: EndKind, name: &str, members: Vec<u32>, places: AtomSet) -> u32 {
        let id = self.all.len() as u32;
        let (name, size) = (name.to_owned(), places.len());
        self.all.push(End { id, name, kind, members, top: false, size, places });
        id
    }
}
