//! Bytes → where the first item ends, if it is well-formed and within the bounds.
//!
//! Everything is looked at here once, unknown fields included, so that reading can trust lengths
//! and depth. Nothing is allocated.

use super::{DecodeError, DecodeErrorKind};
use crate::limits::{MAX_DEPTH, MAX_ELEMENTS, MAX_MESSAGE, MAX_PAIRS};

/// The first byte of an item taken apart, with its argument.
#[derive(Clone, Copy)]
pub(super) struct Head {
    /// 0 unsigned, 1 negative, 2 bytes, 3 text, 4 array, 5 map, 6 tag, 7 simple or float.
    pub(super) major: u8,
    /// The low five bits: the argument itself below 24, else how many bytes it takes.
    pub(super) info: u8,
    pub(super) value: u64,
    /// How many bytes the head has.
    pub(super) length: usize,
}

/// The head at `at`, without the bounds on what follows it.
pub(super) fn head(bytes: &[u8], at: usize) -> Result<Head, DecodeError> {
    let error = |kind| DecodeError { kind, at };
    let rest = bytes.get(at..).unwrap_or_default();
    let (first, rest) = rest.split_first().ok_or(error(DecodeErrorKind::Truncated))?;
    let (major, info) = (first >> 5, first & 31);
    let width = match info {
        0..=23 => 0,
        24 => 1,
        25 => 2,
        26 => 4,
        27 => 8,
        31 if (2..=5).contains(&major) => return Err(error(DecodeErrorKind::Indefinite)),
        _ => return Err(error(DecodeErrorKind::Malformed)),
    };
    let argument = rest.get(..width).ok_or(error(DecodeErrorKind::Truncated))?;
    let value = match width {
        0 => u64::from(info),
        _ => argument.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)),
    };
    if major == 7 && info == 24 && value < 32 {
        return Err(error(DecodeErrorKind::Malformed));
    }
    Ok(Head { major, info, value, length: 1 + width })
}

/// Where the item at the beginning ends.
pub(super) fn item(bytes: &[u8]) -> Result<usize, DecodeError> {
    if bytes.is_empty() {
        return Err(DecodeError { kind: DecodeErrorKind::Empty, at: 0 });
    }
    if bytes.len() > MAX_MESSAGE {
        return Err(DecodeError { kind: DecodeErrorKind::TooLarge, at: MAX_MESSAGE });
    }
    skip(bytes, 0, 0)
}

/// Where the item at `at` ends; `depth` is how many arrays and maps it lies in.
fn skip(bytes: &[u8], at: usize, depth: usize) -> Result<usize, DecodeError> {
    let error = |kind| DecodeError { kind, at };
    let head = head(bytes, at)?;
    let mut end = at + head.length;
    let items = match head.major {
        2 | 3 => {
            let length =
                usize::try_from(head.value).map_err(|_| error(DecodeErrorKind::Truncated))?;
            if bytes.len() - end < length {
                return Err(error(DecodeErrorKind::Truncated));
            }
            return Ok(end + length);
        }
        4 if head.value > MAX_ELEMENTS => return Err(error(DecodeErrorKind::TooManyElements)),
        5 if head.value > MAX_PAIRS => return Err(error(DecodeErrorKind::TooManyPairs)),
        4 => head.value,
        5 => head.value * 2,
        6 => return Err(error(DecodeErrorKind::Tag)),
        _ => return Ok(end),
    };
    if depth == MAX_DEPTH {
        return Err(error(DecodeErrorKind::TooDeep));
    }
    for _ in 0..items {
        end = skip(bytes, end, depth + 1)?;
    }
    Ok(end)
}
