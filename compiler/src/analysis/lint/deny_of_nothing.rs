//! W1604: a test that denies access to what no device is, so that it cannot fail.

use ipnet::IpNet;
use rustc_hash::FxHashMap;

use super::Subject;
use super::atoms::is_of_devices;
use super::devices::Devices;
use crate::ast::{Selector, selector};
use crate::diagnostic::{Diagnostic, code};

pub(super) fn find(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let Some(devices) = subject.devices() else { return Vec::new() };
    let hosts = subject.policy.hosts.iter().map(|it| (&*it.name.value, it.net)).collect();
    let denied = subject.policy.file.tests.iter().flat_map(|it| &it.deny);
    denied
        .filter_map(|it| {
            let host = it.value.rsplit_once(':')?.0;
            let nobody = nobody(&hosts, devices, host)?;
            let found =
                Diagnostic::new(code::W1604, format!("this `deny` cannot fail: {nobody}"), it.span);
            Some(found.help("deny the port on something that is there"))
        })
        .collect()
}

/// Why nothing is behind the destination of a test, if so.
fn nobody(hosts: &FxHashMap<&str, IpNet>, devices: &Devices<'_>, host: &str) -> Option<String> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let selector = selector::read(bare).ok()?.selector;
    match &selector {
        Selector::Tag(tag) => {
            let used = !devices.tailnet.tagged(tag).is_empty();
            (!used).then(|| format!("no device carries `{tag}`"))
        }
        Selector::Host(_) | Selector::Literal(_) => {
            let net = match &selector {
                Selector::Literal(net) => *net,
                Selector::Host(name) => hosts.get(&**name).copied()?,
                _ => return None,
            };
            let address = net.addr();
            let service =
                devices.tailnet.services().iter().any(|it| it.addresses.contains(&address));
            let gone = is_of_devices(net) && devices.tailnet.node_at(address).is_none() && !service;
            gone.then(|| format!("no device has the address `{address}`"))
        }
        _ => None,
    }
}
