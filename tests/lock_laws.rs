//! Properties of Tailnet Lock on generated messages, signatures and chains.

#[path = "lock_laws/chains.rs"]
mod chains;
#[path = "lock_laws/encoding.rs"]
mod encoding;
#[path = "lock_laws/equations.rs"]
mod equations;
#[path = "lock_laws/secrets.rs"]
mod secrets;
