//! Trusted keys: what an authority knows of a lock key, and how much its word counts.

use crate::cbor::{DecodeError, Field, Presence, Reader, Wire, Writer};
use crate::error::SignatureError;
use crate::limits::{MAX_META, MAX_VOTES};
use crate::text::LockPublicKey;

/// The kind of every key that exists: Ed25519, printed `25519`.
pub const ED25519: u8 = 1;

/// A key as an authority lists it. Any value can be met on the wire; [`Key::check`] says which may
/// be added.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Key {
    /// [`ED25519`]; others are reserved.
    pub kind: u8,
    /// Its weight where a fork is settled: 1 to 4096.
    pub votes: u64,
    /// The public key. The network does not look at its length until something is verified.
    pub public: Option<Vec<u8>>,
    /// What its owner wrote beside it.
    pub meta: Option<Meta>,
}

/// Why a key cannot be in an authority.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// More votes than a key may have.
    #[error("excessive key weight: {0} > {MAX_VOTES}")]
    TooManyVotes(u64),
    /// A key without a vote.
    #[error("key votes must be non-zero")]
    NoVotes,
    /// Metadata of too many bytes.
    #[error("key metadata too big ({0} > {MAX_META})")]
    MetaTooBig(usize),
    /// A kind that is not known.
    #[error("unrecognized key kind: {}", kind_name(*.0))]
    Kind(u8),
}

/// A key that is looked for by its ID and cannot be had.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyIdError {
    /// No key has this ID.
    #[error("key not found")]
    NotFound,
    /// A key of a kind that is not known has no ID, and stands before the one that is sought.
    #[error("unknown key kind: {}", kind_name(*.0))]
    Kind(u8),
}

/// The name of a kind: `25519`, `invalid`, `Key?<7>`.
pub fn kind_name(kind: u8) -> String {
    match kind {
        0 => "invalid".to_owned(),
        ED25519 => "25519".to_owned(),
        other => format!("Key?<{other}>"),
    }
}

impl Key {
    /// A key with votes and without metadata.
    pub fn new(public: LockPublicKey, votes: u64) -> Self {
        Self { kind: ED25519, votes, public: Some(public.as_bytes().to_vec()), meta: None }
    }

    /// Its ID, by which messages name it: the public key itself.
    pub fn id(&self) -> Result<&[u8], KeyIdError> {
        match self.kind {
            ED25519 => Ok(self.public.as_deref().unwrap_or_default()),
            other => Err(KeyIdError::Kind(other)),
        }
    }

    /// The public key that its signatures are checked with.
    pub(crate) fn public_for_signing(&self) -> Result<&[u8], SignatureError> {
        if self.kind != ED25519 {
            return Err(SignatureError::KeyKind(self.kind));
        }
        let public = self.public.as_deref().unwrap_or_default();
        if public.len() == 32 { Ok(public) } else { Err(SignatureError::KeyLength(public.len())) }
    }

    /// The public key; `None` where it is not 32 bytes long.
    pub fn lock_key(&self) -> Option<LockPublicKey> {
        LockPublicKey::from_slice(self.public.as_deref()?)
    }

    /// Whether the network lets it be added. Its length and its point are not looked at.
    pub fn check(&self) -> Result<(), KeyError> {
        if self.votes > MAX_VOTES {
            return Err(KeyError::TooManyVotes(self.votes));
        }
        if self.votes == 0 {
            return Err(KeyError::NoVotes);
        }
        let size = self.meta.as_ref().map_or(0, Meta::size);
        if size > MAX_META {
            return Err(KeyError::MetaTooBig(size));
        }
        if self.kind != ED25519 {
            return Err(KeyError::Kind(self.kind));
        }
        Ok(())
    }
}

const FIELDS: &[Field] = &[
    Field { key: 1, presence: Presence::Always },
    Field { key: 2, presence: Presence::Always },
    Field { key: 3, presence: Presence::Always },
    Field { key: 12, presence: Presence::UnlessEmpty },
];

impl Wire for Key {
    fn write(&self, writer: &mut Writer) {
        let meta = self.meta.as_ref().filter(|it| !it.is_empty());
        writer.map(3 + usize::from(meta.is_some()));
        writer.unsigned(1);
        writer.unsigned(self.kind.into());
        writer.unsigned(2);
        writer.unsigned(self.votes);
        writer.unsigned(3);
        writer.nullable(self.public.as_deref());
        if let Some(meta) = meta {
            writer.unsigned(12);
            meta.write(writer);
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut key = Self::default();
        reader.structure(FIELDS, |reader, field| {
            match field {
                1 => key.kind = reader.unsigned(0xff)? as u8,
                2 => key.votes = reader.unsigned(u64::MAX)?,
                3 => key.public = reader.bytes()?,
                _ => key.meta = reader.meta()?,
            }
            Ok(())
        })?;
        Ok(key)
    }
}

/// Text beside a key: names and values, in canonical order, each name once.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Meta(Vec<(String, String)>);

impl Meta {
    /// The value of a name.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.iter().find(|it| it.0 == name).map(|it| it.1)
    }

    /// Names and values: shorter names first, those of one length by their bytes.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Sets a value; true where the name had one.
    pub fn insert(&mut self, name: &str, value: &str) -> bool {
        let place = self.0.binary_search_by(|it| {
            it.0.len().cmp(&name.len()).then_with(|| it.0.as_str().cmp(name))
        });
        match place {
            Ok(index) => {
                if let Some(entry) = self.0.get_mut(index) {
                    value.clone_into(&mut entry.1);
                }
                true
            }
            Err(index) => {
                self.0.insert(index, (name.to_owned(), value.to_owned()));
                false
            }
        }
    }

    /// Whether it has no name.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Bytes of all names and values.
    pub fn size(&self) -> usize {
        self.0.iter().map(|(name, value)| name.len() + value.len()).sum()
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.map(self.0.len());
        for (name, value) in &self.0 {
            writer.text(name);
            writer.text(value);
        }
    }
}

impl<N: AsRef<str>, V: AsRef<str>> FromIterator<(N, V)> for Meta {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(entries: I) -> Self {
        let mut meta = Self::default();
        for (name, value) in entries {
            meta.insert(name.as_ref(), value.as_ref());
        }
        meta
    }
}
