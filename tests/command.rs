//! Runs command lines and compares what they print, write and end with; a folder of `tests/command` for each.
//!
//! `cmd.txt` has the command lines (`aclc check - < policy.hujson`), `stdout.txt`, `stderr.txt` and
//! `code.txt` what they give, `written/` the files they leave behind. Every other file is input.
//! BLESS=1 writes the expectations.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::process::{Command, Stdio};
use std::{env, fs};

use libtest_mimic::{Arguments, Failed, Trial};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// What is expected, not given.
const EXPECTATIONS: [&str; 5] = ["cmd.txt", "stdout.txt", "stderr.txt", "code.txt", "written"];

fn main() -> Result<()> {
    let arguments = Arguments::from_args();
    let aclc = tests::aclc::build()?;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("command");
    let mut trials = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (case, aclc) = (entry.path(), aclc.clone());
        let name = entry.file_name().to_string_lossy().into_owned();
        trials.push(Trial::test(name, move || {
            judge(&case, &aclc).map_err(|it| Failed::from(it.to_string()))
        }));
    }
    libtest_mimic::run(&arguments, trials).exit()
}

/// What a case gave, or what it should give: the texts of its files by their names.
type Texts = BTreeMap<String, String>;

fn judge(case: &Path, aclc: &Path) -> Result<()> {
    let actual = run(case, aclc)?;
    if env::var_os("BLESS").is_some() {
        return bless(case, &actual);
    }
    let expected = expectations(case)?;
    let mut report = String::new();
    for name in expected.keys().chain(actual.keys().filter(|it| !expected.contains_key(*it))) {
        let (want, got) = (expected.get(name), actual.get(name));
        if want != got {
            let show = |it: Option<&String>| it.map_or("  (nothing)\n".to_owned(), |it| indent(it));
            report += &format!("{name}: expected\n{}but got\n{}", show(want), show(got));
        }
    }
    if report.is_empty() { Ok(()) } else { Err(report.into()) }
}

/// Runs the lines of `cmd.txt` one after the other on a copy of the case.
fn run(case: &Path, aclc: &Path) -> Result<Texts> {
    let place = tempfile::tempdir()?;
    for entry in fs::read_dir(case)? {
        let entry = entry?;
        let name = entry.file_name();
        if !EXPECTATIONS.iter().any(|it| *it == name) {
            fs::copy(entry.path(), place.path().join(name))?;
        }
    }
    let before = files(place.path())?;
    let (mut stdout, mut stderr, mut code) = (String::new(), String::new(), String::new());
    for line in fs::read_to_string(case.join("cmd.txt"))?.lines() {
        let output = command(line, place.path(), aclc)?.output()?;
        stdout += &String::from_utf8(output.stdout)?;
        stderr += &String::from_utf8(output.stderr)?;
        code += &format!("{}\n", output.status.code().ok_or("ended by a signal")?);
    }
    let after = files(place.path())?;
    let mut texts: Texts =
        after.into_iter().filter(|(name, text)| before.get(name) != Some(text)).collect();
    texts = texts.into_iter().map(|(name, text)| (format!("written/{name}"), text)).collect();
    texts.extend(
        [("stdout.txt", stdout), ("stderr.txt", stderr), ("code.txt", code)]
            .map(|(k, v)| (k.to_owned(), v)),
    );
    // A file that is not there is an empty one.
    texts.retain(|name, text| name.starts_with("written/") || !text.is_empty());
    Ok(texts)
}

/// One line: words between blanks, the first of them `aclc`, perhaps with `NAME=VALUE` before it
/// and `< FILE` behind.
fn command(line: &str, place: &Path, aclc: &Path) -> Result<Command> {
    let (line, input) =
        line.split_once(" < ").map_or((line, None), |(line, input)| (line, Some(input)));
    let mut command = Command::new(aclc);
    command.current_dir(place).env_clear().env("LANG", "C.UTF-8");
    let mut words = line.split_whitespace();
    for word in words.by_ref().take_while(|it| *it != "aclc") {
        let (name, value) =
            word.split_once('=').ok_or("a line begins with `aclc` or `NAME=VALUE`")?;
        command.env(name, value);
    }
    command.args(words);
    match input {
        Some(name) => command.stdin(fs::File::open(place.join(name.trim()))?),
        None => command.stdin(Stdio::null()),
    };
    Ok(command)
}

/// The texts below a folder by their paths.
fn files(folder: &Path) -> Result<Texts> {
    let mut texts = Texts::new();
    let mut open = vec![folder.to_owned()];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(
                fs::read_dir(path)?
                    .map(|it| it.map(|it| it.path()))
                    .collect::<std::io::Result<Vec<_>>>()?,
            );
        } else {
            let name = path.strip_prefix(folder)?.to_string_lossy().replace('\\', "/");
            texts.insert(name, String::from_utf8_lossy(&fs::read(path)?).into_owned());
        }
    }
    Ok(texts)
}

fn expectations(case: &Path) -> Result<Texts> {
    let mut texts = files(case)?;
    texts.retain(|name, _| {
        name.starts_with("written/") || name != "cmd.txt" && EXPECTATIONS.contains(&name.as_str())
    });
    Ok(texts)
}

/// Makes what a case gave what it should give.
fn bless(case: &Path, actual: &Texts) -> Result<()> {
    for name in expectations(case)?.keys().filter(|it| !actual.contains_key(*it)) {
        fs::remove_file(case.join(name))?;
    }
    for (name, text) in actual {
        let path = case.join(name);
        fs::create_dir_all(path.parent().ok_or("no folder")?)?;
        fs::write(path, text)?;
    }
    Ok(())
}

fn indent(text: &str) -> String {
    text.lines().map(|it| format!("  {it}\n")).collect()
}
