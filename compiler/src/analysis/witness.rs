//! A flow between two atoms → the smallest tailnet in which it can happen, and the packet.
//!
//! What an analysis claims about all possible tailnets is tried in this one, through tables and the
//! verdict on the packet, before anybody is told.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use ipnet::IpNet;

use super::atom_set::AtomId;
use super::universe::{Atom, Standing, Universe};
use crate::ast::posture::{Assertion, Comparison, Condition, Operand};
use crate::ast::{Autogroup, PortRange, Protocol, Text};
use crate::policy::Valid;
use crate::tables::Tables;
use crate::tables::verdict::{Classifier, Packet};
use crate::tailnet::{
    Details, Fact, Facts, Node, NodeId, Owner, Role, Service, Tailnet, User, UserId,
};

/// One flow in one tailnet.
#[derive(Debug)]
pub struct Witness {
    /// The devices that take part.
    pub tailnet: Tailnet,
    /// The packet that begins the flow.
    pub packet: Packet,
    /// The device whose table judges it.
    pub at: NodeId,
}

/// What of a flow is given.
#[derive(Clone, Copy, Debug)]
pub struct Flow<'a> {
    /// Who.
    pub src: AtomId,
    /// Whom; `None` is another device of the sender's own.
    pub dst: Option<AtomId>,
    /// What is carried.
    pub protocol: Protocol,
    /// One of these ports.
    pub ports: PortRange,
    /// The tags of the routers it leads through.
    pub via: &'a [Text],
    /// What the sender meets.
    pub posture: &'a [Assertion],
    /// A second tag of the sender, and of the receiver.
    pub also: [Option<&'a Text>; 2],
}

impl Witness {
    /// The smallest tailnet in which a flow can happen; `None` where no such tailnet is known, as for
    /// devices that other tailnets share.
    pub fn of(universe: &Universe, flow: &Flow<'_>) -> Option<Self> {
        let mut facts = Facts { domains: Some(domains(universe)), ..Facts::default() };
        let (src, dst) = (universe.atom(flow.src)?, flow.dst.and_then(|it| universe.atom(it)));
        // Both ends need an address of one family; where one is a literal, that decides.
        let literal = |it: &Atom| match it {
            Atom::Addresses(range) => Some(range.first()),
            Atom::OtherAddresses(address) => Some(*address),
            _ => None,
        };
        let v6 = [Some(src), dst].into_iter().flatten().filter_map(literal).any(|it| it.is_ipv6());
        let from = match literal(src) {
            Some(address) => address,
            None => {
                let node = place(&mut facts, src, 1)?;
                tag(&mut facts, &node, flow.also[0]);
                if let Some(node) = facts.nodes.get_mut(node.id.0 as usize) {
                    let attributes = flow.posture.iter().map(meeting).collect();
                    node.details = Some(Box::new(Details { attributes, ..Details::default() }));
                }
                node.address(v6)
            }
        };
        let (to, at) = match dst {
            None => {
                let node = place(&mut facts, src, 2)?;
                (node.address(v6), node.id)
            }
            Some(dst) => match literal(dst) {
                Some(address) => (address, router(&mut facts, address, flow.via)),
                None => {
                    let node = place(&mut facts, dst, 2)?;
                    tag(&mut facts, &node, flow.also[1]);
                    (node.address(v6), node.id)
                }
            },
        };
        if from.is_ipv4() != to.is_ipv4() {
            return None;
        }
        // A source behind a router is only a source where its route is.
        if literal(src).is_some() {
            router(&mut facts, from, &[]);
        }
        let port = if flow.ports == PortRange::ALL {
            common_port(flow.protocol)
        } else {
            flow.ports.first
        };
        let packet = Packet { src: from, dst: to, protocol: flow.protocol, port };
        Some(Self { tailnet: Tailnet::new(facts), packet, at })
    }

    /// Whether a policy lets the packet in.
    pub fn is_let_in_by(&self, policy: Valid<'_>) -> bool {
        let tables = Tables::new(policy, &self.tailnet);
        let table = tables.table(self.at);
        Classifier::new(&tables, &table.rules).accepts(&self.packet)
    }
}

/// A port that people know, where any would do.
fn common_port(protocol: Protocol) -> u16 {
    if crate::ast::ports::has_ports(protocol) { 443 } else { 0 }
}

/// A device of the small tailnet.
struct Placed {
    id: NodeId,
    number: u8,
}

impl Placed {
    fn address(&self, v6: bool) -> IpAddr {
        if v6 { own_v6(self.number).into() } else { own_v4(self.number).into() }
    }
}

/// Addresses that policies do not name: the ends of the ranges that nodes are given.
fn own_v4(number: u8) -> Ipv4Addr {
    Ipv4Addr::new(100, 127, 255, number)
}

fn own_v6(number: u8) -> Ipv6Addr {
    Ipv6Addr::new(0xfd7a, 0x115c, 0xa1e0, 0xffff, 0xffff, 0xffff, 0xffff, number.into())
}

/// Puts a device of an atom into the tailnet.
fn place(facts: &mut Facts, atom: &Atom, number: u8) -> Option<Placed> {
    let owner = match atom {
        Atom::User(login, standing) => user(facts, login, standing)?,
        Atom::OtherUser(domain, standing) => {
            let domain = domain.as_deref().unwrap_or("elsewhere.example");
            user(facts, &format!("somebody-else@{domain}").into(), standing)?
        }
        Atom::Tag(tag) => Owner::Tags([Arc::clone(tag)].into()),
        Atom::Service(name) => {
            let addresses = vec![own_v4(number).into(), own_v6(number).into()];
            facts.services.push(Service { name: Arc::clone(name), addresses });
            Owner::Nobody
        }
        Atom::Shared | Atom::Addresses(_) | Atom::OtherAddresses(_) => return None,
    };
    let id = node(facts, number, owner, Box::new([]));
    Some(Placed { id, number })
}

/// Gives a device with a tag another.
fn tag(facts: &mut Facts, placed: &Placed, also: Option<&Text>) {
    let node = facts.nodes.get_mut(placed.id.0 as usize);
    if let (Some(also), Some(Owner::Tags(tags))) = (also, node.map(|it| &mut it.owner)) {
        let mut both: Vec<Text> = tags.iter().chain([also]).cloned().collect();
        both.sort();
        *tags = both.into();
    }
}

fn user(facts: &mut Facts, login: &Text, standing: &Standing) -> Option<Owner> {
    let role = match standing {
        Standing::Plain => Role::Member,
        Standing::Role(autogroup) => role(*autogroup),
        // Nobody here can say who is in it.
        Standing::Synced(_) => return None,
    };
    let known = facts.users.iter().position(|it| it.login == *login);
    let id = known.unwrap_or_else(|| {
        let name = login.split('@').next().unwrap_or_default().into();
        facts.users.push(User { name, login: Arc::clone(login), role: Some(role) });
        facts.users.len() - 1
    });
    let same = facts.users.get(id).is_some_and(|it| it.role == Some(role));
    same.then_some(Owner::User(UserId(id as u32)))
}

fn role(autogroup: Autogroup) -> Role {
    match autogroup {
        Autogroup::Owner => Role::Owner,
        Autogroup::Admin => Role::Admin,
        Autogroup::NetworkAdmin => Role::NetworkAdmin,
        Autogroup::ItAdmin => Role::ItAdmin,
        Autogroup::BillingAdmin => Role::BillingAdmin,
        Autogroup::Auditor => Role::Auditor,
        _ => Role::Member,
    }
}

/// Puts in a router whose one route is an address: where a rule leads through tags, with the first.
fn router(facts: &mut Facts, address: IpAddr, via: &[Text]) -> NodeId {
    let owner = via.first().map_or(Owner::Nobody, |it| Owner::Tags([Arc::clone(it)].into()));
    let number = 10 + facts.nodes.len() as u8;
    // Public addresses are reached through exit nodes.
    let exits = [IpAddr::from([0u8; 4]), IpAddr::from([0u8; 16])];
    let exits = exits.into_iter().filter_map(|it| IpNet::new(it, 0).ok());
    node(facts, number, owner, std::iter::once(address.into()).chain(exits).collect())
}

fn node(facts: &mut Facts, number: u8, owner: Owner, routes: Box<[IpNet]>) -> NodeId {
    let id = NodeId(facts.nodes.len() as u32);
    facts.nodes.push(Node {
        name: format!("device-{number}").into(),
        ipv4: Some(own_v4(number)),
        ipv6: Some(own_v6(number)),
        owner,
        advertised: routes.clone(),
        routes,
        created: None,
        details: None,
    });
    id
}

/// An attribute that meets an assertion.
fn meeting(assertion: &Assertion) -> (Box<str>, Fact) {
    let as_fact = |operand: &Operand| match operand {
        Operand::Text(text) => Fact::Text((**text).into()),
        Operand::Number(number) => Fact::Number(*number),
        Operand::Bool(truth) => Fact::Bool(*truth),
    };
    let other = || Fact::Text("some other value".into());
    let fact = match &assertion.condition {
        Condition::NotSet => Fact::NotSet,
        Condition::IsSet | Condition::NotIn(_) => other(),
        Condition::In(operands) => operands.first().map_or_else(other, as_fact),
        Condition::Compare(comparison, operand) => match (comparison, operand) {
            (Comparison::Equal | Comparison::AtMost | Comparison::AtLeast, it) => as_fact(it),
            (Comparison::NotEqual, Operand::Bool(truth)) => Fact::Bool(!truth),
            (Comparison::NotEqual, _) => other(),
            (Comparison::Less, Operand::Number(number)) => Fact::Number(number - 1.0),
            (Comparison::Less, _) => Fact::Text("0".into()),
            (Comparison::Greater, Operand::Number(number)) => Fact::Number(number + 1.0),
            (Comparison::Greater, Operand::Text(version)) => {
                Fact::Text(format!("{version}.1").into())
            }
            (Comparison::Greater, Operand::Bool(_)) => other(),
        },
    };
    ((*assertion.attribute).into(), fact)
}

/// Every domain that belongs to the tailnet.
fn domains(universe: &Universe) -> Vec<Box<str>> {
    let atoms = (0..universe.len() as u32).filter_map(|it| universe.atom(AtomId(it)));
    let domain = |it: &Atom| match it {
        Atom::User(login, _) => login.rsplit_once('@').map(|it| it.1.into()),
        Atom::OtherUser(domain, _) => domain.as_deref().map(Into::into),
        _ => None,
    };
    let mut domains: Vec<Box<str>> = atoms.filter_map(domain).collect();
    domains.sort();
    domains.dedup();
    domains
}
