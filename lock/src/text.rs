//! The text forms: `tlpub:` and `nodekey:` keys, and the codes they are built of.
//!
//! A public key here is 32 bytes that came from outside; nothing is said about the point they
//! stand for (that is `verify::weakness`). Parsing is as exact as the network's: the prefix to the
//! letter, hex of either case, no blanks. An error never repeats the input, which may be a secret
//! that was pasted into the wrong place.
//!
//! SOURCE: `types/key/util.go`, `types/key/nl.go`, `types/key/node.go`.

use std::fmt;
use std::str::FromStr;

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};

/// Why a text is no key or hash.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TextError {
    /// It begins with something else.
    #[error("key hex string doesn't have expected type prefix {0}")]
    Prefix(&'static str),
    /// What follows the prefix is too long or too short.
    #[error("key hex has the wrong size, got {got} want {want}")]
    Length {
        /// Characters after the prefix.
        got: usize,
        /// Characters there should be.
        want: usize,
    },
    /// What follows the prefix is not hexadecimal.
    #[error("invalid hex character in key")]
    Hex,
    /// A hash is 52 characters of base32.
    #[error("text wrong length")]
    HashLength,
    /// A hash is written with A to Z and 2 to 7, and its spare bits are zero.
    #[error("no canonical base32")]
    Base32,
    /// The binary form of a node key begins with `np`.
    #[error("missing/incorrect type prefix np")]
    BinaryPrefix,
    /// The binary form of a node key is 34 bytes long.
    #[error("incorrect len for NodePublic ({0} != 34)")]
    BinaryLength(usize),
}

/// Bytes as lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(bytes)
}

/// The bytes that hex of either case stands for; `None` where it is none.
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok()
}

/// As many bytes as there are places: what is too long is cut off, what is too short filled up with
/// zeros.
pub(crate) fn padded<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut padded = [0; N];
    for (byte, from) in padded.iter_mut().zip(bytes) {
        *byte = *from;
    }
    padded
}

/// 32 bytes after one of the prefixes; an error names the last of them.
fn typed(text: &str, prefixes: &[&'static str]) -> Result<[u8; 32], TextError> {
    let mut bytes = [0; 32];
    typed_into(text, prefixes, &mut bytes)?;
    Ok(bytes)
}

/// Fills `bytes` with what stands after the prefix. They are wiped by the caller if they are
/// secret; nothing else here holds a copy.
pub(crate) fn typed_into(
    text: &str,
    prefixes: &[&'static str],
    bytes: &mut [u8],
) -> Result<(), TextError> {
    let expected = prefixes.last().copied().unwrap_or_default();
    let digits =
        prefixes.iter().find_map(|it| text.strip_prefix(it)).ok_or(TextError::Prefix(expected))?;
    let want = bytes.len() * 2;
    if digits.len() != want {
        return Err(TextError::Length { got: digits.len(), want });
    }
    HEXLOWER_PERMISSIVE.decode_mut(digits.as_bytes(), bytes).map_err(|_| TextError::Hex)?;
    Ok(())
}

/// The public half of a lock key: an Ed25519 key, `tlpub:` and 64 hex digits as text.
///
/// Any 32 bytes can be one, because the network takes any; see [`crate::verify::weakness`].
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct LockPublicKey([u8; 32]);

impl LockPublicKey {
    /// The key of these bytes.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The key of these bytes; `None` unless there are 32.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Its 32 bytes, which are its key ID, too.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The form of programs, `nlpub:` in front. [`fmt::Display`] gives the form of people.
    pub fn to_nlpub(&self) -> String {
        format!("nlpub:{}", hex(&self.0))
    }
}

impl FromStr for LockPublicKey {
    type Err = TextError;

    /// Reads `tlpub:` and `nlpub:`.
    fn from_str(text: &str) -> Result<Self, TextError> {
        typed(text, &["nlpub:", "tlpub:"]).map(Self)
    }
}

impl fmt::Display for LockPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tlpub:{}", hex(&self.0))
    }
}

impl fmt::Debug for LockPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The public half of a node's WireGuard key: `nodekey:` and 64 hex digits as text.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct NodeKey([u8; 32]);

/// What stands in front of a node key in its binary form.
const BINARY_PREFIX: &[u8] = b"np";

impl NodeKey {
    /// The key of these bytes.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The form in signatures: `np` and the 32 bytes.
    pub fn to_binary(&self) -> Vec<u8> {
        [BINARY_PREFIX, &self.0].concat()
    }

    /// Reads the form in signatures. The prefix is looked at first.
    pub fn from_binary(bytes: &[u8]) -> Result<Self, TextError> {
        let key = bytes.strip_prefix(BINARY_PREFIX).ok_or(TextError::BinaryPrefix)?;
        key.try_into().map(Self).map_err(|_| TextError::BinaryLength(bytes.len()))
    }

    /// Five characters in brackets, as in logs: `[oaGho]`. Empty for the key of zeros.
    pub fn short(&self) -> String {
        if self.0 == [0; 32] {
            return String::new();
        }
        let text: String = data_encoding::BASE64.encode(&self.0).chars().take(5).collect();
        format!("[{text}]")
    }
}

impl FromStr for NodeKey {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        typed(text, &["nodekey:"]).map(Self)
    }
}

impl fmt::Display for NodeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "nodekey:{}", hex(&self.0))
    }
}

impl fmt::Debug for NodeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
