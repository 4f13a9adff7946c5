//! What stops a command: failures of the world and refusals of ours, told apart from verdicts.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::visible::visible;

/// Why a command ended before its work was done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// A file could not be read.
    #[error("cannot read `{}`: {}", shown(.0), reason(.1))]
    Read(PathBuf, #[source] io::Error),

    /// A file could not be written.
    #[error("cannot write `{}`: {}", shown(.0), reason(.1))]
    Write(PathBuf, #[source] io::Error),

    /// Standard output took no more.
    #[error("cannot write to standard output: {}", reason(.0))]
    Print(#[from] io::Error),

    /// The arguments ask for something that is not there, makes no sense, or is too dangerous.
    #[error("{sentence}")]
    Usage {
        /// What is wrong.
        sentence: String,
        /// What to do.
        help: Option<String>,
    },
}

impl Failure {
    /// Wrong use or a refusal, and what to do about it.
    pub(crate) fn usage(sentence: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Usage { sentence: sentence.into(), help: Some(help.into()) }
    }

    /// Wrong use or a refusal with nothing to add.
    pub(crate) fn plain(sentence: impl Into<String>) -> Self {
        Self::Usage { sentence: sentence.into(), help: None }
    }

    /// Whether whoever read our output has enough of it, as in `tlock … | head`: no failure of ours.
    pub(crate) fn is_reader_gone(&self) -> bool {
        matches!(self, Self::Print(it) if it.kind() == io::ErrorKind::BrokenPipe)
    }

    /// The failure as it is printed, help included; the sentence alone is [`ToString`].
    pub(crate) fn lines(&self) -> impl fmt::Display {
        let help = match self {
            Self::Usage { help: Some(help), .. } => format!("  help: {help}\n"),
            _ => String::new(),
        };
        format!("error: {self}\n{help}")
    }
}

/// A path as people know it.
pub(crate) fn shown(path: &Path) -> String {
    if path.as_os_str() == "-" {
        return "<stdin>".to_owned();
    }
    visible(&path.to_string_lossy()).into_owned()
}

/// What the system says, in words that do not change from system to system where we know better.
pub(crate) fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::IsADirectory => "it is a directory".to_owned(),
        io::ErrorKind::NotADirectory => "it is no directory".to_owned(),
        io::ErrorKind::AlreadyExists => "it exists already and is not overwritten".to_owned(),
        _ => error.to_string(),
    }
}
