//! Any bytes as an update: read within bounds, written again, checked, and offered to a chain.
#![no_main]

mod begun;
mod bounded;

use std::sync::LazyLock;

use lock::aum::{Aum, Update};
use lock::authority::Authority;
use lock::store::Memory;

static CHAIN: LazyLock<(Memory, Authority)> = LazyLock::new(begun::begun);

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some(aum) = bounded::law(bytes, Aum::decode, Aum::encode) else { return };
    let (mut store, mut authority) = CHAIN.clone();
    let checked = aum.check().is_ok();
    let taken = authority.inform(&mut store, &[Update::new(aum)], 0).is_ok();
    assert!(checked || !taken, "a malformed update was taken");
});
