//! A policy with `acls` → the same policy with `grants` only: comments kept, equal meaning proved.
//!
//! The text is taken apart and put together again by its tree: what is no rule of `acls` stays byte
//! for byte, and each comment stays with what it stands beside. Where destinations of one acl have
//! different ports it becomes several grants. Nothing is given out that is not proved: the new text is
//! checked, both policies are compared for every possible tailnet, and no comment may be missing.

mod list;
mod rule;
mod section;

use std::collections::BTreeMap;

use super::diff::Diff;
use crate::ast::Text;
use crate::cst::{self, SyntaxTree};
use crate::span::Span;
use crate::{Checked, Options, check_parsed};

/// A policy without `acls`, proved to mean what the one with them means.
#[derive(Debug)]
pub struct Migration {
    /// Its text; laid out as Tailscale's formatter does where the old one was.
    pub text: String,
    /// How many entries of `acls` there were.
    pub rules: usize,
    /// How many entries of `grants` they became.
    pub grants: usize,
}

/// Why a policy is left as it is.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Obstacle {
    /// The policy has errors, which its diagnostics say.
    #[error("the policy has errors")]
    Broken,
    /// A destination that may stand in `acls` and not in `grants`.
    #[error("`{written}` as a destination has no equal in `grants`")]
    NoEqual {
        /// The destination, between its quotes.
        span: Span,
        /// Its selector.
        written: Text,
    },
    /// A bug of ours: what was made is not what it must be.
    #[error("{0}")]
    Bug(Bug),
}

/// What is wrong with a text that was made.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Bug {
    /// It is no policy without errors.
    #[error("the grants that were made have errors")]
    Refused,
    /// It gives other access.
    #[error("the grants that were made do not give the same access")]
    OtherAccess,
    /// It lacks a comment.
    #[error("a comment was lost")]
    LostComment,
}

/// Writes `acls` as `grants`; `None` where a policy has none.
///
/// `options` are those the policy was checked with.
///
/// Errors: [`Obstacle`], and then there is nothing to write.
pub fn migrate(checked: &Checked, options: &Options<'_>) -> Result<Option<Migration>, Obstacle> {
    let policy = checked.valid().ok_or(Obstacle::Broken)?.policy();
    let Some(acls) = &policy.file.acls else { return Ok(None) };
    let section::Written { text, grants } = section::write(&checked.tree, &policy.file, acls)?;
    let made = check_parsed(cst::parse(&text), options);
    if !keeps_comments(&checked.tree, &made.tree) {
        return Err(Obstacle::Bug(Bug::LostComment));
    }
    let old = checked.tree.text();
    let (text, made) = match cst::format(old).filter(|it| it == old).and(cst::format(&text)) {
        Some(formatted) => {
            let made = check_parsed(cst::parse(&formatted), options);
            (formatted, made)
        }
        None => (text, made),
    };
    let new = made.valid().ok_or(Obstacle::Bug(Bug::Refused))?.policy();
    let before = policy.file.grants.as_ref().map_or(0, Vec::len);
    let after = new.file.grants.as_ref().map(Vec::len);
    if new.file.acls.is_some() || after != Some(before + grants) {
        return Err(Obstacle::Bug(Bug::Refused));
    }
    if !Diff::of(policy, new).is_empty() {
        return Err(Obstacle::Bug(Bug::OtherAccess));
    }
    Ok(Some(Migration { text, rules: acls.len(), grants }))
}

/// Whether every comment of one text is in the other, as often.
fn keeps_comments(old: &SyntaxTree, new: &SyntaxTree) -> bool {
    fn count(tree: &SyntaxTree) -> BTreeMap<&str, usize> {
        let mut counts = BTreeMap::new();
        tree.comments().for_each(|it| *counts.entry(it.text().trim_end()).or_default() += 1);
        counts
    }
    let new = count(new);
    count(old).iter().all(|(text, times)| new.get(text).is_some_and(|it| it >= times))
}
