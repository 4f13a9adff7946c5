//! Lines of a table as a client expands them: prefixes, and the default protocols spelled out.
//!
//! SOURCE: docs/language.md, "What a node does with its table".

use ipnet::IpNet;

use super::address::Addresses;
use super::{Access, Caps, FilterRule, Tables};
use crate::ast::{PortRange, Protocol};

/// TCP, UDP and ICMP of both families: what a rule without a protocol covers.
pub(super) const DEFAULT_PROTOCOLS: [Protocol; 4] = [6, 17, 1, 58];

/// One line as a client keeps it.
#[derive(Clone, Debug)]
pub struct Match<'t> {
    /// The protocols, never empty.
    pub protocols: Vec<Protocol>,
    /// The sources in the order of the line, each as its fewest prefixes.
    pub srcs: Vec<IpNet>,
    /// The destinations in the order of the line.
    pub dsts: Vec<(IpNet, PortRange)>,
    /// The capabilities: on which prefix, and which; see [`Caps`].
    pub caps: Vec<(IpNet, Caps<'t>)>,
}

/// Expands one line of a table.
pub fn matches<'t>(tables: &Tables<'_>, rule: &FilterRule<'t>) -> Match<'t> {
    let source = tables.source(rule.source);
    let srcs =
        source.in_text_order(tables.tailnet()).into_iter().flat_map(Addresses::prefixes).collect();
    let mut found =
        Match { protocols: DEFAULT_PROTOCOLS.to_vec(), srcs, dsts: Vec::new(), caps: Vec::new() };
    match &rule.access {
        Access::Ports { protocol, dst } => {
            found.protocols = protocol.map_or(found.protocols, |it| vec![it]);
            let expand = |it: &super::DstPort| {
                let ports = it.ports;
                it.addresses.prefixes().into_iter().map(move |net| (net, ports))
            };
            found.dsts = dst.iter().flat_map(expand).collect();
        }
        Access::Caps(grants) => {
            for grant in grants {
                let nets = grant.dsts.iter().flat_map(|it| it.prefixes());
                found.caps.extend(nets.map(|net| (net, grant.caps)));
            }
        }
    }
    found
}
