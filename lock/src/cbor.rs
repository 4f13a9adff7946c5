//! CBOR as the network writes and reads it: CTAP2 canonical out, and in whatever its decoder takes.
//!
//! One pass reads both ways. It takes what the network takes, because a verdict depends on that,
//! and notes each [`Quirk`]: a spelling that a canonical writer would not have chosen. A strict
//! reading refuses where there is one. A hash covers the value written again, never the bytes that
//! came, so what a quirk says is what no signature protects.
//!
//! The decoder is ours because no library has both: the exact leniency of another decoder, and a
//! list of where it was used.
//!
//! SOURCE: RFC 8949; CTAP2 canonical form; `github.com/fxamacker/cbor/v2` with duplicate keys,
//! indefinite lengths and tags refused, as `tka/tka.go` sets it.

mod read;
mod scan;
mod write;

use std::fmt;

pub(crate) use read::{Field, Presence, Reader};
pub(crate) use write::Writer;

/// A value that was read, and what its bytes had that canonical ones have not.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Decoded<T> {
    /// The value, as every node of the network understands these bytes.
    pub value: T,
    /// Spellings of it that are not canonical, in order. None if and only if writing the value gives
    /// the bytes again.
    pub quirks: Vec<Quirk>,
}

/// Why bytes are no message: what is wrong, and at which byte.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{kind} at byte {at}")]
pub struct DecodeError {
    /// What is wrong.
    pub kind: DecodeErrorKind,
    /// The byte it was noticed at, counted from 0.
    pub at: usize,
}

/// What can be wrong with bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// There are none.
    #[error("there is no message")]
    Empty,
    /// There are more than any message has.
    #[error("the message is larger than 10 MiB")]
    TooLarge,
    /// They end in the middle.
    #[error("the message ends too early")]
    Truncated,
    /// Something follows the message.
    #[error("bytes follow the message")]
    Trailing,
    /// A length that is not said beforehand.
    #[error("indefinite lengths are not allowed")]
    Indefinite,
    /// A tag.
    #[error("tags are not allowed")]
    Tag,
    /// Arrays and maps in each other beyond the bound.
    #[error("arrays and maps are nested more than 16 deep")]
    TooDeep,
    /// An array beyond the bound.
    #[error("an array has more than 4096 elements")]
    TooManyElements,
    /// A map beyond the bound.
    #[error("a map has more than 1024 pairs")]
    TooManyPairs,
    /// Bytes that mean nothing.
    #[error("malformed CBOR")]
    Malformed,
    /// A field, or an entry of a map, twice.
    #[error("a map key stands twice")]
    DuplicateKey,
    /// A map key that is neither an integer nor text.
    #[error("a map key of a wrong type")]
    KeyType,
    /// Text that is not UTF-8.
    #[error("text that is not UTF-8")]
    Utf8,
    /// A value of another type than its field.
    #[error("a value of a wrong type")]
    Type,
    /// A number that its field cannot hold.
    #[error("a number that is too large or negative")]
    Overflow,
    /// Read strictly: a spelling that is not canonical.
    #[error("{0}")]
    NotCanonical(QuirkKind),
}

/// One spelling that is not canonical.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Quirk {
    /// What is unusual.
    pub kind: QuirkKind,
    /// Where, in bytes from the beginning.
    pub at: usize,
}

/// What a lenient reader lets pass.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum QuirkKind {
    /// A field that this version does not know. A newer one may; strict reading lets it pass, too.
    UnknownField,
    /// Fields or entries in another order.
    KeyOrder,
    /// A number or length in more bytes than it needs.
    LongNumber,
    /// A field named by text instead of its number.
    TextKey,
    /// A field that is always written, missing.
    MissingField,
    /// A field written though it is empty, which hides it from the hash.
    EmptyField,
    /// null or undefined in place of a value.
    Null,
    /// A simple value in place of a number.
    SimpleNumber,
    /// An array of numbers in place of a byte string.
    BytesAsArray,
    /// A hash that is not 32 bytes long; zeros fill it up, or its end is cut off.
    HashLength,
}

impl fmt::Display for QuirkKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            QuirkKind::UnknownField => "an unknown field, which no signature covers",
            QuirkKind::KeyOrder => "map keys out of order",
            QuirkKind::LongNumber => "a number in more bytes than it needs",
            QuirkKind::TextKey => "a field named by text",
            QuirkKind::MissingField => "a missing field",
            QuirkKind::EmptyField => "an empty field that should be left out",
            QuirkKind::Null => "null in place of a value",
            QuirkKind::SimpleNumber => "a simple value in place of a number",
            QuirkKind::BytesAsArray => "an array in place of a byte string",
            QuirkKind::HashLength => "a hash that is not 32 bytes long",
        })
    }
}

/// What can be written and read.
pub(crate) trait Wire: Default {
    /// Writes the value, canonically.
    fn write(&self, writer: &mut Writer);

    /// Reads the value from well-formed bytes.
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError>;
}

/// The canonical bytes of a value.
pub(crate) fn encode<T: Wire>(value: &T) -> Vec<u8> {
    let mut writer = Writer::default();
    value.write(&mut writer);
    writer.bytes
}

/// Reads one value from exactly these bytes, as leniently as the network.
pub(crate) fn decode<T: Wire>(bytes: &[u8]) -> Result<Decoded<T>, DecodeError> {
    let end = scan::item(bytes)?;
    if end < bytes.len() {
        return Err(DecodeError { kind: DecodeErrorKind::Trailing, at: end });
    }
    read_item(bytes)
}

/// Reads one value from the beginning of these bytes. What follows is ignored, as the daemon does
/// with the files of its store.
pub(crate) fn decode_first<T: Wire>(bytes: &[u8]) -> Result<Decoded<T>, DecodeError> {
    let end = scan::item(bytes)?;
    read_item(bytes.get(..end).unwrap_or_default())
}

/// The value, unless its bytes have a quirk that a strict reader refuses.
pub(crate) fn strict<T>(decoded: Decoded<T>) -> Result<T, DecodeError> {
    match decoded.quirks.iter().find(|it| it.kind != QuirkKind::UnknownField) {
        Some(quirk) => {
            Err(DecodeError { kind: DecodeErrorKind::NotCanonical(quirk.kind), at: quirk.at })
        }
        None => Ok(decoded.value),
    }
}

fn read_item<T: Wire>(bytes: &[u8]) -> Result<Decoded<T>, DecodeError> {
    let mut reader = Reader::new(bytes);
    let value = T::read(&mut reader)?;
    Ok(Decoded { value, quirks: reader.quirks })
}
