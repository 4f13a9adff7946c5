//! What a person writes for one end of a question → the devices and addresses that are meant.
//!
//! A device by its name or its MagicDNS name, an address, a prefix, or any selector of the policy.

use std::net::IpAddr;

use super::subject::{Subject, Unknown};
use crate::ast::{Autogroup, Selector, selector};
use crate::diagnostic::similar;
use crate::policy::Target;
use crate::tables::ip_set::{IpRange, IpSet};
use crate::tables::{Addresses, INTERNET, Tables};
use crate::tailnet::NodeId;

/// What is meant by one end of a question.
#[derive(Clone, Debug)]
pub struct Ends {
    /// As written.
    pub written: String,
    /// The devices.
    pub nodes: Vec<NodeId>,
    /// Addresses besides, of devices or not; none where devices are meant as such.
    pub ranges: Vec<IpRange>,
    /// Whether it is `autogroup:self`: the devices of whoever asks.
    pub own: bool,
    /// Whether the ranges are those of the internet, of which one address is as good as any.
    pub internet: bool,
}

impl Ends {
    /// Reads one end.
    ///
    /// Errors: a name that neither the inventory nor the policy knows.
    pub fn read(tables: &Tables<'_>, written: &str) -> Result<Self, Unknown> {
        let ends = |nodes: Vec<NodeId>, ranges: Vec<IpRange>| Self {
            written: written.to_owned(),
            nodes,
            ranges,
            own: false,
            internet: false,
        };
        let tailnet = tables.tailnet();
        let named = tailnet.node_named(written).or_else(|| {
            // A MagicDNS name begins with the name of its device.
            let (first, _) = written.split_once('.')?;
            tailnet.node_named(first).filter(|_| written.parse::<IpAddr>().is_err())
        });
        if let Some(node) = named {
            return Ok(ends(vec![node], Vec::new()));
        }
        let bare = written.strip_prefix('[').and_then(|it| it.strip_suffix(']')).unwrap_or(written);
        let unknown = || Unknown {
            what: "device, user or name",
            name: written.to_owned(),
            similar: known_names(tables, written),
        };
        let read = selector::read(bare).map_err(|_| unknown())?;
        let subject = match Subject::of(tables.policy(), &read.selector) {
            Ok(subject) => subject,
            // What looks like a host may be anything that is not there.
            Err(_) if matches!(read.selector, Selector::Host(_)) => return Err(unknown()),
            Err(error) => return Err(error),
        };
        Ok(match subject {
            Subject::Login(login) => match tailnet.user_with_login(&login) {
                Some(user) => ends(tailnet.nodes_of(user).to_vec(), Vec::new()),
                None => return Err(unknown()),
            },
            Subject::Domain(domain) => {
                let users = tailnet.users().iter().zip(0..).filter(|(user, _)| {
                    user.login.rsplit_once('@').is_some_and(|it| *it.1 == *domain)
                });
                let ids = users.map(|it| crate::tailnet::UserId(it.1));
                ends(ids.flat_map(|it| tailnet.nodes_of(it)).copied().collect(), Vec::new())
            }
            Subject::Service(name) => {
                let service = tailnet.services().iter().find(|it| *it.name == *name);
                let addresses = service.map(|it| it.addresses.clone()).ok_or_else(unknown)?;
                ends(Vec::new(), addresses.into_iter().map(IpRange::of).collect())
            }
            Subject::Target(Target::Any | Target::Autogroup(Autogroup::DangerAll)) => {
                ends(tailnet.node_ids().collect(), Vec::new())
            }
            Subject::Target(Target::Autogroup(Autogroup::OwnDevices)) => {
                Self { own: true, ..ends(Vec::new(), Vec::new()) }
            }
            Subject::Target(Target::Autogroup(Autogroup::Internet)) => {
                let ranges = INTERNET.iter().flat_map(|it| it.ranges()).collect();
                Self { internet: true, ..ends(Vec::new(), ranges) }
            }
            Subject::Target(target) => {
                let ranges = tables.ranges_of(target);
                let nodes = tables.named_by(target);
                ends(nodes, ranges)
            }
        })
    }

    /// Whether nothing is meant: an empty group, a tag that no device has.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty() && self.ranges.is_empty() && !self.own
    }

    /// The addresses of all devices and ranges.
    pub fn addresses(&self, tables: &Tables<'_>) -> IpSet {
        let mut set = IpSet::default();
        let nodes = self.nodes.iter().filter_map(|it| tables.tailnet().node(*it));
        nodes.flat_map(|it| it.addresses()).for_each(|it| set.add(IpRange::of(it)));
        self.ranges.iter().for_each(|it| set.add(*it));
        set
    }
}

/// A device, user, group, tag or host whose name looks alike.
fn known_names(tables: &Tables<'_>, written: &str) -> Option<String> {
    let policy = tables.policy();
    let tailnet = tables.tailnet();
    let devices = tailnet.nodes().iter().map(|it| &*it.name);
    let users = tailnet.users().iter().map(|it| &*it.login);
    let groups = policy.groups.iter().map(|it| &*it.name.value);
    let tags = policy.tags.iter().map(|it| &*it.name.value);
    let hosts = policy.hosts.iter().map(|it| &*it.name.value);
    let all = devices.chain(users).chain(groups).chain(tags).chain(hosts);
    similar(written, all).map(str::to_owned)
}

/// A range in the words of tables.
pub fn range_text(range: IpRange) -> String {
    Addresses::from(range).to_string()
}
