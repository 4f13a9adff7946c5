//! Authority update messages: one signed, hash-chained change of who is trusted.
//!
//! What a message means is in its value; its hash covers that value written canonically, never the
//! bytes it came in. A field that is absent and one that is empty are not the same: some rules ask
//! only whether a field is there.

use std::fmt;
use std::ops::Deref;
use std::str::FromStr;
use std::sync::Arc;

use data_encoding::BASE32_NOPAD;

use crate::cbor::{self, DecodeError, Decoded, Field, Presence, Reader, Wire, Writer};
use crate::error::AumError;
use crate::key::{Key, Meta};
use crate::secret::{SignError, Signer};
use crate::state::State;
use crate::text::{TextError, padded};
use crate::verify::{SigHash, blake2s};

/// The hash of an update, its name everywhere: 52 characters of base32 as text.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct AumHash([u8; 32]);

impl AumHash {
    /// The hash of these bytes.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl FromStr for AumHash {
    type Err = TextError;

    /// Reads canonical text only; the network also takes 15 other spellings of each hash.
    fn from_str(text: &str) -> Result<Self, TextError> {
        if text.len() != 52 {
            return Err(TextError::HashLength);
        }
        let bytes = BASE32_NOPAD.decode(text.as_bytes()).map_err(|_| TextError::Base32)?;
        bytes.try_into().map(Self).map_err(|_| TextError::HashLength)
    }
}

impl fmt::Display for AumHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE32_NOPAD.encode(&self.0))
    }
}

impl fmt::Debug for AumHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What an update does. A kind that is not known does nothing but move the head: a later version
/// may add such kinds.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum AumKind {
    /// Number 0. Means nothing, and is treated as a kind that is not known.
    #[default]
    Invalid,
    /// Adds a key.
    AddKey,
    /// Removes a key.
    RemoveKey,
    /// Does nothing.
    NoOp,
    /// Changes the votes or the metadata of a key.
    UpdateKey,
    /// Puts a new state in place of the old.
    Checkpoint,
    /// Any other number.
    Unknown(u8),
}

impl From<u8> for AumKind {
    fn from(number: u8) -> Self {
        match number {
            0 => AumKind::Invalid,
            1 => AumKind::AddKey,
            2 => AumKind::RemoveKey,
            3 => AumKind::NoOp,
            4 => AumKind::UpdateKey,
            5 => AumKind::Checkpoint,
            other => AumKind::Unknown(other),
        }
    }
}

impl AumKind {
    /// Its number on the wire.
    pub const fn number(self) -> u8 {
        match self {
            AumKind::Invalid => 0,
            AumKind::AddKey => 1,
            AumKind::RemoveKey => 2,
            AumKind::NoOp => 3,
            AumKind::UpdateKey => 4,
            AumKind::Checkpoint => 5,
            AumKind::Unknown(number) => number,
        }
    }
}

impl fmt::Display for AumKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AumKind::Invalid => f.write_str("invalid"),
            AumKind::AddKey => f.write_str("add-key"),
            AumKind::RemoveKey => f.write_str("remove-key"),
            AumKind::NoOp => f.write_str("no-op"),
            AumKind::UpdateKey => f.write_str("update-key"),
            AumKind::Checkpoint => f.write_str("checkpoint"),
            AumKind::Unknown(number) => write!(f, "AUM?<{number}>"),
        }
    }
}

/// A signature on an update.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct AumSignature {
    /// Who signed: the ID of a trusted key, its 32 bytes.
    pub key_id: Option<Vec<u8>>,
    /// The 64 bytes of the signature.
    pub signature: Option<Vec<u8>>,
}

/// One authority update message. Every value can be met on the wire; [`Aum::check`] says which are
/// well-formed.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Aum {
    /// What it does.
    pub kind: AumKind,
    /// The hash of the update before; 32 bytes where it is one.
    pub parent: Option<Vec<u8>>,
    /// The key that is added.
    pub key: Option<Key>,
    /// The key that is removed or changed.
    pub key_id: Option<Vec<u8>>,
    /// The state of a checkpoint.
    pub state: Option<State>,
    /// The new votes of a key.
    pub votes: Option<u64>,
    /// The new metadata of a key, all of it.
    pub meta: Option<Meta>,
    /// Who signed, in the order they did.
    pub signatures: Vec<AumSignature>,
}

impl Aum {
    /// Reads a message as the network does; what is unusual about its bytes stands beside it.
    pub fn decode(bytes: &[u8]) -> Result<Decoded<Self>, DecodeError> {
        cbor::decode(bytes)
    }

    /// Reads a message whose bytes are canonical but for fields that a later version may add.
    pub fn decode_strict(bytes: &[u8]) -> Result<Self, DecodeError> {
        cbor::strict(cbor::decode(bytes)?)
    }

    /// The canonical bytes.
    pub fn encode(&self) -> Vec<u8> {
        cbor::encode(self)
    }

    /// Its name. A signature more makes it another update.
    pub fn hash(&self) -> AumHash {
        AumHash(blake2s(&self.encode()))
    }

    /// What is signed: everything but the signatures.
    pub fn sig_hash(&self) -> SigHash {
        let mut writer = Writer::default();
        self.write_with(&mut writer, &[]);
        SigHash::of(&writer.bytes)
    }

    /// The update before; `None` where it is the first. A hash of a wrong length is cut off or
    /// filled up with zeros, as the network does.
    pub fn parent(&self) -> Option<AumHash> {
        let bytes = self.parent.as_ref().filter(|it| !it.is_empty())?;
        Some(AumHash(padded(bytes)))
    }

    /// Adds a signature.
    pub fn sign(&mut self, signer: &dyn Signer) -> Result<(), SignError> {
        let signature = signer.sign(&self.sig_hash())?;
        self.signatures.push(AumSignature {
            key_id: Some(signer.public().as_bytes().to_vec()),
            signature: Some(signature.to_vec()),
        });
        Ok(())
    }

    /// Whether it is well-formed, whatever it is applied to. Errors come in the network's order.
    pub fn check(&self) -> Result<(), AumError> {
        if let Some(key) = &self.key {
            key.check()?;
        }
        if self.parent.as_ref().is_some_and(Vec::is_empty) {
            return Err(AumError::EmptyParent);
        }
        let length = |it: &Option<Vec<u8>>| it.as_ref().map_or(0, Vec::len);
        let malformed = |it: &AumSignature| length(&it.key_id) != 32 || length(&it.signature) != 64;
        if let Some(index) = self.signatures.iter().position(malformed) {
            return Err(AumError::Signature(index));
        }
        if let Some(state) = &self.state {
            state.check()?;
        }
        let (key, key_id, state) =
            (self.key.is_some(), self.key_id.is_some(), self.state.is_some());
        let (votes, meta) = (self.votes.is_some(), self.meta.is_some());
        let names_key = length(&self.key_id) > 0;
        match self.kind {
            AumKind::AddKey if !key => Err(AumError::AddWithoutKey),
            AumKind::AddKey if key_id || state || votes || meta => Err(AumError::AddWithMore),
            AumKind::RemoveKey if !names_key => Err(AumError::RemoveWithoutKeyId),
            AumKind::RemoveKey if key || state || votes || meta => Err(AumError::RemoveWithMore),
            AumKind::UpdateKey if !names_key => Err(AumError::ChangeWithoutKeyId),
            AumKind::UpdateKey if !meta && !votes => Err(AumError::ChangeWithoutChange),
            AumKind::UpdateKey if key || state => Err(AumError::ChangeWithMore),
            AumKind::Checkpoint if !state => Err(AumError::CheckpointWithoutState),
            AumKind::Checkpoint if key_id || key || votes || meta => {
                Err(AumError::CheckpointWithMore)
            }
            _ => Ok(()),
        }
    }

    /// How much its signers count in a state: each key once, however often it signed. That the
    /// signatures hold is taken for granted.
    pub fn weight(&self, state: &State) -> u64 {
        let mut counted: Vec<&[u8]> = Vec::new();
        let mut weight: u64 = 0;
        for signature in &self.signatures {
            let id = signature.key_id.as_deref().unwrap_or_default();
            if counted.contains(&id) {
                continue;
            }
            counted.push(id);
            weight = weight.wrapping_add(state.key(id).map_or(0, |it| it.votes));
        }
        weight
    }

    fn write_with(&self, writer: &mut Writer, signatures: &[AumSignature]) {
        let key_id = self.key_id.as_deref().filter(|it| !it.is_empty());
        let meta = self.meta.as_ref().filter(|it| !it.is_empty());
        let optional = [
            self.key.is_some(),
            key_id.is_some(),
            self.state.is_some(),
            self.votes.is_some(),
            meta.is_some(),
            !signatures.is_empty(),
        ];
        writer.map(2 + optional.iter().filter(|it| **it).count());
        writer.unsigned(1);
        writer.unsigned(self.kind.number().into());
        writer.unsigned(2);
        writer.nullable(self.parent.as_deref());
        if let Some(key) = &self.key {
            writer.unsigned(3);
            key.write(writer);
        }
        if let Some(key_id) = key_id {
            writer.unsigned(4);
            writer.bytes(key_id);
        }
        if let Some(state) = &self.state {
            writer.unsigned(5);
            state.write(writer);
        }
        if let Some(votes) = self.votes {
            writer.unsigned(6);
            writer.unsigned(votes);
        }
        if let Some(meta) = meta {
            writer.unsigned(7);
            meta.write(writer);
        }
        if !signatures.is_empty() {
            writer.unsigned(23);
            writer.list(signatures);
        }
    }
}

const FIELDS: &[Field] = &[
    Field { key: 1, presence: Presence::Always },
    Field { key: 2, presence: Presence::Always },
    Field { key: 3, presence: Presence::UnlessNull },
    Field { key: 4, presence: Presence::UnlessEmpty },
    Field { key: 5, presence: Presence::UnlessNull },
    Field { key: 6, presence: Presence::UnlessNull },
    Field { key: 7, presence: Presence::UnlessEmpty },
    Field { key: 23, presence: Presence::UnlessEmpty },
];

impl Wire for Aum {
    fn write(&self, writer: &mut Writer) {
        self.write_with(writer, &self.signatures);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut aum = Self::default();
        reader.structure(FIELDS, |reader, field| {
            match field {
                1 => aum.kind = AumKind::from(reader.unsigned(0xff)? as u8),
                2 => aum.parent = reader.bytes()?,
                3 => aum.key = reader.optional()?,
                4 => aum.key_id = reader.bytes()?,
                5 => aum.state = reader.optional()?,
                6 => aum.votes = reader.optional_unsigned()?,
                7 => aum.meta = reader.meta()?,
                _ => aum.signatures = reader.list(Wire::read)?.unwrap_or_default(),
            }
            Ok(())
        })?;
        Ok(aum)
    }
}

const SIGNATURE_FIELDS: &[Field] =
    &[Field { key: 1, presence: Presence::Always }, Field { key: 2, presence: Presence::Always }];

impl Wire for AumSignature {
    fn write(&self, writer: &mut Writer) {
        writer.map(2);
        writer.unsigned(1);
        writer.nullable(self.key_id.as_deref());
        writer.unsigned(2);
        writer.nullable(self.signature.as_deref());
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut signature = Self::default();
        reader.structure(SIGNATURE_FIELDS, |reader, field| {
            match field {
                1 => signature.key_id = reader.bytes()?,
                _ => signature.signature = reader.bytes()?,
            }
            Ok(())
        })?;
        Ok(signature)
    }
}

/// An update beside its hash, shared: what stores hold and authorities walk.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Update(Arc<(AumHash, Aum)>);

impl Update {
    /// The update of a message.
    pub fn new(aum: Aum) -> Self {
        Self(Arc::new((aum.hash(), aum)))
    }

    /// Its hash.
    pub fn hash(&self) -> AumHash {
        self.0.0
    }

    /// The message.
    pub fn aum(&self) -> &Aum {
        &self.0.1
    }
}

impl From<Aum> for Update {
    fn from(aum: Aum) -> Self {
        Self::new(aum)
    }
}

impl Deref for Update {
    type Target = Aum;

    fn deref(&self) -> &Aum {
        self.aum()
    }
}
