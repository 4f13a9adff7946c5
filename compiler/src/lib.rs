//! Compiles tailnet policy files into per-node packet-filter tables, and finds what is wrong with them.
//!
//! ```text
//!  text ──cst──▶ SyntaxTree ──ast──▶ PolicyFile ──policy──▶ Policy
//!                lossless           as written             as meant
//!                + E00 E01          + E02                  + E03 E04
//!                                                             │ no errors
//!  Tables ◀──tables── Tailnet (users, nodes, routes) + Valid<Policy>
//!  per node, each rule with its span   + E06
//! ```
//!
//! Each stage has a file of types and a folder of passes; the stages stand below in that order.
//! Nothing here touches a file, a clock, the network or the environment.

// pest's derive names `alloc` by its path, because pest is built without `std`.
extern crate alloc;

pub mod span;
pub mod diagnostic;
pub mod cst;
pub mod ast;
pub mod policy;
pub mod tailnet;
pub mod tables;

use diagnostic::{Diagnostic, Severity};
use policy::{Policy, Valid};
use tables::Tables;
use tailnet::Tailnet;

/// What checking a policy gives: everything understood of it, and everything wrong with it.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The text as a tree.
    pub tree: cst::SyntaxTree,
    /// What it means, as far as it could be understood.
    pub policy: Policy,
    /// All findings, by place.
    pub diagnostics: Vec<Diagnostic>,
    /// Whether the control plane's verdict depends on facts that were not given.
    pub undecided: bool,
    /// Whether a stage before the tables reported an error.
    broken: bool,
}

impl Checked {
    /// The proof that the policy may be lowered; `None` when there is an error in it.
    pub fn valid(&self) -> Option<Valid<'_>> {
        (!self.broken).then(|| Valid::assume(&self.policy))
    }
}

/// Parses, reads and checks a policy; with a tailnet also what depends on its facts.
///
/// Never fails: a text that is no policy at all gives an empty policy and diagnostics.
pub fn check(text: &str, tailnet: Option<&Tailnet>) -> Checked {
    check_parsed(cst::parse(text), Vec::new(), tailnet)
}

/// The same for bytes that may not be UTF-8.
pub fn check_bytes(bytes: &[u8], tailnet: Option<&Tailnet>) -> Checked {
    let (text, problems) = cst::decode(bytes);
    check_parsed(cst::parse(&text), problems, tailnet)
}

fn check_parsed(
    parsed: cst::Parsed,
    bytes: Vec<cst::Problem>,
    tailnet: Option<&Tailnet>,
) -> Checked {
    let cst::Parsed { tree, problems } = parsed;
    let mut diagnostics: Vec<Diagnostic> =
        bytes.iter().chain(&problems).map(cst::Problem::report).collect();
    let (file, problems) = ast::read(&tree);
    diagnostics.extend(problems.iter().map(ast::Problem::report));
    let (policy, problems) = policy::from_ast(file);
    diagnostics.extend(problems.iter().map(policy::Problem::report));
    let broken = diagnostics.iter().any(|it| it.severity == Severity::Error);
    let (problems, undecided) = tables::check_facts(&policy, tailnet);
    diagnostics.extend(problems.iter().map(tables::Problem::report));
    let mut checked = Checked { tree, policy, diagnostics, undecided, broken };
    if let Some(tailnet) = tailnet.filter(|_| checked.policy.has_postures())
        && let Some(valid) = checked.valid()
    {
        let open: Vec<_> =
            Tables::new(valid, tailnet).problems().iter().map(tables::Problem::report).collect();
        checked.diagnostics.extend(open);
    }
    let found = std::mem::take(&mut checked.diagnostics);
    checked.diagnostics = diagnostic::suppress::suppress(&checked.tree, found);
    diagnostic::sort(&mut checked.diagnostics);
    checked
}
