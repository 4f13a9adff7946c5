//! Any text as a policy on a small tailnet: every table can be written, alone and beside all others.
#![no_main]

use std::sync::LazyLock;

use compiler::tables::Tables;
use compiler::tables::wire::{Fields, write_table};
use compiler::tailnet::{Tailnet, read};

static TAILNET: LazyLock<Option<Tailnet>> =
    LazyLock::new(|| read(include_str!("../../../examples/company/nodes.json")).tailnet);

libfuzzer_sys::fuzz_target!(|text: &str| {
    let Some(tailnet) = TAILNET.as_ref() else { return };
    let checked = compiler::check(text, Some(tailnet));
    let Some(valid) = checked.valid() else { return };
    let (alone, together) = (Tables::new(valid, tailnet), Tables::new(valid, tailnet));
    together.prepare_all();
    for node in tailnet.node_ids() {
        let (mut one, mut other) = (Vec::new(), Vec::new());
        write_table(&alone, node, Fields::ALL, &mut one);
        write_table(&together, node, Fields::ALL, &mut other);
        assert_eq!(one, other);
    }
});
