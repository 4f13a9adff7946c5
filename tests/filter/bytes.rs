//! A packet and its role → its bytes, as small as a client takes them for whole.

use std::net::IpAddr;

use compiler::tables::delivered::Role;
use compiler::tables::verdict::Packet;
use tests::packets::Random;

/// A packet with everything around it.
pub(crate) struct Dressed {
    pub(crate) packet: Packet,
    pub(crate) role: Role,
    pub(crate) bytes: Vec<u8>,
    /// What the device itself sent before, so that a client takes this one for its reply.
    pub(crate) sent_before: Option<Vec<u8>>,
}

const ICMP: u8 = 1;
const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMP_V6: u8 = 58;
const INTERNAL: u8 = 99;
const SCTP: u8 = 132;

/// Gives a packet a role at random, and the bytes for it; `number` makes its sender's port its own.
pub(crate) fn dress(mut packet: Packet, number: u16, random: &mut Random) -> Dressed {
    let role = match random.below(8) {
        0 => Role::LaterFragment,
        // Nothing is sent where nothing is received from, so that no reply comes from there.
        1..3 if packet.protocol == TCP || !is_never_sent_to(packet.src) => Role::Reply,
        _ => Role::Opening,
    };
    let ping = if packet.src.is_ipv4() { ICMP } else { ICMP_V6 };
    if !matches!(packet.protocol, TCP | UDP | SCTP) {
        packet.port = 0;
    }
    let from = 40_000 + number;
    let content = content(&packet, role, ping, from, random);
    let bytes = whole(packet.src, packet.dst, packet.protocol, &content, role);
    let sent_before = (role == Role::Reply && matches!(packet.protocol, UDP | SCTP)).then(|| {
        let mut content = content.clone();
        content.splice(..4, ports(packet.port, from));
        whole(packet.dst, packet.src, packet.protocol, &content, Role::Opening)
    });
    Dressed { packet, role, bytes, sent_before }
}

fn is_never_sent_to(address: IpAddr) -> bool {
    let link_local = match address {
        IpAddr::V4(it) => it.is_link_local(),
        IpAddr::V6(it) => it.is_unicast_link_local(),
    };
    link_local || address.is_multicast()
}

fn ports(from: u16, to: u16) -> [u8; 4] {
    let ([a, b], [c, d]) = (from.to_be_bytes(), to.to_be_bytes());
    [a, b, c, d]
}

/// What follows the IP header: forty bytes are enough for every protocol.
fn content(packet: &Packet, role: Role, ping: u8, from: u16, random: &mut Random) -> Vec<u8> {
    let mut content = vec![0; 40];
    match packet.protocol {
        TCP | UDP | SCTP => drop(content.splice(..4, ports(from, packet.port))),
        it if it == ping => {
            // Echo requests and questions for the time begin; echo replies and errors answer. The
            // client takes 18 for the error that is 12.
            let kinds: &[u8] = match (role, ping) {
                (Role::Reply, ICMP) => &[0, 3, 11, 18],
                (Role::Reply, _) => &[129, 1, 2, 3, 4],
                (_, ICMP) => &[8, 8, 13, 5, 12],
                _ => &[128, 128, 135, 137],
            };
            content[0] = random.of(kinds).unwrap();
        }
        INTERNAL => content[0] = b'!',
        _ => {}
    }
    if packet.protocol == TCP {
        // SYN, and SYN with other flags but ACK, begin; everything else answers.
        let flags: &[u8] =
            if role == Role::Reply { &[0x12, 0x10, 0x04, 0x11, 0] } else { &[0x02, 0x42, 0x0a] };
        content[12] = 5 << 4;
        content[13] = random.of(flags).unwrap();
    }
    content
}

fn whole(src: IpAddr, dst: IpAddr, protocol: u8, content: &[u8], role: Role) -> Vec<u8> {
    // Counted in eight bytes; smaller offsets could overwrite a header and are taken for an attack.
    let offset: u16 = if role == Role::LaterFragment { 100 } else { 0 };
    let length = content.len() as u16;
    match (src, dst) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => {
            let mut bytes = vec![0x45, 0];
            bytes.extend((length + 20).to_be_bytes());
            bytes.extend([0, 7]);
            bytes.extend(offset.to_be_bytes());
            bytes.extend([64, protocol, 0, 0]);
            bytes.extend(src.octets());
            bytes.extend(dst.octets());
            bytes.extend(content);
            bytes
        }
        (IpAddr::V6(src), IpAddr::V6(dst)) => {
            const FRAGMENT: u8 = 44;
            let fragment = role == Role::LaterFragment;
            let mut bytes = vec![0x60, 0, 0, 0];
            bytes.extend((length + if fragment { 8 } else { 0 }).to_be_bytes());
            bytes.extend([if fragment { FRAGMENT } else { protocol }, 64]);
            bytes.extend(src.octets());
            bytes.extend(dst.octets());
            if fragment {
                bytes.extend([protocol, 0]);
                bytes.extend((offset << 3).to_be_bytes());
                bytes.extend([0, 0, 0, 7]);
            }
            bytes.extend(content);
            bytes
        }
        // INVARIANT: packets of two families are left out before.
        _ => Vec::new(),
    }
}
