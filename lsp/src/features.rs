//! What an editor asks about one open policy: pure functions of an [`Analysis`] and, where it matters,
//! a place in its text.
//!
//! Places are bytes, names are those of editors, nothing is known of any protocol. Every function
//! works on half-written text, because that is what an editor has most of the time.

pub mod analysis;
pub mod shape;
pub mod site;
pub mod pieces;
pub mod names;
pub mod reach;
pub mod completion;
pub mod hover;
pub mod definition;
pub mod references;
pub mod rename;
pub mod symbols;
pub mod folding;
pub mod selection;
pub mod tokens;
pub mod hints;
pub mod lenses;
pub mod links;
pub mod format;
pub mod actions;
pub mod changes;
pub mod commands;
mod carry;
mod words;

pub use analysis::{Analysis, Settings};
