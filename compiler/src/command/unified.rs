//! Two texts → a unified diff, as `patch -p0` reads it.

use std::borrow::Cow;
use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use compiler::diagnostic::render::visible;
use similar::TextDiff;

/// Beyond this time a longer way from one text to the other is good enough.
const PATIENCE: Duration = Duration::from_secs(2);

/// Prints what changes between two texts of the file `name`.
pub(crate) fn print(name: &str, old: &str, new: &str) -> io::Result<()> {
    let diff = unified(name, old, new);
    let mut out = io::stdout().lock();
    // A policy must not move the cursor; a program that reads us needs every byte.
    let diff = if out.is_terminal() { lines_visible(&diff) } else { Cow::Borrowed(&*diff) };
    out.write_all(diff.as_bytes())
}

fn unified(name: &str, old: &str, new: &str) -> String {
    let diff = TextDiff::configure().timeout(PATIENCE).diff_lines(old, new);
    diff.unified_diff().header(name, name).to_string()
}

/// Every control mark spelled out but tabs, which policies are indented by.
fn lines_visible(diff: &str) -> Cow<'_, str> {
    let line = |it: &str| {
        let pieces: Vec<_> = it.trim_end_matches(['\r', '\n']).split('\t').map(visible).collect();
        pieces.join("\t") + "\n"
    };
    Cow::Owned(diff.split_inclusive('\n').map(line).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changes_and_three_lines_around_it() {
        let old = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
        let new = "1\n2\n3\n4\nfive\n6\n7\n8\n9";
        let expected = "--- a.hujson\n+++ a.hujson\n@@ -2,8 +2,8 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n-9\n+9\n\\ No newline at end of file\n";
        assert_eq!(unified("a.hujson", old, new), expected);
        assert_eq!(unified("a.hujson", old, old), "");
    }
}
