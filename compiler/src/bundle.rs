//! Fragments of a policy → one policy, and where each piece of it came from.
//!
//! Teams keep their parts in files of their own. [`bundle`] joins them: what is named is joined by name,
//! what is listed stands in the order of the files, comments stay with what they stand by. Nothing
//! here chooses between two fragments: what both define is a problem. The text is copied, never
//! written anew, so each finding in the bundle has a place in a fragment ([`SourceMap`]).
//!
//! Knows no folder and no file: names of fragments are only compared and shown.

pub mod contracts;
mod join;
mod judge;
mod lay_out;
pub mod problem;
pub mod source_map;
mod union;

use crate::ast;
use crate::cst;
use crate::diagnostic::{Diagnostic, Severity};
use crate::dialect::Dialect;
use crate::span::LineIndex;
pub use contracts::Contracts;
pub use problem::Problem;
pub use source_map::SourceMap;

/// One file of those that are bundled.
#[derive(Clone, Debug)]
pub struct Fragment {
    /// How it is called in comments and findings, and what contracts match: `team-web/grants.hujson`.
    pub name: String,
    parsed: cst::Parsed,
}

impl Fragment {
    /// Parses the bytes of a fragment; never fails, as [`cst::parse_bytes`] does not.
    pub fn new(name: impl Into<String>, bytes: &[u8]) -> Self {
        Self { name: name.into(), parsed: cst::parse_bytes(bytes) }
    }

    /// The text that its places refer to.
    pub fn text(&self) -> &str {
        self.parsed.tree.text()
    }

    fn tree(&self) -> &cst::SyntaxTree {
        &self.parsed.tree
    }

    /// Its one value where that is an object, as a policy is. `None` as well for a broken text: what
    /// it seems to hold may be an effect of what is broken.
    fn object(&self) -> Option<cst::SyntaxNode<'_>> {
        if !self.parsed.problems.is_empty() {
            return None;
        }
        let value = self.tree().root().values().next()?;
        (value.kind() == cst::SyntaxKind::Object).then_some(value)
    }

    /// `team-web/grants.hujson:3:4`
    fn place(&self, offset: u32) -> String {
        let at = LineIndex::new(self.text()).line_column(self.text(), offset);
        format!("{}:{at}", self.name)
    }
}

/// One policy made of fragments.
#[derive(Clone, Debug)]
pub struct Bundle {
    /// The policy, laid out as [`cst::format`] does.
    pub text: String,
    /// Where each piece of it came from.
    pub map: SourceMap,
    /// Whether the text, parsed again, was found to say what the fragments say together, with all
    /// their comments. It always is, unless there is a fault of ours; then it must not be used.
    pub proved: bool,
}

/// What bundling gives: a policy, or what keeps the fragments from being one.
#[derive(Clone, Debug)]
pub struct Bundled {
    /// The policy; `None` where there is a finding.
    pub bundle: Option<Bundle>,
    /// What is wrong: the position of the fragment, and the finding in it; by fragment, then by place.
    /// All of them are errors.
    pub findings: Vec<(usize, Diagnostic)>,
}

/// Joins fragments, in the order given, where contracts let each say what it says.
pub fn bundle(fragments: &[Fragment], contracts: Option<&Contracts>, dialect: Dialect) -> Bundled {
    let mut findings = Vec::new();
    for (at, fragment) in fragments.iter().enumerate() {
        let text = &fragment.parsed.problems;
        findings.extend(text.iter().map(|it| (at, it.report())));
        // What a broken text seems to say would be wrong for that reason.
        if !text.is_empty() {
            continue;
        }
        let (file, shape) = ast::read(fragment.tree(), dialect);
        let shape = shape.iter().map(|it| match dialect {
            Dialect::Tailscale => it.report(),
            Dialect::Headscale => it.report_for_headscale(None),
        });
        // Warnings are found again in the whole, which may be what resolves them.
        let errors: Vec<_> = shape.filter(|it| it.severity == Severity::Error).collect();
        if let Some(contracts) = contracts.filter(|_| errors.is_empty()) {
            let problems = judge::judge(fragment, &file, contracts);
            findings.extend(problems.iter().map(|it| (at, it.report())));
        }
        findings.extend(errors.into_iter().map(|it| (at, it)));
    }
    let (joined, problems) = join::join(fragments, dialect);
    findings.extend(problems.iter().map(|(at, it)| (*at, it.report())));
    findings.sort_by_key(|(at, it)| (*at, it.span.start, it.code));
    if !findings.is_empty() {
        return Bundled { bundle: None, findings };
    }
    let (text, map) = lay_out::lay_out(joined);
    let proved = union::is_union(&text, fragments, dialect);
    Bundled { bundle: Some(Bundle { text, map, proved }), findings }
}

/// Whether the name of a member means a known one, as the control plane reads it.
fn is_field(dialect: Dialect, written: &str, known: &str) -> bool {
    match dialect {
        Dialect::Tailscale => written.eq_ignore_ascii_case(known),
        Dialect::Headscale => ast::headscale::is_field(written, known),
    }
}
