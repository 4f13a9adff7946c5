//! `ssh`: which combinations of source, destination and action are legal.
//!
//! SOURCE: docs/language.md, "Where each may stand" and "SSH, node attributes, assertions".
//! Domains need the tailnet and are checked with it.

use super::names::Names;
use super::problem::Problem;
use super::*;
use crate::ast::SshAction;
use crate::dialect::Dialect;

/// Checks every SSH rule.
pub(super) fn check(names: &mut Names, file: &PolicyFile) {
    for rule in &file.ssh {
        let src = names.resolve_all(Place::SshSrc, &rule.src);
        let dst = names.resolve_all(Place::SshDst, &rule.dst);
        names.resolve_all(Place::Recorder, &rule.recorder);
        for posture in &rule.src_posture {
            names.posture(posture);
        }
        if names.dialect == Dialect::Headscale {
            headscale::check_ssh(names, rule, &src, &dst);
            continue;
        }
        for user in dst.iter().filter(|it| matches!(it.value, Target::Login(_))) {
            let same = src.len() == rule.src.len() && src.iter().all(|it| it.value == user.value);
            if !same || src.is_empty() {
                names.problems.push(Problem::SshToOtherUser { span: user.span });
            }
        }
        super::rules::check_own_devices(names, Place::SshSrc, &src, &dst);
        let check = rule.action.filter(|it| it.value == SshAction::Check);
        let tags = src.iter().filter(|it| matches!(it.value, Target::Tag(_)));
        if let Some(check) = check {
            names.problems.extend(
                tags.map(|it| Problem::SshCheckFromTag { span: it.span, action: check.span }),
            );
        }
    }
}
