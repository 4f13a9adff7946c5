//! A destination as people write it, with ports behind it → its parts.

use crate::ast::ports::{has_ports, read_ports, read_protocol};
use crate::ast::{PortRange, Protocol};

/// A destination as it is written: `nas`, `nas:445`, `tag:db:udp:53`, `[fd7a::1]:80-90`, `nas:*`.
#[derive(Clone, Copy, Debug)]
pub struct Written<'w> {
    /// The destination without ports.
    pub name: &'w str,
    /// The protocol before the ports.
    pub protocol: Option<Protocol>,
    /// The ports.
    pub ports: Option<PortRange>,
}

/// What is wrong with the ports of a destination.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum WrongPorts {
    /// They are none.
    #[error("`{ports}` is no port: {why}")]
    None {
        /// As written.
        ports: String,
        /// What the reader of ports says.
        why: String,
    },
    /// There are none where the question needs them.
    #[error("`{written}` names no port")]
    Missing {
        /// The whole destination.
        written: String,
    },
    /// They are more than one range.
    #[error("`{ports}` is several ports")]
    Several {
        /// As written.
        ports: String,
    },
}

impl WrongPorts {
    /// What to write instead.
    pub fn help(&self) -> String {
        match self {
            Self::None { .. } => {
                "write `nas:445`, `nas:udp:53`, `nas:8000-8010` or `nas:*`".to_owned()
            }
            Self::Missing { written } => {
                format!("write `{written}:443`, or `{written}:*` for every port")
            }
            Self::Several { .. } => "ask for one port or one range at a time".to_owned(),
        }
    }
}

impl<'w> Written<'w> {
    /// Splits a destination. Ports are what stands behind the last colon, if they are ports.
    ///
    /// Errors: what stands there is neither a port nor part of a name.
    pub fn read(text: &'w str) -> Result<Self, WrongPorts> {
        let whole = Self { name: text, protocol: None, ports: None };
        // A bare IPv6 address is full of colons, none of which is one before ports.
        if text.parse::<std::net::Ipv6Addr>().is_ok() {
            return Ok(whole);
        }
        let Some((rest, last)) = text.rsplit_once(':') else { return Ok(whole) };
        let ports = match read_ports(last) {
            Ok(ports) => ports,
            // `tag:db` has no ports, `nas:https` has wrong ones.
            Err(_) if PREFIXES.contains(&rest) => return Ok(whole),
            Err(error) => {
                let (ports, why) = (last.to_owned(), error.to_string());
                return Err(WrongPorts::None { ports, why });
            }
        };
        let [ports] = ports.as_slice() else {
            return Err(WrongPorts::Several { ports: last.to_owned() });
        };
        let named = rest.rsplit_once(':').and_then(|(name, word)| {
            let word =
                Some(word).filter(|it| it.starts_with(|it: char| it.is_ascii_alphabetic()))?;
            let protocol = read_protocol(word).ok().flatten()?;
            Some((name, protocol)).filter(|it| !PREFIXES.contains(&it.0))
        });
        let (name, protocol) = named.map_or((rest, None), |(name, it)| (name, Some(it)));
        Ok(Self { name, protocol, ports: Some(*ports) })
    }
    /// The one protocol and the ports that are asked for.
    ///
    /// Errors: a protocol with ports, and none is named.
    pub fn traffic(&self) -> Result<(Protocol, PortRange), WrongPorts> {
        let protocol = self.protocol.unwrap_or(TCP);
        match self.ports {
            _ if !has_ports(protocol) => Ok((protocol, PortRange { first: 0, last: 0 })),
            Some(ports) => Ok((protocol, ports)),
            None => Err(WrongPorts::Missing { written: self.name.to_owned() }),
        }
    }
}

/// TCP, which is what people mean who name no protocol.
pub const TCP: Protocol = 6;

/// What stands before the colon of a selector, so that no port begins behind it.
const PREFIXES: [&str; 5] = ["tag", "group", "autogroup", "ipset", "svc"];
