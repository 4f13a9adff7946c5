//! Compiles tailnet policy files into per-node packet-filter tables, and finds what is wrong with them.
//!
//! ```text
//!  text ──cst──▶ SyntaxTree ──ast──▶ PolicyFile ──policy──▶ Policy
//!                lossless           as written             as meant
//!                + E00 E01          + E02                  + E03 E04
//!                                                             │ no errors
//!  Tables ◀──tables── Tailnet (users, nodes, routes) + Valid<Policy>
//!  per node, each rule with its span   + E05 E06
//!     │
//!     └──analysis──▶ answers about what a policy means, and lints   W10 to W19
//! ```
//!
//! Each stage has a file of types and a folder of passes; the stages stand below in that order.
//! Nothing here touches a file, a clock, the network or the environment.
//!
//! ```
//! use compiler::tables::{Tables, wire};
//!
//! let inventory = compiler::tailnet::read(
//!     r#"{"nodes": [{"name": "laptop", "user": "ada@example.com", "ipv4": "100.64.0.1"},
//!                   {"name": "web", "tags": ["tag:web"], "ipv4": "100.64.0.2"}]}"#,
//! );
//! let tailnet = inventory.tailnet.ok_or("a tailnet")?;
//! let checked = compiler::check(
//!     r#"{"tagOwners": {"tag:web": []},
//!         "grants": [{"src": ["autogroup:member"], "dst": ["tag:web"], "ip": ["tcp:443"]}]}"#,
//!     Some(&tailnet),
//! );
//! let tables = Tables::new(checked.valid().ok_or("no error")?, &tailnet);
//! let web = tailnet.node_named("web").ok_or("a node")?;
//! let mut json = Vec::new();
//! wire::write_table(&tables, web, wire::Fields::parse("filterRules")?, &mut json);
//! assert_eq!(
//!     String::from_utf8(json)?,
//!     r#""filterRules":[{"SrcIPs":["100.64.0.1"],"DstPorts":[{"IP":"100.64.0.2","Ports":{"First":443,"Last":443}}],"IPProto":[6]}]"#,
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

// pest's derive names `alloc` by its path, because pest is built without `std`.
extern crate alloc;

pub mod span;
pub mod time;
pub mod diagnostic;
pub mod cst;
pub mod ast;
pub mod policy;
pub mod tailnet;
pub mod tables;
pub mod analysis;
pub mod emit;
pub mod dialect;
pub mod suppress;
pub mod fix;
#[cfg(feature = "configuration")]
pub mod configuration;
#[cfg(feature = "configuration")]
pub mod bundle;

use diagnostic::levels::Levels;
use diagnostic::{Code, Diagnostic, code};
pub use dialect::Dialect;
use policy::{Policy, Valid};
use tailnet::Tailnet;
pub use time::Date;

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
    /// What came of the policy's own assertions, where they were evaluated.
    pub tally: Option<analysis::Tally>,
    /// Whether a stage before the tables reported an error that no comment allows.
    broken: bool,
    /// Whether nothing is wrong with the text as HuJSON.
    well_formed: bool,
}

impl Checked {
    /// The proof that the policy may be lowered; `None` when there is an error in it.
    pub fn valid(&self) -> Option<Valid<'_>> {
        (!self.broken).then(|| Valid::assume(&self.policy))
    }
}

/// What a policy is checked against, and how far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options<'a> {
    /// Users and devices; without them nothing is judged that depends on them.
    pub tailnet: Option<&'a Tailnet>,
    /// Whose control plane is to take the file.
    pub dialect: Dialect,
    /// Whether the policy's own assertions are evaluated; that needs a tailnet.
    pub assertions: bool,
    /// Whether also the rules are named that no assertion makes use of.
    pub coverage: bool,
    /// Whether also the changes of rules are named that no assertion notices.
    pub mutants: bool,
    /// Whether an accepted policy is also read as a critic would.
    pub lints: bool,
    /// How grave findings are, where that differs from the list of codes.
    pub levels: Option<&'a Levels>,
    /// The day on which expiry comments are judged; without it they are not.
    pub today: Option<Date>,
}

/// Parses, reads and checks a policy; with a tailnet also what depends on its facts.
///
/// Never fails: a text that is no policy at all gives an empty policy and diagnostics, which stand
/// in the order of the text. A text of more than [`cst::MAX_BYTES`] or nested deeper than
/// [`cst::MAX_DEPTH`] is refused with one of them.
pub fn check(text: &str, tailnet: Option<&Tailnet>) -> Checked {
    check_parsed(cst::parse(text), &Options { tailnet, ..Options::default() })
}

/// The same for bytes that may not be UTF-8, as far as `options` say.
pub fn check_bytes(bytes: &[u8], options: &Options<'_>) -> Checked {
    check_parsed(cst::parse_bytes(bytes), options)
}

/// The same for a text that may have come from that of `before` by an edit: what [`check_bytes`] gives, in
/// less time where the edit lies within one rule or another object.
pub fn check_edited(before: &Checked, text: &str, options: &Options<'_>) -> Checked {
    let tree = if before.well_formed { cst::reparse(&before.tree, text) } else { None };
    match tree {
        Some(tree) => check_parsed(cst::Parsed { tree, problems: Vec::new() }, options),
        None => check_bytes(text.as_bytes(), options),
    }
}

fn check_parsed(parsed: cst::Parsed, options: &Options<'_>) -> Checked {
    let cst::Parsed { tree, problems } = parsed;
    let well_formed = problems.is_empty();
    let mut diagnostics: Vec<Diagnostic> = problems.iter().map(cst::Problem::report).collect();
    let headscale = options.dialect == Dialect::Headscale;
    if headscale {
        let reworded = |it| ast::problem::headscale::reword(it, &tree);
        diagnostics = diagnostics.into_iter().map(reworded).collect();
    }
    let of_text = diagnostics.len();
    let misplaced = diagnostics.iter().any(|it| MISPLACING.contains(&it.code));
    let (file, shape) = ast::read(&tree, options.dialect);
    let (policy, meaning) = policy::from_ast(file);
    let (facts, mut undecided) = tables::check_facts(&policy, options.tailnet);
    if !misplaced {
        if headscale {
            diagnostics.extend(for_headscale(&shape, &meaning, &tree));
        } else {
            diagnostics.extend(shape.iter().map(ast::Problem::report));
            diagnostics.extend(meaning.iter().map(policy::Problem::report));
        }
        diagnostics.extend(facts.iter().map(tables::Problem::report));
        // A name may hold what no text between quotes can as it is; then there is nothing to offer.
        for fixes in diagnostics.iter_mut().skip(of_text).map(|it| &mut it.fixes) {
            fixes.retain(|it| it.edits.iter().all(|it| cst::edit::fits(&tree, it)));
        }
    }
    // What Tailscale takes and a comment allows is lowered as it is understood: of two members of
    // one name, the first counts.
    let broken = suppress::has_errors(&tree, &diagnostics);
    let mut tally = None;
    if broken {
        undecided |= !(policy.file.tests.is_empty() && policy.file.ssh_tests.is_empty());
    } else {
        let judged = analysis::judge(Valid::assume(&policy), &tree, options);
        diagnostics.extend(judged.diagnostics);
        undecided |= judged.undecided;
        tally = judged.tally;
    }
    let mut diagnostics = suppress::suppress(&tree, diagnostics, |code| judged(code, options));
    if let Some(levels) = options.levels {
        diagnostics = levels.apply(diagnostics);
    }
    diagnostic::sort(&mut diagnostics);
    Checked { tree, policy, diagnostics, undecided, tally, broken, well_formed }
}

/// The findings of the stages of the language, with what headscale answers.
fn for_headscale(
    shape: &[ast::Problem],
    meaning: &[policy::Problem],
    tree: &cst::SyntaxTree,
) -> Vec<Diagnostic> {
    /// Its words name the place, which is looked for from the top: so many times and no more.
    const MAX_WORDED: usize = 1000;
    let few = |at: usize| (at < MAX_WORDED).then_some(tree);
    let shape = shape.iter().enumerate().map(|(at, it)| it.report_for_headscale(few(at)));
    let meaning = meaning.iter().enumerate().map(|(at, it)| it.report_for_headscale(few(at)));
    shape.chain(meaning).collect()
}

/// Whether everything with a code is found that there is: not where it hangs on facts, which may well
/// be others with another inventory, nor where nobody asked for lints.
fn judged(code: Code, options: &Options<'_>) -> bool {
    let family = code.name().get(1..3).unwrap_or_default();
    let about_facts = matches!(family, "06" | "12" | "13");
    let lint = family.starts_with('1');
    let looked_for = match code {
        code::W0511 => options.coverage,
        code::W0512 => options.mutants,
        _ => true,
    };
    !about_facts && looked_for && (options.lints || !lint)
}

/// What makes later text stand in the wrong section: all that the stages after would say of it would
/// have this one cause.
const MISPLACING: [Code; 5] = [code::E0001, code::E0002, code::E0101, code::E0116, code::E0117];
