//! Stage 5, questions about what a policy means; read-only over [`Policy`](crate::policy::Policy) and
//! [`Tables`](crate::tables::Tables).

pub mod lint;

use crate::Options;
use crate::cst::SyntaxTree;
use crate::diagnostic::Diagnostic;
use crate::policy::Valid;
use crate::tables::Tables;

/// What is found in a policy without an error: assertions that fail, and what a critic would say.
///
/// Tables are made once for both, and only where there is a tailnet.
pub(crate) fn judge(
    policy: Valid<'_>,
    tree: &SyntaxTree,
    options: &Options<'_>,
) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let file = &policy.policy().file;
    let assertions = options.assertions && !(file.tests.is_empty() && file.ssh_tests.is_empty());
    if !options.lints && !assertions {
        return found;
    }
    let tables = options.tailnet.map(|it| Tables::new(policy, it));
    if options.lints {
        let subject = lint::Subject::new(policy.policy(), tree, tables.as_ref(), options);
        found.extend(lint::run(&subject));
    }
    found
}
