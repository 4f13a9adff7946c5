//! Tailnet Lock: reads, checks, builds and signs what decides whom a tailnet's devices trust.
//!
//! Devices of a locked tailnet accept a peer only if its node key was signed by a trusted key. Who is
//! trusted is said by a chain of signed *updates*, which every device keeps and replays: an
//! [`authority::Authority`]. The server that passes updates around can withhold them, but cannot make any.
//!
//! Strict when writing, exact when judging, forensic when reading: what this library signs is canonical and
//! sound, what it accepts and refuses is what the network accepts and refuses, and what is odd about
//! a message is reported and never changes a verdict.
//!
//! Only [`store`] touches files. Nothing reads a clock: the time comes in as seconds since 1970.

pub mod text;
pub mod secret;
pub mod key;
pub mod cbor;
pub mod limits;
pub mod verify;
pub mod aum;
pub mod state;
pub mod signature;
pub mod error;
pub mod store;
pub mod authority;
pub mod builder;
pub mod sync;
pub mod auth_key;
pub mod deep_link;
pub mod peer;
pub mod audit;
pub mod rehearse;
