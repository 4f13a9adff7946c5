//! Compiles tailnet policy files into per-node packet-filter tables, and finds what is wrong with them.
//!
//! ```text
//!  text ──cst──▶ SyntaxTree ──ast──▶ PolicyFile ──policy──▶ Policy
//!                lossless           as written             as meant
//!                + E00 E01          + E02                  + E03 E04
//!                                                             │ no errors
//!  Tables ◀──tables── Tailnet (users, nodes, routes) + Valid<Policy>
//!  per node, each rule with its span   + E06
//! ```
//!
//! Each stage has a file of types and a folder of passes; the stages stand below in that order.
//! Nothing here touches a file, a clock, the network or the environment.

// The code that pest writes names this crate, when pest is built without its `std` feature.
extern crate alloc;

pub mod span;
pub mod diagnostic;
pub mod cst;
pub mod tailnet;
