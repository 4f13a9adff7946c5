//! Any text as a device-signing link: what is read reads the same when it is written again.
#![no_main]

mod bounded;

use lock::deep_link::DeepLink;

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Ok(link) = bounded::bounded(text.as_bytes(), || DeepLink::parse(text)) {
        assert_eq!(DeepLink::parse(&link.to_string()).as_ref(), Ok(&link));
        link.check(7).ok();
    }
});
