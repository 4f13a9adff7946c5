//! Rules for single files: a head, a size, names that say something, and pages that speak of what
//! is really there.

use std::path::{Path, PathBuf};

use libtest_mimic::{Failed, Trial};
use tests::{entries, name, read, read_text, root};

use crate::{none_of, relative};

/// The longest file that people write.
const MAX_LINES: usize = 800;

/// Pages that are read whole, and how long they may be.
const PAGES: &[(&str, usize)] = &[("README.md", 100), ("ARCHITECTURE.md", 150)];

/// Endings of files that people write; what programs write (locks, expectations) counts for nothing.
const WRITTEN: &[&str] =
    &["rs", "md", "toml", "pest", "go", "ts", "css", "html", "sh", "py", "yml"];

/// Names for what has no subject.
const NAMELESS: &[&str] = &["utils", "util", "common", "misc", "helpers", "helper", "manager"];

/// What no test needs: one that is not run, one that hides why it fails.
const UNWANTED: &[&str] = &["#[ignore", "#[should_panic", "TODO", "FIXME", "XXX"];

pub(crate) fn trials(files: &[PathBuf]) -> Vec<Trial> {
    let with = |check: fn(&[PathBuf]) -> Result<(), Failed>| {
        let files = files.to_vec();
        move || check(&files)
    };
    vec![
        Trial::test("every Rust file says in its head what it is", with(heads)),
        Trial::test("no file outgrows its subject", with(sizes)),
        Trial::test("every file has a subject", with(subjects)),
        Trial::test("no test is put aside and nothing left for later", with(unwanted)),
        Trial::test("every runner is in the manifest", runners),
        Trial::test("every runner is in the table of tests/README.md", rows),
        Trial::test("every type of the vocabulary exists", with(vocabulary)),
        Trial::test("every dependency has its sentence", dependencies),
        Trial::test("`cargo run` alone starts aclc", program),
        Trial::test("README and ARCHITECTURE are short", pages),
        Trial::test("every path named in ARCHITECTURE exists", || paths_exist("ARCHITECTURE.md")),
        Trial::test("every path named in README exists", || paths_exist("README.md")),
    ]
}

fn is_rust(file: &Path) -> bool {
    file.extension().is_some_and(|it| it == "rs")
}

fn heads(files: &[PathBuf]) -> Result<(), Failed> {
    let mut wrong = Vec::new();
    for file in files.iter().filter(|it| is_rust(it)) {
        if !read_text(file)?.starts_with("//! ") {
            wrong.push(format!("{} does not begin with `//! `", relative(file)));
        }
    }
    none_of(wrong)
}

fn sizes(files: &[PathBuf]) -> Result<(), Failed> {
    let mut wrong = Vec::new();
    for file in files {
        let ending = file.extension().map(|it| it.to_string_lossy()).unwrap_or_default();
        if WRITTEN.contains(&&*ending) {
            let lines = read(file)?.iter().filter(|it| **it == b'\n').count();
            if lines > MAX_LINES {
                wrong.push(format!("{} has {lines} lines", relative(file)));
            }
        }
    }
    none_of(wrong)
}

fn subjects(files: &[PathBuf]) -> Result<(), Failed> {
    let nameless = |file: &&PathBuf| {
        let path = relative(file);
        path.split(['/', '.']).any(|it| NAMELESS.contains(&it))
    };
    none_of(files.iter().filter(nameless).map(|it| relative(it)).collect())
}

fn unwanted(files: &[PathBuf]) -> Result<(), Failed> {
    let mut wrong = Vec::new();
    for file in files.iter().filter(|it| is_rust(it) && relative(it) != "tests/house/files.rs") {
        let text = read_text(file)?;
        let found = UNWANTED.iter().filter(|it| text.contains(**it));
        wrong.extend(found.map(|it| format!("{} says `{it}`", relative(file))));
    }
    none_of(wrong)
}

fn pages() -> Result<(), Failed> {
    let mut wrong = Vec::new();
    for (page, most) in PAGES {
        let lines = read_text(&root().join(page))?.lines().count();
        if lines >= *most {
            wrong.push(format!("{page} has {lines} lines, not under {most}"));
        }
    }
    none_of(wrong)
}

/// Cargo finds no runner here by itself: one that the manifest does not name never runs.
fn runners() -> Result<(), Failed> {
    let manifest = read_text(&root().join("tests/Cargo.toml"))?;
    let files = entries(&root().join("tests"))?;
    let runners = files.iter().filter(|it| is_rust(it)).map(|it| name(it));
    let without = runners.filter(|it| !manifest.contains(&format!("path = \"{it}\"")));
    none_of(without.map(|it| format!("tests/Cargo.toml has no [[test]] for {it}")).collect())
}

/// Each runner has its row, and each row its runner or folder.
fn rows() -> Result<(), Failed> {
    let page = read_text(&root().join("tests/README.md"))?;
    let table = page.lines().skip_while(|it| *it != "## What else runs");
    let rows: Vec<&str> = table
        .filter_map(|it| it.strip_prefix("| `"))
        .filter_map(|it| it.split_once('`').map(|(name, _)| name))
        .collect();
    let files = entries(&root().join("tests"))?;
    let runners = files.iter().filter(|it| is_rust(it)).map(|it| name(it));
    let mut wrong: Vec<String> = runners
        .filter(|it| !rows.contains(it))
        .map(|it| format!("tests/README.md says nothing of {it}"))
        .collect();
    let gone = rows.iter().filter(|it| !root().join("tests").join(it).exists());
    wrong.extend(gone.map(|it| format!("tests/README.md speaks of {it}, which is not there")));
    none_of(wrong)
}

/// What `docs/vocabulary.md` gives in its column "in code" and writes as a type is one, or an id.
fn vocabulary(files: &[PathBuf]) -> Result<(), Failed> {
    let page = read_text(&root().join("docs/vocabulary.md"))?;
    let mut code = String::new();
    let is_ours = |it: &str| it.starts_with("compiler/src/") || it.starts_with("lock/src/");
    for file in files.iter().filter(|it| is_rust(it) && is_ours(&relative(it))) {
        code.push_str(&read_text(file)?);
    }
    let rows = page.lines().filter_map(|it| it.strip_prefix("| "));
    let cells = rows.filter_map(|it| it.split(" | ").nth(2));
    let words = cells.flat_map(|it| it.split('`').skip(1).step_by(2));
    let names = words.map(|it| it.split(['<', ' ']).next().unwrap_or(it));
    let types = names.filter(|it| it.starts_with(|first: char| first.is_ascii_uppercase()));
    let defined = |name: &str| {
        let kinds = ["struct", "enum", "trait", "type"];
        kinds.iter().any(|kind| {
            let head = format!("{kind} {name}");
            let mut ends = code.match_indices(&head).map(|(at, it)| code.get(at + it.len()..));
            ends.any(|it| it.is_some_and(|it| it.starts_with([' ', '(', '<', ';'])))
        })
    };
    // Ids of definitions come from a macro, a line for each.
    let id = |name: &str| name.ends_with("Id") && code.contains(&format!("    {name};"));
    let gone = types.filter(|it| !defined(it) && !id(it));
    none_of(gone.map(|it| format!("docs/vocabulary.md names `{it}`, which is no type")).collect())
}

/// What we would write instead of a crate stands in `docs/design.md`.
fn dependencies() -> Result<(), Failed> {
    let manifest = read_text(&root().join("Cargo.toml"))?;
    let reasons = read_text(&root().join("docs/design.md"))?;
    let section = manifest.lines().skip_while(|it| *it != "[workspace.dependencies]").skip(1);
    let crates = section
        .take_while(|it| !it.starts_with('['))
        .filter(|it| !it.contains("path = "))
        .filter_map(|it| it.split_once(" = "))
        .map(|(name, _)| name.trim().trim_end_matches(".workspace"));
    let without = crates.filter(|it| !it.starts_with('#') && !reasons.contains(&format!("`{it}`")));
    none_of(without.map(|it| format!("docs/design.md says nothing of `{it}`")).collect())
}

/// The README's command names no program, so Cargo must not find two.
fn program() -> Result<(), Failed> {
    let mut found = Vec::new();
    for folder in entries(&root())? {
        let manifest = folder.join("Cargo.toml");
        if manifest.is_file() {
            let text = read_text(&manifest)?;
            let line = text.lines().find(|it| it.starts_with("default-run"));
            found.extend(line.map(|it| format!("{}: {it}", relative(&manifest))));
        }
    }
    match found.as_slice() {
        [one] if one == "compiler/Cargo.toml: default-run = \"aclc\"" => Ok(()),
        _ => Err(format!("programs that run by default: {found:?}").into()),
    }
}

/// A path is what stands in backticks or in a link and looks like one, and what begins the lines
/// of a drawn tree, where deeper lines belong to the folder above them.
fn paths_exist(page: &str) -> Result<(), Failed> {
    let text = read_text(&root().join(page))?;
    let mut missing = Vec::new();
    for path in in_prose(&text).into_iter().chain(in_trees(&text)) {
        let exists = root().join(&path).exists();
        if !exists && !missing.contains(&path) {
            missing.push(path);
        }
    }
    none_of(missing)
}

fn in_prose(text: &str) -> Vec<String> {
    let mut paths = Vec::new();
    let mut fenced = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if fenced {
            continue;
        }
        let quoted = line.split('`').skip(1).step_by(2);
        let linked = line.split("](").skip(1).filter_map(|it| it.split([')', '#']).next());
        let looks = quoted
            .filter(|it| is_path(it) && it.contains('/'))
            .chain(linked.filter(|it| is_path(it)));
        paths.extend(looks.map(str::to_owned));
    }
    paths
}

fn in_trees(text: &str) -> Vec<String> {
    let mut paths = Vec::new();
    let mut fenced = false;
    // The folders that the current line may lie in, with their indentation.
    let mut above: Vec<(usize, String)> = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
            above.clear();
            continue;
        }
        let entry = line.trim_start();
        let indent = line.len() - entry.len();
        let Some(first) = entry.split("  ").next().filter(|_| fenced) else { continue };
        let entries = first
            .split(' ')
            .take_while(|it| is_path(it) && (it.ends_with('/') || it.contains('.')));
        for entry in entries {
            above.retain(|(outer, _)| *outer < indent);
            let folder = above.last().map_or("", |(_, folder)| folder.as_str());
            let path = format!("{folder}{entry}");
            if entry.ends_with('/') {
                above.push((indent, path.clone()));
            }
            paths.push(path);
        }
    }
    paths
}

/// Whether a text can be the path of a file here: no code such as `acl/E0301`, no pattern,
/// no address, nothing that is built.
fn is_path(text: &str) -> bool {
    let plain = |it: char| it.is_ascii_alphanumeric() || "._-/".contains(it);
    let code = text.starts_with("acl/") || text.starts_with("lock/E");
    let address = text.starts_with('/') || text.starts_with(|it: char| it.is_ascii_digit());
    let built = text.contains("target/");
    let dots = name(Path::new(text)).is_empty() || text.starts_with("..");
    !text.is_empty() && text.chars().all(plain) && !code && !address && !built && !dots
}
