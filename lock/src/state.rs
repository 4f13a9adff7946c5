//! What an authority knows at one update: the trusted keys, and who can switch the lock off.

use crate::aum::{Aum, AumHash, AumKind};
use crate::cbor::{DecodeError, Field, Presence, Reader, Wire, Writer};
use crate::error::{ApplyError, SignatureError, StateError, VerifyError};
use crate::key::{Key, KeyIdError};
use crate::limits::{DISABLEMENT_LENGTH, MAX_DISABLEMENT_VALUES, MAX_KEYS};
use crate::secret::DisablementSecret;
use crate::text::hex;
use crate::verify;

/// A state. Every value can be met on the wire; [`State::check`] says which can be a checkpoint.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct State {
    /// The update that led here; none in a checkpoint, and before the first.
    pub last: Option<AumHash>,
    /// What the secrets that switch the lock off derive to.
    pub disablement_values: Option<Vec<Option<Vec<u8>>>>,
    /// The trusted keys, in the order they came.
    pub keys: Option<Vec<Key>>,
    /// The first half of the authority's number, which never changes.
    pub id1: u64,
    /// The second half.
    pub id2: u64,
}

impl State {
    /// The trusted keys.
    pub fn keys(&self) -> &[Key] {
        self.keys.as_deref().unwrap_or_default()
    }

    /// The values that a disablement secret is compared with.
    pub fn disablement_values(&self) -> impl Iterator<Item = &[u8]> {
        self.disablement_values.iter().flatten().map(|it| it.as_deref().unwrap_or_default())
    }

    /// The trusted key with this ID.
    pub fn key(&self, id: &[u8]) -> Result<&Key, KeyIdError> {
        self.position(id).and_then(|it| self.keys().get(it).ok_or(KeyIdError::NotFound))
    }

    /// Where the key with this ID stands. A key of unknown kind before it ends the search.
    fn position(&self, id: &[u8]) -> Result<usize, KeyIdError> {
        for (index, key) in self.keys().iter().enumerate() {
            if key.id()? == id {
                return Ok(index);
            }
        }
        Err(KeyIdError::NotFound)
    }

    /// Votes of all keys.
    pub fn total_votes(&self) -> u64 {
        self.keys().iter().fold(0, |sum, it| sum.saturating_add(it.votes))
    }

    /// Whether the secret switches this authority off.
    pub fn is_disabled_by(&self, secret: &DisablementSecret) -> bool {
        // Every value is compared, so that the time taken does not tell which was the right one.
        let matches = |value: crate::secret::DisablementValue| {
            self.disablement_values().fold(false, |any, it| any | value.matches(it))
        };
        secret.value().is_some_and(matches)
    }

    /// Whether it can be a checkpoint. Errors come in the network's order.
    pub fn check(&self) -> Result<(), StateError> {
        if self.last.is_some() {
            return Err(StateError::Parent);
        }
        let values: Vec<&[u8]> = self.disablement_values().collect();
        if values.is_empty() {
            return Err(StateError::NoDisablementValue);
        }
        if values.len() > MAX_DISABLEMENT_VALUES {
            return Err(StateError::TooManyDisablementValues(values.len()));
        }
        for (index, value) in values.iter().enumerate() {
            if value.len() != DISABLEMENT_LENGTH {
                return Err(StateError::DisablementLength { index, length: value.len() });
            }
            if let Some(other) = twin(&values, index) {
                return Err(StateError::DuplicateDisablement(index, other));
            }
        }
        let keys = self.keys();
        if keys.is_empty() {
            return Err(StateError::NoKey);
        }
        if keys.len() > MAX_KEYS {
            return Err(StateError::TooManyKeys(keys.len()));
        }
        for (index, key) in keys.iter().enumerate() {
            key.check().map_err(|error| StateError::Key { index, error })?;
        }
        let ids: Vec<&[u8]> =
            keys.iter().map(|it| it.public.as_deref().unwrap_or_default()).collect();
        for index in 0..ids.len() {
            if let Some(other) = twin(&ids, index) {
                return Err(StateError::DuplicateKey(index, other));
            }
        }
        Ok(())
    }

    /// The state after an update, which was verified. This one is left as it is.
    pub fn apply(&self, aum: &Aum) -> Result<Self, ApplyError> {
        let mut state = self.clone();
        state.advance(aum, aum.hash())?;
        Ok(state)
    }

    /// Becomes the state after a verified update with this hash. On an error nothing has changed.
    pub(crate) fn advance(&mut self, aum: &Aum, hash: AumHash) -> Result<(), ApplyError> {
        // Byte for byte: a parent of 33 bytes was good enough to be found, and is not here.
        let follows = |last: &AumHash| aum.parent.as_deref() == Some(last.as_bytes().as_slice());
        if self.last.as_ref().is_some_and(|it| !follows(it)) {
            return Err(ApplyError::Parent);
        }
        let id = aum.key_id.as_deref().unwrap_or_default();
        match aum.kind {
            AumKind::Checkpoint => {
                let state = aum.state.as_ref().ok_or(ApplyError::MissingState)?;
                if (state.id1, state.id2) != (self.id1, self.id2) {
                    return Err(ApplyError::StateId);
                }
                state.clone_into(self);
            }
            AumKind::AddKey => {
                let key = aum.key.as_ref().ok_or(ApplyError::MissingKey)?;
                // A key of unknown kind in the list hides the others, as it does on the network.
                if self.key(key.id()?).is_ok() {
                    return Err(ApplyError::KeyExists);
                }
                self.keys.get_or_insert_default().push(key.clone());
            }
            AumKind::UpdateKey => {
                let index = self.position(id)?;
                let key = self.keys.iter_mut().flatten().nth(index).ok_or(KeyIdError::NotFound)?;
                let mut changed = key.clone();
                if let Some(votes) = aum.votes {
                    changed.votes = votes;
                }
                if let Some(meta) = &aum.meta {
                    changed.meta = Some(meta.clone());
                }
                changed.check().map_err(ApplyError::ChangedKey)?;
                *key = changed;
            }
            AumKind::RemoveKey => {
                let index = self.position(id)?;
                if let Some(keys) = &mut self.keys {
                    keys.remove(index);
                }
            }
            AumKind::NoOp | AumKind::Invalid | AumKind::Unknown(_) => {}
        }
        self.last = Some(hash);
        Ok(())
    }

    /// Whether an update may be stored as a child of this state.
    pub fn verify(&self, aum: &Aum) -> Result<(), VerifyError> {
        self.verify_parent(aum)?;
        self.verify_signers(aum, trusted)?;
        self.verify_removal(aum)
    }

    /// Whether an update may be the first of an authority: judged by the state that it brings.
    pub(crate) fn verify_genesis(&self, aum: &Aum) -> Result<(), VerifyError> {
        aum.check()?;
        self.verify_signers(aum, trusted)?;
        self.verify_removal(aum)
    }

    /// The part of [`State::verify`] that comes before the signatures.
    pub(crate) fn verify_parent(&self, aum: &Aum) -> Result<(), VerifyError> {
        aum.check()?;
        let parent = aum.parent().ok_or(VerifyError::NoParent)?;
        let last = self.last.ok_or(VerifyError::NoState)?;
        if parent != last {
            return Err(VerifyError::Parent(hex(last.as_bytes()), hex(parent.as_bytes())));
        }
        Ok(())
    }

    /// Every signature must be by a trusted key, and hold; `holds` says of one whether it does, or
    /// puts that question off.
    pub(crate) fn verify_signers(
        &self,
        aum: &Aum,
        mut holds: impl FnMut(&Key, verify::SigHash, &[u8]) -> Result<(), SignatureError>,
    ) -> Result<(), VerifyError> {
        if aum.signatures.is_empty() {
            return Err(VerifyError::Unsigned);
        }
        let hash = aum.sig_hash();
        for (index, signature) in aum.signatures.iter().enumerate() {
            let id = signature.key_id.as_deref().unwrap_or_default();
            let key = self.key(id).map_err(|error| VerifyError::Signer { index, error })?;
            holds(key, hash, signature.signature.as_deref().unwrap_or_default())
                .map_err(|error| VerifyError::Signature { index, error })?;
        }
        Ok(())
    }

    /// The part of [`State::verify`] that comes after the signatures.
    pub(crate) fn verify_removal(&self, aum: &Aum) -> Result<(), VerifyError> {
        let id = aum.key_id.as_deref().unwrap_or_default();
        match self.keys() {
            [last] if aum.kind == AumKind::RemoveKey && last.id() == Ok(id) => {
                Err(VerifyError::LastKey)
            }
            _ => Ok(()),
        }
    }
}

/// The first other entry that equals the one at `index`.
fn twin(list: &[&[u8]], index: usize) -> Option<usize> {
    let entry = list.get(index);
    (0..list.len()).find(|other| *other != index && list.get(*other) == entry)
}

/// Whether a signature by a trusted key holds: an update's, or a direct or credential one's.
pub(crate) fn trusted(
    key: &Key,
    hash: verify::SigHash,
    signature: &[u8],
) -> Result<(), SignatureError> {
    let public = key.public_for_signing()?;
    if verify::zip215(public, hash.as_bytes(), signature) {
        Ok(())
    } else {
        Err(SignatureError::Invalid)
    }
}

const FIELDS: &[Field] = &[
    Field { key: 1, presence: Presence::Always },
    Field { key: 2, presence: Presence::Always },
    Field { key: 3, presence: Presence::Always },
    Field { key: 4, presence: Presence::UnlessEmpty },
    Field { key: 5, presence: Presence::UnlessEmpty },
];

impl Wire for State {
    fn write(&self, writer: &mut Writer) {
        writer.map(3 + [self.id1, self.id2].iter().filter(|it| **it != 0).count());
        writer.unsigned(1);
        writer.nullable(self.last.as_ref().map(|it| it.as_bytes().as_slice()));
        writer.unsigned(2);
        match &self.disablement_values {
            Some(values) => {
                writer.array(values.len());
                for value in values {
                    writer.nullable(value.as_deref());
                }
            }
            None => writer.null(),
        }
        writer.unsigned(3);
        match &self.keys {
            Some(keys) => writer.list(keys),
            None => writer.null(),
        }
        for (field, id) in [(4, self.id1), (5, self.id2)] {
            if id != 0 {
                writer.unsigned(field);
                writer.unsigned(id);
            }
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut state = Self::default();
        reader.structure(FIELDS, |reader, field| {
            match field {
                1 => state.last = reader.hash()?.map(AumHash::new),
                2 => state.disablement_values = reader.list(Reader::bytes)?,
                3 => state.keys = reader.list(Wire::read)?,
                4 => state.id1 = reader.unsigned(u64::MAX)?,
                _ => state.id2 = reader.unsigned(u64::MAX)?,
            }
            Ok(())
        })?;
        Ok(state)
    }
}
