//! Whose each node is: the names by which nodes name their users → the users.
//!
//! Users may stand before the nodes or behind them, and nodes name them by login, by short name or
//! by a number of the server's. So the names are collected, and settled when all users are known.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::json::Text;
use super::problem::Problem;
use super::{User, UserId};
use crate::diagnostic::similar;

/// How many names are compared for "did you mean" in one inventory: a blink of an eye. Where
/// thousands of names miss in a list of thousands, the first few suggestions tell enough.
const COMPARED: usize = 200_000;

/// Users as they come in, and the names that nodes have for them.
#[derive(Debug, Default)]
pub(super) struct Owners<'t> {
    /// Whether the inventory lists its users, so that a name beyond the list is wrong.
    pub(super) listed: bool,
    users: Vec<User>,
    /// The user of each login, and the item of the list that gave it.
    logins: FxHashMap<Arc<str>, (UserId, u32)>,
    /// The user of each number of the server's.
    ids: FxHashMap<Text<'t>, UserId>,
    /// Users that nodes describe, by how those nodes name them.
    described: FxHashMap<Text<'t>, User>,
    /// The position in `named` of each name.
    positions: FxHashMap<Text<'t>, u32>,
    /// Each name that a node has for its user, and the origin of the first such node.
    named: Vec<(Text<'t>, u32)>,
}

/// The user a name means, or what is wrong with it at the node that came from this origin.
pub(super) type Settled = Result<UserId, (u32, Problem)>;

impl<'t> Owners<'t> {
    /// Adds a user who is the given item of a list; or tells which item had the login before.
    pub(super) fn list(&mut self, user: User, item: u32) -> Result<UserId, u32> {
        if let Some((_, first)) = self.logins.get(&user.login) {
            return Err(*first);
        }
        let id = UserId(self.users.len() as u32);
        self.logins.insert(Arc::clone(&user.login), (id, item));
        self.users.push(user);
        Ok(id)
    }

    /// Adds a user, who may be known by the login already.
    fn add(&mut self, user: User) -> UserId {
        match self.logins.get(&user.login) {
            Some((id, _)) => *id,
            None => {
                let id = UserId(self.users.len() as u32);
                self.logins.insert(Arc::clone(&user.login), (id, 0));
                self.users.push(user);
                id
            }
        }
    }

    /// Adds a user whom nodes name by a number.
    pub(super) fn number(&mut self, number: Text<'t>, user: User) {
        let id = self.add(user);
        self.ids.insert(number, id);
    }

    /// Keeps what a node says about its user, in case no list does.
    pub(super) fn describe(&mut self, name: Text<'t>, user: User) {
        self.described.entry(name).or_insert(user);
    }

    /// A stand-in for the user whom a node names; [`Owners::settle`] tells who it is.
    pub(super) fn named(&mut self, name: Text<'t>, origin: u32) -> UserId {
        if let Some(position) = self.positions.get(&name) {
            return UserId(*position);
        }
        let position = self.named.len() as u32;
        self.named.push((name.clone(), origin));
        self.positions.insert(name, position);
        UserId(position)
    }

    /// All users, and for each stand-in whom it stands for.
    ///
    /// Where nodes name their users by number alone (`numbered`), a number is never taken for a name.
    pub(super) fn settle(mut self, numbered: bool) -> (Vec<User>, Vec<Settled>) {
        let mut names: FxHashMap<Arc<str>, Option<UserId>> = FxHashMap::default();
        names.reserve(self.users.len());
        for (user, id) in self.users.iter().zip((0..).map(UserId)) {
            names.entry(Arc::clone(&user.name)).and_modify(|it| *it = None).or_insert(Some(id));
        }
        let listed = self.users.len();
        let mut compared = 0;
        let mut settled = Vec::with_capacity(self.named.len());
        for (name, origin) in std::mem::take(&mut self.named) {
            if let Some(id) = self.ids.get(&name) {
                settled.push(Ok(*id));
                continue;
            }
            if let Some(user) = self.described.remove(&name) {
                settled.push(Ok(self.add(user)));
                continue;
            }
            if numbered {
                settled.push(Err((origin, Problem::UnknownOwner { id: name.as_ref().into() })));
                continue;
            }
            if let Some((id, _)) = self.logins.get(name.as_ref()) {
                settled.push(Ok(*id));
                continue;
            }
            settled.push(match names.get(name.as_ref()) {
                Some(Some(id)) => Ok(*id),
                Some(None) => Err((origin, Problem::AmbiguousUser { user: name.as_ref().into() })),
                None if self.listed => {
                    compared += listed * 2;
                    let known = self.users.iter().flat_map(|it| [&*it.login, &*it.name]);
                    let known = known.take(if compared <= COMPARED { usize::MAX } else { 0 });
                    let similar = similar(&name, known).map(Box::from);
                    Err((origin, Problem::UnknownUser { user: name.as_ref().into(), similar }))
                }
                None => {
                    let name: Arc<str> = name.as_ref().into();
                    Ok(self.add(User { name: Arc::clone(&name), login: name, role: None }))
                }
            });
        }
        (self.users, settled)
    }
}
