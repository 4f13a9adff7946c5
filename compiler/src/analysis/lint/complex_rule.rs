//! W1903: a rule that is too complex to be said in one sentence.
//!
//! What a reader must hold in mind is counted: each source, each destination, each different list
//! of ports, each capability, each router; and two for a posture, because it adds an "if".

use rustc_hash::FxHashSet;

use super::Subject;
use super::words::count;
use crate::ast::{PortRange, Protocol};
use crate::diagnostic::{Diagnostic, code};
use crate::policy::Rule;

/// A sentence with more in it has to be read twice. Picked by reading rules that people wrote.
const MOST: usize = 12;

pub(super) fn find(subject: &Subject<'_>) -> Vec<Diagnostic> {
    subject.rules().iter().filter_map(report).collect()
}

fn report(rule: &Rule) -> Option<Diagnostic> {
    let lists: FxHashSet<&[PortRange]> =
        rule.dst.iter().filter_map(|it| it.ports.as_deref()).collect();
    let protocols: FxHashSet<Option<Protocol>> = rule.ip.iter().map(|it| it.protocol).collect();
    let ports = lists.len() + protocols.len();
    let conditions = 2 * rule.postures.len() + rule.via.len() + rule.app.len();
    let score = rule.src.len() + rule.dst.len() + ports + conditions;
    // A list of one kind of thing on one side only is long but simple: "the servers reach the clock".
    let simple = rule.src.len().min(rule.dst.len()) <= 1 && ports <= 1 && conditions <= 2;
    if score <= MOST || simple {
        return None;
    }
    let mut parts = vec![
        count(rule.src.len(), "source"),
        count(rule.dst.len(), "destination"),
        count(ports, if rule.ip.is_empty() { "list of ports" } else { "protocol" }),
    ];
    let more = [
        (rule.postures.len(), "posture"),
        (rule.via.len(), "router"),
        (rule.app.len(), "capability"),
    ];
    parts.extend(more.iter().filter(|it| it.0 > 0).map(|it| count(it.0, it.1)));
    let found = Diagnostic::new(
        code::W1903,
        format!("this rule is too complex to say in one sentence: {}", parts.join(", ")),
        rule.span.opening(),
    );
    Some(
        found
            .label(format!("a score of {score}; a sentence holds {MOST}"))
            .help("write a rule for each need, or give what belongs together one name: a group, a tag, an IP set"),
    )
}
