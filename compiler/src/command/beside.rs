//! Programs of the same release, which lie beside this one.

use std::path::{Path, PathBuf};

/// A program beside this one, whether it is there or not. A link to this program is followed where the
/// other is not beside the link.
pub(crate) fn program(name: &str) -> PathBuf {
    let name = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    beside(&std::env::current_exe().unwrap_or_default(), &name)
}

fn beside(program: &Path, name: &str) -> PathBuf {
    let near = program.with_file_name(name);
    if near.is_file() {
        return near;
    }
    let there = program.canonicalize().map(|it| it.with_file_name(name));
    there.ok().filter(|it| it.is_file()).unwrap_or(near)
}
