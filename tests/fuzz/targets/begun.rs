//! A chain of one update, whose key the fuzzer may find.

use lock::authority::Authority;
use lock::key::Key;
use lock::secret::{DisablementValue, SigningKey};
use lock::state::State;
use lock::store::Memory;

/// An authority that trusts the key whose seed is thirty-two ones, as the vectors' first key is.
pub(crate) fn begun() -> (Memory, Authority) {
    let key = SigningKey::from_seed(&[1; 32]);
    let state = State {
        disablement_values: Some(vec![Some(DisablementValue::new([9; 32]).as_bytes().to_vec())]),
        keys: Some(vec![Key::new(key.public(), 1)]),
        id1: 1,
        ..State::default()
    };
    let mut store = Memory::new();
    let (authority, _) = Authority::create(&mut store, state, &key, 0).expect("a genesis");
    (store, authority)
}
