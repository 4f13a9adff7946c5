//! `aclc.toml` or `aclc.json5`, found upwards from a policy → the settings that hold for it.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use clap::{Args, ValueHint};
use compiler::configuration::{self, Configuration, FILE_NAMES, Form, MAX_BYTES};
use compiler::diagnostic::Severity;

use super::failure::{Failure, shown};
use super::format::FileReport;
use super::input;

/// Which configuration counts.
#[derive(Args)]
pub(crate) struct Choice {
    /// The configuration [default: `aclc.toml` or `aclc.json5` beside the policy or in a folder above]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    config: Option<PathBuf>,

    /// Look for no configuration
    #[arg(long, conflicts_with = "config")]
    no_config: bool,
}

/// The settings of one file, and the text that says so.
pub(crate) struct Settings {
    path: PathBuf,
    /// What is set.
    pub(crate) configuration: Configuration,
    /// What is wrong with it.
    report: FileReport,
}

/// The configurations that a run has met, each read once.
pub(crate) struct Configurations<'a> {
    choice: &'a Choice,
    read: Vec<Rc<Settings>>,
}

impl<'a> Configurations<'a> {
    pub(crate) fn new(choice: &'a Choice) -> Self {
        Self { choice, read: Vec::new() }
    }

    /// The settings for a policy; `None` where there is no configuration.
    pub(crate) fn of(&mut self, policy: &Path) -> Result<Option<Rc<Settings>>, Failure> {
        let found = match (&self.choice.config, self.choice.no_config) {
            (_, true) => None,
            (Some(path), _) => Some(path.clone()),
            (None, _) => upwards(policy),
        };
        let Some(path) = found else { return Ok(None) };
        if let Some(known) = self.read.iter().find(|it| it.path == path) {
            return Ok(Some(Rc::clone(known)));
        }
        let settings = Rc::new(Settings::read(path)?);
        self.read.push(Rc::clone(&settings));
        Ok(Some(settings))
    }

    /// Every configuration that was read, in the order they were met.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Settings> {
        self.read.iter().map(|it| &**it)
    }
}

impl Settings {
    fn read(path: PathBuf) -> Result<Self, Failure> {
        let bytes = input::bytes(&path, MAX_BYTES as u64 + 1)?;
        let text = match String::from_utf8(bytes) {
            Ok(text) if text.len() <= MAX_BYTES => text,
            Ok(_) => {
                return Err(Failure::usage(
                    format!("`{}` is too large for a configuration", shown(&path)),
                    "settings take a few lines; is this another file?",
                ));
            }
            Err(_) => {
                return Err(Failure::usage(
                    format!("`{}` is not UTF-8", shown(&path)),
                    "save it as UTF-8",
                ));
            }
        };
        let form =
            if path.extension().is_some_and(|it| it == "toml") { Form::Toml } else { Form::Json5 };
        let (configuration, diagnostics) = configuration::read(&text, form);
        let report = FileReport { name: shown(&path), text, diagnostics, verdict: None };
        Ok(Self { path, configuration, report })
    }

    /// Where it stands.
    pub(crate) fn path(&self) -> &PathBuf {
        &self.path
    }

    /// The inventory it names.
    pub(crate) fn nodes(&self) -> Option<PathBuf> {
        self.configuration.nodes.as_ref().map(|it| self.beside(&it.value))
    }

    /// The baseline it names.
    pub(crate) fn baseline(&self) -> Option<PathBuf> {
        self.configuration.baseline.as_ref().map(|it| self.beside(&it.value))
    }

    /// What is wrong with it, if anything.
    pub(crate) fn report(&self) -> Option<FileReport> {
        (!self.report.diagnostics.is_empty()).then(|| self.report.clone())
    }

    /// Whether it says nothing that could be relied on.
    pub(crate) fn is_unusable(&self) -> bool {
        self.report.diagnostics.iter().any(|it| it.severity == Severity::Error)
    }

    /// A path that it names is relative to itself.
    fn beside(&self, path: &str) -> PathBuf {
        self.path.parent().unwrap_or(Path::new("")).join(path)
    }
}

/// The nearest configuration in the folder of a policy or above it. Standard input lies in the
/// folder where the command runs.
fn upwards(policy: &Path) -> Option<PathBuf> {
    let folder = if input::is_stdin(policy) { Path::new("") } else { policy.parent()? };
    // The shortest way to say it, as long as there is one; then from the root.
    let whole =
        std::path::absolute(if folder.as_os_str().is_empty() { Path::new(".") } else { folder })
            .ok()?;
    let near = std::iter::once(folder.to_owned());
    near.chain(whole.ancestors().skip(1).map(Path::to_owned))
        .flat_map(|folder| FILE_NAMES.map(|it| folder.join(it)))
        .find(|it| it.is_file())
}
