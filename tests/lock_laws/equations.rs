//! The two rules for signatures, against other people's code; and batches against single checks.

use ed25519_dalek::Verifier;
use lock::secret::SigningKey;
use lock::text::from_hex;
use lock::verify::{Batch, SigHash, cofactorless, zip215};
use proptest::prelude::*;

/// Encodings of points of small order, canonical and not.
const SMALL: &[&str] = &[
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
];

fn by_zebra(public: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    ed25519_zebra::VerificationKey::try_from(*public)
        .is_ok_and(|it| it.verify(&ed25519_zebra::Signature::from(*signature), message).is_ok())
}

fn by_dalek(public: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    ed25519_dalek::VerifyingKey::from_bytes(public).is_ok_and(|it| {
        it.verify(message, &ed25519_dalek::Signature::from_bytes(signature)).is_ok()
    })
}

fn agree(public: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> Result<(), TestCaseError> {
    let zip = zip215(public, message, signature);
    let plain = cofactorless(public, message, signature);
    prop_assert_eq!(zip, by_zebra(public, message, signature), "ZIP-215");
    prop_assert_eq!(plain, by_dalek(public, message, signature), "cofactorless");
    prop_assert!(zip || !plain, "what the narrower rule accepts the wider accepts, too");
    Ok(())
}

/// Every pair of such points, and S = 0: the wider rule accepts all 196.
#[test]
fn points_of_small_order_are_judged_as_others_do() {
    let points: Vec<[u8; 32]> =
        SMALL.iter().map(|it| from_hex(it).unwrap().try_into().unwrap()).collect();
    for a in &points {
        for r in &points {
            let mut signature = [0; 64];
            signature[..32].copy_from_slice(r);
            agree(a, b"Zcash", &signature).unwrap();
            assert!(zip215(a, b"Zcash", &signature));
        }
    }
}

proptest! {
    #[test]
    fn signatures_are_judged_as_others_do(
        seed: [u8; 32],
        message: [u8; 32],
        changes in proptest::collection::vec((0..128_usize, any::<u8>()), 0..3),
    ) {
        let key = SigningKey::from_seed(&seed);
        let mut public = *key.public().as_bytes();
        let mut signature = key.sign(&SigHash::new(message));
        agree(&public, &message, &signature)?;
        prop_assert!(cofactorless(&public, &message, &signature));
        for (at, byte) in changes {
            match at {
                0..64 => signature[at] ^= byte,
                _ => public[(at - 64) / 2] ^= byte,
            }
        }
        agree(&public, &message, &signature)?;
    }

    #[test]
    fn a_batch_has_the_verdict_of_its_members(
        wrong in proptest::collection::btree_set(0..1200_usize, 0..4),
        size in 1..1200_usize,
        keys in 1..5_u8,
    ) {
        let keys: Vec<SigningKey> = (0..keys).map(|it| SigningKey::from_seed(&[it; 32])).collect();
        let mut batch = Batch::default();
        for index in 0..size {
            let key = &keys[index % keys.len()];
            let mut message = [0; 32];
            message[..8].copy_from_slice(&index.to_le_bytes());
            let mut signature = key.sign(&SigHash::new(message));
            if wrong.contains(&index) {
                signature[index % 64] ^= 1;
            }
            batch.push(key.public().as_bytes(), SigHash::new(message), &signature);
        }
        let expected: Vec<usize> = wrong.into_iter().filter(|it| *it < size).collect();
        prop_assert_eq!(batch.failures(), expected);
    }
}
