//! What must not be seen: the private half of a lock key, and a secret that switches the lock off.
//!
//! INVARIANT: neither type can be printed, copied or compared by accident, and both wipe their
//! memory when they go. `expose_*` is the one way out, and shows in a review.
//!
//! ```compile_fail,E0277
//! println!("{:?}", lock::secret::SigningKey::from_seed(&[1; 32]));
//! ```
//! ```compile_fail,E0599
//! let copy = lock::secret::SigningKey::from_seed(&[1; 32]).clone();
//! ```
//! ```compile_fail,E0277
//! println!("{}", lock::secret::DisablementSecret::new(Vec::new()));
//! ```
//! ```compile_fail,E0369
//! let same = |a: lock::secret::DisablementSecret, b| a == b;
//! ```

use argon2::{Algorithm, Argon2, Params, Version};
use ed25519_dalek::Signer as _;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::text::{LockPublicKey, TextError, hex, typed_into};
use crate::verify::SigHash;

/// Why a text or bytes are no signing key.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// It is not `nlpriv:` and 128 hex digits.
    #[error(transparent)]
    Text(#[from] TextError),
    /// It has 64 bytes: the seed, then the public key.
    #[error("a private lock key has 64 bytes, not {0}")]
    Length(usize),
    /// Signing with a public half that is not the seed's gives the private key away.
    #[error("the two halves of the private key do not belong together")]
    Mismatch,
    /// A key that was never made: a node that has no lock key stores zeros.
    #[error("the private key is all zeros: this node has no lock key")]
    Zero,
}

/// What can sign: a key in memory, or one that is held elsewhere, in an agent or a card.
pub trait Signer {
    /// The public half, which is the key ID.
    fn public(&self) -> LockPublicKey;

    /// An Ed25519 signature over the 32 bytes of `hash`.
    fn sign(&self, hash: &SigHash) -> Result<[u8; 64], SignError>;
}

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
#[error("signing failed: {0}")]
pub struct SignError(pub Box<dyn std::error::Error + Send + Sync>);

/// The private half of a lock key. It lies on the heap, so that moving it leaves no copy behind.
pub struct SigningKey(Box<ed25519_dalek::SigningKey>);

impl Zeroize for SigningKey {
    /// Leaves the key whose seed is zeros; the inner key wipes itself as it is replaced.
    fn zeroize(&mut self) {
        *self.0 = ed25519_dalek::SigningKey::from_bytes(&[0; 32]);
    }
}

impl Drop for SigningKey {
    fn drop(&mut self) {
        self.zeroize();
    }
}

impl ZeroizeOnDrop for SigningKey {}

impl SigningKey {
    /// The key of a seed. The caller wipes its own copy.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(Box::new(ed25519_dalek::SigningKey::from_bytes(seed)))
    }

    /// The key of 64 bytes, as the daemon stores it: the seed, then the public key.
    pub fn from_pair(pair: &[u8]) -> Result<Self, SecretError> {
        let length = || SecretError::Length(pair.len());
        let (seed, public) = pair.split_first_chunk::<32>().ok_or_else(length)?;
        let public: &[u8; 32] = public.try_into().map_err(|_| length())?;
        if bool::from(pair.ct_eq(&[0; 64])) {
            return Err(SecretError::Zero);
        }
        let key = Self::from_seed(seed);
        if bool::from(key.public().as_bytes().ct_eq(public)) {
            Ok(key)
        } else {
            Err(SecretError::Mismatch)
        }
    }

    /// Reads `nlpriv:` and 128 hex digits, which is how the daemon's state file has it.
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        let mut pair = Zeroizing::new([0; 64]);
        typed_into(text, &["nlpriv:"], pair.as_mut())?;
        Self::from_pair(pair.as_ref())
    }

    /// The public half.
    pub fn public(&self) -> LockPublicKey {
        LockPublicKey::new(self.0.verifying_key().to_bytes())
    }

    /// The signature over the 32 bytes of `hash`: the same for the same input, always.
    pub fn sign(&self, hash: &SigHash) -> [u8; 64] {
        self.0.sign(hash.as_bytes()).to_bytes()
    }

    /// The 64 bytes, for a file that is kept as secret as this is.
    pub fn expose_pair(&self) -> Zeroizing<[u8; 64]> {
        Zeroizing::new(self.0.to_keypair_bytes())
    }

    /// The 32 bytes the key was made of, for a file that is kept as secret as this is.
    pub fn expose_seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }

    /// The text form `nlpriv:…`, for a file that is kept as secret as this is.
    pub fn expose_text(&self) -> Zeroizing<String> {
        let digits = Zeroizing::new(hex(self.expose_pair().as_ref()));
        Zeroizing::new(["nlpriv:", &digits].concat())
    }
}

impl Signer for SigningKey {
    fn public(&self) -> LockPublicKey {
        self.public()
    }

    fn sign(&self, hash: &SigHash) -> Result<[u8; 64], SignError> {
        Ok(self.sign(hash))
    }
}

/// The salt of the derivation; its text is part of the protocol.
const DISABLEMENT_SALT: &[u8] = b"tailscale network-lock disablement salt";

/// Who knows it can switch the lock off. Any length is one, the empty one included.
pub struct DisablementSecret(Zeroizing<Vec<u8>>);

impl Zeroize for DisablementSecret {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}

impl ZeroizeOnDrop for DisablementSecret {}

impl DisablementSecret {
    /// The secret of these bytes, which it takes and wipes.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Reads what the daemon's command prints: `disablement-secret:` and hex. Hex alone is taken,
    /// too; a `disablement:` value is not, because it is public and switches nothing off.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix("disablement-secret:").unwrap_or(text);
        crate::text::from_hex(digits).map(Self::new)
    }

    /// The value that an authority stores: Argon2i over 16 MiB, about 20 ms.
    ///
    /// `None` only where the secret is longer than 4 GiB.
    pub fn value(&self) -> Option<DisablementValue> {
        let params = Params::new(16 * 1024, 4, 4, Some(32)).ok()?;
        let argon2 = Argon2::new(Algorithm::Argon2i, Version::V0x13, params);
        let mut value = [0; 32];
        argon2.hash_password_into(&self.0, DISABLEMENT_SALT, &mut value).ok()?;
        Some(DisablementValue(value))
    }

    /// The text form, in upper case as the daemon's command prints it.
    pub fn expose_text(&self) -> Zeroizing<String> {
        let digits = Zeroizing::new(data_encoding::HEXUPPER.encode(&self.0));
        Zeroizing::new(["disablement-secret:", &digits].concat())
    }

    /// The bytes, for whoever must send them.
    pub fn expose_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// What an authority stores of a disablement secret. Public.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct DisablementValue([u8; 32]);

impl DisablementValue {
    /// The value of these bytes.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether a stored value is this one, in time that does not depend on where they differ.
    pub fn matches(&self, stored: &[u8]) -> bool {
        self.0.ct_eq(stored).into()
    }
}

impl std::fmt::Display for DisablementValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "disablement:{}", hex(&self.0))
    }
}

impl std::str::FromStr for DisablementValue {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        let mut bytes = [0; 32];
        typed_into(text, &["disablement:"], &mut bytes)?;
        Ok(Self(bytes))
    }
}
