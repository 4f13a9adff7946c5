//! A [`Change`] of a tailnet → the same tailnet, changed in place.
//!
//! Ids stay: a node that leaves keeps its place as a gap, one that joins stands behind all others. So
//! whatever was made of the other nodes stays true of them. Cost: a move of the entries behind the
//! node's own in a few flat lists of numbers.

use std::net::IpAddr;
use std::sync::Arc;

use super::index::Tailnet;
use super::{Node, NodeId, Owner, User, UserId};

/// One thing that happens to a tailnet.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// A node joins; it gets the next id.
    Joins(Box<Node>),
    /// A node leaves.
    Leaves(NodeId),
    /// A node is from now on this: it moved to other addresses, was given tags or to a user, gets or
    /// loses routes, reports other attributes.
    Becomes(NodeId, Box<Node>),
    /// A user joins, behind all others in rank.
    UserJoins(User),
    /// A user leaves, and with them their untagged nodes.
    UserLeaves(UserId),
    /// A user is from now on this: they have another role, name or login.
    UserBecomes(UserId, User),
}

/// Why a change cannot be; the tailnet is as it was.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Refused {
    /// The tailnet has no node of this id, or it left.
    #[error("there is no such node")]
    NoNode(NodeId),
    /// The tailnet has no user of this id, or they left.
    #[error("there is no such user")]
    NoUser(UserId),
    /// The name is the key of a node's table.
    #[error("a node needs a name")]
    NoName,
    /// Policies know users by their logins.
    #[error("a user needs a login")]
    NoLogin,
    /// Two nodes of one name.
    #[error("another node is called `{0}`")]
    SameName(Arc<str>),
    /// Two nodes with one address.
    #[error("another node has the address `{0}`")]
    SameAddress(IpAddr),
    /// Two users of one login.
    #[error("another user has the login `{0}`")]
    SameLogin(Arc<str>),
}

impl Tailnet {
    /// Applies a change. The answer: the nodes that are no longer what they were, the one that joined
    /// or left among them; for a user, all nodes of theirs.
    ///
    /// Errors: see [`Refused`].
    pub fn apply(&mut self, change: Change) -> Result<Vec<NodeId>, Refused> {
        let mut nodes = self.concerned(&change)?;
        match change {
            Change::Joins(node) => {
                let id = NodeId(self.facts.nodes.len() as u32);
                self.facts.nodes.push(Node::gap());
                self.replace(id, *node);
                nodes.push(id);
            }
            Change::Leaves(id) => self.replace(id, Node::gap()),
            Change::Becomes(id, node) => self.replace(id, *node),
            Change::UserJoins(user) => {
                self.by_login
                    .insert(Arc::clone(&user.login), UserId(self.facts.users.len() as u32));
                self.by_user.add_group();
                self.facts.users.push(user);
            }
            Change::UserLeaves(id) => {
                nodes.iter().for_each(|it| self.replace(*it, Node::gap()));
                self.replace_user(id, User { name: "".into(), login: "".into(), role: None });
            }
            Change::UserBecomes(id, user) => self.replace_user(id, user),
        }
        Ok(nodes)
    }

    /// The nodes that a change concerns and that are there already.
    ///
    /// Errors: see [`Refused`].
    pub fn concerned(&self, change: &Change) -> Result<Vec<NodeId>, Refused> {
        match change {
            Change::Joins(node) => self.check_node(node, None).map(|()| Vec::new()),
            Change::Leaves(id) => self.present(*id).map(|()| vec![*id]),
            Change::Becomes(id, node) => {
                self.present(*id)?;
                self.check_node(node, Some(*id)).map(|()| vec![*id])
            }
            Change::UserJoins(user) => self.check_user(user, None).map(|()| Vec::new()),
            Change::UserLeaves(id) => self.user_present(*id).map(|()| self.nodes_of(*id).to_vec()),
            Change::UserBecomes(id, user) => {
                self.user_present(*id)?;
                self.check_user(user, Some(*id)).map(|()| self.nodes_of(*id).to_vec())
            }
        }
    }

    fn present(&self, id: NodeId) -> Result<(), Refused> {
        let node = self.node(id).filter(|it| !it.has_left());
        node.map(|_| ()).ok_or(Refused::NoNode(id))
    }

    fn user_present(&self, id: UserId) -> Result<(), Refused> {
        let user = self.user(id).filter(|it| !it.has_left());
        user.map(|_| ()).ok_or(Refused::NoUser(id))
    }

    /// Whether a node may stand in the place of another, or in one of its own.
    fn check_node(&self, node: &Node, place: Option<NodeId>) -> Result<(), Refused> {
        if node.has_left() {
            return Err(Refused::NoName);
        }
        if let Owner::User(user) = node.owner {
            self.user_present(user)?;
        }
        let other = |it: Option<NodeId>| it.is_some() && it != place;
        if other(self.node_named(&node.name)) {
            return Err(Refused::SameName(Arc::clone(&node.name)));
        }
        match node.addresses().find(|it| other(self.node_at(*it))) {
            Some(address) => Err(Refused::SameAddress(address)),
            None => Ok(()),
        }
    }

    fn check_user(&self, user: &User, place: Option<UserId>) -> Result<(), Refused> {
        if user.has_left() {
            return Err(Refused::NoLogin);
        }
        match self.user_with_login(&user.login).filter(|it| Some(*it) != place) {
            Some(_) => Err(Refused::SameLogin(Arc::clone(&user.login))),
            None => Ok(()),
        }
    }

    fn replace_user(&mut self, id: UserId, user: User) {
        let Some(slot) = self.facts.users.get_mut(id.0 as usize) else { return };
        self.by_login.remove(&slot.login);
        if !user.has_left() {
            self.by_login.insert(Arc::clone(&user.login), id);
        }
        *slot = user;
    }

    /// Puts a node in the place of another: takes the old one out of every list, and enters the new.
    fn replace(&mut self, id: NodeId, new: Node) {
        let Some(old) = self.facts.nodes.get(id.0 as usize).cloned() else { return };
        if old.name != new.name && !old.has_left() {
            self.by_name.remove(id, &self.facts.nodes);
        }
        if let Some(slot) = self.facts.nodes.get_mut(id.0 as usize) {
            *slot = new.clone();
        }
        if old.name != new.name && !new.has_left() {
            self.by_name.add(id, &self.facts.nodes);
        }
        if old.ipv4 != new.ipv4 {
            move_to(&mut self.ipv4, id, [old.ipv4, new.ipv4].map(|it| it.map(u32::from)));
        }
        if old.ipv6 != new.ipv6 {
            move_to(&mut self.ipv6, id, [old.ipv6, new.ipv6].map(|it| it.map(u128::from)));
        }
        if old.owner != new.owner {
            self.change_owner(id, &old.owner, false);
            self.change_owner(id, &new.owner, true);
        }
        let silent = |it: &Node| it.addresses().next().is_none() && !it.has_left();
        let kinds = &mut self.kinds;
        change_kind(&mut kinds.untagged, id, matches!(new.owner, Owner::User(_)));
        change_kind(&mut kinds.tagged, id, matches!(new.owner, Owner::Tags(_)));
        change_kind(&mut kinds.routers, id, !new.routes.is_empty());
        change_kind(&mut kinds.without_address, id, silent(&new));
    }

    fn change_owner(&mut self, id: NodeId, owner: &Owner, member: bool) {
        match owner {
            Owner::User(user) => self.by_user.set(user.0, id, member),
            Owner::Tags(tags) => {
                for tag in tags {
                    let next = self.tags.len() as u32;
                    let number = *self.tags.entry(Arc::clone(tag)).or_insert(next);
                    if number == next {
                        self.by_tag.add_group();
                    }
                    self.by_tag.set(number, id, member);
                }
            }
            Owner::Nobody => {}
        }
    }
}

/// Moves the entry of a node in a list sorted by address, from one address to another.
fn move_to<K: Copy + Ord>(sorted: &mut Vec<(K, NodeId)>, id: NodeId, [old, new]: [Option<K>; 2]) {
    if let Some(Ok(at)) = old.map(|it| sorted.binary_search(&(it, id))) {
        sorted.remove(at);
    }
    if let Some(new) = new {
        let at = sorted.partition_point(|it| *it < (new, id));
        sorted.insert(at, (new, id));
    }
}

/// Enters a node into a sorted list of all nodes of a kind, or takes it out.
fn change_kind(sorted: &mut Vec<NodeId>, id: NodeId, member: bool) {
    match (sorted.binary_search(&id), member) {
        (Ok(at), false) => _ = sorted.remove(at),
        (Err(at), true) => sorted.insert(at, id),
        _ => {}
    }
}
