//! Any text as an inventory: it gives a tailnet or an error with a place, and our own shape reads back.
#![no_main]

use compiler::diagnostic::{Severity, render};
use compiler::tailnet::{read, redact, write};

libfuzzer_sys::fuzz_target!(|text: &str| {
    let inventory = read(text);
    render::plain("nodes.json", text, &inventory.diagnostics);
    match inventory.tailnet {
        Some(tailnet) => {
            let again = read(&write(&tailnet)).tailnet.expect("what we write, we read");
            assert_eq!(again.facts(), tailnet.facts());
            redact(&tailnet);
        }
        None => assert!(inventory.diagnostics.iter().any(|it| it.severity == Severity::Error)),
    }
});
