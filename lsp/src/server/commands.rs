//! The commands that editors run: their names, what they are given, and what they answer.

use serde::Deserialize;
use serde_json::{Value, json};
use tower_lsp::jsonrpc::{Error, Result};
use tower_lsp::ls_types::{Position, Uri};

use super::documents::Snapshot;
use crate::features::commands::{self, Answer};
use crate::features::{Analysis, lenses};

/// The commands, as they are announced.
pub(super) const NAMES: [&str; 4] = [TABLES, WHO_CAN, DIFF, RUN_TEST];

const TABLES: &str = "aclc.tables";
const WHO_CAN: &str = "aclc.whoCan";
const DIFF: &str = "aclc.diff";
const RUN_TEST: &str = "aclc.runTest";

/// What a command is given.
#[derive(Debug, Deserialize)]
pub(super) struct Argument {
    /// The document.
    pub(super) uri: Uri,
    position: Option<Position>,
    /// The name of a device.
    node: Option<String>,
}

impl Argument {
    /// The argument of a command.
    pub(super) fn read(command: &str, arguments: Vec<Value>) -> Result<Self> {
        if !NAMES.contains(&command) {
            return Err(Error::invalid_params(format!("there is no command `{command}`")));
        }
        let argument = arguments.into_iter().next().unwrap_or(Value::Null);
        serde_json::from_value(argument).map_err(|error| {
            Error::invalid_params(format!("`{command}` takes {{uri, position?, node?}}: {error}"))
        })
    }
}

/// Runs a command on what was understood of its document.
pub(super) fn run(command: &str, argument: &Argument, snapshot: &Snapshot) -> Result<Value> {
    let analysis = &snapshot.analysis;
    let offset = argument.position.map(|it| snapshot.offset(it));
    let answer = match command {
        TABLES => commands::tables(analysis, argument.node.as_deref(), offset),
        WHO_CAN => match offset {
            Some(offset) => commands::who_can(analysis, offset),
            None => Err("`aclc.whoCan` needs a position".to_owned()),
        },
        DIFF => saved(snapshot).and_then(|it| commands::diff(&it, analysis)),
        _ => commands::run_test(analysis, offset),
    };
    match answer {
        Ok(Answer { title, language, text }) => {
            Ok(json!({ "title": title, "language": language, "text": text }))
        }
        Err(why) => Err(failed(why)),
    }
}

/// The document as it is on disk.
fn saved(snapshot: &Snapshot) -> std::result::Result<Analysis, String> {
    let path = snapshot.uri.to_file_path().ok_or("the document is no file, so nothing is saved")?;
    let bytes =
        std::fs::read(&path).map_err(|it| format!("the saved file cannot be read: {it}"))?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(Analysis::new(&text, snapshot.analysis.settings().clone()))
}

/// A question that has no answer: the request is right, and fails.
pub(super) fn failed(why: String) -> Error {
    let code = tower_lsp::jsonrpc::ErrorCode::ServerError(REQUEST_FAILED);
    Error { code, message: why.into(), data: None }
}

/// The protocol's code for that.
const REQUEST_FAILED: i64 = -32803;

/// The command of a lens.
pub(super) fn of_lens(run: lenses::Run) -> &'static str {
    match run {
        lenses::Run::WhoCan => WHO_CAN,
        lenses::Run::Test => RUN_TEST,
    }
}
