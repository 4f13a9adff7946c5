//! Findings with the place drawn, for people.

use std::io::{self, Write};

use compiler::diagnostic::render::{Look, Renderer};

use super::FileReport;

/// Nobody reads further, and drawing takes its time; the other formats have all.
const MAX_DRAWN: usize = 1000;

/// Writes the findings of all files, each drawn.
pub(crate) fn write(out: &mut impl Write, files: &[FileReport], look: Look) -> io::Result<()> {
    for file in files.iter().filter(|it| !it.diagnostics.is_empty()) {
        let renderer = Renderer::new(&file.name, &file.text, look);
        for diagnostic in file.diagnostics.iter().take(MAX_DRAWN) {
            out.write_all(renderer.render(diagnostic).as_bytes())?;
        }
        let left = file.diagnostics.len().saturating_sub(MAX_DRAWN);
        if left > 0 {
            writeln!(
                out,
                "… and {left} more in {}; `aclc check --format short` lists all\n",
                file.name
            )?;
        }
    }
    Ok(())
}
