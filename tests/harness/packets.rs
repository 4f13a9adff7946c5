//! Packets at the edges of a table: the first and last address of each range and those beside them,
//! the same for ports, and every kind of protocol.

use compiler::tables::verdict::Packet;
use serde_json::Value;

use crate::addresses::ranges;
use crate::evaluator;

/// Numbers that look random and are the same in each run (xorshift).
pub struct Random(u64);

impl Random {
    /// The sequence of a seed.
    pub fn new(seed: u64) -> Self {
        Random(seed.wrapping_mul(2).wrapping_add(0x9e37_79b9_7f4a_7c15))
    }

    /// A number below `bound`; 0 where there is none.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % bound.max(1)
    }

    /// One of a list, which is not empty.
    pub fn of<T: Copy>(&mut self, all: &[T]) -> Option<T> {
        all.get(self.below(all.len())).copied()
    }
}

/// Protocols with ports, without, listed by default or not, unknown, and one that always passes.
const PROTOCOLS: [u8; 14] = [6, 6, 6, 17, 17, 1, 58, 132, 47, 2, 99, 0, 255, 200];

/// Addresses that tables rarely name: the world, groups of devices, single cables, both ends.
const ELSEWHERE: [&str; 12] = [
    "8.8.8.8",
    "0.0.0.0",
    "255.255.255.255",
    "224.0.0.1",
    "169.254.1.1",
    "169.254.169.254",
    "100.127.255.255",
    "::",
    "fe80::1",
    "ff02::1",
    "2001:db8::1",
    "fd7a:115c:a1e0:ffff::1",
];

/// What a table speaks of, and what lies just beside that.
pub struct Edges {
    /// Of each line alone, so that all of a packet often fits one of them.
    lines: Vec<Line>,
    /// Of all lines, and what no line speaks of.
    all: Line,
}

#[derive(Default)]
struct Line {
    /// Whether it is IPv6, and the number.
    sources: Vec<(bool, u128)>,
    destinations: Vec<(bool, u128)>,
    ports: Vec<u16>,
    protocols: Vec<u8>,
}

impl Edges {
    /// Of `filterRules` as JSON.
    pub fn of(filter_rules: &Value) -> Self {
        let mut all = Line { protocols: PROTOCOLS.to_vec(), ..Line::default() };
        for text in ELSEWHERE {
            around(text, &mut all.sources);
            around(text, &mut all.destinations);
        }
        all.ports.extend([0, 1, 22, 80, 443, 65534, 65535]);
        let rules = filter_rules.as_array().into_iter().flatten();
        let lines: Vec<Line> = rules.map(Line::of).collect();
        for line in &lines {
            all.sources.extend(&line.sources);
            all.destinations.extend(&line.destinations);
            all.ports.extend(&line.ports);
            all.protocols.extend(&line.protocols);
        }
        Edges { lines, all }
    }

    /// A packet between two edges, half of the time of one line; one in twenty goes from one family
    /// to the other.
    pub fn packet(&self, random: &mut Random) -> Option<Packet> {
        let line = self.lines.get(random.below(self.lines.len() * 2));
        let whole = |it: &&Line| !it.sources.is_empty() && !it.destinations.is_empty();
        let line = line.filter(whole).unwrap_or(&self.all);
        let src = random.of(&line.sources)?;
        let mixed = random.below(20) == 0;
        let fits = |it: &(bool, u128)| mixed || it.0 == src.0;
        let dst: Vec<_> = line.destinations.iter().copied().filter(fits).collect();
        let dst = random.of(&dst).or_else(|| random.of(&line.destinations))?;
        Some(Packet {
            src: address(src),
            dst: address(dst),
            protocol: random.of(&line.protocols)?,
            port: random.of(&line.ports)?,
        })
    }
}

impl Line {
    fn of(rule: &Value) -> Self {
        let mut line = Line::default();
        let list = |name: &str| rule.get(name).and_then(Value::as_array).into_iter().flatten();
        list("SrcIPs").filter_map(Value::as_str).for_each(|it| around(it, &mut line.sources));
        for entry in list("DstPorts") {
            let text = entry.get("IP").and_then(Value::as_str).unwrap_or("*");
            around(text, &mut line.destinations);
            for name in ["/Ports/First", "/Ports/Last"] {
                let port = entry.pointer(name).and_then(Value::as_u64).unwrap_or(0) as u16;
                let beside = [port.saturating_sub(1), port, port, port.saturating_add(1)];
                line.ports.extend(beside);
            }
        }
        line.protocols.extend(list("IPProto").filter_map(Value::as_u64).map(|it| it as u8));
        if line.protocols.is_empty() {
            line.protocols.extend([6, 17, 1, 58, 132]);
        }
        line
    }
}

fn around(text: &str, edges: &mut Vec<(bool, u128)>) {
    for (v6, first, last) in ranges(text) {
        let top = if v6 { u128::MAX } else { u32::MAX.into() };
        let beside = [first.saturating_sub(1), first, last, last.saturating_add(1).min(top)];
        // The middle is no edge, but most packets are from there.
        edges.extend(beside.map(|it| (v6, it)));
        edges.push((v6, first + (last - first) / 2));
    }
}

fn address((v6, number): (bool, u128)) -> std::net::IpAddr {
    match v6 {
        true => std::net::Ipv6Addr::from(number).into(),
        false => std::net::Ipv4Addr::from(number as u32).into(),
    }
}

/// The same packet in the words of the slow evaluator.
pub fn plain(packet: &Packet) -> evaluator::Packet {
    evaluator::Packet {
        src: packet.src.to_string(),
        dst: packet.dst.to_string(),
        protocol: packet.protocol.into(),
        port: packet.port.into(),
    }
}
