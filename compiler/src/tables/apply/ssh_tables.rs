//! Whose SSH tables a change touches.
//!
//! SOURCE: docs/language.md, "SSH".

use super::super::members::Members;
use super::super::posture::qualifies;
use super::*;
use crate::policy::SshRule;

impl Tables<'_> {
    /// Touches the destinations of every rule that lets one of the nodes in now, or did before, and
    /// all devices of the node's user: a rule may let in a user's own devices only.
    pub(super) fn touch_ssh_tables(&self, before: &Moment, after: &Moment, touched: &mut Bits) {
        let members = Members::new(self.policy, &self.tailnet);
        for rule in &self.policy.ssh {
            for new in &after.nodes {
                let old = before.nodes.iter().find(|it| it.id == new.id);
                let old_source = old.filter(|it| self.is_ssh_source(rule, it));
                let new_source = Some(new).filter(|it| self.is_ssh_source(rule, it));
                if is_same_caller(old_source, new_source) {
                    continue;
                }
                for target in rule.dst.iter().map(|it| it.value) {
                    touched.add(&members.of(target));
                }
                for owner in old.into_iter().chain([new]).map(|it| &it.node.owner) {
                    if let Owner::User(user) = owner {
                        self.tailnet.nodes_of(*user).iter().for_each(|it| touched.insert(it.0));
                    }
                }
            }
        }
    }

    fn is_ssh_source(&self, rule: &SshRule, standing: &Standing) -> bool {
        let Standing { node, names, .. } = standing;
        rule.src.iter().any(|it| names.contains(&it.value))
            && (rule.postures.is_empty() || qualifies(self.policy, &rule.postures, node))
    }
}

/// Whether a host is told the same of a caller.
fn is_same_caller(old: Option<&Standing>, new: Option<&Standing>) -> bool {
    match (old, new) {
        (None, None) => true,
        (Some(old), Some(new)) => {
            let of_node = |it: &Standing| (it.node.ipv4, it.node.ipv6, it.login.clone());
            of_node(old) == of_node(new)
                && old.node.owner == new.node.owner
                && old.names == new.names
        }
        _ => false,
    }
}
