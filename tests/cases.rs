//! Runs every case: a folder whose name is a sentence and whose files are the assertion. One trial
//! a folder; `BLESS=1` writes what is expected. `README.md` beside this file tells how to add one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use compiler::Checked;
use compiler::configuration::{self, Configuration, FILE_NAMES, Form};
use compiler::diagnostic::{Code, Diagnostic, Severity, render};
use compiler::tables::Tables;
use compiler::tables::wire::{Fields, write_table};
use compiler::tailnet::{self, Tailnet};
use libtest_mimic::{Arguments, Failed, Trial};
use tests::bundles;
use tests::carets::{self, Found};
use tests::expected::expect;
use tests::findings::Lints;
use tests::{entries, findings, layout, name, read, read_text, root};

/// What the folder of a case says about it.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Kind {
    /// One finding and its look: every finding has a caret.
    Diagnostics,
    /// What a policy lets in: the tables are written out.
    Tables,
    /// A policy for people: no errors, and what else it shows is known.
    Example,
}

/// A folder with a policy in it.
struct Case {
    kind: Kind,
    folder: PathBuf,
}

/// A configuration, its text and what is wrong with it.
struct Settings {
    name: &'static str,
    text: String,
    read: (Configuration, Vec<Diagnostic>),
}

/// The members of a table that a case shows when it has no `fields.txt`.
const FIELDS: &str = "filterRules,peers";

/// Every file a case may hold; another one is most likely a slip of the pen.
const FILES: &[&str] = &[
    "policy.hujson",
    "tailnet.json",
    "tables.json",
    "diagnostics.txt",
    "carets.txt",
    "fields.txt",
    "aclc.toml",
    "aclc.json5",
    FRAGMENTS,
];

/// Stands in place of the policy: the fragments it is bundled from, and their contracts.
const FRAGMENTS: &str = "fragments";

fn main() -> Result<std::process::ExitCode, String> {
    let folders = [
        (Kind::Diagnostics, root().join("tests/diagnostics")),
        (Kind::Tables, root().join("tests/tables")),
        (Kind::Example, root().join("examples")),
    ];
    let mut trials = Vec::new();
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    for (kind, parent) in folders {
        for folder in entries(&parent)?.into_iter().filter(|it| it.is_dir()) {
            let title = format!("{}/{}", name(&parent), name(&folder));
            *names.entry(name(&folder).to_owned()).or_default() += 1;
            let case = Case { kind, folder };
            trials.push(Trial::test(title, move || case.run()));
        }
    }
    trials.push(Trial::test("names of cases are sentences and unique", move || sentences(&names)));
    Ok(libtest_mimic::run(&Arguments::from_args(), trials).exit_code())
}

impl Case {
    /// Compares all that can be compared, so that one run shows everything.
    fn run(&self) -> Result<(), Failed> {
        let fragments = self.folder.join(FRAGMENTS);
        if self.kind != Kind::Example && fragments.is_dir() {
            return self.run_bundle(&fragments);
        }
        let policy = read(&self.folder.join("policy.hujson"))?;
        let inventory_text = self.inventory_text()?;
        let inventory = inventory_text.as_deref().map(tailnet::read);
        let tailnet = inventory.as_ref().and_then(|it| it.tailnet.as_ref());
        let settings = self.settings()?;
        let configuration = settings.as_ref().map(|it| it.read.0.clone()).unwrap_or_default();
        let (checked, diagnostics) =
            findings::check_under(&policy, tailnet, &configuration, self.lints()?);
        let text = checked.tree.text();
        let mut found: Vec<Found<'_>> =
            diagnostics.iter().map(|it| ("policy.hujson", text, it)).collect();
        if let (Some(text), Some(inventory)) = (&inventory_text, &inventory) {
            found.extend(
                inventory.diagnostics.iter().map(|it| (self.inventory_name(), text.as_str(), it)),
            );
        }
        if let Some(Settings { name, text, read }) = &settings {
            found.extend(read.1.iter().map(|it| (*name, text.as_str(), it)));
        }

        let mut wrong =
            vec![self.known_files(), self.says_what_it_shows(text), self.has_its_code(&found)];
        wrong.push(self.carets(text, &found));
        let mut look = render::plain("policy.hujson", text, &diagnostics);
        if let (Some(text), Some(inventory)) = (&inventory_text, &inventory) {
            look.push_str(&render::plain(self.inventory_name(), text, &inventory.diagnostics));
        }
        if let Some(Settings { name, text, read }) = &settings {
            look.push_str(&render::plain(name, text, &read.1));
        }
        wrong.push(expect(&self.folder.join("diagnostics.txt"), &look));
        if self.kind == Kind::Tables {
            let tables = self.tables(&checked, tailnet)?;
            wrong.push(expect(&self.folder.join("tables.json"), &tables));
        }
        if self.kind == Kind::Example && found.iter().any(|it| it.2.severity == Severity::Error) {
            wrong.push(Err("an example has no errors".to_owned()));
        }
        let wrong: Vec<String> = wrong.into_iter().filter_map(Result::err).collect();
        if wrong.is_empty() { Ok(()) } else { Err(format!("\n{}", wrong.join("\n")).into()) }
    }

    /// The same for fragments of a policy: what bundling finds in them and in their contracts.
    fn run_bundle(&self, fragments: &Path) -> Result<(), Failed> {
        let (files, _) = bundles::check(bundles::files(fragments)?);
        let mut found: Vec<Found<'_>> = Vec::new();
        let (mut look, mut carets, mut shown) = (String::new(), Vec::new(), false);
        for (name, text, diagnostics) in &files {
            found.extend(diagnostics.iter().map(|it| (name.as_str(), text.as_str(), it)));
            look.push_str(&render::plain(name, text, diagnostics));
            shown |= text.starts_with("//") || text.starts_with('#');
            if name.ends_with(".hujson") {
                carets.extend(carets::in_comments(name, text)?);
            }
        }
        let list = self.folder.join("carets.txt");
        if list.exists() {
            carets.extend(carets::in_list(&read_text(&list)?)?);
        }
        let mut unmet = carets::unmet(&carets, &found);
        if carets.is_empty() {
            unmet.push("a case of diagnostics/ has a caret under the spot it means".to_owned());
        }
        if !shown {
            unmet.push("no file begins with a comment that says what is shown".to_owned());
        }
        let mut wrong = vec![self.known_files(), self.has_its_code(&found)];
        wrong.push(if unmet.is_empty() { Ok(()) } else { Err(unmet.join("\n")) });
        wrong.push(expect(&self.folder.join("diagnostics.txt"), &look));
        let wrong: Vec<String> = wrong.into_iter().filter_map(Result::err).collect();
        if wrong.is_empty() { Ok(()) } else { Err(format!("\n{}", wrong.join("\n")).into()) }
    }

    /// Examples carry the name that people type, cases the name of what it is.
    fn inventory_name(&self) -> &'static str {
        if self.kind == Kind::Example { "nodes.json" } else { "tailnet.json" }
    }

    fn inventory_text(&self) -> Result<Option<String>, String> {
        let file = self.folder.join(self.inventory_name());
        if file.exists() { read_text(&file).map(Some) } else { Ok(None) }
    }

    /// The configuration that the policy is checked under, where the case has one.
    fn settings(&self) -> Result<Option<Settings>, String> {
        for (name, form) in FILE_NAMES.into_iter().zip([Form::Toml, Form::Json5]) {
            let file = self.folder.join(name);
            if file.exists() {
                let text = read_text(&file)?;
                let read = configuration::read(&text, form);
                return Ok(Some(Settings { name, text, read }));
            }
        }
        Ok(None)
    }

    fn known_files(&self) -> Result<(), String> {
        let strange: Vec<String> = entries(&self.folder)?
            .iter()
            .map(|it| name(it).to_owned())
            .filter(|it| self.kind != Kind::Example && !FILES.contains(&it.as_str()))
            .collect();
        if strange.is_empty() {
            Ok(())
        } else {
            Err(format!("no case holds {}", strange.join(", ")))
        }
    }

    /// The first line is a comment for the reader, unless the text is one that cannot have it.
    fn says_what_it_shows(&self, text: &str) -> Result<(), String> {
        let excused = self.folder.join("carets.txt").exists();
        if excused || text.starts_with("//") || text.starts_with("/*") {
            return Ok(());
        }
        Err("the first line of policy.hujson is no comment that says what is shown".to_owned())
    }

    /// The code that the case is about.
    fn code(&self) -> Result<Option<Code>, String> {
        carets::code_of(name(&self.folder))
    }

    /// A case in `diagnostics/` whose words begin with `quiet`: its code is not to be found.
    fn is_quiet(&self) -> bool {
        self.kind == Kind::Diagnostics && name(&self.folder).get(5..12) == Some("-quiet-")
    }

    /// A case about a lint shows that lint alone, an example shows all.
    fn lints(&self) -> Result<Lints, String> {
        Ok(if self.kind == Kind::Example { Lints::All } else { Lints::about(self.code()?) })
    }

    fn has_its_code(&self, found: &[Found<'_>]) -> Result<(), String> {
        match self.code()? {
            Some(code) if self.is_quiet() => {
                let met = found.iter().any(|it| it.2.code == code);
                if met {
                    Err(format!("the case says that {code} is not found, but it is"))
                } else {
                    Ok(())
                }
            }
            Some(code) if found.iter().all(|it| it.2.code != code) => {
                Err(format!("the case is named for {code}, which is not found"))
            }
            _ => Ok(()),
        }
    }

    /// Carets are the intent. Elsewhere than in `diagnostics/` there may be none.
    fn carets(&self, text: &str, found: &[Found<'_>]) -> Result<(), String> {
        let mut carets = carets::in_comments("policy.hujson", text)?;
        let list = self.folder.join("carets.txt");
        if list.exists() {
            carets.extend(carets::in_list(&read_text(&list)?)?);
        }
        if carets.is_empty() && (self.kind != Kind::Diagnostics || self.is_quiet()) {
            return Ok(());
        }
        let mut unmet = carets::unmet(&carets, found);
        if carets.is_empty() {
            unmet
                .insert(0, "a case of diagnostics/ has a caret under the spot it means".to_owned());
        }
        if unmet.is_empty() { Ok(()) } else { Err(unmet.join("\n")) }
    }

    /// The table of every node, in the order of the inventory; empty where there is nothing to lower.
    fn tables(&self, checked: &Checked, tailnet: Option<&Tailnet>) -> Result<String, String> {
        let (Some(valid), Some(tailnet)) = (checked.valid(), tailnet) else {
            return Ok(String::new());
        };
        let list = self.folder.join("fields.txt");
        let list = if list.exists() { read_text(&list)? } else { FIELDS.to_owned() };
        let fields =
            Fields::parse(list.trim()).map_err(|it| format!("fields.txt: unknown field {it}"))?;
        let tables = Tables::new(valid, tailnet);
        let mut json = b"{".to_vec();
        for (node, id) in tailnet.nodes().iter().zip(tailnet.node_ids()) {
            if json.len() > 1 {
                json.push(b',');
            }
            let key = serde_json::to_string(&*node.name).map_err(|it| it.to_string())?;
            json.extend(key.bytes().chain(*b":{"));
            write_table(&tables, id, fields, &mut json);
            json.push(b'}');
        }
        json.push(b'}');
        layout::pretty(&String::from_utf8(json).map_err(|it| it.to_string())?)
    }
}

/// A case can move between folders, so its name is its own in all of them.
fn sentences(names: &BTreeMap<String, usize>) -> Result<(), Failed> {
    let mut wrong = Vec::new();
    for (name, count) in names {
        if *count > 1 {
            wrong.push(format!("{name}: used {count} times"));
        }
        let words = match carets::code_of(name) {
            Ok(Some(code)) => {
                name.strip_prefix(code.name()).unwrap_or(name).trim_start_matches('-')
            }
            Ok(None) => name,
            Err(error) => {
                wrong.push(format!("{name}: {error}"));
                continue;
            }
        };
        let plain = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '-';
        if words.is_empty()
            || !words.chars().all(plain)
            || !words.contains(|it: char| it.is_ascii_lowercase())
        {
            wrong.push(format!("{name}: lower-case words with hyphens say what is shown"));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n").into()) }
}
