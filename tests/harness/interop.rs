//! Questions to a Go program of `../interop`, a line of JSON each, and its answers in the same order.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use crate::root;

/// What the program in `tests/interop/MODULE` answers, a line for each question.
///
/// `None` where Go is not installed, after saying so. Errors: the program could not be built or
/// ended early, or gave another number of answers.
#[expect(clippy::print_stderr, reason = "a comparison that is left out says so")]
pub fn ask(module: &str, questions: Vec<String>) -> Result<Option<Vec<String>>, String> {
    let spawned = Command::new("go")
        .args(["run", "."])
        .current_dir(root().join("tests/interop").join(module))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut child) = spawned else {
        eprintln!("LEFT OUT: `go` is not installed, nothing was compared with interop/{module}");
        return Ok(None);
    };
    let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
        return Err("the program has no pipes".to_owned());
    };
    let asked = questions.len();
    let writer = std::thread::spawn(move || {
        // Where the program ended early, its exit code below says so.
        questions.iter().try_for_each(|it| writeln!(stdin, "{it}")).ok();
    });
    let answers: Result<Vec<String>, _> = BufReader::new(stdout).lines().collect();
    let answers = answers.map_err(|it| it.to_string())?;
    writer.join().map_err(|_| "the questions could not be asked".to_owned())?;
    let ended = child.wait().map_err(|it| it.to_string())?;
    if !ended.success() || answers.len() != asked {
        let count = answers.len();
        return Err(format!(
            "`go run .` in tests/interop/{module}: {ended}, {count} of {asked} answers"
        ));
    }
    Ok(Some(answers))
}
