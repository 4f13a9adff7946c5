//! What `tailscale debug netmap` prints → what a device holds, as far as a policy decides it.
//!
//! SOURCE: Tailscale's types/netmap, tailcfg.FilterRule and wgengine/filter/filtertype: Go writes their
//! fields under their own names.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;

use compiler::analysis::compare::Line;
use compiler::ast::PortRange;
use compiler::tables::ip_set::IpRange;
use serde::Deserialize;
use serde_json::Value;

use crate::command::failure::{Failure, shown};
use crate::command::input;

/// The largest network map that is read: of a hundred thousand peers.
const MAX_BYTES: u64 = 1 << 30;

/// What TCP, UDP and ICMP are called by number: what a rule without a protocol covers.
const DEFAULT_PROTOCOLS: [u8; 4] = [6, 17, 1, 58];

/// A network map, as far as it is read.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Netmap {
    pub(super) self_node: Option<Node>,
    #[serde(default)]
    pub(super) peers: Option<Vec<Node>>,
    #[serde(default)]
    packet_filter: Option<Vec<Match>>,
    #[serde(default)]
    packet_filter_rules: Option<Vec<Rule>>,
    #[serde(rename = "SSHPolicy", default)]
    pub(super) ssh_policy: Option<SshPolicy>,
}

/// A device of a network map.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Node {
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) addresses: Option<Vec<String>>,
    #[serde(rename = "AllowedIPs", default)]
    pub(super) allowed_ips: Option<Vec<String>>,
    #[serde(default)]
    pub(super) cap_map: Option<BTreeMap<String, Value>>,
}

/// The SSH rules of a network map.
#[derive(Deserialize)]
pub(super) struct SshPolicy {
    #[serde(default)]
    pub(super) rules: Option<Vec<Value>>,
}

/// A line as the control plane sends it.
#[derive(Deserialize)]
struct Rule {
    #[serde(rename = "SrcIPs", default)]
    src_ips: Option<Vec<String>>,
    #[serde(rename = "DstPorts", default)]
    dst_ports: Option<Vec<DstPort>>,
    #[serde(rename = "IPProto", default)]
    ip_proto: Option<Vec<i64>>,
    #[serde(rename = "CapGrant", default)]
    cap_grant: Option<Vec<CapGrant>>,
}

#[derive(Deserialize)]
struct DstPort {
    #[serde(rename = "IP")]
    ip: String,
    #[serde(rename = "Ports")]
    ports: Ports,
}

#[derive(Deserialize)]
struct Ports {
    #[serde(rename = "First")]
    first: u16,
    #[serde(rename = "Last")]
    last: u16,
}

#[derive(Deserialize)]
struct CapGrant {
    #[serde(rename = "Dsts", default)]
    dsts: Option<Vec<String>>,
    #[serde(rename = "CapMap", default)]
    cap_map: Option<BTreeMap<String, Option<Vec<Value>>>>,
}

/// A line as a client keeps it.
#[derive(Deserialize)]
struct Match {
    #[serde(rename = "IPProto", default)]
    ip_proto: Option<Vec<i64>>,
    #[serde(rename = "Srcs", default)]
    srcs: Option<Vec<String>>,
    #[serde(rename = "Dsts", default)]
    dsts: Option<Vec<NetPorts>>,
    #[serde(rename = "Caps", default)]
    caps: Option<Vec<CapMatch>>,
}

#[derive(Deserialize)]
struct NetPorts {
    #[serde(rename = "Net")]
    net: String,
    #[serde(rename = "Ports")]
    ports: Ports,
}

#[derive(Deserialize)]
struct CapMatch {
    #[serde(rename = "Dst")]
    dst: String,
    #[serde(rename = "Cap")]
    cap: String,
    #[serde(rename = "Values", default)]
    values: Option<Vec<Value>>,
}

/// A capability on some address, and who has it.
pub(super) type Caps = BTreeMap<(String, String, String), Vec<IpRange>>;

/// Reads a network map.
///
/// Errors: a file that cannot be read, and one that is no network map.
pub(super) fn read(path: &Path) -> Result<Netmap, Failure> {
    let bytes = input::bytes(path, MAX_BYTES)?;
    let netmap: Netmap = serde_json::from_slice(&bytes).map_err(|error| {
        Failure::usage(
            format!("{} is no network map: {error}", shown(path)),
            "on the device, `tailscale debug netmap > netmap.json` writes one",
        )
    })?;
    if netmap.self_node.is_none() {
        return Err(Failure::usage(
            format!("{} has no `SelfNode`, so it is no network map of a device", shown(path)),
            "on the device, `tailscale debug netmap > netmap.json` writes one; a device that is logged out has none",
        ));
    }
    Ok(netmap)
}

/// The filter rules of a table, as if a device held them and nothing else.
///
/// Errors: what is no list of filter rules.
pub(super) fn of_rules(rules: Value) -> Result<Netmap, Failure> {
    let rules = serde_json::from_value(rules).map_err(|error| {
        Failure::usage(format!("no filter rules: {error}"), "this is a bug of ours")
    })?;
    Ok(Netmap {
        self_node: None,
        peers: None,
        packet_filter: None,
        packet_filter_rules: rules,
        ssh_policy: None,
    })
}

impl Netmap {
    /// The packet filter: as it was sent, where the client says so, else as it is kept.
    ///
    /// Errors: an address that is none.
    pub(super) fn lines(&self) -> Result<Vec<Line>, Failure> {
        match self.sent() {
            Some(rules) => rules.iter().filter(|it| it.dst_ports.is_some()).map(line).collect(),
            None => self.packet_filter.iter().flatten().map(kept).collect(),
        }
    }

    /// The capabilities that peers have on the device.
    ///
    /// Errors: an address that is none.
    pub(super) fn caps(&self) -> Result<Caps, Failure> {
        let mut caps = Caps::new();
        let mut add = |name: &str, dst: &str, value: String, srcs: &Option<Vec<String>>| {
            let key = (name.to_owned(), dst.to_owned(), value);
            let srcs: Result<Vec<_>, _> = srcs.iter().flatten().map(|it| ranges(it)).collect();
            caps.entry(key).or_default().extend(srcs?.into_iter().flatten());
            Ok::<(), Failure>(())
        };
        if let Some(rules) = self.sent() {
            for rule in rules {
                for grant in rule.cap_grant.iter().flatten() {
                    for (name, values) in grant.cap_map.iter().flatten() {
                        for dst in grant.dsts.iter().flatten() {
                            add(name, dst, text(values.as_deref()), &rule.src_ips)?;
                        }
                    }
                }
            }
        } else {
            for line in self.packet_filter.iter().flatten() {
                for cap in line.caps.iter().flatten() {
                    add(&cap.cap, &cap.dst, text(cap.values.as_deref()), &line.srcs)?;
                }
            }
        }
        Ok(caps)
    }

    fn sent(&self) -> Option<&[Rule]> {
        self.packet_filter_rules.as_deref().filter(|it| !it.is_empty())
    }
}

impl Node {
    /// Its own addresses.
    pub(super) fn own(&self) -> impl Iterator<Item = IpAddr> + '_ {
        let address = |it: &String| it.split('/').next().and_then(|it| it.parse().ok());
        self.addresses.iter().flatten().filter_map(address)
    }
}

/// Values in one form; none and an empty list are the same to a client.
pub(super) fn text(values: Option<&[Value]>) -> String {
    let all = values.unwrap_or_default();
    serde_json::to_string(all).unwrap_or_default()
}

fn line(rule: &Rule) -> Result<Line, Failure> {
    let protocols: Vec<u8> = numbers(rule.ip_proto.as_ref());
    let srcs: Result<Vec<_>, _> = rule.src_ips.iter().flatten().map(|it| ranges(it)).collect();
    let mut dsts = Vec::new();
    for dst in rule.dst_ports.iter().flatten() {
        let ports = PortRange { first: dst.ports.first, last: dst.ports.last };
        dsts.extend(ranges(&dst.ip)?.into_iter().map(|it| (it, ports)));
    }
    Ok(Line {
        protocols: if protocols.is_empty() { DEFAULT_PROTOCOLS.to_vec() } else { protocols },
        srcs: srcs?.into_iter().flatten().collect(),
        dsts,
        rule: None,
    })
}

fn kept(line: &Match) -> Result<Line, Failure> {
    let srcs: Result<Vec<_>, _> = line.srcs.iter().flatten().map(|it| ranges(it)).collect();
    let mut dsts = Vec::new();
    for dst in line.dsts.iter().flatten() {
        let ports = PortRange { first: dst.ports.first, last: dst.ports.last };
        dsts.extend(ranges(&dst.net)?.into_iter().map(|it| (it, ports)));
    }
    Ok(Line {
        protocols: numbers(line.ip_proto.as_ref()),
        srcs: srcs?.into_iter().flatten().collect(),
        dsts,
        rule: None,
    })
}

fn numbers(all: Option<&Vec<i64>>) -> Vec<u8> {
    all.into_iter().flatten().filter_map(|it| u8::try_from(*it).ok()).collect()
}

/// An address, a prefix, a range or everything, as tables name them. A capability instead of an address
/// (`cap:…`) is nobody's address.
fn ranges(text: &str) -> Result<Vec<IpRange>, Failure> {
    if text.starts_with("cap:") {
        return Ok(Vec::new());
    }
    let all = |text: &str| -> Option<Vec<IpRange>> {
        if text == "*" {
            let v4 = IpRange::new("0.0.0.0".parse().ok()?, "255.255.255.255".parse().ok()?)?;
            let v6 = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff".parse().ok()?;
            return Some(vec![v4, IpRange::new("::".parse().ok()?, v6)?]);
        }
        if let Some((first, last)) = text.split_once('-') {
            return Some(vec![IpRange::new(first.parse().ok()?, last.parse().ok()?)?]);
        }
        if let Ok(net) = text.parse::<ipnet::IpNet>() {
            return Some(vec![net.into()]);
        }
        Some(vec![IpRange::of(text.parse().ok()?)])
    };
    all(text).ok_or_else(|| {
        Failure::usage(
            format!("`{text}` in the network map is no address"),
            "an address, a prefix or a range of addresses is expected there",
        )
    })
}
