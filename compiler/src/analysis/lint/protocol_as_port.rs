//! W1007: `47` in a grant's `ip`, which is port 47 and not GRE.

use super::Subject;
use crate::ast::ports::protocol_name;
use crate::diagnostic::{Diagnostic, Edit, code};

/// Protocols whose numbers are ports that nobody uses.
const PROTOCOLS: [u16; 6] = [1, 2, 6, 47, 50, 58];

pub(super) fn find(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let specs = subject.policy.file.grants.iter().flatten().flat_map(|it| &it.ip);
    let bare = specs.filter(|it| {
        let ports = it.value.ports;
        it.value.protocol.is_none() && ports.first == ports.last && PROTOCOLS.contains(&ports.first)
    });
    bare.map(|it| {
        let number = it.value.ports.first;
        let name = protocol_name(number as u8);
        let found = Diagnostic::new(
            code::W1007,
            format!("`{number}` is port {number}, not the protocol `{name}`"),
            it.span,
        );
        let edit = Edit { span: it.span, text: format!("{name}:*") };
        found.help(format!("write `{name}:*` for the protocol")).fix(
            format!("write `{name}:*`"),
            false,
            edit,
        )
    })
    .collect()
}
