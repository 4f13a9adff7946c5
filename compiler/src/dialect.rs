//! Whose control plane is to take a policy: the same file means slightly different things to each.

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

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tailscale => "Tailscale",
            Self::Headscale => "headscale",
        })
    }
}
