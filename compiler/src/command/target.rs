//! `--target`: whose control plane is to take the policy; a piece that several commands share.

use clap::{Args, ValueEnum};
use compiler::Dialect;

/// The option.
#[derive(Args)]
pub(crate) struct Target {
    /// Whose control plane is to take the policy
    #[arg(long = "target", value_enum, default_value_t = Name::Tailscale, value_name = "TARGET")]
    name: Name,
}

/// A control plane as the command line names it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Name {
    /// Tailscale's own
    Tailscale,
    /// A headscale server, release 0.30
    Headscale,
}

impl Target {
    /// The dialect of that control plane.
    pub(crate) const fn dialect(&self) -> Dialect {
        match self.name {
            Name::Tailscale => Dialect::Tailscale,
            Name::Headscale => Dialect::Headscale,
        }
    }
}
