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
//!
//! ```
//! use lock::authority::Authority;
//! use lock::key::Key;
//! use lock::secret::{DisablementSecret, SigningKey};
//! use lock::signature::{NodeKeySignature, RotationKey};
//! use lock::state::State;
//! use lock::store::Memory;
//! use lock::text::NodeKey;
//!
//! let (ada, laptop) = (SigningKey::from_seed(&[1; 32]), SigningKey::from_seed(&[2; 32]));
//! let value = DisablementSecret::new(vec![3; 32]).value().ok_or("a value")?;
//! let state = State {
//!     keys: Some(vec![Key::new(ada.public(), 1)]),
//!     disablement_values: Some(vec![Some(value.as_bytes().to_vec())]),
//!     id1: 4,
//!     id2: 5,
//!     ..State::default()
//! };
//! let mut store = Memory::new();
//! let (authority, _genesis) = Authority::create(&mut store, state, &ada, 1_800_000_000)?;
//!
//! // Ada's word for a laptop, which its owner may carry over to the laptop's next node key.
//! let (first, second) = (NodeKey::new([6; 32]), NodeKey::new([7; 32]));
//! let rotation_key = RotationKey::new(laptop.public())?;
//! let endorsement = NodeKeySignature::direct(&ada, &first, Some(&rotation_key))?;
//! assert!(authority.authorizes(&first, &endorsement.encode()).is_ok());
//! let moved = NodeKeySignature::resign(&laptop, &second, &endorsement)?;
//! assert!(authority.authorizes(&second, &moved.encode()).is_ok());
//! assert!(authority.authorizes(&first, &moved.encode()).is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

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
