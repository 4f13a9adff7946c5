//! Stage 5, questions about what a policy means; read-only over [`Policy`](crate::policy::Policy) and
//! [`Tables`].

pub mod access;
pub mod atom_set;
pub mod compare;
mod coverage;
pub mod describe;
pub mod devices;
pub mod diff;
pub mod diff_rows;
pub mod ends;
pub mod flow_text;
pub mod invariants;
pub mod lint;
pub mod matrix;
pub mod migrate;
mod mutants;
pub mod privileges;
pub mod problem;
pub mod prove;
pub mod reach;
pub mod region;
pub mod subject;
pub mod tally;
pub mod universe;
pub mod why;
pub mod witness;
pub mod written;

use crate::cst::SyntaxTree;
use crate::diagnostic::Diagnostic;
use crate::policy::Valid;
use crate::tables::Tables;
use crate::tables::assertions::{AssertionProblem, Assertions};
use crate::tailnet::Tailnet;
use crate::{Dialect, Options};
pub use tally::Tally;
use tally::{Coverage, Mutants};

/// What judging gives.
#[derive(Debug, Default)]
pub(crate) struct Judged {
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// Whether the control plane's verdict depends on assertions that could not be judged.
    pub(crate) undecided: bool,
    /// What came of the assertions, where they were judged.
    pub(crate) tally: Option<Tally>,
}

/// What is found in a policy without an error: assertions that fail, and what a critic would say.
pub(crate) fn judge(policy: Valid<'_>, tree: &SyntaxTree, options: &Options<'_>) -> Judged {
    let mut judged = Judged::default();
    let file = &policy.policy().file;
    if options.assertions {
        let invariants = crate::ast::invariant::read_comments(tree);
        let (_, broken) =
            invariants::judge(policy, invariants, invariants::Rules::Here, prove::Tags::One);
        judged.diagnostics.extend(broken);
    }
    let gaps = options.coverage || options.mutants;
    let asserted = !(file.tests.is_empty() && file.ssh_tests.is_empty());
    match options.tailnet.filter(|_| options.assertions) {
        Some(tailnet) if asserted || gaps => judged.assertions(policy, tailnet, options),
        None if asserted => judged.undecided = true,
        _ => {}
    }
    if options.lints {
        let tables = options.tailnet.map(|it| Tables::new(policy, it));
        let subject = lint::Subject::new(policy.policy(), tree, tables.as_ref(), options);
        judged.diagnostics.extend(lint::run(&subject));
    }
    judged
}

impl Judged {
    /// Evaluates the assertions, and looks for gaps between them where that is asked for.
    fn assertions(&mut self, policy: Valid<'_>, tailnet: &Tailnet, options: &Options<'_>) {
        let assertions = Assertions::new(policy, tailnet);
        let problems = &assertions.problems;
        self.undecided |= problems.iter().any(AssertionProblem::is_undecided);
        let report = match options.dialect {
            Dialect::Tailscale => AssertionProblem::report,
            Dialect::Headscale => AssertionProblem::report_for_headscale,
        };
        self.diagnostics.extend(problems.iter().map(report));
        let mut tally = Tally::new(&assertions);
        if options.coverage || options.mutants {
            let exercise = assertions.exercise();
            if options.coverage {
                let counts = tally.coverage.insert(Coverage::default());
                self.diagnostics.extend(coverage::run(&assertions, &exercise, counts));
            }
            if options.mutants {
                let counts = tally.mutants.insert(Mutants::default());
                self.diagnostics.extend(mutants::run(&assertions, &exercise, counts));
            }
        }
        self.tally = Some(tally);
    }
}
