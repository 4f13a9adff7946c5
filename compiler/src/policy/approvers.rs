//! `autoApprovers` → [`AutoApprovers`]: who gets routes, exit nodes and services approved unasked.
//!
//! SOURCE: docs/language.md, "Routes".

use super::names::Names;
use super::*;
use crate::ast::Selector;

/// Checks and resolves the section.
pub(super) fn approvers(names: &mut Names, file: &PolicyFile) -> AutoApprovers {
    let written = &file.auto_approvers;
    let mut approvers = AutoApprovers {
        exit_node: names.resolve_all(Place::Approver, &written.exit_node),
        ..AutoApprovers::default()
    };
    for (prefix, who) in &written.routes {
        approvers.routes.push((*prefix, names.resolve_all(Place::Approver, who)));
    }
    for (service, who) in &written.services {
        let who = names.resolve_all(Place::Approver, who);
        // A service needs no definition, so the place of its report does not matter; a tag does.
        let place = match service.value {
            Selector::Service(_) => Place::GrantDst,
            _ => Place::Approver,
        };
        if let Some(service) = names.resolve(place, service) {
            approvers.services.push((service, who));
        }
    }
    approvers
}
