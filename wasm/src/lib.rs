//! A thin door to `compiler` for browsers and Node: what is exported, and nothing else.
//!
//! Every function is a few lines: the work is done in the files below, and they in turn ask the
//! compiler. Answers are plain objects; their types are in `types.ts`, which becomes part of the
//! package. Offsets count UTF-16 units, as strings of JavaScript do.

mod answer;
mod editor;
mod findings;
mod matrix;
mod places;
mod sentences;
mod tests;
mod workspace;

use wasm_bindgen::prelude::*;

use answer::{Told, object};
use workspace::World;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = include_str!("types.ts");

/// A policy and the facts it is compiled against, kept between questions.
#[derive(Debug, Default)]
#[wasm_bindgen]
pub struct Workspace(World);

#[wasm_bindgen]
impl Workspace {
    /// An empty policy and no inventory.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        answer::throw_instead_of_trapping();
        Self::default()
    }

    /// Takes another policy.
    #[wasm_bindgen(js_name = setPolicy)]
    pub fn set_policy(&mut self, text: String) {
        self.0.set_policy(text);
    }

    /// Takes another inventory, in any of the known shapes; an empty text is none.
    #[wasm_bindgen(js_name = setNodes)]
    pub fn set_nodes(&mut self, text: String) {
        self.0.set_nodes(text);
    }

    /// Whose control plane is to take the policy: `tailscale` or `headscale`.
    #[wasm_bindgen(js_name = setTarget)]
    pub fn set_target(&mut self, name: &str) -> Told<()> {
        self.0.set_target(name)
    }

    /// The day by which expiry comments are judged: `2026-12-31`.
    #[wasm_bindgen(js_name = setToday)]
    pub fn set_today(&mut self, date: &str) -> Told<()> {
        self.0.set_today(date)
    }

    /// Everything that is wrong or surprising in the policy and in the inventory.
    #[wasm_bindgen(unchecked_return_type = "Findings")]
    pub fn check(&mut self) -> Told<JsValue> {
        object(&self.0.findings())
    }

    /// The tables of all devices, or of one, as `aclc compile` prints them; `fields` as for it.
    pub fn compile(&mut self, node: Option<String>, fields: Option<String>) -> Told<String> {
        self.0.tables_json(node.as_deref(), fields.as_deref())
    }

    /// The table of one device, a sentence for each line.
    #[wasm_bindgen(unchecked_return_type = "Sentence[]")]
    pub fn sentences(&mut self, node: &str) -> Told<JsValue> {
        object(&self.0.sentences(node)?)
    }

    /// The devices of the inventory.
    #[wasm_bindgen(unchecked_return_type = "Device[]")]
    pub fn devices(&mut self) -> Told<JsValue> {
        object(&self.0.devices())
    }

    /// The rows and columns of the matrix: groups, users, tags, networks, and what they open to.
    #[wasm_bindgen(unchecked_return_type = "End[]")]
    pub fn ends(&mut self) -> Told<JsValue> {
        object(&self.0.ends())
    }

    /// Who reaches whom, for some rows and columns, by the `id` of each end. Where nothing is let
    /// through there is no cell.
    #[wasm_bindgen(unchecked_return_type = "Cell[]")]
    pub fn cells(&mut self, rows: &[u32], columns: &[u32]) -> Told<JsValue> {
        object(&self.0.cells(rows, columns))
    }

    /// Whether one end can reach the other, and why: `laptop`, `nas:445`. The time of the question
    /// is in milliseconds, as of `Date.now()`.
    #[wasm_bindgen(unchecked_return_type = "Why")]
    pub fn why(&mut self, src: &str, dst: &str, now: Option<f64>) -> Told<JsValue> {
        object(&self.0.why(src, dst, now)?)
    }

    /// Everybody who can reach a destination.
    #[wasm_bindgen(js_name = whoCan, unchecked_return_type = "Sources")]
    pub fn who_can(&mut self, dst: &str) -> Told<JsValue> {
        object(&self.0.who_can(dst)?)
    }

    /// Everything that a source can reach.
    #[wasm_bindgen(js_name = whatCan, unchecked_return_type = "Destinations")]
    pub fn what_can(&mut self, src: &str) -> Told<JsValue> {
        object(&self.0.what_can(src)?)
    }

    /// Access gained and lost from another policy to this one: over the devices of the inventory, or
    /// over all possible tailnets.
    #[wasm_bindgen(unchecked_return_type = "Changes")]
    pub fn diff(&mut self, base: &str, devices: bool) -> Told<JsValue> {
        object(&self.0.diff(base, devices)?)
    }

    /// The assertions of the policy, and the rules that none of them makes use of.
    #[wasm_bindgen(unchecked_return_type = "Tests")]
    pub fn tests(&mut self) -> Told<JsValue> {
        object(&tests::of(&mut self.0)?)
    }

    /// What may be written at an offset.
    #[wasm_bindgen(unchecked_return_type = "Completions")]
    pub fn completions(&mut self, offset: u32) -> Told<JsValue> {
        object(&editor::completions(self.0.open(), offset))
    }

    /// What stands at an offset, as Markdown; nothing where there is nothing to say.
    #[wasm_bindgen(unchecked_return_type = "Hover | null")]
    pub fn hover(&mut self, offset: u32) -> Told<JsValue> {
        object(&editor::hover(self.0.open(), offset))
    }

    /// What can be done about the findings between two offsets.
    #[wasm_bindgen(unchecked_return_type = "Action[]")]
    pub fn actions(&mut self, from: u32, to: u32) -> Told<JsValue> {
        object(&editor::actions(self.0.open(), from, to))
    }

    /// All safe fixes at once; nothing where there is nothing to mend.
    #[wasm_bindgen(js_name = fixAll, unchecked_return_type = "Action | null")]
    pub fn fix_all(&mut self) -> Told<JsValue> {
        object(&editor::fix_all(self.0.open()))
    }

    /// The policy and the inventory under neutral names, who reaches whom as it was; `seed` is any
    /// number.
    #[wasm_bindgen(unchecked_return_type = "Texts")]
    pub fn neutral(&mut self, seed: f64) -> Told<JsValue> {
        object(&self.0.neutral(seed.to_bits())?)
    }
}

/// A policy as Tailscale's own formatter lays it out; nothing where the text is broken.
#[wasm_bindgen]
pub fn format(text: &str) -> Option<String> {
    answer::throw_instead_of_trapping();
    compiler::cst::format(text)
}

/// The version of the compiler.
#[wasm_bindgen]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}
