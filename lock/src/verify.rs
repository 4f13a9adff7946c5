//! Signature checks, by the exact rule that the network uses for each kind of message.
//!
//! | message | rule | equation |
//! |---|---|---|
//! | update; direct and credential signature | ZIP-215 | `[8][S]B = [8]R + [8][k]A` |
//! | rotation signature | cofactorless | `encode([S]B − [k]A)` is R, byte for byte |
//!
//! Both take any key that decodes to a point, of whatever order and however it is encoded, and
//! refuse an S that is not reduced. A stricter rule would refuse what the network accepts, and two
//! nodes would disagree about a peer. What is weak is reported by [`weakness`], and never decides.
//!
//! SOURCE: <https://zips.z.cash/zip-0215>; `tka/key.go`, `tka/sig.go` (`ed25519consensus` for the
//! first row, `crypto/ed25519` for the second).

use std::collections::BTreeMap;

use blake2::{Blake2s256, Digest};
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::{IsIdentity, VartimeMultiscalarMul};
use sha2::Sha512;

/// What is signed: the BLAKE2s-256 digest of a message without the signature that is sought.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SigHash([u8; 32]);

impl SigHash {
    /// The hash of these bytes, for a message that was digested elsewhere.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Digests the encoding of a message.
    pub(crate) fn of(encoding: &[u8]) -> Self {
        Self(blake2s(encoding))
    }
}

/// BLAKE2s with an output of 32 bytes and no key.
pub(crate) fn blake2s(bytes: &[u8]) -> [u8; 32] {
    Blake2s256::digest(bytes).into()
}

/// Whether a signature holds under the rule of updates and of direct and credential signatures.
pub fn zip215(public: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let Some(parts) = Parts::of(public, message, signature) else { return false };
    // An honest signature has the canonical R of this sum, and needs no second point decoded.
    let sum = parts.sum();
    if sum.compress().to_bytes() == parts.r {
        return true;
    }
    let Some(r) = CompressedEdwardsY(parts.r).decompress() else { return false };
    (sum - r).mul_by_cofactor().is_identity()
}

/// Whether a signature holds under the rule of rotation signatures.
pub fn cofactorless(public: &[u8], message: &[u8], signature: &[u8]) -> bool {
    Parts::of(public, message, signature).is_some_and(|it| it.sum().compress().to_bytes() == it.r)
}

/// A signature taken apart.
struct Parts {
    /// The public key's point.
    a: EdwardsPoint,
    r: [u8; 32],
    s: Scalar,
    /// The challenge, over the bytes as they came.
    k: Scalar,
}

impl Parts {
    /// `None` where a length is wrong, the key is no point, or S is not reduced.
    fn of(public: &[u8], message: &[u8], signature: &[u8]) -> Option<Self> {
        let (r, s) = signature.split_first_chunk::<32>()?;
        let s = Option::<Scalar>::from(Scalar::from_canonical_bytes(s.try_into().ok()?))?;
        let public: [u8; 32] = public.try_into().ok()?;
        let a = CompressedEdwardsY(public).decompress()?;
        Some(Self { a, r: *r, s, k: challenge(r, &public, message) })
    }

    /// `[S]B − [k]A`, which an honest signer's R is.
    fn sum(&self) -> EdwardsPoint {
        EdwardsPoint::vartime_double_scalar_mul_basepoint(&self.k, &-self.a, &self.s)
    }
}

fn challenge(r: &[u8; 32], public: &[u8; 32], message: &[u8]) -> Scalar {
    let digest =
        Sha512::new().chain_update(r).chain_update(public).chain_update(message).finalize();
    Scalar::from_bytes_mod_order_wide(&digest.into())
}

/// What makes a public key unfit to be trusted. The network takes each of them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Weakness {
    /// It is not 32 bytes long, and so nothing can be signed by it.
    Length,
    /// It is no point of the curve, and so nothing can be signed by it.
    NoPoint,
    /// It is a point of small order, which no signer makes.
    SmallOrder,
    /// It is the sum of a point and one of small order, which no signer makes.
    MixedOrder,
}

/// What is wrong with a public key, if anything.
pub fn weakness(public: &[u8]) -> Option<Weakness> {
    let Ok(bytes) = <[u8; 32]>::try_from(public) else { return Some(Weakness::Length) };
    let Some(point) = CompressedEdwardsY(bytes).decompress() else {
        return Some(Weakness::NoPoint);
    };
    if point.is_small_order() {
        Some(Weakness::SmallOrder)
    } else if !point.is_torsion_free() {
        Some(Weakness::MixedOrder)
    } else {
        None
    }
}

/// Whether a public key is a point of the curve that is not of small order: the part of
/// [`weakness`] that is quick enough to be asked before each signature.
pub(crate) fn is_sound(public: &[u8; 32]) -> bool {
    CompressedEdwardsY(*public).decompress().is_some_and(|it| !it.is_small_order())
}

/// Many signatures under the rule of updates, checked together in half the time.
///
/// The rule is the one that gives a batch the verdict of its members: the cofactor takes away what
/// small-order parts could hide. Each equation is weighted with a number of 128 bits that depends on all
/// signatures of the batch, so wrong ones cannot be made to cancel out.
#[derive(Default)]
pub struct Batch {
    items: Vec<Item>,
}

struct Item {
    public: Vec<u8>,
    hash: SigHash,
    signature: Vec<u8>,
}

/// Signatures that are summed up at a time. More gain little, and a wrong one is sought among fewer.
const CHUNK: usize = 512;

impl Batch {
    /// Adds a signature over a hash. Its index is the number of those added before.
    pub fn push(&mut self, public: &[u8], hash: SigHash, signature: &[u8]) {
        self.items.push(Item { public: public.to_vec(), hash, signature: signature.to_vec() });
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The indices of those that do not hold, in order.
    pub fn failures(&self) -> Vec<usize> {
        let chunks: Vec<(usize, &[Item])> =
            self.items.chunks(CHUNK).enumerate().map(|(at, it)| (at * CHUNK, it)).collect();
        #[cfg(feature = "parallel")]
        let failures = {
            use rayon::prelude::*;
            chunks.par_iter().map(|(at, it)| failures(*at, it)).flatten().collect()
        };
        #[cfg(not(feature = "parallel"))]
        let failures = chunks.iter().flat_map(|(at, it)| failures(*at, it)).collect();
        failures
    }
}

fn failures(first: usize, items: &[Item]) -> Vec<usize> {
    if holds(items) == Some(true) {
        return Vec::new();
    }
    let wrong = items
        .iter()
        .enumerate()
        .filter(|(_, it)| !zip215(&it.public, it.hash.as_bytes(), &it.signature));
    wrong.map(|(index, _)| first + index).collect()
}

/// Whether the weighted sum of all equations holds; `None` where one cannot be taken apart.
fn holds(items: &[Item]) -> Option<bool> {
    let mut seed = Sha512::new();
    for item in items {
        seed.update(&item.public);
        seed.update(item.hash.as_bytes());
        seed.update(&item.signature);
    }
    let seed = seed.finalize();

    let mut base = Scalar::ZERO;
    // The keys of a chain are few: each is decoded once, its scalars are summed up.
    let mut keys: BTreeMap<[u8; 32], Scalar> = BTreeMap::new();
    let (mut scalars, mut points) = (Vec::new(), Vec::new());
    for (index, item) in (0_u64..).zip(items) {
        let public: [u8; 32] = item.public.as_slice().try_into().ok()?;
        let (r, s) = item.signature.split_first_chunk::<32>()?;
        let s = Option::<Scalar>::from(Scalar::from_canonical_bytes(s.try_into().ok()?))?;
        let weight = weight(&seed, index);
        base -= weight * s;
        *keys.entry(public).or_insert(Scalar::ZERO) +=
            weight * challenge(r, &public, item.hash.as_bytes());
        scalars.push(weight);
        points.push(CompressedEdwardsY(*r).decompress()?);
    }
    for (public, scalar) in keys {
        scalars.push(scalar);
        points.push(CompressedEdwardsY(public).decompress()?);
    }
    scalars.push(base);
    points.push(curve25519_dalek::constants::ED25519_BASEPOINT_POINT);
    let sum = EdwardsPoint::vartime_multiscalar_mul(&scalars, &points);
    Some(sum.mul_by_cofactor().is_identity())
}

/// The weight of one equation: 128 bits.
fn weight(seed: &[u8], index: u64) -> Scalar {
    let digest = blake2s(&[seed, &index.to_le_bytes()].concat());
    let (half, _) = digest.split_first_chunk::<16>().unwrap_or((&[1; 16], &[]));
    Scalar::from(u128::from_le_bytes(*half))
}
