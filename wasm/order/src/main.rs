//! Puts the functions of a WebAssembly module in the order in which gzip makes least of them.
//!
//! `order IN.wasm OUT.wasm`. gzip finds again what stood at most 32 kB before, and a linker puts
//! functions in the order in which they were made: copies of one generic function stand far apart.
//! Beside each other they take a twentieth less. Nothing in a function changes but the numbers of
//! the functions that it calls.

mod binary;
mod body;
mod likeness;
mod module;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [from, to] = arguments.as_slice() else {
        return failed("wrong use: order IN.wasm OUT.wasm");
    };
    let outcome = std::fs::read(from)
        .map_err(|it| format!("`{from}` cannot be read: {it}"))
        .and_then(|it| module::reorder(&it).ok_or(format!("`{from}` is no module, or uses more than `wasm/order` knows; it is of use without this step, too")))
        .and_then(|it| {
            std::fs::write(to, it).map_err(|it| format!("`{to}` cannot be written: {it}"))
        });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(what) => failed(&what),
    }
}

#[expect(clippy::print_stderr, reason = "a command says what went wrong")]
fn failed(what: &str) -> ExitCode {
    eprintln!("order: {what}");
    ExitCode::FAILURE
}
