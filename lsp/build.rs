//! Gathers the pages of `docs/diagnostics` into one table, so that the server can show each offline; and
//! a number that is another when a page is.
#![allow(
    clippy::disallowed_methods,
    reason = "a build script reads files and the environment; the library does not"
)]

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let mut table = String::from("&[\n");
    // FNV-1a, 64 bits: the same on every machine.
    let mut number = 0xcbf2_9ce4_8422_2325_u64;
    if env::var_os("CARGO_FEATURE_SERVER").is_some() {
        let folder = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../docs/diagnostics");
        println!("cargo::rerun-if-changed={}", folder.display());
        let mut paths: Vec<_> =
            fs::read_dir(folder)?.map(|it| it.map(|it| it.path())).collect::<Result<_, _>>()?;
        paths.sort();
        for path in paths {
            let stem = path.file_stem().and_then(|it| it.to_str()).unwrap_or_default();
            if let Some(code) = stem.strip_prefix("acl-") {
                let path = path.canonicalize()?;
                writeln!(table, "    ({code:?}, include_str!({path:?})),")?;
                for byte in fs::read(&path)? {
                    number = (number ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
                }
            }
        }
    }
    table.push_str("]\n");
    let out = env::var("OUT_DIR")?;
    fs::write(Path::new(&out).join("pages.rs"), table)?;
    println!("cargo::rustc-env=ACLC_PAGES={number:016x}");
    Ok(())
}
