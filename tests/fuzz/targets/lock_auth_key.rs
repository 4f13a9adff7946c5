//! Any text as a pre-signed auth key: what is read is written again to the letter.
#![no_main]

mod bounded;

use lock::auth_key::SignedAuthKey;

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Ok(key) = bounded::bounded(text.as_bytes(), || SignedAuthKey::parse(text)) {
        assert_eq!(key.expose_text().as_str(), text);
    }
});
