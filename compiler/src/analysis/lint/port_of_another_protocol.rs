//! W1006: TCP for a service that speaks UDP, or UDP for one that speaks TCP.

use rustc_hash::FxHashSet;

use super::Subject;
use crate::ast::{PortRange, Protocol};
use crate::diagnostic::{Diagnostic, code};
use crate::policy::{Rule, Section, Target};
use crate::span::Span;

const TCP: Protocol = 6;
const UDP: Protocol = 17;

/// Services of one protocol: the port, the name, what it speaks. DNS falls back to TCP for long
/// answers, so TCP alone is not enough for it.
const KNOWN: [(u16, &str, Protocol); 20] = [
    (22, "SSH", TCP),
    (25, "SMTP", TCP),
    (53, "DNS", UDP),
    (67, "DHCP", UDP),
    (69, "TFTP", UDP),
    (80, "HTTP", TCP),
    (123, "NTP", UDP),
    (161, "SNMP", UDP),
    (445, "SMB", TCP),
    (500, "IPsec", UDP),
    (587, "SMTP", TCP),
    (631, "IPP", TCP),
    (993, "IMAP", TCP),
    (1433, "SQL Server", TCP),
    (3306, "MySQL", TCP),
    (4500, "IPsec", UDP),
    (5432, "PostgreSQL", TCP),
    (6379, "Redis", TCP),
    (51820, "WireGuard", UDP),
    (27017, "MongoDB", TCP),
];

pub(super) fn find(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let mut right: FxHashSet<(Target, u16)> = FxHashSet::default();
    let mut wrong = Vec::new();
    for rule in subject.rules() {
        for (protocol, ports, span, targets) in single_ports(subject, rule) {
            let Some((_, _, spoken)) = KNOWN.iter().find(|it| ports.contains(it.0)) else {
                continue;
            };
            let single = ports.first == ports.last;
            for target in targets {
                let target = subject.atoms().of(target);
                match protocol {
                    Some(TCP | UDP) if protocol != Some(*spoken) => {
                        if single {
                            wrong.push((target, ports.first, span));
                        }
                    }
                    Some(TCP | UDP) | None => {
                        let all = KNOWN.iter().map(|it| it.0).filter(|it| ports.contains(*it));
                        right.extend(all.map(|it| (target, it)));
                    }
                    Some(_) => {}
                }
            }
        }
    }
    let mut told = FxHashSet::default();
    wrong
        .into_iter()
        .filter(|(target, port, _)| !right.contains(&(*target, *port)))
        .filter(|(_, _, span)| told.insert(*span))
        .filter_map(|(_, port, span)| report(port, span))
        .collect()
}

/// Each range of a rule's ports, where it is written, and the destinations it is for.
fn single_ports(
    subject: &Subject<'_>,
    rule: &Rule,
) -> Vec<(Option<Protocol>, PortRange, Span, Vec<Target>)> {
    let index = rule.index as usize;
    let file = &subject.policy.file;
    let mut found = Vec::new();
    match rule.section {
        Section::Acls => {
            for dst in &rule.dst {
                let ports = dst.ports.iter().flat_map(|it| it.iter());
                found.extend(ports.map(|it| (rule.protocol, *it, dst.span, vec![dst.target])));
            }
        }
        Section::Grants => {
            let grant = file.grants.as_ref().and_then(|it| it.get(index));
            let grant = grant.filter(|it| it.ip.len() * rule.dst.len() <= MAX_PAIRS);
            for spec in grant.into_iter().flat_map(|it| &it.ip) {
                let targets = rule.dst.iter().map(|it| it.target).collect();
                found.push((spec.value.protocol, spec.value.ports, spec.span, targets));
            }
        }
    }
    found
}

/// A grant with more ports times destinations is nobody's slip.
const MAX_PAIRS: usize = 4_096;

fn report(port: u16, span: Span) -> Option<Diagnostic> {
    let (_, name, spoken) = KNOWN.iter().find(|it| it.0 == port)?;
    let (spoken, written) = if *spoken == UDP { ("udp", "TCP") } else { ("tcp", "UDP") };
    let message = format!(
        "port {port} is opened for {written} only, and {name} asks by {}",
        spoken.to_ascii_uppercase()
    );
    let found = Diagnostic::new(code::W1006, message, span);
    Some(
        found
            .help(format!("add `{spoken}:{port}` in a grant, or leave the protocol of an acl out")),
    )
}
