//! How an answer leaves: as an object, or as an `Error` with a sentence and what to do.

use std::fmt::Display;

use serde::Serialize;
use wasm_bindgen::prelude::*;

/// An answer, or what is wrong with the question.
pub(crate) type Told<T> = Result<T, JsError>;

#[wasm_bindgen]
extern "C" {
    /// JSON is the cheapest way over: one text, read by the fastest reader there is.
    #[wasm_bindgen(js_namespace = JSON, catch)]
    fn parse(text: &str) -> Result<JsValue, JsValue>;
}

/// A value as an object of JavaScript.
pub(crate) fn object(value: &impl Serialize) -> Told<JsValue> {
    let text = serde_json::to_string(value)?;
    parse(&text).map_err(|_| JsError::new("an answer could not be read back"))
}

/// What is wrong with a question.
pub(crate) fn wrong(what: impl Display, help: impl Display) -> JsError {
    JsError::new(&format!("{what}: {help}"))
}

/// A bug of ours is thrown as an `Error` that says so. WebAssembly would only trap, and say
/// "unreachable".
pub(crate) fn throw_instead_of_trapping() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        std::panic::set_hook(Box::new(|info| {
            wasm_bindgen::throw_str(&format!("a bug of aclc: {info}"));
        }));
    });
}
