//! Whose control plane is to take a policy: the same file means slightly different things to each.
//!
//! What a dialect does otherwise stands in files of its own, `headscale.rs` in the folder of each
//! stage, and in a second table of `policy/place.rs`.

use std::fmt;

/// A control plane.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Dialect {
    /// Tailscale's own.
    #[default]
    Tailscale,
    /// A headscale server.
    Headscale,
}

/// The release that [`Dialect::Headscale`] stands for, as messages name it.
pub const HEADSCALE: &str = "headscale 0.30";

impl Dialect {
    /// Every dialect, the default first.
    pub const ALL: [Dialect; 2] = [Dialect::Tailscale, Dialect::Headscale];

    /// As a command line names it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tailscale => "tailscale",
            Self::Headscale => "headscale",
        }
    }

    /// The dialect of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.name() == name)
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tailscale => "Tailscale",
            Self::Headscale => HEADSCALE,
        })
    }
}
