//! W1109: two names for one address.

use ipnet::IpNet;
use rustc_hash::FxHashMap;

use super::Subject;
use crate::diagnostic::{Diagnostic, code};
use crate::policy::Host;

pub(super) fn find(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let mut first: FxHashMap<IpNet, &Host> = FxHashMap::default();
    let mut found = Vec::new();
    for host in &subject.policy.hosts {
        let known = *first.entry(host.net).or_insert(host);
        if known.name.span != host.name.span {
            let (name, other) = (&host.name.value, &known.name.value);
            let message = format!("`{name}` and `{other}` are one and the same address");
            found.push(
                Diagnostic::new(code::W1109, message, host.name.span)
                    .related(known.name.span, "the other name")
                    .help("keep one name, or give one of them the address that is meant"),
            );
        }
    }
    found
}
