//! A policy and, perhaps, an inventory → all that the compiler finds in them, as the command would
//! show it.

use compiler::configuration::Configuration;
use compiler::diagnostic::Diagnostic;
use compiler::tailnet::Tailnet;
use compiler::{Checked, Options, check_bytes};

/// Checks a policy; with a tailnet, against its facts.
pub fn check(policy: &[u8], tailnet: Option<&Tailnet>) -> (Checked, Vec<Diagnostic>) {
    check_under(policy, tailnet, &Configuration::default())
}

/// The same under the settings of a configuration.
pub fn check_under(
    policy: &[u8],
    tailnet: Option<&Tailnet>,
    configuration: &Configuration,
) -> (Checked, Vec<Diagnostic>) {
    let options = Options {
        tailnet,
        dialect: configuration.target.unwrap_or_default(),
        assertions: true,
        lints: true,
        levels: Some(&configuration.levels),
    };
    let checked = check_bytes(policy, &options);
    let all = checked.diagnostics.clone();
    (checked, all)
}
