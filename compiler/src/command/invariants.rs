//! Files of invariants beside a policy: found, read and judged.

use std::path::{Path, PathBuf};

use compiler::analysis::invariants::{self, Judged, Rules};
use compiler::analysis::prove::Tags;
use compiler::ast::invariant;
use compiler::policy::Valid;
use compiler::span::LineIndex;

use super::failure::{Failure, shown};
use super::format::FileReport;
use super::input;

/// The longest file of invariants, chosen so that nobody's is longer.
const MAX_BYTES: u64 = 16 << 20;

/// A file of invariants and what became of each.
pub(crate) struct File {
    /// What is wrong.
    pub(crate) report: FileReport,
    /// The invariants that could be read.
    pub(crate) judged: Vec<Judged>,
}

/// Every `*.invariants` in the folder of a policy, by name; none for standard input.
pub(crate) fn beside(policy: &Path) -> Vec<PathBuf> {
    if input::is_stdin(policy) {
        return Vec::new();
    }
    let folder = policy.parent().unwrap_or(Path::new(""));
    let listed = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    // A folder that cannot be listed is said where the policy in it is read.
    let entries = std::fs::read_dir(listed).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries
        .map(|it| folder.join(it.file_name()))
        .filter(|it| it.extension().is_some_and(|it| it == "invariants") && it.is_file())
        .collect();
    files.sort();
    files
}

/// Reads a file of invariants and judges each against a policy.
pub(crate) fn judge(
    path: &Path,
    policy: Valid<'_>,
    policy_name: &str,
    lines: &LineIndex,
    tags: Tags,
) -> Result<File, Failure> {
    let bytes = input::bytes(path, MAX_BYTES)?;
    let text = String::from_utf8(bytes).map_err(|_| {
        Failure::usage(format!("`{}` is not UTF-8", shown(path)), "save it as UTF-8")
    })?;
    let read = invariant::read_file(&text);
    let (judged, diagnostics) =
        invariants::judge(policy, read, Rules::In(policy_name, lines), tags);
    let report = FileReport { name: shown(path), text, diagnostics, verdict: None };
    Ok(File { report, judged })
}
