//! One packet against one table: the slow, obvious verdict, read off the JSON of `filterRules`.
//!
//! The verdict is the table's own; what a client lets through besides is not asked here.
//! SOURCE: docs/language.md, "What a node does with its table".

use serde_json::Value;

use crate::addresses::overlap;

/// A packet on its way in.
#[derive(Clone, Debug)]
pub struct Packet {
    /// The sender's address.
    pub src: String,
    /// The receiver's address.
    pub dst: String,
    /// The number of the protocol.
    pub protocol: u64,
    /// The destination port.
    pub port: u64,
}

/// What a rule without `IPProto` covers: TCP, UDP and ICMP of both families.
const DEFAULT_PROTOCOLS: [u64; 4] = [6, 17, 1, 58];

/// Whether some rule lets the packet in.
pub fn accepts(filter_rules: &Value, packet: &Packet) -> bool {
    list(filter_rules).iter().any(|rule| covers(rule, packet))
}

fn covers(rule: &Value, packet: &Packet) -> bool {
    // The families are separate.
    if packet.src.contains(':') != packet.dst.contains(':') {
        return false;
    }
    let protocol = match rule.get("IPProto") {
        Some(listed) => list(listed).iter().any(|it| it.as_u64() == Some(packet.protocol)),
        None => DEFAULT_PROTOCOLS.contains(&packet.protocol),
    };
    let src = member(rule, "SrcIPs").iter().any(|it| overlap(text(it), &packet.src));
    let dst = |entry: &Value| {
        let port = |name: &str| entry.pointer(&format!("/Ports/{name}")).and_then(Value::as_u64);
        overlap(text(entry.get("IP").unwrap_or(&Value::Null)), &packet.dst)
            && port("First") <= Some(packet.port)
            && Some(packet.port) <= port("Last")
    };
    protocol && src && member(rule, "DstPorts").iter().any(dst)
}

fn member<'a>(rule: &'a Value, name: &str) -> &'a [Value] {
    rule.get(name).map_or(&[], list)
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
