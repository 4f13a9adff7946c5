//! `--fix` and `--diff`: what the fixes of findings make of the policies that were checked.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use compiler::Options;
use compiler::fix::{self, Fixed, Reach};

use super::super::failure::{Failure, shown};
use super::super::{atomic, input, unified};

/// Which fixes are applied, and whether to the files.
#[derive(Args)]
pub(crate) struct Fixes {
    /// Apply the fixes of findings, to the files: the safe ones, or all that are the only one offered
    #[arg(
        long,
        value_enum,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "safe",
        value_name = "WHICH",
        conflicts_with_all = ["watch", "update_baseline"]
    )]
    fix: Option<Which>,

    /// Print what `--fix` would change instead of what is found; change nothing
    #[arg(long, conflicts_with_all = ["watch", "update_baseline", "format"])]
    diff: bool,
}

/// Which fixes are applied.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Which {
    /// Those that cannot change who reaches what unasked
    Safe,
    /// Also the others, which a person should look at
    All,
}

impl Fixes {
    /// Whether nothing is written and the changes are printed.
    pub(super) fn is_dry(&self) -> bool {
        self.diff
    }

    fn reach(&self) -> Option<Reach> {
        match (self.fix, self.diff) {
            (Some(Which::All), _) => Some(Reach::All),
            (Some(Which::Safe), _) | (None, true) => Some(Reach::Safe),
            (None, false) => None,
        }
    }

    /// Refuses to fix what cannot be written.
    pub(super) fn fits(&self, files: &[PathBuf]) -> Result<(), Failure> {
        if self.fix.is_some() && !self.diff && files.iter().any(|it| input::is_stdin(it)) {
            return Err(Failure::usage(
                "standard input cannot be fixed in place",
                "give a file, or `--diff` to see what would change",
            ));
        }
        Ok(())
    }

    /// The policy at `path` after its fixes, if any are wanted.
    pub(super) fn apply(&self, path: &Path, bytes: &[u8], options: &Options<'_>) -> Option<Change> {
        let reach = self.reach()?;
        // Bytes that are no text would be lost.
        let before = std::str::from_utf8(bytes).ok()?.to_owned();
        let fixed = fix::fix(&before, options, reach);
        Some(Change { path: path.to_owned(), before, fixed })
    }
}

/// What the fixes make of one policy.
pub(super) struct Change {
    path: PathBuf,
    before: String,
    pub(super) fixed: Fixed,
}

impl Change {
    /// Prints what changes.
    pub(super) fn print(&self) -> io::Result<()> {
        unified::print(&shown(&self.path), &self.before, self.fixed.text())
    }

    /// Writes the file, if it changes, and says so.
    pub(super) fn write(&self) -> Result<(), Failure> {
        if self.before == self.fixed.text() {
            return Ok(());
        }
        atomic::write(&self.path, self.fixed.text().as_bytes())?;
        let count = self.fixed.applied.len();
        let findings = if count == 1 { "finding" } else { "findings" };
        // Where standard error is closed there is nobody to tell.
        let _ = writeln!(io::stderr().lock(), "fixed {count} {findings} in {}", shown(&self.path));
        Ok(())
    }

    /// Says which fixes were left out because they are wrong, and whether there are any.
    pub(super) fn report_harmful(&self) -> bool {
        for it in &self.fixed.harmful {
            let place = shown(&self.path);
            // Where standard error is closed there is nobody to tell.
            let _ = writeln!(
                io::stderr().lock(),
                "aclc {version}: the fix of {code} at {place}:{at} (\"{title}\") would bring {brought} and was left out; this is a bug of ours, and a report with this line and the file helps us mend it",
                version = env!("CARGO_PKG_VERSION"),
                code = it.code,
                at = it.at,
                title = it.title,
                brought = it.brought,
            );
        }
        !self.fixed.harmful.is_empty()
    }
}
