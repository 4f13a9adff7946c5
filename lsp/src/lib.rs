//! The language server for tailnet policy files.
//!
//! Two halves: [`features`] answer what an editor asks about one open text, as pure functions that
//! know no protocol; the server speaks the protocol and knows no selector.

pub mod features;
