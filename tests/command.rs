//! Runs command lines and compares what they print, write and end with; a folder of `tests/command`
//! or `tests/lock-command` for each.
//!
//! `cmd.txt` has the command lines (`aclc check - < policy.hujson`), `stdout.txt`, `stderr.txt` and
//! `code.txt` what they give, `written/` the files they leave behind. Every other file is input, and
//! so are the files of the folder `given` beside the cases, and of the folder of `../examples` that
//! `example.txt` names. BLESS=1 writes the expectations.
//!
//! Files that end in `.key` or `.secret` hold what must not be seen: they are read by their owner
//! only, and a case fails whose output has a piece of one.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use libtest_mimic::{Arguments, Failed, Trial};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The folder of files that every case beside it is given.
const GIVEN: &str = "given";

/// What is expected, not given.
const EXPECTATIONS: [&str; 6] =
    ["cmd.txt", "stdout.txt", "stderr.txt", "code.txt", "written", EXAMPLE];

/// Names the example whose files a case is given.
const EXAMPLE: &str = "example.txt";

/// The commands that a line may begin with.
#[derive(Clone)]
struct Programs {
    aclc: PathBuf,
    tlock: PathBuf,
}

impl Programs {
    fn path(&self, word: &str) -> Option<&Path> {
        match word {
            "aclc" => Some(&self.aclc),
            "tlock" => Some(&self.tlock),
            _ => None,
        }
    }
}

fn main() -> Result<()> {
    let arguments = Arguments::from_args();
    let programs =
        Programs { aclc: tests::aclc::build()?, tlock: tests::aclc::program("lock", "tlock")? };
    let mut trials = Vec::new();
    for folder in ["command", "lock-command"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let (case, programs) = (entry.path(), programs.clone());
            let name = entry.file_name().to_string_lossy().into_owned();
            if name == GIVEN {
                continue;
            }
            trials.push(Trial::test(name, move || {
                judge(&case, &programs).map_err(|it| Failed::from(it.to_string()))
            }));
        }
    }
    libtest_mimic::run(&arguments, trials).exit()
}

/// What a case gave, or what it should give: the texts of its files by their names.
type Texts = BTreeMap<String, String>;

fn judge(case: &Path, programs: &Programs) -> Result<()> {
    let actual = run(case, programs)?;
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
fn run(case: &Path, programs: &Programs) -> Result<Texts> {
    let place = tempfile::tempdir()?;
    // What a command remembers of its user; the time of it is not the same twice.
    let state = tempfile::tempdir()?;
    let given = case.with_file_name(GIVEN);
    let example = fs::read_to_string(case.join(EXAMPLE)).ok();
    let example = example.map(|it| tests::root().join("examples").join(it.trim()));
    let folders = [Some(given.as_path()), example.as_deref(), Some(case)];
    for folder in folders.into_iter().flatten().filter(|it| it.is_dir()) {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name();
            if !EXPECTATIONS.iter().any(|it| *it == name) {
                give(&entry.path(), &place.path().join(name))?;
            }
        }
    }
    let before = files(place.path())?;
    let (mut stdout, mut stderr, mut code) = (String::new(), String::new(), String::new());
    for line in fs::read_to_string(case.join("cmd.txt"))?.lines() {
        let output =
            command(line, place.path(), programs)?.env("XDG_STATE_HOME", state.path()).output()?;
        stdout += &String::from_utf8(output.stdout)?;
        stderr += &timeless(&String::from_utf8(output.stderr)?);
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
    // The folder of a store holds the time of its making, and a secret is another every time.
    let stores = ["written/store", "written/tka-profiles"];
    texts.retain(|name, _| !stores.iter().any(|it| name.starts_with(it)) && !is_secret(name));
    // A file that is not there is an empty one.
    texts.retain(|name, text| name.starts_with("written/") || !text.is_empty());
    let mut secrets = files(place.path())?;
    secrets.extend(before);
    keep_secrets(&texts, &secrets)?;
    Ok(texts)
}

/// A text with every time such as `2026-11-28T04:24:00Z` replaced by `TIME`.
fn timeless(text: &str) -> String {
    const SHAPE: &[u8] = b"0000-00-00T00:00:00Z";
    let is_time = |it: &[u8]| {
        it.iter().zip(SHAPE).all(|(byte, shape)| match shape {
            b'0' => byte.is_ascii_digit(),
            other => byte == other,
        })
    };
    let bytes = text.as_bytes();
    let mut times: Vec<&str> = bytes
        .windows(SHAPE.len())
        .filter(|it| is_time(it))
        .filter_map(|it| std::str::from_utf8(it).ok())
        .collect();
    times.dedup();
    times.iter().fold(text.to_owned(), |text, time| text.replace(time, "TIME"))
}

/// Copies a file or a folder; a secret file for its owner's eyes only, as commands ask for.
fn give(from: &Path, to: &Path) -> Result<()> {
    if from.is_dir() {
        fs::create_dir(to)?;
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            give(&entry.path(), &to.join(entry.file_name()))?;
        }
        return Ok(());
    }
    fs::copy(from, to)?;
    #[cfg(unix)]
    if is_secret(&to.to_string_lossy()) {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(to, fs::Permissions::from_mode(0o600))?;
    }
    Ok(())
}

fn is_secret(name: &str) -> bool {
    name.ends_with(".key") || name.ends_with(".secret")
}

/// Fails where something that a secret file holds is seen: its words, and the halves of what they
/// stand for as hexadecimal text or base64. Public halves stand in secret files, too.
fn keep_secrets(texts: &Texts, files: &Texts) -> Result<()> {
    for (file, content) in files.iter().filter(|it| is_secret(it.0)) {
        for piece in tests::secrets::pieces(content) {
            if let Some((place, _)) = texts.iter().find(|it| it.1.contains(&piece)) {
                return Err(format!("{place} has a piece of the secret in {file}").into());
            }
        }
    }
    Ok(())
}

/// One line: words between blanks, the first of them a program, perhaps with `NAME=VALUE` before it
/// and `< FILE` behind.
fn command(line: &str, place: &Path, programs: &Programs) -> Result<Command> {
    let (line, input) =
        line.split_once(" < ").map_or((line, None), |(line, input)| (line, Some(input)));
    let mut words = line.split_whitespace();
    let variables: Vec<&str> = words.clone().take_while(|it| programs.path(it).is_none()).collect();
    let program = words.by_ref().find_map(|it| programs.path(it));
    let mut command = Command::new(program.ok_or("a line names `aclc` or `tlock`")?);
    command.current_dir(place).env_clear().env("LANG", "C.UTF-8");
    for word in variables {
        let (name, value) =
            word.split_once('=').ok_or("a line begins with a program or `NAME=VALUE`")?;
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
            texts.insert(name, text(fs::read(path)?));
        }
    }
    Ok(texts)
}

/// The content of a file; as hexadecimal text where it is none.
fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes)
        .unwrap_or_else(|it| data_encoding::HEXLOWER.encode(it.as_bytes()) + "\n")
}

fn expectations(case: &Path) -> Result<Texts> {
    let mut texts = files(case)?;
    let told = |name: &str| !["cmd.txt", EXAMPLE].contains(&name) && EXPECTATIONS.contains(&name);
    texts.retain(|name, _| name.starts_with("written/") || told(name));
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
