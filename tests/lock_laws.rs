//! Properties of Tailnet Lock on generated messages, signatures and chains.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop at anything")]

#[path = "lock_laws/chains.rs"]
mod chains;
#[path = "lock_laws/encoding.rs"]
mod encoding;
#[path = "lock_laws/equations.rs"]
mod equations;
#[path = "lock_laws/secrets.rs"]
mod secrets;
