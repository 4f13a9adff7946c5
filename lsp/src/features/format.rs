//! The layout of Tailscale's own formatter, as edits of the lines that differ.

use compiler::cst;
use compiler::diagnostic::Edit;

use super::analysis::Analysis;
use super::changes;

/// The edits that lay the text out; `None` where it is broken, and so left alone.
pub fn format(analysis: &Analysis) -> Option<Vec<Edit>> {
    let formatted = cst::format(analysis.text())?;
    Some(changes::between(analysis.text(), &formatted))
}
