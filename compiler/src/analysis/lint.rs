//! What a critic would say of a policy that Tailscale takes: one file for each lint, with its code.
//!
//! A lint is a function from the policy, and the tables where there is an inventory, to findings.

use crate::Options;
use crate::cst::SyntaxTree;
use crate::diagnostic::Diagnostic;
use crate::policy::Policy;
use crate::tables::Tables;

/// What a lint may look at.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// A policy without an error.
    pub policy: &'a Policy,
    /// Its text.
    pub tree: &'a SyntaxTree,
    /// Its tables, where there is an inventory.
    pub tables: Option<&'a Tables<'a>>,
    /// What it is checked against.
    pub options: &'a Options<'a>,
}

/// Everything that the lints find, in no order.
pub(crate) fn run(subject: &Subject<'_>) -> Vec<Diagnostic> {
    LINTS.iter().flat_map(|lint| lint(subject)).collect()
}

/// One lint.
type Lint = fn(&Subject<'_>) -> Vec<Diagnostic>;

/// Every lint, in the order of its code.
const LINTS: [Lint; 0] = [];
