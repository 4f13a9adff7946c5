//! W1206: an address of the range for devices that no device has.

use rustc_hash::FxHashSet;

use super::Subject;
use super::atoms::is_of_devices;
use crate::diagnostic::{Diagnostic, code};
use crate::policy::Target;

pub(super) fn find(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let Some(devices) = subject.devices() else { return Vec::new() };
    // MagicDNS answers there, on every device.
    let dns = std::net::IpAddr::from([100, 100, 100, 100]);
    let services: FxHashSet<_> =
        devices.tailnet.services().iter().flat_map(|it| it.addresses.iter().copied()).collect();
    let mut told = FxHashSet::default();
    let rules = subject.rules().iter();
    let places = rules.flat_map(|rule| {
        let src = rule.src.iter().map(|it| (it.value, it.span));
        src.chain(rule.dst.iter().map(|it| (it.target, it.span)))
    });
    places
        .filter_map(|(target, span)| {
            let net = subject.policy.net(target)?;
            let address = net.addr();
            let gone = net.prefix_len() == net.max_prefix_len()
                && is_of_devices(net)
                && address != dns
                && !services.contains(&address)
                && devices.tailnet.node_at(address).is_none();
            if !gone || !told.insert(target) {
                return None;
            }
            let name = subject.policy.describe(target);
            let message = match target {
                Target::Host(_) => format!("host `{name}` names no device: nobody has `{address}`"),
                _ => format!("no device has the address `{name}`"),
            };
            let found = Diagnostic::new(code::W1206, message, span);
            let found = match target {
                Target::Host(id) => {
                    let host = subject.policy.hosts.get(id.0 as usize)?;
                    found.related(host.name.span, "defined here")
                }
                _ => found,
            };
            Some(found.help(
                "write the address it has now, or a tag, which stays; take it out if it is gone",
            ))
        })
        .collect()
}
