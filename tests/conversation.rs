//! Conversations with the built language server, a folder of `tests/lsp` for each.
//!
//! `conversation.txt` has what the editor does, a line each; below each stands what the server
//! answered, indented, which BLESS=1 writes. All other files are given: the policy, an inventory,
//! settings. `tests/README.md` lists what an editor can do.

#[path = "conversation/ask.rs"]
mod ask;
#[path = "conversation/places.rs"]
mod places;
#[path = "conversation/shown.rs"]
mod shown;
#[path = "conversation/talk.rs"]
mod talk;

use std::fs;
use std::path::Path;

use libtest_mimic::{Arguments, Failed, Trial};
use talk::Talk;
use tests::compare::diff;
use tests::expected::blessing;
use tests::{editor, entries, name, read_text};

const SCRIPT: &str = "conversation.txt";

fn main() -> Result<(), String> {
    let arguments = Arguments::from_args();
    let server = editor::server()?;
    let aclc = tests::aclc::build()?;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("lsp");
    let mut trials = Vec::new();
    for case in entries(&folder)? {
        let (server, aclc) = (server.clone(), aclc.clone());
        let title = name(&case).to_owned();
        trials.push(Trial::test(title, move || judge(&case, &server, &aclc).map_err(Failed::from)));
    }
    libtest_mimic::run(&arguments, trials).exit()
}

fn judge(case: &Path, server: &Path, aclc: &Path) -> Result<(), String> {
    let script = case.join(SCRIPT);
    let expected = read_text(&script)?;
    let place = tempfile::tempdir().map_err(|it| it.to_string())?;
    for file in entries(case)? {
        if name(&file) != SCRIPT {
            fs::copy(&file, place.path().join(name(&file))).map_err(|it| it.to_string())?;
        }
    }
    // A folder behind links would have another name in the server's answers.
    let folder = place.path().canonicalize().map_err(|it| it.to_string())?;
    let mut talk = Talk::new(folder, server, aclc);
    let mut actual = String::new();
    for line in expected.lines().filter(|it| !it.starts_with("  ")) {
        actual.push_str(line);
        actual.push('\n');
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let said = talk.say(line).map_err(|error| format!("{line}: {error}"))?;
        // An empty line would end the answer.
        for line in said.lines().filter(|it| !it.trim().is_empty()) {
            actual.push_str(format!("  {line}").trim_end());
            actual.push('\n');
        }
    }
    talk.end()?;
    if actual == expected {
        return Ok(());
    }
    if blessing() {
        return fs::write(&script, actual).map_err(|it| it.to_string());
    }
    Err(format!("{SCRIPT} differs (BLESS=1 writes it):\n{}", diff(&expected, &actual)))
}
