//! `ssh` → [`SshRule`]s, and which combinations of source, destination and action are legal.
//!
//! SOURCE: docs/language.md, "Where each may stand" and "SSH". Domains need the tailnet and are
//! checked with it.

use std::collections::BTreeMap;

use super::names::Names;
use super::problem::Problem;
use super::*;
use crate::ast::SshAction;
use crate::dialect::Dialect;

/// Checks and resolves every SSH rule; one without a known action is left out.
pub(super) fn rules(
    names: &mut Names,
    file: &PolicyFile,
    default: &[PostureId],
) -> Vec<super::SshRule> {
    let mut rules = Vec::with_capacity(file.ssh.len());
    for (written, index) in file.ssh.iter().zip(0..) {
        let src = names.resolve_all(Place::SshSrc, &written.src);
        let dst = names.resolve_all(Place::SshDst, &written.dst);
        names.resolve_all(Place::Recorder, &written.recorder);
        let postures = super::rules::own_or_default(names, &written.src_posture, default);
        check(names, written, &src, &dst);
        let Some(action) = written.action else { continue };
        rules.push(super::SshRule {
            index,
            span: written.span,
            action,
            src,
            dst,
            users: written.users.iter().map(user).collect(),
            accept_env: written.accept_env.iter().map(|it| Arc::clone(&it.value)).collect(),
            postures,
        });
    }
    rules
}

/// Only the exact form `localpart:*@` with a domain is special; every other text is a name.
fn user(written: &Spanned<Text>) -> Spanned<SshUser> {
    let value = match written.value.strip_prefix("localpart:*@") {
        Some(domain) if !domain.is_empty() => SshUser::Localpart(domain.into()),
        _ if &*written.value == "autogroup:nonroot" => SshUser::Nonroot,
        _ => SshUser::Named(Arc::clone(&written.value)),
    };
    Spanned::new(value, written.span)
}

fn check(
    names: &mut Names,
    rule: &crate::ast::SshRule,
    src: &[Spanned<Target>],
    dst: &[Spanned<Target>],
) {
    if names.dialect == Dialect::Headscale {
        return headscale::check_ssh(names, rule, src, dst);
    }
    for user in dst.iter().filter(|it| matches!(it.value, Target::Login(_))) {
        let same = src.len() == rule.src.len() && src.iter().all(|it| it.value == user.value);
        if !same || src.is_empty() {
            names.problems.push(Problem::SshToOtherUser { span: user.span });
        }
    }
    super::rules::check_own_devices(names, Place::SshSrc, src, dst);
    let check = rule.action.filter(|it| it.value == SshAction::Check);
    let tags = src.iter().filter(|it| matches!(it.value, Target::Tag(_)));
    if let Some(check) = check {
        names
            .problems
            .extend(tags.map(|it| Problem::SshCheckFromTag { span: it.span, action: check.span }));
    }
}

impl super::SshRule {
    /// The domains of its `localpart:*@…`.
    pub fn localparts(&self) -> impl Iterator<Item = &str> {
        self.users.iter().filter_map(|it| match &it.value {
            SshUser::Localpart(domain) => Some(&**domain),
            _ => None,
        })
    }

    /// The user map of its lines: a name, and what it becomes; nothing refuses it.
    pub fn user_map(&self) -> BTreeMap<&str, &str> {
        let mut map = BTreeMap::from([("root", "")]);
        for user in &self.users {
            match &user.value {
                SshUser::Named(name) => _ = map.insert(name, name),
                SshUser::Nonroot => _ = map.insert("*", "="),
                SshUser::Localpart(_) => {}
            }
        }
        map
    }

    /// Whether the rule lets in anybody, whatever their login, as this user of the host.
    pub fn may_call(&self, user: &str) -> bool {
        self.users.iter().any(|it| match &it.value {
            SshUser::Named(name) => **name == *user,
            SshUser::Nonroot => user != "root",
            SshUser::Localpart(_) => true,
        })
    }

    /// Whether the rule lets in somebody with this login as this user of the host.
    pub fn lets_in(&self, dialect: Dialect, login: Option<&str>, user: &str) -> bool {
        let called =
            |domain: &str| login.is_some_and(|it| local_part(it, domain, dialect) == Some(user));
        self.users.iter().any(|it| match &it.value {
            SshUser::Named(name) => **name == *user,
            SshUser::Nonroot => user != "root",
            SshUser::Localpart(domain) => called(domain),
        })
    }
}

/// What stands before the `@` of a login at a domain, whose case matters to Tailscale alone.
pub(crate) fn local_part<'l>(login: &'l str, domain: &str, dialect: Dialect) -> Option<&'l str> {
    let same = |it: &str| match dialect {
        Dialect::Tailscale => it == domain,
        Dialect::Headscale => it.eq_ignore_ascii_case(domain),
    };
    login.rsplit_once('@').filter(|it| same(it.1)).map(|it| it.0)
}
