//! W1004: a wide range of ports with services in it that nobody had in mind.

use super::Subject;
use crate::ast::PortRange;
use crate::diagnostic::{Diagnostic, code};
use crate::span::Span;

/// A range with so many ports was not counted by whoever wrote it.
const MANY: u32 = 1_000;

/// With so many of the services below in it, a range is no block that one program uses.
const SERVICES: usize = 3;

/// Services that should not be open by accident, by port.
const KNOWN: [(u16, &str); 16] = [
    (22, "SSH"),
    (445, "SMB"),
    (1433, "SQL Server"),
    (2375, "Docker"),
    (2379, "etcd"),
    (3306, "MySQL"),
    (3389, "Remote Desktop"),
    (5432, "PostgreSQL"),
    (5900, "VNC"),
    (6379, "Redis"),
    (6443, "Kubernetes"),
    (8080, "HTTP"),
    (9200, "Elasticsearch"),
    (10250, "kubelet"),
    (11211, "memcached"),
    (27017, "MongoDB"),
];

pub(super) fn find(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let file = &subject.policy.file;
    let acls = file.acls.iter().flatten().flat_map(|it| &it.dst);
    let acls = acls.flat_map(|it| it.ports.iter().map(|ports| (*ports, it.span)));
    let grants = file.grants.iter().flatten().flat_map(|it| &it.ip);
    let grants = grants.map(|it| (it.value.ports, it.span));
    acls.chain(grants).filter_map(|(ports, span)| report(ports, span)).collect()
}

fn report(ports: PortRange, span: Span) -> Option<Diagnostic> {
    let number = u32::from(ports.last) - u32::from(ports.first) + 1;
    // All ports is a decision and not a slip.
    if ports == PortRange::ALL || ports.first == 1 && ports.last == u16::MAX || number < MANY {
        return None;
    }
    let inside: Vec<String> = KNOWN
        .iter()
        .filter(|(port, _)| ports.contains(*port))
        .map(|(port, name)| format!("{name} ({port})"))
        .collect();
    if inside.len() < SERVICES {
        return None;
    }
    let shown = inside.iter().take(4).cloned().collect::<Vec<_>>().join(", ");
    let more = if inside.len() > 4 { " and more" } else { "" };
    let found = Diagnostic::new(code::W1004, format!("`{ports}` opens {number} ports"), span);
    Some(
        found
            .label(format!("among them {shown}{more}"))
            .help("list the ports that are meant, for example `443` and `8080-8089`"),
    )
}
