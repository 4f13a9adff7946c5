//! Gathers the pages of `docs/diagnostics` into one table, so that `tlock explain` needs no list by hand.

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let mut table = String::from("&[\n");
    if env::var_os("CARGO_FEATURE_CLI").is_some() {
        let folder = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../docs/diagnostics");
        println!("cargo::rerun-if-changed={}", folder.display());
        let mut paths: Vec<_> =
            fs::read_dir(folder)?.map(|it| it.map(|it| it.path())).collect::<Result<_, _>>()?;
        paths.sort();
        for path in paths {
            let stem = path.file_stem().and_then(|it| it.to_str()).unwrap_or_default();
            if let Some(code) = stem.strip_prefix("lock-") {
                let path = path.canonicalize()?;
                writeln!(table, "    ({code:?}, include_str!({path:?})),")?;
            }
        }
    }
    table.push_str("]\n");
    fs::write(Path::new(&env::var("OUT_DIR")?).join("pages.rs"), table)?;
    Ok(())
}
