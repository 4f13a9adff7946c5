//! A tailnet and a policy → the rows and columns of the matrix: groups, users, tags, subnets, the
//! internet, each of which opens to devices.

use std::collections::BTreeMap;

use compiler::policy::{GroupId, Target};
use compiler::tables::Tables;
use compiler::tailnet::{NodeId, Owner};
use serde::Serialize;

use crate::place_set::PlaceSet;

/// With more ends than this at the top, each kind is one end that opens to them.
const MAX_TOP: usize = 40;

/// A row and a column.
#[derive(Debug, Serialize)]
pub(crate) struct End {
    id: u32,
    name: String,
    kind: &'static str,
    members: Vec<u32>,
    top: bool,
    /// How many devices and networks it is.
    size: usize,
    #[serde(skip)]
    pub(crate) places: PlaceSet,
}

/// All ends, and how places are numbered: devices, then networks, then the internet.
#[derive(Debug)]
pub(crate) struct Ends {
    pub(crate) all: Vec<End>,
    pub(crate) devices: u32,
    pub(crate) networks: u32,
}

impl Ends {
    pub(crate) fn of(tables: &Tables<'_>) -> Self {
        let tailnet = tables.tailnet();
        let devices = tailnet.nodes().len() as u32;
        let networks = tables.routes().all().len() as u32;
        let mut ends = Self { all: Vec::new(), devices, networks };
        let living =
            || tailnet.node_ids().filter(|it| tailnet.node(*it).is_some_and(|it| !it.has_left()));
        let mut of_device: BTreeMap<NodeId, u32> = BTreeMap::new();
        for id in living() {
            let name = tailnet.node(id).map_or("", |it| &it.name);
            of_device.insert(id, ends.add("device", name, Vec::new(), [id.0]));
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
        let mut kinds: Vec<(&'static str, &str, Vec<u32>)> = Vec::new();
        let of_user: BTreeMap<_, u32> = users
            .iter()
            .map(|(user, nodes)| {
                let login = tailnet.user(*user).map_or("", |it| &it.login);
                (*user, ends.open("user", login, nodes, &of_device))
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
            groups.push(ends.add("group", &group.name.value, owners, nodes.iter().map(|it| it.0)));
        }
        kinds.push(("group", "all groups", groups));
        kinds.push(("user", "users without a group", alone));
        let tagged = tags.iter().map(|(name, nodes)| ends.open("tag", name, nodes, &of_device));
        kinds.push(("tag", "all tags", tagged.collect()));
        if !rest.is_empty() {
            kinds.push((
                "device",
                "",
                vec![ends.open("device", "devices of nobody", &rest, &of_device)],
            ));
        }
        let routes = tables.routes().all().iter().zip(devices..);
        let routes = routes
            .map(|(route, place)| ends.add("subnet", &route.net.to_string(), Vec::new(), [place]));
        kinds.push(("subnet", "all subnets", routes.collect()));
        if tailnet.nodes().iter().any(|it| it.exit_routes().next().is_some()) {
            let internet = ends.add("internet", "the internet", Vec::new(), [devices + networks]);
            kinds.push(("internet", "", vec![internet]));
        }
        ends.choose_top(kinds);
        ends
    }

    fn choose_top(&mut self, kinds: Vec<(&'static str, &str, Vec<u32>)>) {
        let many = kinds.iter().map(|it| it.2.len()).sum::<usize>() > MAX_TOP;
        let mut top = Vec::new();
        for (kind, name, members) in kinds {
            if many && members.len() > 1 {
                let mut places = self.none();
                for member in members.iter().filter_map(|it| self.all.get(*it as usize)) {
                    places.add_all(&member.places);
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

    pub(crate) fn none(&self) -> PlaceSet {
        PlaceSet::new(self.devices + self.networks + 1)
    }

    /// An end that opens to its devices.
    fn open(
        &mut self,
        kind: &'static str,
        name: &str,
        nodes: &[NodeId],
        of_device: &BTreeMap<NodeId, u32>,
    ) -> u32 {
        let members = nodes.iter().filter_map(|it| of_device.get(it).copied()).collect();
        self.add(kind, name, members, nodes.iter().map(|it| it.0))
    }

    fn add(
        &mut self,
        kind: &'static str,
        name: &str,
        members: Vec<u32>,
        places: impl IntoIterator<Item = u32>,
    ) -> u32 {
        let mut set = self.none();
        places.into_iter().for_each(|it| set.add(it));
        self.keep(kind, name, members, set)
    }

    fn keep(&mut self, kind: &'static str, name: &str, members: Vec<u32>, places: PlaceSet) -> u32 {
        let id = self.all.len() as u32;
        let (name, size) = (name.to_owned(), places.len());
        self.all.push(End { id, name, kind, members, top: false, size, places });
        id
    }
}
