//! Well-formed bytes → values, as leniently as the network's decoder, with every leniency noted.
//!
//! INVARIANT: the bytes were scanned, so a length never reaches past their end. What is allocated
//! is in proportion to them: a list reserves no more elements than there are bytes left.

use std::collections::BTreeSet;

use super::scan::{self, Head};
use super::{DecodeError, DecodeErrorKind, Quirk, QuirkKind, Wire};
use crate::key::Meta;
use crate::text::padded;

/// A field of a structure.
pub(crate) struct Field {
    /// The number that stands for its name.
    pub(crate) key: u64,
    /// When it is written.
    pub(crate) presence: Presence,
}

/// When a field is written.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) enum Presence {
    /// Always, as null where there is nothing.
    Always,
    /// Unless it is empty, or 0.
    UnlessEmpty,
    /// Unless there is nothing; empty is something.
    UnlessNull,
}

/// A reader of well-formed bytes, and the quirks that it met.
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    pub(super) quirks: Vec<Quirk>,
}

/// A map key that no field has.
#[derive(Eq, Ord, PartialEq, PartialOrd)]
enum UnknownKey<'a> {
    Number(i64),
    Text(&'a str),
}

type Result<T> = std::result::Result<T, DecodeError>;

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, quirks: Vec::new() }
    }

    fn error(&self, kind: DecodeErrorKind) -> DecodeError {
        DecodeError { kind, at: self.at }
    }

    fn note(&mut self, kind: QuirkKind) {
        self.quirks.push(Quirk { kind, at: self.at });
    }

    fn peek(&self) -> Result<Head> {
        scan::head(self.bytes, self.at)
    }

    /// Takes the head of the next item.
    fn head(&mut self) -> Result<Head> {
        let head = self.peek()?;
        let shortest = match head.value {
            0..=23 => 1,
            24..=0xff => 2,
            0x100..=0xffff => 3,
            0x1_0000..=0xffff_ffff => 5,
            _ => 9,
        };
        if head.major < 6 && head.length > shortest {
            self.note(QuirkKind::LongNumber);
        }
        self.at += head.length;
        Ok(head)
    }

    /// Takes the next item without a look at it.
    fn skip(&mut self) -> Result<()> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        self.at += scan::item(rest)?;
        Ok(())
    }

    /// Takes the content of a string whose head was taken.
    fn content(&mut self, head: Head) -> Result<&'a [u8]> {
        let error = self.error(DecodeErrorKind::Truncated);
        let length = usize::try_from(head.value).map_err(|_| error)?;
        let content = self.bytes.get(self.at..).and_then(|it| it.get(..length)).ok_or(error)?;
        self.at += length;
        Ok(content)
    }

    fn utf8(&mut self, head: Head) -> Result<&'a str> {
        let error = self.error(DecodeErrorKind::Utf8);
        std::str::from_utf8(self.content(head)?).map_err(|_| error)
    }

    /// Takes null or undefined. That it stands there is a quirk unless `canonical`.
    fn null(&mut self, canonical: bool) -> Result<bool> {
        let head = self.peek()?;
        let null = is_null(head);
        if null {
            if !canonical || head.info == 23 {
                self.note(QuirkKind::Null);
            }
            self.at += head.length;
        }
        Ok(null)
    }

    /// Reads a map with numbers for names; null leaves every field as it is. `read` takes the value
    /// of one field.
    pub(crate) fn structure(
        &mut self,
        fields: &[Field],
        mut read: impl FnMut(&mut Self, u64) -> Result<()>,
    ) -> Result<()> {
        if self.null(false)? {
            return Ok(());
        }
        let start = self.at;
        let error = self.error(DecodeErrorKind::Type);
        let head = self.head()?;
        if head.major != 5 {
            return Err(error);
        }
        let mut seen = BTreeSet::new();
        let mut unknown = BTreeSet::new();
        let mut last: &[u8] = &[];
        for _ in 0..head.value {
            let start = self.at;
            let duplicate = self.error(DecodeErrorKind::DuplicateKey);
            let key = self.field_key()?;
            let written = self.bytes.get(start..self.at).unwrap_or_default();
            if written <= last {
                self.quirks.push(Quirk { kind: QuirkKind::KeyOrder, at: start });
            }
            last = written;
            let field = match key {
                UnknownKey::Number(key) => {
                    fields.iter().find(|it| u64::try_from(key) == Ok(it.key))
                }
                UnknownKey::Text(key) => fields.iter().find(|it| is_decimal(key, it.key)),
            };
            let Some(field) = field else {
                if !unknown.insert(key) {
                    return Err(duplicate);
                }
                self.quirks.push(Quirk { kind: QuirkKind::UnknownField, at: start });
                self.skip()?;
                continue;
            };
            if matches!(key, UnknownKey::Text(_)) {
                self.quirks.push(Quirk { kind: QuirkKind::TextKey, at: start });
            }
            if !seen.insert(field.key) {
                return Err(duplicate);
            }
            self.note_empty(field.presence)?;
            read(self, field.key)?;
        }
        let missing = |it: &&Field| it.presence == Presence::Always && !seen.contains(&it.key);
        let missing = fields.iter().filter(missing);
        self.quirks.extend(missing.map(|_| Quirk { kind: QuirkKind::MissingField, at: start }));
        Ok(())
    }

    /// Notes a value that its field is left out for.
    fn note_empty(&mut self, presence: Presence) -> Result<()> {
        let head = self.peek()?;
        let empty = head.value == 0 && [0, 2, 4, 5].contains(&head.major);
        let omitted = match presence {
            Presence::Always => false,
            Presence::UnlessEmpty => empty || is_null(head),
            Presence::UnlessNull => is_null(head),
        };
        if omitted {
            self.note(QuirkKind::EmptyField);
        }
        Ok(())
    }

    fn field_key(&mut self) -> Result<UnknownKey<'a>> {
        let overflow = self.error(DecodeErrorKind::Overflow);
        let wrong = self.error(DecodeErrorKind::KeyType);
        let head = self.head()?;
        match head.major {
            // The network's decoder lets large numbers wrap here; none of them names a field.
            0 => Ok(UnknownKey::Number(head.value.cast_signed())),
            1 => i64::try_from(head.value).map(|it| UnknownKey::Number(!it)).map_err(|_| overflow),
            3 => self.utf8(head).map(UnknownKey::Text),
            _ => Err(wrong),
        }
    }

    /// A number up to `max`.
    pub(crate) fn unsigned(&mut self, max: u64) -> Result<u64> {
        if self.null(false)? {
            return Ok(0);
        }
        let wrong = self.error(DecodeErrorKind::Type);
        let overflow = self.error(DecodeErrorKind::Overflow);
        let head = self.number()?.ok_or(wrong)?;
        if head.major == 1 {
            return Err(wrong);
        }
        if head.value > max { Err(overflow) } else { Ok(head.value) }
    }

    /// A number with a sign.
    pub(crate) fn signed(&mut self) -> Result<i64> {
        if self.null(false)? {
            return Ok(0);
        }
        let wrong = self.error(DecodeErrorKind::Type);
        let overflow = self.error(DecodeErrorKind::Overflow);
        let head = self.number()?.ok_or(wrong)?;
        let value = i64::try_from(head.value).map_err(|_| overflow)?;
        Ok(if head.major == 1 { !value } else { value })
    }

    /// The head of an integer, or of a simple value that stands for one.
    fn number(&mut self) -> Result<Option<Head>> {
        let head = self.peek()?;
        match head.major {
            0 | 1 => self.head().map(Some),
            7 if head.info < 20 || head.info == 24 => {
                self.note(QuirkKind::SimpleNumber);
                self.head().map(Some)
            }
            _ => Ok(None),
        }
    }

    /// A byte string; null is none.
    pub(crate) fn bytes(&mut self) -> Result<Option<Vec<u8>>> {
        if self.null(true)? {
            return Ok(None);
        }
        let wrong = self.error(DecodeErrorKind::Type);
        match self.peek()?.major {
            2 => {
                let head = self.head()?;
                Ok(Some(self.content(head)?.to_vec()))
            }
            4 => {
                self.note(QuirkKind::BytesAsArray);
                let length = self.head()?.value;
                let mut bytes = Vec::with_capacity(self.room(length));
                for _ in 0..length {
                    bytes.push(self.unsigned(0xff)? as u8);
                }
                Ok(Some(bytes))
            }
            _ => Err(wrong),
        }
    }

    /// A byte string of 32, filled up or cut off as the network's decoder does; null is none.
    pub(crate) fn hash(&mut self) -> Result<Option<[u8; 32]>> {
        if self.null(true)? {
            return Ok(None);
        }
        let at = self.at;
        let mut hash = [0; 32];
        let length = match self.peek()?.major {
            4 => {
                self.note(QuirkKind::BytesAsArray);
                let length = self.head()?.value;
                // What follows the 32nd element is not even looked at.
                for index in 0..length {
                    match usize::try_from(index).ok().and_then(|it| hash.get_mut(it)) {
                        Some(byte) => *byte = self.unsigned(0xff)? as u8,
                        None => self.skip()?,
                    }
                }
                usize::try_from(length).unwrap_or_default()
            }
            _ => {
                let bytes = self.bytes()?.unwrap_or_default();
                hash = padded(&bytes);
                bytes.len()
            }
        };
        if length != hash.len() {
            self.quirks.push(Quirk { kind: QuirkKind::HashLength, at });
        }
        Ok(Some(hash))
    }

    /// How many elements to reserve: each has a byte at least.
    fn room(&self, length: u64) -> usize {
        usize::try_from(length).unwrap_or(usize::MAX).min(self.bytes.len() - self.at)
    }

    /// An array, each element taken by `read`; null is none.
    pub(crate) fn list<T>(
        &mut self,
        mut read: impl FnMut(&mut Self) -> Result<T>,
    ) -> Result<Option<Vec<T>>> {
        if self.null(true)? {
            return Ok(None);
        }
        let wrong = self.error(DecodeErrorKind::Type);
        if self.peek()?.major != 4 {
            return Err(wrong);
        }
        let length = self.head()?.value;
        let mut list = Vec::with_capacity(self.room(length));
        for _ in 0..length {
            list.push(read(self)?);
        }
        Ok(Some(list))
    }

    /// A structure; null is none.
    pub(crate) fn optional<T: Wire>(&mut self) -> Result<Option<T>> {
        if self.null(true)? { Ok(None) } else { T::read(self).map(Some) }
    }

    /// A number; null is none.
    pub(crate) fn optional_unsigned(&mut self) -> Result<Option<u64>> {
        if self.null(true)? { Ok(None) } else { self.unsigned(u64::MAX).map(Some) }
    }

    /// A map of text to text; null is none.
    ///
    /// A null inside it repeats what the entry before had there: the decoder of the network uses
    /// one variable for all entries, and leaves it alone.
    pub(crate) fn meta(&mut self) -> Result<Option<Meta>> {
        if self.null(true)? {
            return Ok(None);
        }
        let wrong = self.error(DecodeErrorKind::Type);
        if self.peek()?.major != 5 {
            return Err(wrong);
        }
        let length = self.head()?.value;
        let mut meta = Meta::default();
        let (mut key, mut value) = ("", "");
        let mut last: &[u8] = &[];
        for _ in 0..length {
            let start = self.at;
            let duplicate = self.error(DecodeErrorKind::DuplicateKey);
            key = self.text(key)?;
            let written = self.bytes.get(start..self.at).unwrap_or_default();
            if written <= last {
                self.quirks.push(Quirk { kind: QuirkKind::KeyOrder, at: start });
            }
            last = written;
            value = self.text(value)?;
            if meta.insert(key, value) {
                return Err(duplicate);
            }
        }
        Ok(Some(meta))
    }

    /// A text; null stands for `before`.
    fn text(&mut self, before: &'a str) -> Result<&'a str> {
        if self.null(false)? {
            return Ok(before);
        }
        let wrong = self.error(DecodeErrorKind::Type);
        if self.peek()?.major != 3 {
            return Err(wrong);
        }
        let head = self.head()?;
        self.utf8(head)
    }
}

/// null or undefined.
fn is_null(head: Head) -> bool {
    head.major == 7 && (head.info == 22 || head.info == 23)
}

/// Whether `text` is the number of a field as a program prints it.
fn is_decimal(text: &str, key: u64) -> bool {
    !text.starts_with(['+', '0']) && text.parse() == Ok(key)
}
