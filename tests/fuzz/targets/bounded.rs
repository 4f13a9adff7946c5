//! What the targets of Tailnet Lock share: work that may not allocate out of proportion, and the law of
//! encodings.

use std::alloc::System;

use lock::cbor::{DecodeError, Decoded};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Does the work, and stops where it allocates more than 256 bytes for each byte of the input and
/// 64 KiB, counting what was freed in between.
pub(crate) fn bounded<T>(input: &[u8], work: impl FnOnce() -> T) -> T {
    let region = Region::new(ALLOCATOR);
    let result = work();
    let allocated = region.change().bytes_allocated;
    assert!(allocated <= 256 * input.len() + (64 << 10), "{allocated} bytes for {}", input.len());
    result
}

/// Bytes that are read are canonical, or said not to be; written again they are canonical.
#[allow(dead_code, reason = "texts are no encodings")]
pub(crate) fn law<T>(
    bytes: &[u8],
    decode: impl Fn(&[u8]) -> Result<Decoded<T>, DecodeError>,
    encode: impl Fn(&T) -> Vec<u8>,
) -> Option<T> {
    let decoded = bounded(bytes, || decode(bytes)).ok()?;
    let again = encode(&decoded.value);
    assert_eq!(decoded.quirks.is_empty(), again == bytes);
    let second = decode(&again).expect("what we write, we read");
    assert!(second.quirks.is_empty());
    assert_eq!(encode(&second.value), again);
    Some(decoded.value)
}
