//! Node-key signatures: the word of a trusted key, or of a chain that began with one, that a node
//! key belongs to the tailnet.
//!
//! | kind | says | signed by |
//! |---|---|---|
//! | direct | this node key is good | a trusted key |
//! | credential | what this other key signs is good | a trusted key |
//! | rotation | this node key takes the place of the nested one | the nested one's wrapping key |
//!
//! SOURCE: `tka/sig.go`.

use std::fmt;

use crate::cbor::{self, DecodeError, Decoded, Field, Presence, Reader, Wire, Writer};
use crate::error::{EndorseError, NodeKeyError, SignatureError};
use crate::key::Key;
use crate::limits::MAX_ROTATIONS;
use crate::secret::{SignError, Signer};
use crate::state::{State, trusted};
use crate::text::{LockPublicKey, NodeKey, padded};
use crate::verify::{self, SigHash};

/// What a node-key signature is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum SignatureKind {
    /// Number 0. Never holds.
    #[default]
    Invalid,
    /// A trusted key certifies a node key.
    Direct,
    /// The wrapping key of another signature moves it to a new node key.
    Rotation,
    /// A trusted key delegates to another key.
    Credential,
    /// Any other number. Never holds.
    Unknown(u8),
}

impl From<u8> for SignatureKind {
    fn from(number: u8) -> Self {
        match number {
            0 => SignatureKind::Invalid,
            1 => SignatureKind::Direct,
            2 => SignatureKind::Rotation,
            3 => SignatureKind::Credential,
            other => SignatureKind::Unknown(other),
        }
    }
}

impl SignatureKind {
    /// Its number on the wire.
    pub const fn number(self) -> u8 {
        match self {
            SignatureKind::Invalid => 0,
            SignatureKind::Direct => 1,
            SignatureKind::Rotation => 2,
            SignatureKind::Credential => 3,
            SignatureKind::Unknown(number) => number,
        }
    }
}

impl fmt::Display for SignatureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SignatureKind::Invalid => f.write_str("invalid"),
            SignatureKind::Direct => f.write_str("direct"),
            SignatureKind::Rotation => f.write_str("rotation"),
            SignatureKind::Credential => f.write_str("credential"),
            SignatureKind::Unknown(number) => write!(f, "Sig?<{number}>"),
        }
    }
}

/// A node-key signature. An empty field is an absent one.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct NodeKeySignature {
    /// What it is.
    pub kind: SignatureKind,
    /// The node key it is about, in binary form; a credential is about none.
    pub node_key: Vec<u8>,
    /// The trusted key that signed; a rotation names none.
    pub key_id: Vec<u8>,
    /// The 64 bytes of the signature.
    pub signature: Vec<u8>,
    /// What is rotated.
    pub nested: Option<Box<NodeKeySignature>>,
    /// Who may sign a rotation of this one.
    pub wrapping_key: Vec<u8>,
}

/// A key that may move a signature to another node key: known to be the public half of a lock key.
///
/// The network takes any 32 bytes here. What is none would leave the node not rotatable.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RotationKey(LockPublicKey);

/// A key that is not the public half of any lock key.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0} cannot be a rotation key: it is not the public half of any lock key")]
pub struct NoRotationKey(pub LockPublicKey);

impl RotationKey {
    /// Takes a key that can be one.
    pub fn new(key: LockPublicKey) -> Result<Self, NoRotationKey> {
        if verify::is_sound(key.as_bytes()) { Ok(Self(key)) } else { Err(NoRotationKey(key)) }
    }

    /// The key.
    pub fn key(&self) -> &LockPublicKey {
        &self.0
    }
}

/// What a rotation says beside that it holds.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rotation {
    /// The node keys that were moved away from, newest first.
    pub previous: Vec<NodeKey>,
    /// What the chain of rotations began with.
    pub initial: NodeKeySignature,
}

impl NodeKeySignature {
    /// Reads a signature as the network does; what is unusual about its bytes stands beside it.
    pub fn decode(bytes: &[u8]) -> Result<Decoded<Self>, DecodeError> {
        cbor::decode(bytes)
    }

    /// Reads a signature whose bytes are canonical but for fields that a later version may add.
    pub fn decode_strict(bytes: &[u8]) -> Result<Self, DecodeError> {
        cbor::strict(cbor::decode(bytes)?)
    }

    /// The canonical bytes.
    pub fn encode(&self) -> Vec<u8> {
        cbor::encode(self)
    }

    /// What is signed: everything but this one's own signature.
    pub fn sig_hash(&self) -> SigHash {
        let mut writer = Writer::default();
        self.write_with(&mut writer, &[]);
        SigHash::of(&writer.bytes)
    }

    /// This signature, the one it rotates, and so on inward.
    pub fn levels(&self) -> impl Iterator<Item = &NodeKeySignature> {
        std::iter::successors(Some(self), |it| it.nested.as_deref())
    }

    /// Rotations in it: 0 to 15.
    pub fn rotations(&self) -> usize {
        self.levels().take_while(|it| it.kind == SignatureKind::Rotation).count()
    }

    /// Who may sign a rotation of it: its own wrapping key, else that of the one it rotates.
    pub fn effective_wrapping_key(&self) -> Option<&[u8]> {
        for level in self.levels() {
            if !level.wrapping_key.is_empty() {
                return Some(&level.wrapping_key);
            }
            if level.kind != SignatureKind::Rotation {
                break;
            }
        }
        None
    }

    /// The trusted key that it all rests on. Says nothing about whether it holds.
    pub fn authorizing_key_id(&self) -> Result<&[u8], NodeKeyError> {
        match (self.kind, &self.nested) {
            (SignatureKind::Direct | SignatureKind::Credential, _) if self.key_id.is_empty() => {
                Err(NodeKeyError::NoKeyId)
            }
            (SignatureKind::Direct | SignatureKind::Credential, _) => Ok(&self.key_id),
            (SignatureKind::Rotation, Some(nested)) => nested.authorizing_key_id(),
            (SignatureKind::Rotation, None) => Err(NodeKeyError::NothingRotated),
            (kind, _) => Err(NodeKeyError::Kind(kind)),
        }
    }

    /// Whether it authorizes a node key in a state, by the network's exact rules; and what it
    /// rotated away from, where it did.
    pub fn authorizes(
        &self,
        node_key: &NodeKey,
        state: &State,
    ) -> Result<Option<Rotation>, NodeKeyError> {
        if self.kind == SignatureKind::Credential {
            return Err(NodeKeyError::Credential);
        }
        let key = state.key(self.authorizing_key_id()?)?;
        self.verify(Some(node_key), key)?;
        self.rotation()
    }

    /// Whether it holds: for a node key, unless it is a credential, and under a trusted key.
    fn verify(&self, node_key: Option<&NodeKey>, key: &Key) -> Result<(), NodeKeyError> {
        if let Some(node_key) = node_key
            && NodeKey::from_binary(&self.node_key).as_ref() != Ok(node_key)
        {
            return Err(NodeKeyError::OtherNode);
        }
        match self.kind {
            SignatureKind::Rotation => {
                let nested = self.nested.as_deref().ok_or(NodeKeyError::NothingRotated)?;
                let public = nested.effective_wrapping_key().ok_or(NodeKeyError::NoRotationKey)?;
                if public.len() != 32 {
                    return Err(NodeKeyError::RotationKeyLength(public.len()));
                }
                if !verify::cofactorless(public, self.sig_hash().as_bytes(), &self.signature) {
                    return Err(SignatureError::Invalid.into());
                }
                let nested_key = match nested.kind {
                    SignatureKind::Credential => None,
                    _ => Some(
                        NodeKey::from_binary(&nested.node_key)
                            .map_err(NodeKeyError::NestedNodeKey)?,
                    ),
                };
                nested
                    .verify(nested_key.as_ref(), key)
                    .map_err(|error| NodeKeyError::Nested(Box::new(error)))
            }
            SignatureKind::Direct | SignatureKind::Credential => {
                if self.nested.is_some() {
                    return Err(NodeKeyError::Nests(self.kind));
                }
                Ok(trusted(key, self.sig_hash(), &self.signature)?)
            }
            kind => Err(NodeKeyError::Kind(kind)),
        }
    }

    /// What a rotation moved away from; `None` for another kind.
    fn rotation(&self) -> Result<Option<Rotation>, NodeKeyError> {
        if self.kind != SignatureKind::Rotation {
            return Ok(None);
        }
        let mut previous = Vec::new();
        for level in self.levels().skip(1) {
            if !level.node_key.is_empty() {
                let key =
                    NodeKey::from_binary(&level.node_key).map_err(NodeKeyError::NestedNodeKey)?;
                previous.push(key);
            }
            if level.kind != SignatureKind::Rotation {
                return Ok(Some(Rotation { previous, initial: level.clone() }));
            }
        }
        Err(NodeKeyError::NothingRotated)
    }

    /// A trusted key's word for a node key. Whoever owns `rotation_key` can move it to any other
    /// node key; without one the node must be signed again when its key changes.
    pub fn direct(
        signer: &dyn Signer,
        node_key: &NodeKey,
        rotation_key: Option<&RotationKey>,
    ) -> Result<Self, EndorseError> {
        let mut signature = Self {
            kind: SignatureKind::Direct,
            node_key: node_key.to_binary(),
            key_id: signer.public().as_bytes().to_vec(),
            wrapping_key: bytes(rotation_key),
            ..Self::default()
        };
        signature.sign(signer)?;
        Ok(signature)
    }

    /// A trusted key's word for what another key will sign.
    pub fn credential(signer: &dyn Signer, delegate: &RotationKey) -> Result<Self, EndorseError> {
        let mut signature = Self {
            kind: SignatureKind::Credential,
            key_id: signer.public().as_bytes().to_vec(),
            wrapping_key: bytes(Some(delegate)),
            ..Self::default()
        };
        signature.sign(signer)?;
        Ok(signature)
    }

    /// The first signature of a node that joins with a credential, by the key that it delegates to.
    ///
    /// `rotation_key` lets the node rotate by itself later. The network's own programs never give
    /// one, and such a node is locked out when its key expires.
    pub fn by_credential(
        delegate: &dyn Signer,
        credential: &Self,
        node_key: &NodeKey,
        rotation_key: Option<&RotationKey>,
    ) -> Result<Self, EndorseError> {
        if credential.kind != SignatureKind::Credential {
            return Err(EndorseError::NoCredential(credential.kind));
        }
        let mut signature = Self::over(Some(credential.clone()), node_key.to_binary());
        signature.wrapping_key = bytes(rotation_key);
        signature.sign(delegate)?;
        Ok(signature)
    }

    /// Moves an old signature to a new node key, signed by the node's lock key; the same signature
    /// where the key is the same. Whether the lock key may do that is not checked, as on the network.
    ///
    /// The oldest rotations are dropped where one more would be too deep.
    pub fn resign(
        signer: &dyn Signer,
        node_key: &NodeKey,
        old: &Self,
    ) -> Result<Self, EndorseError> {
        let node_key = node_key.to_binary();
        if old.node_key == node_key {
            return Ok(old.clone());
        }
        let mut signature = Self::over(Some(old.trimmed(signer)?), node_key);
        signature.sign(signer)?;
        Ok(signature)
    }

    /// This signature, or the newest of its rotations signed anew where there are too many.
    fn trimmed(&self, signer: &dyn Signer) -> Result<Self, EndorseError> {
        if self.kind != SignatureKind::Rotation {
            return Ok(self.clone());
        }
        let mut node_keys = vec![self.node_key.clone()];
        let mut initial = None;
        for level in self.levels().skip(1) {
            if !level.node_key.is_empty() {
                node_keys.push(level.node_key.clone());
            }
            if level.kind != SignatureKind::Rotation {
                initial = Some(level);
                break;
            }
        }
        if node_keys.len() <= MAX_ROTATIONS {
            return Ok(self.clone());
        }
        node_keys.truncate(MAX_ROTATIONS - 1);
        // A chain that begins with nothing is trimmed all the same, as on the network.
        let mut trimmed = initial.cloned();
        for node_key in node_keys.into_iter().rev() {
            let mut signature = Self::over(trimmed, node_key);
            signature.sign(signer)?;
            trimmed = Some(signature);
        }
        Ok(trimmed.unwrap_or_default())
    }

    /// An unsigned rotation.
    fn over(nested: Option<Self>, node_key: Vec<u8>) -> Self {
        Self {
            kind: SignatureKind::Rotation,
            node_key,
            nested: nested.map(Box::new),
            ..Self::default()
        }
    }

    fn sign(&mut self, signer: &dyn Signer) -> Result<(), SignError> {
        self.signature = signer.sign(&self.sig_hash())?.to_vec();
        Ok(())
    }

    fn write_with(&self, writer: &mut Writer, signature: &[u8]) {
        let strings =
            [(2, &*self.node_key), (3, &*self.key_id), (4, signature), (6, &*self.wrapping_key)];
        let written = strings.iter().filter(|it| !it.1.is_empty()).count();
        writer.map(1 + written + usize::from(self.nested.is_some()));
        writer.unsigned(1);
        writer.unsigned(self.kind.number().into());
        for (field, bytes) in strings {
            if let (6, Some(nested)) = (field, &self.nested) {
                writer.unsigned(5);
                nested.write(writer);
            }
            if !bytes.is_empty() {
                writer.unsigned(field);
                writer.bytes(bytes);
            }
        }
    }
}

/// As the daemon's command shows it: a line for each field, nested ones indented by two spaces.
impl fmt::Display for NodeKeySignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (depth, level) in self.levels().enumerate() {
            let indent = "  ".repeat(depth);
            if depth > 0 {
                write!(f, "\n{}Nested:\n", "  ".repeat(depth - 1))?;
            }
            write!(f, "{indent}SigKind: {}", level.kind)?;
            if !level.node_key.is_empty() {
                match NodeKey::from_binary(&level.node_key) {
                    Ok(key) => write!(f, "\n{indent}Pubkey: {}", key.short())?,
                    Err(error) => write!(f, "\n{indent}Pubkey: <error: {error}>")?,
                }
            }
            for (name, bytes) in [("KeyID", &level.key_id), ("WrappingPubkey", &level.wrapping_key)]
            {
                if !bytes.is_empty() {
                    write!(f, "\n{indent}{name}: {}", shown(bytes))?;
                }
            }
        }
        Ok(())
    }
}

fn bytes(key: Option<&RotationKey>) -> Vec<u8> {
    key.map(|it| it.0.as_bytes().to_vec()).unwrap_or_default()
}

/// A key for display, cut off or filled up with zeros where it is not 32 bytes long.
fn shown(bytes: &[u8]) -> LockPublicKey {
    LockPublicKey::new(padded(bytes))
}

const FIELDS: &[Field] = &[
    Field { key: 1, presence: Presence::Always },
    Field { key: 2, presence: Presence::UnlessEmpty },
    Field { key: 3, presence: Presence::UnlessEmpty },
    Field { key: 4, presence: Presence::UnlessEmpty },
    Field { key: 5, presence: Presence::UnlessNull },
    Field { key: 6, presence: Presence::UnlessEmpty },
];

impl Wire for NodeKeySignature {
    fn write(&self, writer: &mut Writer) {
        self.write_with(writer, &self.signature);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut signature = Self::default();
        reader.structure(FIELDS, |reader, field| {
            match field {
                1 => signature.kind = SignatureKind::from(reader.unsigned(0xff)? as u8),
                2 => signature.node_key = reader.bytes()?.unwrap_or_default(),
                3 => signature.key_id = reader.bytes()?.unwrap_or_default(),
                4 => signature.signature = reader.bytes()?.unwrap_or_default(),
                5 => signature.nested = reader.optional()?.map(Box::new),
                _ => signature.wrapping_key = reader.bytes()?.unwrap_or_default(),
            }
            Ok(())
        })?;
        Ok(signature)
    }
}
