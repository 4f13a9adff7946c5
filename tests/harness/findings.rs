//! A policy and, perhaps, an inventory → all that the compiler finds in them, as the command would
//! show it: what the text gives, and what the tables add once there are facts.

use compiler::diagnostic::{self, Diagnostic};
use compiler::tables::Tables;
use compiler::tailnet::Tailnet;
use compiler::{Checked, check_bytes};

/// Checks a policy; with a tailnet, against its facts.
pub fn check(policy: &[u8], tailnet: Option<&Tailnet>) -> (Checked, Vec<Diagnostic>) {
    let checked = check_bytes(policy, tailnet);
    let mut all = checked.diagnostics.clone();
    if let (Some(valid), Some(tailnet)) = (checked.valid(), tailnet) {
        all.extend(Tables::new(valid, tailnet).diagnostics());
    }
    diagnostic::sort(&mut all);
    (checked, all)
}
