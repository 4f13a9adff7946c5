//! The files that are followed: what is in them, and whether they changed.

use std::fs;
use std::path::PathBuf;
use std::time::SystemTime;

use compiler::Dialect;
use serde::Serialize;

use crate::command::failure::{Failure, shown};
use crate::command::input;

/// A policy, and perhaps an inventory.
#[derive(Debug)]
pub(super) struct Files {
    policy: PathBuf,
    nodes: Option<PathBuf>,
    dialect: Dialect,
}

/// What the page is given.
#[derive(Debug, Serialize)]
pub(super) struct Document {
    policy: Text,
    nodes: Option<Text>,
    target: &'static str,
}

#[derive(Debug, Serialize)]
struct Text {
    name: String,
    text: String,
}

/// What tells one state of the files from another: dates and lengths, or that they are not there.
pub(super) type Stamps = [Option<(Option<SystemTime>, u64)>; 2];

impl Files {
    pub(super) const fn new(policy: PathBuf, nodes: Option<PathBuf>, dialect: Dialect) -> Self {
        Self { policy, nodes, dialect }
    }

    /// What is in them now.
    ///
    /// Errors: one of them cannot be read.
    pub(super) fn read(&self) -> Result<Document, Failure> {
        let policy = String::from_utf8_lossy(&input::policy(&self.policy)?).into_owned();
        let nodes = self.nodes.as_ref().map(|it| input::inventory(it)).transpose()?;
        Ok(Document {
            policy: Text { name: shown(&self.policy), text: policy },
            nodes: nodes.map(|it| Text { name: it.name, text: it.text }),
            target: self.dialect.name(),
        })
    }

    pub(super) fn stamps(&self) -> Stamps {
        [Some(&self.policy), self.nodes.as_ref()].map(|path| {
            let known = fs::metadata(path?).ok()?;
            Some((known.modified().ok(), known.len()))
        })
    }
}
