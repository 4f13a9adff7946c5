//! What Tailnet Lock has to say about devices: `tlock`, which lies beside this program, judges their
//! signatures.

use std::io::{self, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use compiler::analysis::why::{Beyond, Pair};
use compiler::tailnet::{self, Tailnet};
use serde::Deserialize;

use super::beside;
use super::failure::{Failure, shown};

/// The answer of `tlock nodes --json`, as far as it is read.
#[derive(Deserialize)]
struct Answer {
    nodes: Vec<Judged>,
    skipped: Vec<String>,
}

#[derive(Deserialize)]
struct Judged {
    name: String,
    reason: Option<String>,
}

/// What of a pair of devices is not signed under the lock whose chain is in `store`.
///
/// Errors: `tlock` that is not there, and what it cannot read.
pub(crate) fn unsigned(
    store: &Path,
    tailnet: &Tailnet,
    pair: &Pair,
) -> Result<Vec<Beyond>, Failure> {
    let answer = ask(store, tailnet)?;
    let ends = [pair.src, pair.dst].into_iter().flatten().filter_map(|it| tailnet.node(it));
    let mut found = Vec::new();
    for node in ends {
        let judged = answer.nodes.iter().find(|it| *it.name == *node.name);
        let skipped = answer.skipped.iter().find(|it| it.contains(&*node.name));
        match (judged, skipped) {
            (Some(Judged { reason: Some(reason), .. }), _) => found.push(Beyond {
                kind: "not-signed",
                sentence: format!(
                    "devices of the locked tailnet drop `{}`: {reason}; `tlock sign` signs it",
                    node.name
                ),
            }),
            (None, said) => found.push(Beyond {
                kind: "signature-unknown",
                sentence: match said {
                    Some(said) => format!("whether `{}` is signed is not known: {said}", node.name),
                    None => format!("whether `{}` is signed is not known", node.name),
                },
            }),
            _ => {}
        }
    }
    Ok(found)
}

fn ask(store: &Path, tailnet: &Tailnet) -> Result<Answer, Failure> {
    let program = beside::program("tlock");
    let mut command = Command::new(&program);
    let option = if store.is_file() { "--log" } else { "--store" };
    command.args(["nodes", "-", "--json", option]).arg(store);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let failed = |error: io::Error| {
        let name = shown(&program);
        Failure::usage(
            format!("`--lock` asks the program `{name}`, which cannot be started: {error}"),
            "install `tlock` in the folder of `aclc`; it comes with the same release",
        )
    };
    let mut child = command.spawn().map_err(failed)?;
    let inventory = tailnet::write(tailnet);
    let mut input = child.stdin.take();
    // It reads all before it writes anything; one that reads nothing says why.
    let sent = input.as_mut().map(|it| it.write_all(inventory.as_bytes()));
    drop(input);
    let output = child.wait_with_output().map_err(failed)?;
    let answer = serde_json::from_slice(&output.stdout);
    match (answer, sent) {
        (Ok(answer), Some(Ok(()))) if output.status.code().is_some_and(|it| it < 2) => Ok(answer),
        _ => {
            let said = String::from_utf8_lossy(&output.stderr);
            let said = said.lines().next().unwrap_or("it says nothing");
            Err(Failure::usage(
                format!(
                    "`tlock` cannot judge the signatures: {}",
                    said.trim_start_matches("error: ")
                ),
                "`--lock` names the folder of the daemon, its current profile, or an export of the chain",
            ))
        }
    }
}
