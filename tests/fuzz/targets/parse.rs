//! Any bytes as a policy: the tree prints them back, and every finding can be drawn.
#![no_main]

use compiler::{Options, check_bytes, cst, diagnostic::render};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        assert_eq!(cst::parse(text).tree.print(), text);
    }
    let checked = check_bytes(bytes, &Options { lints: true, ..Options::default() });
    render::plain("policy.hujson", checked.tree.text(), &checked.diagnostics);
});
