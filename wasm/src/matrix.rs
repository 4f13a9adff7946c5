//! Rows, columns and cells of the matrix as objects.

use compiler::analysis::matrix::Matrix;
use compiler::policy::Policy;
use serde::Serialize;

/// A row and a column.
#[derive(Debug, Serialize)]
pub(crate) struct End<'m> {
    id: u32,
    name: &'m str,
    kind: &'static str,
    members: &'m [u32],
    top: bool,
    size: usize,
}

/// What one end may do to another.
#[derive(Debug, Serialize)]
pub(crate) struct Cell {
    from: u32,
    to: u32,
    kind: &'static str,
    summary: String,
    /// From 1.
    lines: Vec<u32>,
}

pub(crate) fn ends(matrix: &Matrix) -> Vec<End<'_>> {
    matrix
        .ends
        .all
        .iter()
        .map(|it| End {
            id: it.id,
            name: &it.name,
            kind: it.kind.name(),
            members: &it.members,
            top: it.top,
            size: it.size,
        })
        .collect()
}

pub(crate) fn cells(matrix: &Matrix, policy: &Policy, rows: &[u32], columns: &[u32]) -> Vec<Cell> {
    let rules = policy.rules.as_deref().unwrap_or_default();
    let line = |it: &u32| {
        let rule = rules.get(*it as usize)?;
        Some(policy.file.lines.line(rule.span.start).0 + 1)
    };
    matrix
        .cells(rows, columns)
        .into_iter()
        .map(|it| Cell {
            from: it.from,
            to: it.to,
            kind: it.kind.name(),
            lines: it.rules.iter().filter_map(line).collect(),
            summary: it.summary,
        })
        .collect()
}
