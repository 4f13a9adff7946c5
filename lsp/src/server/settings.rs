//! What a policy is checked with: settings of the editor, `aclc.toml` or `aclc.json5` in its folder or
//! above, the inventory that they name or that lies beside the policy.
//!
//! A setting of the editor counts before one of a file. Files are read again when they change.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use compiler::Dialect;
use compiler::configuration::{self, FILE_NAMES, Form};
use compiler::diagnostic::levels::{Level, Levels};
use compiler::diagnostic::{Code, Diagnostic};
use compiler::tailnet::{self, Tailnet};
use compiler::time::Timestamp;
use serde_json::Value;

use super::pages;
use crate::features::Settings;

/// The inventory that counts where none is named: beside the policy.
const INVENTORY: &str = "nodes.json";

/// What the editor has set.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Editor {
    nodes: Option<PathBuf>,
    target: Option<Dialect>,
    levels: Levels,
    /// The address of the pages of codes, with a place for the code.
    pub(super) pages: Option<String>,
}

impl Editor {
    /// Reads `{"nodes": …, "target": …, "levels": {…}, "pages": …}`, perhaps within `aclc`; says what it does not
    /// understand.
    pub(super) fn read(value: &Value, folder: Option<&Path>) -> (Self, Vec<String>) {
        let value = value.get("aclc").unwrap_or(value);
        let mut editor = Self::default();
        let mut problems = Vec::new();
        let text = |name: &str| {
            value.get(name).and_then(Value::as_str).map(str::trim).filter(|it| !it.is_empty())
        };
        editor.nodes = text("nodes").map(|it| folder.unwrap_or(Path::new("")).join(it));
        if let Some(target) = text("target") {
            editor.target = Dialect::named(target);
            if editor.target.is_none() {
                problems.push(format!("`{target}` is no target: it is `tailscale` or `headscale`"));
            }
        }
        if let Some(written) = text("pages") {
            editor.pages = pages::address(written);
            if editor.pages.is_none() {
                problems.push(format!("`{written}` is no address of pages: it begins with `https://`, `http://` or `file://`"));
            }
        }
        for (name, level) in value.get("levels").and_then(Value::as_object).into_iter().flatten() {
            let code = Code::parse(name).filter(|it| Levels::may_set(*it));
            let word = level.as_str().unwrap_or_default();
            match (code, Level::parse(word)) {
                (Some(code), Some(level)) => editor.levels.set(code, level),
                (None, _) => problems.push(format!("`{name}` is no code whose level can be set")),
                (_, None) => {
                    let names = Level::NAMES.join("`, `");
                    problems.push(format!("`{word}` is no level: it is one of `{names}`"));
                }
            }
        }
        (editor, problems)
    }
}

/// A file of settings or facts, and what is wrong with it.
#[derive(Clone, Debug)]
pub(super) struct Report {
    pub(super) path: PathBuf,
    pub(super) text: Arc<str>,
    pub(super) diagnostics: Vec<Diagnostic>,
}

/// What holds for one policy.
#[derive(Clone, Debug)]
pub(super) struct Resolved {
    pub(super) settings: Arc<Settings>,
    /// The files it comes from, with their findings.
    pub(super) reports: Vec<Report>,
    /// What a person should know besides.
    pub(super) warnings: Vec<String>,
}

/// Inventories that were read, each with the time of its file.
#[derive(Debug, Default)]
pub(super) struct Inventories(BTreeMap<PathBuf, (Option<SystemTime>, Inventory)>);

impl Inventories {
    /// Whether the file of an inventory is another than the one that was read.
    pub(super) fn is_stale(&self, path: &Path) -> bool {
        let now = std::fs::metadata(path).and_then(|it| it.modified()).ok();
        self.0.get(path).is_some_and(|it| it.0 != now)
    }
}

#[derive(Clone, Debug)]
struct Inventory {
    tailnet: Option<Arc<Tailnet>>,
    report: Report,
}

/// What holds for the policy at `path`; one without a path has the settings of the editor alone.
pub(super) fn resolve(
    path: Option<&Path>,
    editor: &Editor,
    inventories: &std::sync::Mutex<Inventories>,
) -> Resolved {
    let mut reports = Vec::new();
    let folder = path.and_then(Path::parent);
    let mut dialect = editor.target;
    let mut levels = editor.levels.clone();
    let mut nodes = editor.nodes.clone();
    if let Some((file, text)) = folder.and_then(upwards) {
        let form =
            if file.extension().is_some_and(|it| it == "toml") { Form::Toml } else { Form::Json5 };
        let (configuration, diagnostics) = configuration::read(&text, form);
        dialect = dialect.or(configuration.target);
        levels = configuration.levels.with(&editor.levels);
        let beside = |it: &str| file.parent().unwrap_or(Path::new("")).join(it);
        nodes = nodes.or_else(|| configuration.nodes.as_ref().map(|it| beside(&it.value)));
        reports.push(Report { path: file, text: text.into(), diagnostics });
    }
    let named = nodes.clone();
    let nodes = nodes.or_else(|| folder.map(|it| it.join(INVENTORY)).filter(|it| it.is_file()));
    let inventory = nodes.and_then(|it| inventory(&it, inventories));
    let settings = Settings {
        inventory: inventory.as_ref().and_then(|it| it.tailnet.clone()),
        dialect: dialect.unwrap_or_default(),
        levels,
        lints: true,
        today: Some(today()),
    };
    let unread = named.filter(|_| inventory.is_none());
    let warnings = unread.map(|it| format!("the inventory `{}` cannot be read", it.display()));
    reports.extend(inventory.map(|it| it.report));
    Resolved { settings: Arc::new(settings), reports, warnings: warnings.into_iter().collect() }
}

/// Whether a change of this file may change what holds for some policy.
pub(super) fn concerns(path: &Path, known: &[PathBuf]) -> bool {
    let name = path.file_name().and_then(|it| it.to_str()).unwrap_or_default();
    FILE_NAMES.contains(&name) || name == INVENTORY || known.iter().any(|it| it == path)
}

/// The nearest configuration in a folder or above it, and its text.
fn upwards(folder: &Path) -> Option<(PathBuf, String)> {
    folder.ancestors().find_map(|folder| {
        FILE_NAMES.iter().find_map(|name| {
            let path = folder.join(name);
            let text = read_bounded(&path, configuration::MAX_BYTES as u64)?;
            Some((path, String::from_utf8_lossy(&text).into_owned()))
        })
    })
}

/// An inventory, read again only where its file is another than before.
fn inventory(path: &Path, known: &std::sync::Mutex<Inventories>) -> Option<Inventory> {
    let time = std::fs::metadata(path).and_then(|it| it.modified()).ok();
    let lock = || known.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some((then, read)) = lock().0.get(path)
        && time.is_some()
        && *then == time
    {
        return Some(read.clone());
    }
    let bytes = read_bounded(path, tailnet::MAX_BYTES as u64)?;
    let text = String::from_utf8_lossy(&bytes);
    let read = tailnet::read(&text);
    let inventory = Inventory {
        tailnet: read.tailnet.map(Arc::new),
        report: Report {
            path: path.to_owned(),
            // Places are shown only where there is something to show.
            text: if read.diagnostics.is_empty() { "".into() } else { (&*text).into() },
            diagnostics: read.diagnostics,
        },
    };
    lock().0.insert(path.to_owned(), (time, inventory.clone()));
    Some(inventory)
}

/// A file; `None` where it cannot be read, or is longer than anything of its kind.
fn read_bounded(path: &Path, most: u64) -> Option<Vec<u8>> {
    use std::io::Read;
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).ok()?;
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    file.take(most + 1).read_to_end(&mut bytes).ok()?;
    (bytes.len() as u64 <= most).then_some(bytes)
}

/// The day in UTC, for comments that expire.
fn today() -> compiler::Date {
    let since = UNIX_EPOCH.elapsed().unwrap_or_default();
    Timestamp::new(since.as_secs() as i64, 0).unwrap_or_default().date()
}
