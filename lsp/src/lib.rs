//! The language server for tailnet policy files.
//!
//! Two halves: [`features`] answer what an editor asks about one open text, as pure functions that
//! know no protocol; `server` speaks the protocol and knows no selector.

pub mod features;
#[cfg(feature = "server")]
#[allow(
    clippy::disallowed_methods,
    reason = "the server is the edge: it reads files, the clock and standard input"
)]
pub mod server;
