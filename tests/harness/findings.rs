//! A policy and, perhaps, an inventory → all that the compiler finds in them, as the command would
//! show it.

use compiler::diagnostic::Diagnostic;
use compiler::tailnet::Tailnet;
use compiler::{Checked, Options, check_bytes};

/// Checks a policy; with a tailnet, against its facts.
pub fn check(policy: &[u8], tailnet: Option<&Tailnet>) -> (Checked, Vec<Diagnostic>) {
    let options = Options { tailnet, assertions: true, lints: true, ..Options::default() };
    let checked = check_bytes(policy, &options);
    let all = checked.diagnostics.clone();
    (checked, all)
}
