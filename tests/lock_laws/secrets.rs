//! Secrets: wiped where they go, refused where their halves do not agree.

use lock::secret::{DisablementSecret, SecretError, SigningKey};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Compiles only for what wipes itself.
fn wipes_itself<T: ZeroizeOnDrop>() {}

#[test]
fn a_wiped_key_has_nothing_left() {
    wipes_itself::<SigningKey>();
    let mut key = SigningKey::from_seed(&[7; 32]);
    let public = key.public();
    key.zeroize();
    assert_eq!(*key.expose_seed(), [0; 32]);
    assert_ne!(key.public(), public);
}

#[test]
fn a_wiped_secret_has_nothing_left() {
    wipes_itself::<DisablementSecret>();
    let mut secret = DisablementSecret::new(vec![7; 32]);
    secret.zeroize();
    assert!(secret.expose_bytes().is_empty());
}

#[test]
fn halves_that_do_not_belong_together_are_refused() {
    let (one, other) = (SigningKey::from_seed(&[1; 32]), SigningKey::from_seed(&[2; 32]));
    let mut pair = one.expose_pair();
    assert!(SigningKey::from_pair(pair.as_ref()).is_ok_and(|it| it.public() == one.public()));
    pair[32..].copy_from_slice(other.public().as_bytes());
    assert_eq!(SigningKey::from_pair(pair.as_ref()).err(), Some(SecretError::Mismatch));
    assert_eq!(SigningKey::from_pair(&[0; 64]).err(), Some(SecretError::Zero));
    assert_eq!(SigningKey::from_pair(&[1; 63]).err(), Some(SecretError::Length(63)));
}

/// A key that was pasted into the wrong place is not repeated by the error.
#[test]
fn errors_say_nothing_of_the_text() {
    let secret = "0123456789abcdef".repeat(8);
    let errors = [
        secret.parse::<lock::text::NodeKey>().err().map(|it| it.to_string()),
        SigningKey::parse(&format!("nlpriv:{secret}f")).err().map(|it| it.to_string()),
        SigningKey::parse(&format!("nlpriv:{secret}")).err().map(|it| it.to_string()),
        lock::auth_key::SignedAuthKey::parse(&secret).err().map(|it| it.to_string()),
        lock::auth_key::SignedAuthKey::parse(&format!("a--TL{secret}-{secret}"))
            .err()
            .map(|it| it.to_string()),
    ];
    for error in errors {
        let error = error.expect("each of these is refused");
        assert!(!error.contains("0123"), "{error}");
    }
}
