//! A baseline: findings that are known, so that a run speaks of new ones only.
//!
//! The file is JSON, meant to be committed: for each finding its fingerprint, and for people its
//! file, code and message. A fingerprint stays when lines are added above a finding. What the control
//! plane refuses is never known enough to be silent.

use std::path::{Path, PathBuf};

use compiler::diagnostic::Severity;
use rustc_hash::FxHashSet;
use serde::{Deserialize, Serialize};

use super::failure::{Failure, shown};
use super::format::{FileReport, fingerprint};
use super::{atomic, input};

/// A baseline as it stands in its file.
#[derive(Default, Deserialize, Serialize)]
struct File {
    version: u32,
    findings: Vec<Known>,
}

/// One finding that is known.
#[derive(Deserialize, Serialize)]
struct Known {
    fingerprint: String,
    #[serde(default)]
    file: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

/// A baseline, and what of it a run has met.
pub(crate) struct Baseline {
    path: PathBuf,
    known: FxHashSet<String>,
    met: FxHashSet<String>,
    /// What stands in the file after an update.
    written: Vec<Known>,
}

/// The most bytes of a baseline; chosen so that nobody's is larger.
const MAX_BYTES: u64 = 64 << 20;

impl Baseline {
    /// Reads a baseline; one that is to be written need not be there yet.
    pub(crate) fn read(path: &Path, update: bool) -> Result<Self, Failure> {
        let empty = || Self {
            path: path.to_owned(),
            known: FxHashSet::default(),
            met: FxHashSet::default(),
            written: Vec::new(),
        };
        if update && !path.exists() {
            return Ok(empty());
        }
        if !path.exists() {
            return Err(Failure::usage(
                format!("there is no baseline `{}`", shown(path)),
                "`aclc check --update-baseline` writes one",
            ));
        }
        let bytes = input::bytes(path, MAX_BYTES)?;
        let file: File = serde_json::from_slice(&bytes).map_err(|error| {
            Failure::usage(
                format!("`{}` is no baseline: {error}", shown(path)),
                "`aclc check --update-baseline` writes one",
            )
        })?;
        if file.version != VERSION {
            return Err(Failure::usage(
                format!(
                    "`{}` is a baseline of version {}, not {VERSION}",
                    shown(path),
                    file.version
                ),
                "`aclc check --update-baseline` writes one",
            ));
        }
        let known = file.findings.into_iter().map(|it| it.fingerprint).collect();
        Ok(Self { known, ..empty() })
    }

    /// Takes the known findings out of a report; in an update, those that become known.
    pub(crate) fn take(&mut self, report: &mut FileReport, update: bool) {
        let name = self.name_of(&report.name);
        let mut prints = fingerprint::fingerprints_as(&name, report).into_iter();
        report.diagnostics.retain(|it| {
            let print = prints.next().unwrap_or_default();
            if it.severity == Severity::Error && it.refusal.is_some() {
                return true;
            }
            if update {
                self.written.push(Known {
                    fingerprint: print,
                    file: name.clone(),
                    code: it.code.to_string(),
                    message: it.message.clone(),
                });
                return false;
            }
            let known = self.known.contains(&print);
            if known {
                self.met.insert(print);
            }
            !known
        });
    }

    /// How many findings it knows that are found no longer.
    pub(crate) fn gone(&self) -> usize {
        self.known.len() - self.met.len()
    }

    /// Writes what was taken, in the place of what was known.
    pub(crate) fn write(mut self) -> Result<usize, Failure> {
        self.written.sort_by(|a, b| {
            (&a.file, &a.code, &a.fingerprint).cmp(&(&b.file, &b.code, &b.fingerprint))
        });
        let count = self.written.len();
        let file = File { version: VERSION, findings: self.written };
        let mut text =
            serde_json::to_string_pretty(&file).map_err(|it| Failure::Print(it.into()))?;
        text.push('\n');
        atomic::write(&self.path, text.as_bytes())?;
        Ok(count)
    }

    /// The file of a report as the baseline knows it: relative to its own folder where that is
    /// possible, so that it holds wherever the command is started.
    fn name_of(&self, file: &str) -> String {
        let own = self.path.parent().and_then(|it| std::path::absolute(it_or_here(it)).ok());
        let file_path = std::path::absolute(file).ok();
        let relative = own.zip(file_path).and_then(|(own, file)| {
            Some(file.strip_prefix(&own).ok()?.to_string_lossy().replace('\\', "/"))
        });
        relative.unwrap_or_else(|| file.to_owned())
    }
}

const VERSION: u32 = 1;

fn it_or_here(folder: &Path) -> &Path {
    if folder.as_os_str().is_empty() { Path::new(".") } else { folder }
}
