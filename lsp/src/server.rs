//! The protocol around the features: messages in, messages out. Knows documents, versions and
//! positions, and no selector.
//!
//! One thread answers; what takes longer than a moment runs beside it, so that a keystroke never
//! waits for an answer. State changes happen in the order of the messages.

mod backend;
mod capabilities;
mod commands;
mod convert;
mod documents;
mod findings;
mod pages;
mod settings;
mod text;
mod transport;

pub use transport::serve;
