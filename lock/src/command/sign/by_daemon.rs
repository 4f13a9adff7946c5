//! Asking the daemon to sign a node with its own key, and to hand the signature over itself.

use data_encoding::BASE64;
use serde_json::json;

use super::{Arguments, Known, describe, request};
use crate::command::chain::Chain;
use crate::command::daemon::Daemon;
use crate::command::failure::Failure;
use crate::command::local_api::Status;
use crate::command::{Exit, output};

/// Has the daemon sign `what`.
pub(super) fn run(arguments: &Arguments, what: &str) -> Result<Exit, Failure> {
    if arguments.raw || arguments.output.is_some() {
        return Err(Failure::usage(
            "the daemon hands a signature to the control server and not to us",
            "sign with `--key` to get the signature itself",
        ));
    }
    let daemon = Daemon::at(arguments.chain.socket.as_deref())?;
    let status = Status::ask(&daemon)?;
    if !status.enabled {
        return Err(Failure::usage(
            "the tailnet is not locked",
            "`tlock init --tailscaled` locks it",
        ));
    }
    let chain: Chain = arguments.chain.open()?;
    let known = match &arguments.nodes {
        Some(_) => Known::gather(arguments)?,
        None => Known::of_status(&status),
    };
    let request = request(arguments, what, Some(&chain), &known)?;
    let own = status.lock_key();
    if own.is_none_or(|it| !chain.authority.trusts(it.as_bytes())) {
        return Err(Failure::usage(
            "the key of this machine's daemon is not trusted, so it cannot sign",
            "run this on a node whose key is trusted (`tlock status` lists them), or sign with `--key`",
        ));
    }
    let mut text = describe(&request);
    if let Some(own) = own {
        text += &format!("Signed by the daemon with its own key {own}.\n");
    }
    output::say(&(text + &known.lines(&request)));
    arguments.consent.ask("Let the daemon sign this node?")?;
    // Null, and never zeros, where there is no rotation key.
    let rotation = request.rotation_key.map(|it| BASE64.encode(it.as_bytes()));
    let body = json!({ "NodeKey": request.node_key.to_string(), "RotationPublic": rotation });
    daemon.post("tka/sign", body.to_string().as_bytes())?;
    if arguments.json {
        output::json(&json!({
            "version": 1,
            "nodeKey": request.node_key.to_string(),
            "keyID": own.map(|it| it.to_string()),
            "signature": null,
            "nodeID": request.name,
        }))?;
    } else {
        output::print(&format!("signed {}\n", request.node_key))?;
    }
    Ok(Exit::Clean)
}
