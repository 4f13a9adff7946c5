//! The commands themselves, for the runners that start them.

use std::env;
use std::path::PathBuf;
use std::process::Command;

/// Builds `aclc` beside the running test.
pub fn build() -> Result<PathBuf, String> {
    program("compiler", "aclc")
}

/// Builds a command beside the running test; cargo does not build it for a test of another package,
/// so we ask it to.
pub fn program(package: &str, name: &str) -> Result<PathBuf, String> {
    let test = env::current_exe().map_err(|it| it.to_string())?;
    // <target>/<profile>/deps/<this test>
    let profile = test.ancestors().nth(2).ok_or("the test stands in no target folder")?;
    let target = profile.parent().ok_or("the test stands in no target folder")?;
    if let Some(cargo) = env::var_os("CARGO") {
        let mut build = Command::new(cargo);
        build
            .args(["build", "--quiet", "--package", package, "--bin", name, "--target-dir"])
            .arg(target);
        if profile.ends_with("release") {
            build.arg("--release");
        }
        let status = build.current_dir(env!("CARGO_MANIFEST_DIR")).status();
        if !status.map_err(|it| it.to_string())?.success() {
            return Err("the command does not build".to_owned());
        }
    }
    Ok(profile.join(name).with_extension(env::consts::EXE_EXTENSION))
}
