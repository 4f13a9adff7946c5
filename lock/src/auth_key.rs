//! Pre-signed auth keys: an ordinary auth key with a credential and the key it delegates to.
//!
//! ```text
//! tskey-auth-…  --TL  credential as CBOR, base64  -  64 bytes of a private key, base64
//! ```
//!
//! Whoever holds the text can sign node keys until the trusted key that signed the credential is
//! removed: it never expires by itself. A node takes a damaged one for an ordinary auth key, and
//! sends the private half to the control server; here it is an error.

use data_encoding::BASE64_NOPAD;
use zeroize::Zeroizing;

use crate::cbor::DecodeError;
use crate::error::EndorseError;
use crate::limits::MAX_AUTH_KEY;
use crate::secret::{SecretError, Signer, SigningKey};
use crate::signature::{NodeKeySignature, RotationKey, SignatureKind};
use crate::text::NodeKey;

/// What stands between an auth key and its credential.
const MARK: &str = "--TL";

/// Why a text is no pre-signed auth key, or none can be made. Never repeats the text.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuthKeyError {
    /// It has no credential.
    #[error("this auth key is not pre-signed: it has no `{MARK}`")]
    NotSigned,
    /// It has a credential already.
    #[error("this auth key is pre-signed already")]
    Signed,
    /// No auth key is that long.
    #[error("an auth key is at most 12 KiB long")]
    TooLong,
    /// There is no auth key.
    #[error("there is no auth key before the credential")]
    Empty,
    /// The private key is missing.
    #[error("the pre-signed auth key is damaged: no `-` follows the credential")]
    NoDelimiter,
    /// The credential is no base64.
    #[error("the pre-signed auth key is damaged: its credential is no base64")]
    CredentialText,
    /// The private key is no base64.
    #[error("the pre-signed auth key is damaged: its private key is no base64")]
    PrivateText,
    /// The credential is no signature.
    #[error("the pre-signed auth key is damaged: its credential cannot be read: {0}")]
    Credential(#[from] DecodeError),
    /// The credential is a signature of another kind.
    #[error("the pre-signed auth key has a {0} signature in place of a credential")]
    Kind(SignatureKind),
    /// The private key is none.
    #[error("the pre-signed auth key is damaged: {0}")]
    Private(#[from] SecretError),
    /// The private key is not the one that the credential delegates to.
    #[error(
        "the pre-signed auth key is damaged: its private key is not the one that its credential names"
    )]
    OtherKey,
    /// The credential was not signed.
    #[error(transparent)]
    Sign(#[from] EndorseError),
}

/// A pre-signed auth key. As secret as a key: it cannot be printed.
pub struct SignedAuthKey {
    auth_key: Zeroizing<String>,
    credential: NodeKeySignature,
    delegate: SigningKey,
}

impl SignedAuthKey {
    /// Signs an auth key: `signer` is a trusted key, `delegate` one that was made for this.
    pub fn new(
        auth_key: &str,
        signer: &dyn Signer,
        delegate: SigningKey,
    ) -> Result<Self, AuthKeyError> {
        if auth_key.is_empty() {
            return Err(AuthKeyError::Empty);
        }
        if auth_key.contains(MARK) {
            return Err(AuthKeyError::Signed);
        }
        if auth_key.len() > MAX_AUTH_KEY {
            return Err(AuthKeyError::TooLong);
        }
        let public = RotationKey::new(delegate.public()).map_err(EndorseError::from)?;
        let credential = NodeKeySignature::credential(signer, &public)?;
        Ok(Self { auth_key: Zeroizing::new(auth_key.to_owned()), credential, delegate })
    }

    /// Reads one, and refuses whatever a node would misunderstand.
    pub fn parse(text: &str) -> Result<Self, AuthKeyError> {
        if text.len() > MAX_AUTH_KEY {
            return Err(AuthKeyError::TooLong);
        }
        let (auth_key, rest) = text.split_once(MARK).ok_or(AuthKeyError::NotSigned)?;
        if auth_key.is_empty() {
            return Err(AuthKeyError::Empty);
        }
        let (credential, private) = rest.split_once('-').ok_or(AuthKeyError::NoDelimiter)?;
        let credential =
            BASE64_NOPAD.decode(credential.as_bytes()).map_err(|_| AuthKeyError::CredentialText)?;
        let private =
            BASE64_NOPAD.decode(private.as_bytes()).map_err(|_| AuthKeyError::PrivateText)?;
        let private = Zeroizing::new(private);
        let credential = NodeKeySignature::decode_strict(&credential)?;
        if credential.kind != SignatureKind::Credential {
            return Err(AuthKeyError::Kind(credential.kind));
        }
        let delegate = SigningKey::from_pair(&private)?;
        if credential.wrapping_key != delegate.public().as_bytes() {
            return Err(AuthKeyError::OtherKey);
        }
        Ok(Self { auth_key: Zeroizing::new(auth_key.to_owned()), credential, delegate })
    }

    /// The trusted key's word for what the other key signs.
    pub fn credential(&self) -> &NodeKeySignature {
        &self.credential
    }

    /// The first signature of a node that joins with this key.
    pub fn endorse(
        &self,
        node_key: &NodeKey,
        rotation_key: Option<&RotationKey>,
    ) -> Result<NodeKeySignature, EndorseError> {
        NodeKeySignature::by_credential(&self.delegate, &self.credential, node_key, rotation_key)
    }

    /// The name of the auth key at the control server, which is not secret.
    pub fn stable_id(&self) -> Option<&str> {
        stable_id(&self.auth_key)
    }

    /// The auth key without its signature: what the control server is given.
    pub fn expose_auth_key(&self) -> &str {
        &self.auth_key
    }

    /// The text, for the node that joins with it.
    pub fn expose_text(&self) -> Zeroizing<String> {
        let credential = BASE64_NOPAD.encode(&self.credential.encode());
        let private = Zeroizing::new(BASE64_NOPAD.encode(self.delegate.expose_pair().as_ref()));
        Zeroizing::new([&self.auth_key, MARK, &credential, "-", &private].concat())
    }
}

/// The name of an ordinary auth key at the control server: what stands in `tskey-auth-NAME-…`.
pub fn stable_id(auth_key: &str) -> Option<&str> {
    let (name, _) = auth_key.strip_prefix("tskey-auth-")?.split_once('-')?;
    Some(name)
}
