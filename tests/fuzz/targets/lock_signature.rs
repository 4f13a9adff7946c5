//! Any bytes as a node-key signature: read within bounds, written again, shown, and judged.
#![no_main]

mod begun;
mod bounded;

use std::sync::LazyLock;

use lock::authority::Authority;
use lock::signature::NodeKeySignature;
use lock::store::Memory;
use lock::text::NodeKey;

static CHAIN: LazyLock<(Memory, Authority)> = LazyLock::new(begun::begun);

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let decode = NodeKeySignature::decode;
    let Some(signature) = bounded::law(bytes, decode, NodeKeySignature::encode) else { return };
    if let Ok(node_key) = NodeKey::from_binary(&signature.node_key) {
        CHAIN.1.authorizes(&node_key, bytes).ok();
    }
    assert!(!signature.to_string().is_empty());
    assert!(signature.levels().count() <= 16);
});
