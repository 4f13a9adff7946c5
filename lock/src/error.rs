//! What each operation refuses, and why: one enum per operation.
//!
//! The sentences are the network's own where it has one, so that a verdict can be compared with it
//! to the letter.
//!
//! SOURCE: `tka/aum.go`, `tka/state.go`, `tka/tka.go`, `tka/sig.go`, `tka/builder.go`.

use crate::aum::{AumHash, AumKind};
use crate::cbor::DecodeError;
use crate::key::{KeyError, KeyIdError, kind_name};
use crate::limits::{DISABLEMENT_LENGTH, MAX_DISABLEMENT_VALUES, MAX_KEYS, MAX_SCAN};
use crate::secret::SignError;
use crate::signature::{NoRotationKey, SignatureKind};
use crate::text::{TextError, hex};

/// Why an update is not well-formed, whatever it is applied to.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AumError {
    /// The key it brings.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A parent of no bytes.
    #[error("absent parent must be represented by a nil slice")]
    EmptyParent,
    /// A signature or its key ID has a wrong length.
    #[error("signature {0} has missing keyID or malformed signature")]
    Signature(usize),
    /// The state it brings.
    #[error("checkpoint state: {0}")]
    State(#[from] StateError),
    /// An addition of nothing.
    #[error("AddKey AUMs must contain a key")]
    AddWithoutKey,
    /// An addition of more than a key.
    #[error("AddKey AUMs may only specify a Key")]
    AddWithMore,
    /// A removal of nothing.
    #[error("RemoveKey AUMs must specify a key ID")]
    RemoveWithoutKeyId,
    /// A removal of more than a key.
    #[error("RemoveKey AUMs may only specify a KeyID")]
    RemoveWithMore,
    /// A change of no key.
    #[error("UpdateKey AUMs must specify a key ID")]
    ChangeWithoutKeyId,
    /// A change of nothing.
    #[error("UpdateKey AUMs must contain an update to votes or key metadata")]
    ChangeWithoutChange,
    /// A change of more than votes and metadata.
    #[error("UpdateKey AUMs may only specify KeyID, Votes, and Meta")]
    ChangeWithMore,
    /// A checkpoint of nothing.
    #[error("Checkpoint AUMs must specify the state")]
    CheckpointWithoutState,
    /// A checkpoint of more than a state.
    #[error("Checkpoint AUMs may only specify State")]
    CheckpointWithMore,
}

/// Why a state cannot be a checkpoint.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// It says which update it follows.
    #[error("cannot specify a parent AUM")]
    Parent,
    /// Nobody could switch the lock off.
    #[error("at least one disablement secret required")]
    NoDisablementValue,
    /// More disablement values than there may be.
    #[error("too many disablement values ({0}, max {MAX_DISABLEMENT_VALUES})")]
    TooManyDisablementValues(usize),
    /// A disablement value that is no output of the key derivation.
    #[error("disablement[{index}]: invalid length (got {length}, want {DISABLEMENT_LENGTH})")]
    DisablementLength {
        /// Which, from 0.
        index: usize,
        /// How long it is, in bytes.
        length: usize,
    },
    /// A disablement value twice.
    #[error("disablement[{0}]: duplicates disablement[{1}]")]
    DuplicateDisablement(usize, usize),
    /// Nobody could sign.
    #[error("at least one key is required")]
    NoKey,
    /// More keys than there may be.
    #[error("too many keys ({0}, max {MAX_KEYS})")]
    TooManyKeys(usize),
    /// A key that may not be in it.
    #[error("key[{index}]: {error}")]
    Key {
        /// Which, from 0.
        index: usize,
        /// What is wrong with it.
        error: KeyError,
    },
    /// A key twice.
    #[error("key[{0}]: duplicates key[{1}]")]
    DuplicateKey(usize, usize),
}

/// Why an update cannot be applied to a state.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ApplyError {
    /// It follows another update.
    #[error("parent AUMHash mismatch")]
    Parent,
    /// A checkpoint of nothing.
    #[error("missing checkpoint state")]
    MissingState,
    /// A checkpoint of another authority.
    #[error("checkpointed state has an incorrect stateID")]
    StateId,
    /// An addition of nothing.
    #[error("no key to add provided")]
    MissingKey,
    /// The key is there.
    #[error("key already exists")]
    KeyExists,
    /// The key is not there.
    #[error(transparent)]
    KeyId(#[from] KeyIdError),
    /// What the change leaves of a key may not be.
    #[error("updated key fails validation: {0}")]
    ChangedKey(KeyError),
}

/// Why an update may not be stored.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// It is not well-formed.
    #[error("invalid: {0}")]
    Invalid(#[from] AumError),
    /// It follows nothing.
    #[error("aum has no parent")]
    NoParent,
    /// The state follows nothing.
    #[error("cannot check update parent hash against a state with no previous AUM")]
    NoState,
    /// It follows another update. Both hashes are of the state, as the network prints them.
    #[error("aum with parent {0} cannot be applied to a state with parent {1}")]
    Parent(String, String),
    /// Nobody signed it.
    #[error("unsigned AUM")]
    Unsigned,
    /// Somebody signed it who is not trusted.
    #[error("bad keyID on signature {index}: {error}")]
    Signer {
        /// Which signature, from 0.
        index: usize,
        /// Why its key is not known.
        error: KeyIdError,
    },
    /// A signature is not its key's.
    #[error("signature {index}: {error}")]
    Signature {
        /// Which signature, from 0.
        index: usize,
        /// What is wrong with it.
        error: SignatureError,
    },
    /// Nobody would be left.
    #[error("cannot remove the last key in the state")]
    LastKey,
}

/// Why a signature by a trusted key does not hold.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// The trusted key is no Ed25519 key, by its length.
    #[error("ed25519 key has wrong length: {0}")]
    KeyLength(usize),
    /// The trusted key is of an unknown kind.
    #[error("unhandled key type: {}", kind_name(*.0))]
    KeyKind(u8),
    /// The equation does not hold.
    #[error("invalid signature")]
    Invalid,
}

/// Why a signature does not authorize a node key.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NodeKeyError {
    /// It is no signature.
    #[error("unserialize: {0}")]
    Decode(#[from] DecodeError),
    /// It delegates, and names no node.
    #[error("credential signatures cannot authorize nodes on their own")]
    Credential,
    /// It does not say who signed.
    #[error("invalid signature: no keyID present")]
    NoKeyId,
    /// A rotation of nothing.
    #[error("invalid signature: rotation signature missing nested signature")]
    NothingRotated,
    /// A kind that is not known.
    #[error("unhandled signature type: {0}")]
    Kind(SignatureKind),
    /// Who signed is not trusted.
    #[error("key: {0}")]
    Key(#[from] KeyIdError),
    /// It is about another node key.
    #[error("signature does not authorize nodeKey")]
    OtherNode,
    /// What it rotates may not be rotated by anybody.
    #[error("missing rotation key")]
    NoRotationKey,
    /// What it rotates may be rotated by a key of a wrong length.
    #[error("bad rotation key length: {0}")]
    RotationKeyLength(usize),
    /// What it rotates is about no node key.
    #[error("nested pubkey: {0}")]
    NestedNodeKey(TextError),
    /// What it rotates does not hold.
    #[error("nested: {0}")]
    Nested(Box<NodeKeyError>),
    /// A direct or credential signature with another inside.
    #[error("invalid signature: signatures of type {0} cannot nest another signature")]
    Nests(SignatureKind),
    /// It does not hold under its key.
    #[error(transparent)]
    Signature(#[from] SignatureError),
}

/// Why no node-key signature was made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EndorseError {
    /// The key that may rotate, or that is delegated to, is none.
    #[error(transparent)]
    RotationKey(#[from] NoRotationKey),
    /// The signature that is to be used is of another kind.
    #[error("wrapped signature must be a credential, got {0}")]
    NoCredential(SignatureKind),
    /// The old signature is none.
    #[error("decoding NKS: {0}")]
    Decode(#[from] DecodeError),
    /// The signer did not sign.
    #[error(transparent)]
    Sign(#[from] SignError),
}

/// Why a store failed. Not finding an update is none of these.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A file or folder.
    #[error("{path}: {error}")]
    Io {
        /// Which.
        path: String,
        /// What the system says.
        error: std::io::Error,
    },
    /// A record that cannot be read.
    #[error("{path}: {error}")]
    Record {
        /// Its file.
        path: String,
        /// What is wrong with it.
        error: DecodeError,
    },
    /// A record under another update's name.
    #[error("{path}: AUM does not match file name hash {hash}")]
    WrongName {
        /// Its file.
        path: String,
        /// The hash of what it holds.
        hash: AumHash,
    },
    /// The file that names the oldest active update.
    #[error("stored hash is of wrong length: {0} != 32")]
    AncestorLength(usize),
    /// What stands at a file's place is something else.
    #[error("{0} exists and is no regular file")]
    NotAFile(String),
    /// More files than any chain has.
    #[error("{path} holds more than {max} records: it is no store of updates")]
    TooManyRecords {
        /// The folder.
        path: String,
        /// The bound.
        max: usize,
    },
    /// An update that should be purged is not there.
    #[error("{0} is not stored")]
    Missing(AumHash),
}

/// Why no authority could be opened, or its state not be computed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The update that is asked for is not stored.
    #[error("file does not exist")]
    NotStored,
    /// An update on the way is not stored.
    #[error("reading parent ({0}): file does not exist")]
    MissingParent(AumHash),
    /// More updates than may be walked.
    #[error("iteration limit exceeded ({MAX_SCAN})")]
    TooLong,
    /// The first update of a chain is of a kind that cannot be first.
    #[error("invalid genesis update: {0}")]
    Genesis(AumKind),
    /// An update on the way does not fit.
    #[error("advancing state: {0}")]
    Apply(#[from] ApplyError),
    /// A state that follows nothing.
    #[error("invalid initial state")]
    NoState,
    /// The store is empty.
    #[error("no chain candidates in AUM storage")]
    Empty,
    /// Several chains without a common update, and none is known to be ours.
    #[error("multiple distinct chains")]
    SeveralChains,
}

/// Why no authority was started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BootstrapError {
    /// The store has updates.
    #[error("tailchonk is not empty")]
    NotEmpty,
    /// Only a checkpoint says all that is needed.
    #[error("bootstrap AUMs must be checkpoint messages, got {0}")]
    Kind(AumKind),
    /// A checkpoint of nothing.
    #[error("bootstrap AUM is missing state")]
    NoState,
    /// It may not be stored.
    #[error("invalid bootstrap: {0}")]
    Invalid(#[from] VerifyError),
    /// The state that a new authority should begin with.
    #[error("invalid state: {0}")]
    State(#[from] AumError),
    /// The signer did not sign.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The chain of one.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why updates were refused. None of them was stored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InformError {
    /// There are none.
    #[error("inform called with empty slice")]
    Empty,
    /// One follows nothing.
    #[error("update {0}: missing parent")]
    NoParent(usize),
    /// What one follows is not known.
    #[error("update {index} computing state: {error}")]
    State {
        /// Which update, from 0.
        index: usize,
        /// Why.
        error: ChainError,
    },
    /// One may not be stored.
    #[error("update {index} invalid: {error}")]
    Invalid {
        /// Which update, from 0.
        index: usize,
        /// Why.
        error: VerifyError,
    },
    /// One does not fit.
    #[error("update {index} cannot be applied: {error}")]
    Apply {
        /// Which update, from 0.
        index: usize,
        /// Why.
        error: ApplyError,
    },
    /// The store.
    #[error("commit: {0}")]
    Store(#[from] StoreError),
    /// The chain with them.
    #[error("recomputing active chain: {0}")]
    Chain(#[from] ChainError),
}

/// Why old updates were not dropped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompactError {
    /// An option of zero.
    #[error("opts.{0} must be set")]
    Option(&'static str),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The head is not stored.
    #[error("the head is not stored")]
    NoHead,
    /// No checkpoint is old enough, and the first update was not met either.
    #[error("searching for compaction target ({0}): file does not exist")]
    NoTarget(AumHash),
    /// An update to keep does not meet the active chain.
    #[error("reached genesis AUM without intersecting with candidate ancestor")]
    NoIntersection,
}

/// Why nothing could be offered or sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SyncError {
    /// The two sides have no update in common.
    #[error("no intersection")]
    NoIntersection,
    /// A chain.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a change was not turned into an update.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The key to add is of an unknown kind.
    #[error(transparent)]
    KeyId(KeyIdError),
    /// The key to add is there.
    #[error("cannot add key tlpub:{}: already exists", hex(.0))]
    Exists(Vec<u8>),
    /// No more keys fit.
    #[error("cannot add key tlpub:{}: maximum number of keys reached", hex(.0))]
    Full(Vec<u8>),
    /// The key to add is not the public half of any lock key. The network would take it.
    #[error("cannot add key tlpub:{}: it is not the public half of any lock key", hex(.0))]
    Weak(Vec<u8>),
    /// The key to change or remove is not there.
    #[error("failed reading key {}: {error}", hex(.id))]
    NoKey {
        /// Its ID.
        id: Vec<u8>,
        /// Why.
        error: KeyIdError,
    },
    /// Metadata of nothing is not written, and so would be lost on the way.
    #[error("metadata cannot be emptied: the network leaves empty metadata out")]
    EmptyMeta,
    /// Nobody would be left to sign.
    #[error("cannot remove the last key in the state")]
    LastKey,
    /// The signer did not sign.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The update would not be well-formed.
    #[error("generated update was invalid: {0}")]
    Invalid(#[from] AumError),
    /// The update would not fit.
    #[error("update cannot be applied: {0}")]
    Apply(#[from] ApplyError),
    /// The checkpoint that a long chain needs.
    #[error("generating checkpoint: {0}")]
    Checkpoint(Box<BuildError>),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// None of the keys to revoke is trusted.
    #[error("no provided key is currently trusted")]
    NotTrusted,
    /// No key would be left.
    #[error("cannot revoke all trusted keys")]
    RevokesAll,
    /// The chain to fork.
    #[error("finding parent: {0}")]
    Chain(#[from] ChainError),
}
