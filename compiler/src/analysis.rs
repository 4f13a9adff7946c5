//! Stage 5, questions about what a policy means; read-only over [`Policy`](crate::policy::Policy) and
//! [`Tables`](crate::tables::Tables).

pub mod access;
pub mod atom_set;
pub mod describe;
pub mod devices;
pub mod diff;
pub mod diff_rows;
pub mod ends;
pub mod flow_text;
pub mod invariants;
pub mod lint;
pub mod problem;
pub mod prove;
pub mod reach;
pub mod region;
pub mod subject;
pub mod universe;
pub mod why;
pub mod witness;

use crate::cst::SyntaxTree;
use crate::diagnostic::Diagnostic;
use crate::policy::Valid;
use crate::tables::Tables;
use crate::tables::assertions::{AssertionProblem, Assertions};
use crate::{Dialect, Options};

/// What judging gives.
#[derive(Debug, Default)]
pub(crate) struct Judged {
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// Whether the control plane's verdict depends on assertions that could not be judged.
    pub(crate) undecided: bool,
}

/// What is found in a policy without an error: assertions that fail, and what a critic would say.
pub(crate) fn judge(policy: Valid<'_>, tree: &SyntaxTree, options: &Options<'_>) -> Judged {
    let mut judged = Judged::default();
    let file = &policy.policy().file;
    if options.assertions {
        let invariants = crate::ast::invariant::read_comments(tree);
        let (_, broken) = invariants::judge(policy, invariants, invariants::Rules::Here);
        judged.diagnostics.extend(broken);
    }
    if !(file.tests.is_empty() && file.ssh_tests.is_empty()) {
        match options.tailnet.filter(|_| options.assertions) {
            Some(tailnet) => {
                let problems = Assertions::new(policy, tailnet).problems;
                judged.undecided = problems.iter().any(AssertionProblem::is_undecided);
                let report = match options.dialect {
                    Dialect::Tailscale => AssertionProblem::report,
                    Dialect::Headscale => AssertionProblem::report_for_headscale,
                };
                judged.diagnostics.extend(problems.iter().map(report));
            }
            None => judged.undecided = true,
        }
    }
    if options.lints {
        let tables = options.tailnet.map(|it| Tables::new(policy, it));
        let subject = lint::Subject::new(policy.policy(), tree, tables.as_ref(), options);
        judged.diagnostics.extend(lint::run(&subject));
    }
    judged
}
