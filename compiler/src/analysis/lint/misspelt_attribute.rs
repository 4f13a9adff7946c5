//! W1703: an attribute that nobody knows, and that looks like one that is known.

use super::Subject;
use crate::diagnostic::{Diagnostic, Edit, code, similar};

/// Attributes that Tailscale documents or its clients read.
const KNOWN: [&str; 31] = [
    "auto-exit-node",
    "cache-network-maps",
    "client-side-reachability",
    "debug-always-stun",
    "debug-disable-upnp",
    "disable-captive-portal-detection",
    "disable-ipv4",
    "disable-relay-client",
    "disable-relay-server",
    "disable-web-client",
    "drive:access",
    "drive:share",
    "funnel",
    "https",
    "linux-netfilter",
    "log-exit-flows",
    "magicdns-aaaa",
    "mullvad",
    "native-ipv4",
    "nextdns",
    "one-cgnat",
    "only-tcp-443",
    "peer-mtu-enable",
    "randomize-client-port",
    "silent-disco",
    "ssh-behavior-v1",
    "ssh-env-vars",
    "store-appc-routes",
    "suggest-exit-node",
    "tailnet-lock",
    "traffic-steering",
];

pub(super) fn find(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let attributes = subject.policy.file.node_attrs.iter().flat_map(|it| &it.attr);
    attributes
        .filter_map(|it| {
            // Names with a path or a namespace of one's own are nobody's slip.
            let name = it.value.split(['?', '=']).next().unwrap_or_default();
            let known = KNOWN.contains(&name) || name.starts_with("nextdns:") || name.contains('/');
            if known || name.len() > MAX_LENGTH || name.starts_with("custom:") {
                return None;
            }
            let meant = similar(name, KNOWN)?;
            let span = it.span;
            let message = format!("unknown attribute `{name}`");
            let found = Diagnostic::new(code::W1703, message, span);
            let text = it.value.replacen(name, meant, 1);
            Some(
                found
                    .label("Tailscale takes any text here; this one does nothing")
                    .help(format!("did you mean `{meant}`?"))
                    .fix(format!("write `{meant}`"), false, Edit { span, text }),
            )
        })
        .collect()
}

/// No known name is nearly as long.
const MAX_LENGTH: usize = 64;
