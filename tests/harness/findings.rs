//! A policy and, perhaps, an inventory → all that the compiler finds in them, as the command would
//! show it.

use compiler::diagnostic::Diagnostic;
use compiler::tailnet::Tailnet;
use compiler::{Checked, check_bytes};

/// Checks a policy; with a tailnet, against its facts.
pub fn check(policy: &[u8], tailnet: Option<&Tailnet>) -> (Checked, Vec<Diagnostic>) {
    let checked = check_bytes(policy, tailnet);
    let all = checked.diagnostics.clone();
    (checked, all)
}
