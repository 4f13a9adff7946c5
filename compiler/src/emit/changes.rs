//! What an edit changes, as rows and as JSON: `docs/json.md`, "Access".

use serde::Serialize;

use super::access::{Access, RuleAt};
use crate::analysis::describe::Vocabulary;
use crate::analysis::diff::{DeviceDiff, Diff};
use crate::analysis::diff_rows;
use crate::analysis::flow_text::Row;
use crate::policy::{Policy, Valid};
use crate::tables::Tables;
use crate::tables::verdict::Packet;
use crate::tailnet::Tailnet;

/// One side of a comparison: what the policy is called, what it says, and what it means.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    /// What the policy is called.
    pub file: &'a str,
    /// Its text.
    pub text: &'a str,
    /// It has no error.
    pub policy: Valid<'a>,
}

/// Access gained and lost from one side to the other.
#[derive(Clone, Debug)]
pub struct Changes {
    /// Access that only the second gives.
    pub gained: Vec<Change>,
    /// Access that only the first gives.
    pub lost: Vec<Change>,
}

/// A change, where its rules stand, and a packet that shows it.
#[derive(Clone, Debug)]
pub struct Change {
    /// The access.
    pub row: Row,
    /// The rules that give it, on the side that does.
    pub rules: Vec<RuleAt>,
    /// A packet that was tried on both sides; none without an inventory.
    pub witness: Option<Packet>,
}

/// The same, for programs.
#[derive(Clone, Debug, Serialize)]
pub struct Document {
    version: u32,
    gained: Vec<Access>,
    lost: Vec<Access>,
}

impl Changes {
    /// Compares two policies over all possible tailnets, or over the tailnet of each side.
    pub fn between(base: Side<'_>, head: Side<'_>, tailnets: Option<[&Tailnet; 2]>) -> Self {
        type Found = Vec<(Row, Option<Packet>)>;
        let (before, after) = (base.policy.policy(), head.policy.policy());
        let (gained, lost): (Found, Found) = match tailnets {
            None => {
                let diff = Diff::of(before, after);
                let vocabulary = Vocabulary::new(&diff.universe, [before, after]);
                let rows = |regions| {
                    let rows = diff_rows::of_policies(regions, &vocabulary, &diff.conditions);
                    rows.into_iter().map(|it| (it, None)).collect()
                };
                (rows(&diff.gained), rows(&diff.lost))
            }
            Some([then, now]) => {
                let (old, new) = (Tables::new(base.policy, then), Tables::new(head.policy, now));
                let diff = DeviceDiff::of(&old, &new);
                let gained = diff_rows::of_devices(&diff.gained, &diff.space, &new, &old);
                (gained, diff_rows::of_devices(&diff.lost, &diff.space, &old, &new))
            }
        };
        let placed = |found: Found, side: Side<'_>| {
            let place = |(row, witness): (Row, Option<Packet>)| Change {
                rules: rules(&row, side.policy.policy(), side),
                row,
                witness,
            };
            found.into_iter().map(place).collect()
        };
        Self { gained: placed(gained, head), lost: placed(lost, base) }
    }

    /// Whether both sides give the same.
    pub fn is_empty(&self) -> bool {
        self.gained.is_empty() && self.lost.is_empty()
    }

    /// The same, for programs.
    pub fn document(self) -> Document {
        let access = |changes: Vec<Change>| -> Vec<Access> {
            changes.into_iter().map(|it| Access::of(&it.row, it.rules, it.witness)).collect()
        };
        Document { version: 1, gained: access(self.gained), lost: access(self.lost) }
    }
}

/// Where the rules of a row stand.
fn rules(row: &Row, policy: &Policy, side: Side<'_>) -> Vec<RuleAt> {
    if row.is_ssh() {
        return RuleAt::all_ssh(&row.rules, policy, side.file, side.text);
    }
    RuleAt::all(&row.rules, policy, side.file, side.text)
}
