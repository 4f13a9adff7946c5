//! `--target`: whose control plane is to take the policy; a piece that several commands share.

use clap::{Args, ValueEnum};
use compiler::Dialect;

/// The option.
#[derive(Args)]
pub(crate) struct Target {
    /// Whose control plane is to take the policy [default: tailscale]
    #[arg(long = "target", value_enum, value_name = "TARGET")]
    name: Option<Name>,
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
    /// The dialect that is asked for; else the one that is configured, else Tailscale's.
    pub(crate) fn dialect(&self, configured: Option<Dialect>) -> Dialect {
        match self.name {
            Some(Name::Tailscale) => Dialect::Tailscale,
            Some(Name::Headscale) => Dialect::Headscale,
            None => configured.unwrap_or_default(),
        }
    }
}
