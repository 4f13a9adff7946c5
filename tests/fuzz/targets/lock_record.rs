//! Any bytes as a file of a store. What follows the record is passed over.
#![no_main]

mod bounded;

use lock::store::Record;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(decoded) = bounded::bounded(bytes, || Record::decode(bytes)) else { return };
    let again = decoded.value.encode();
    assert_eq!(decoded.quirks.is_empty(), bytes.starts_with(&again));
    assert_eq!(Record::decode(&again).map(|it| it.value.encode()), Ok(again));
});
