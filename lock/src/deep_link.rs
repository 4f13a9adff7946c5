//! Device-signing links: what a phone shows so that another signs it.
//!
//! ```text
//! tailscale://sign-device/v1/?dn=NAME&em=LOGIN&hm=CHECKSUM&nk=NODEKEY&os=SYSTEM&tp=TLPUB
//! ```
//!
//! The checksum is keyed with a number that every node and the control server know, over fields
//! without separators. It finds typing errors; it proves nothing about who made the link.
//!
//! SOURCE: `tka/deeplink.go`.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::limits::MAX_DEEP_LINK;
use crate::text::{LockPublicKey, NodeKey, TextError, from_hex, hex, padded};

/// What a link asks to be signed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DeepLink {
    /// The node's key.
    pub node_key: NodeKey,
    /// The key that may rotate the signature: the node's lock key.
    pub lock_key: LockPublicKey,
    /// What the device calls itself.
    pub device_name: String,
    /// Its operating system.
    pub os_name: String,
    /// Who is logged in.
    pub login_name: String,
    /// The checksum, as given.
    pub checksum: Vec<u8>,
}

/// Why a text is no such link.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DeepLinkError {
    /// No link is that long.
    #[error("a device-signing link is at most 8 KiB long")]
    TooLong,
    /// It has blanks or control characters, or no scheme.
    #[error("not a URL")]
    NoUrl,
    /// A link of something else.
    #[error("unhandled scheme {0}, expected tailscale")]
    Scheme(String),
    /// A link to do something else.
    #[error("unhandled host {0}, expected sign-device")]
    Host(String),
    /// The path has too many parts, or too few.
    #[error("invalid path components number found")]
    Path,
    /// A later version.
    #[error("expected v1 deeplink version, found something else: {0}")]
    Version(String),
    /// A part that is missing or empty.
    #[error("missing {0} query parameter")]
    Missing(&'static str),
    /// The checksum is no hex.
    #[error("could not hex-decode hmac")]
    Hex,
    /// A key that is none, or not written as programs write it.
    #[error("{name}: {error}")]
    Key {
        /// The name of the parameter.
        name: &'static str,
        /// What is wrong.
        error: TextError,
    },
    /// The checksum is not that of these parts in this tailnet.
    #[error("hmac authentication failed")]
    Checksum,
}

impl DeepLink {
    /// A link to sign a device of the tailnet whose authority has this first number.
    pub fn new(
        node_key: NodeKey,
        lock_key: LockPublicKey,
        [device_name, os_name, login_name]: [&str; 3],
        id1: u64,
    ) -> Result<Self, DeepLinkError> {
        let named = [("dn", device_name), ("os", os_name), ("em", login_name)];
        if let Some((name, _)) = named.iter().find(|it| it.1.is_empty()) {
            return Err(DeepLinkError::Missing(name));
        }
        let mut link = Self {
            node_key,
            lock_key,
            device_name: device_name.to_owned(),
            os_name: os_name.to_owned(),
            login_name: login_name.to_owned(),
            checksum: Vec::new(),
        };
        link.checksum = link.expected(id1).to_vec();
        link.bounded()
    }

    /// Takes a link apart. Its checksum is not looked at.
    pub fn parse(text: &str) -> Result<Self, DeepLinkError> {
        if text.len() > MAX_DEEP_LINK {
            return Err(DeepLinkError::TooLong);
        }
        if text.contains(|it: char| it.is_ascii_control() || it == ' ') {
            return Err(DeepLinkError::NoUrl);
        }
        let text = text.split_once('#').map_or(text, |it| it.0);
        let (scheme, rest) = text.split_once("://").ok_or(DeepLinkError::NoUrl)?;
        if !scheme.eq_ignore_ascii_case("tailscale") {
            return Err(DeepLinkError::Scheme(scheme.to_owned()));
        }
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut parts = place.split('/');
        let host = parts.next().unwrap_or_default();
        if host != "sign-device" {
            return Err(DeepLinkError::Host(host.to_owned()));
        }
        match (parts.next(), parts.next(), parts.next()) {
            (Some("v1"), Some(_), None) => {}
            (Some(version), Some(_), None) => {
                return Err(DeepLinkError::Version(version.to_owned()));
            }
            _ => return Err(DeepLinkError::Path),
        }

        let value = |name: &'static str| {
            let value = query.split('&').filter_map(|it| parameter(it, name)).next();
            value.filter(|it| !it.is_empty()).ok_or(DeepLinkError::Missing(name))
        };
        let (node_key, lock_key) = (value("nk")?, value("tp")?);
        let (device_name, os_name, login_name) = (value("dn")?, value("os")?, value("em")?);
        let checksum = from_hex(&value("hm")?).ok_or(DeepLinkError::Hex)?;
        let node_key = canonical(&node_key, "nk")?;
        let lock_key = canonical(&lock_key, "tp")?;
        Self { node_key, lock_key, device_name, os_name, login_name, checksum }.bounded()
    }

    /// The link, if it is short enough as we write it: a sign that may stand as it is in a name takes
    /// three bytes there, and what we write we must be able to read.
    fn bounded(self) -> Result<Self, DeepLinkError> {
        if self.to_string().len() > MAX_DEEP_LINK { Err(DeepLinkError::TooLong) } else { Ok(self) }
    }

    /// Whether the checksum is right in the tailnet whose authority has this first number.
    pub fn check(&self, id1: u64) -> Result<(), DeepLinkError> {
        if self.expected(id1).as_slice().ct_eq(&self.checksum).into() {
            Ok(())
        } else {
            Err(DeepLinkError::Checksum)
        }
    }

    /// HMAC-SHA256 over the parts, one after the other.
    fn expected(&self, id1: u64) -> [u8; 32] {
        // The key of HMAC is filled up with zeros to a block of its hash function.
        let block: [u8; 64] = padded(&id1.to_le_bytes());
        let key = sha2::digest::array::Array::from(block);
        let mut mac = Hmac::<Sha256>::new(&key);
        mac.update(self.node_key.to_string().as_bytes());
        mac.update(self.lock_key.to_string().as_bytes());
        mac.update(self.device_name.as_bytes());
        mac.update(self.os_name.as_bytes());
        mac.update(self.login_name.as_bytes());
        mac.finalize().into_bytes().into()
    }
}

/// A key in the spelling that the checksum covers.
fn canonical<K>(text: &str, name: &'static str) -> Result<K, DeepLinkError>
where
    K: std::str::FromStr<Err = TextError> + fmt::Display,
{
    let error = |error| DeepLinkError::Key { name, error };
    let key: K = text.parse().map_err(error)?;
    if key.to_string() == text { Ok(key) } else { Err(error(TextError::Hex)) }
}

/// The decoded value of `name=value`, if the pair has this name and can be decoded.
fn parameter(pair: &str, name: &str) -> Option<String> {
    let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
    if pair.contains(';') || unescape(key)? != name {
        return None;
    }
    unescape(value)
}

/// Takes form encoding back; `None` where it is none, or no UTF-8.
fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                let digits = std::str::from_utf8(&digits).ok()?;
                from_hex(digits)?.first().copied()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

/// Form encoding.
fn escape(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for byte in text.bytes() {
        match byte {
            b' ' => f.write_str("+")?,
            b'-' | b'_' | b'.' | b'~' => write!(f, "{}", char::from(byte))?,
            _ if byte.is_ascii_alphanumeric() => write!(f, "{}", char::from(byte))?,
            _ => write!(f, "%{byte:02X}")?,
        }
    }
    Ok(())
}

impl fmt::Display for DeepLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("tailscale://sign-device/v1/")?;
        let (node_key, lock_key) = (self.node_key.to_string(), self.lock_key.to_string());
        let parameters = [
            ("dn", self.device_name.as_str()),
            ("em", &self.login_name),
            ("hm", &hex(&self.checksum)),
            ("nk", &node_key),
            ("os", &self.os_name),
            ("tp", &lock_key),
        ];
        for (index, (name, value)) in parameters.into_iter().enumerate() {
            write!(f, "{}{name}=", if index == 0 { '?' } else { '&' })?;
            escape(value, f)?;
        }
        Ok(())
    }
}
