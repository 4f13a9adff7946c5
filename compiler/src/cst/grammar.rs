//! Text → pest's tokens, by `hujson.pest`. Alone in its file, so that what pest writes is held to
//! our lints nowhere else.

#![allow(missing_docs, unreachable_pub, reason = "the rules are documented in hujson.pest")]

use pest::Parser;
use pest::iterators::Pairs;

#[derive(pest_derive::Parser)]
#[grammar = "cst/hujson.pest"]
struct Grammar;

/// The tokens of the whole text; `None` only if the grammar were not total.
pub(super) fn pairs(text: &str) -> Option<Pairs<'_, Rule>> {
    Grammar::parse(Rule::file, text).ok()
}
