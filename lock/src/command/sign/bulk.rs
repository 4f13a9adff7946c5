//! Many nodes at once, from an inventory that somebody reviewed.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use lock::secret::Signer as _;
use lock::signature::NodeKeySignature;
use lock::text::{LockPublicKey, NodeKey};
use lock::verify::weakness;
use serde::Serialize;

use super::{Arguments, Document, Request, document, endorse, remember, write};
use crate::command::failure::Failure;
use crate::command::key_source::Key;
use crate::command::visible::visible;
use crate::command::{Exit, change, inventory, output};

/// What scripts read.
#[derive(Serialize)]
struct Documents {
    version: u32,
    signatures: Vec<Document>,
    skipped: Vec<Skipped>,
}

/// A node that is left out.
#[derive(Serialize)]
struct Skipped {
    node: String,
    reason: String,
}

/// What is to be signed and what not.
#[derive(Default)]
struct Plan {
    requests: Vec<Request>,
    skipped: Vec<Skipped>,
}

/// Signs the nodes that `selector` stands for.
pub(super) fn run(arguments: &Arguments, selector: &str) -> Result<Exit, Failure> {
    let path = arguments.nodes.as_deref().unwrap_or(Path::new("-"));
    let tailnet = inventory::read(path)?;
    let selected = inventory::select(&tailnet, selector)?;
    let mut plan = Plan::default();
    for node in &selected.nodes {
        let details = node.details.as_deref();
        let node_key = details.and_then(|it| it.node_key.as_deref());
        let lock_key = details.and_then(|it| it.lock_key.as_deref());
        match plan_one(&node.name, node_key, lock_key, arguments.not_rotatable) {
            Ok(request) => plan.requests.push(request),
            Err(reason) => plan.skipped.push(Skipped { node: node.name.to_string(), reason }),
        }
    }
    for node in &selected.undecided {
        let reason = "the role of its user is not known".to_owned();
        plan.skipped.push(Skipped { node: node.name.to_string(), reason });
    }
    twice(&mut plan);
    output::say(&plan.describe(selector));
    if arguments.dry_run {
        if arguments.json {
            output::json(&Documents { version: 1, signatures: Vec::new(), skipped: plan.skipped })?;
        }
        return Ok(Exit::Clean);
    }
    if plan.requests.is_empty() {
        return Err(Failure::plain("no node is left to sign"));
    }
    let chain = arguments.chain.open()?;
    let key = arguments.key.open()?;
    change::trusted(&key, chain.state(), "at the head of this chain")?;
    output::say(&format!("Signed with {}, trusted at {}.", key.public(), chain.head()));
    arguments.consent.ask(&format!("Sign these {} nodes?", plan.requests.len()))?;
    let signatures: Vec<NodeKeySignature> =
        plan.requests.iter().map(|it| endorse(&key, &chain, it)).collect::<Result<_, _>>()?;
    finish(arguments, plan, &key, &signatures)
}

fn finish(
    arguments: &Arguments,
    plan: Plan,
    key: &Key,
    signatures: &[NodeKeySignature],
) -> Result<Exit, Failure> {
    remember(key, signatures);
    if let Some(folder) = &arguments.output {
        std::fs::create_dir(folder).map_err(|it| Failure::Write(folder.clone(), it))?;
        for (request, signature) in plan.requests.iter().zip(signatures) {
            // The hex of a node key is a name that every system takes.
            let name = request.node_key.to_string().replace("nodekey:", "");
            write(&folder.join(format!("{name}.sig")), signature)?;
        }
    }
    let documents: Vec<Document> = plan
        .requests
        .iter()
        .zip(signatures)
        .map(|(it, signature)| document(it, signature))
        .collect();
    if arguments.json {
        output::json(&Documents { version: 1, signatures: documents, skipped: plan.skipped })?;
    } else {
        let line = |it: &Document| match &arguments.output {
            None => format!("{} {}\n", it.node_key, it.signature),
            Some(_) => format!("{}\n", it.node_key),
        };
        output::print(&documents.iter().map(line).collect::<String>())?;
    }
    Ok(Exit::Clean)
}

/// What is to be signed for a node, or why it is left out.
fn plan_one(
    name: &str,
    node_key: Option<&str>,
    lock_key: Option<&str>,
    not_rotatable: bool,
) -> Result<Request, String> {
    let node_key = node_key.ok_or("its node key is not known")?;
    let node_key: NodeKey = node_key.parse().map_err(|it| format!("its node key is none: {it}"))?;
    let rotation_key = match lock_key {
        None if not_rotatable => None,
        None => return Err("its lock key is not known, so it could not rotate".to_owned()),
        Some(text) => {
            let key: LockPublicKey =
                text.parse().map_err(|it| format!("its lock key is none: {it}"))?;
            if weakness(key.as_bytes()).is_some() {
                return Err("its lock key is not the public half of any lock key".to_owned());
            }
            Some(key)
        }
    };
    Ok(Request { node_key, rotation_key, name: Some(name.to_owned()) })
}

/// Leaves out all nodes that share a lock key or a node key: some of them are copies, and nodes
/// would drop them.
fn twice(plan: &mut Plan) {
    let mut seen: BTreeMap<[u8; 32], usize> = BTreeMap::new();
    let keys = |it: &Request| {
        let rotation = it.rotation_key.map(|it| *it.as_bytes());
        [Some(*it.node_key.as_bytes()), rotation].into_iter().flatten()
    };
    for key in plan.requests.iter().flat_map(keys) {
        *seen.entry(key).or_default() += 1;
    }
    for request in std::mem::take(&mut plan.requests) {
        if keys(&request).any(|it| seen.get(&it).is_some_and(|it| *it > 1)) {
            let reason = "another node has the same lock key or node key".to_owned();
            plan.skipped.push(Skipped { node: request.name.unwrap_or_default(), reason });
        } else {
            plan.requests.push(request);
        }
    }
}

impl Plan {
    fn describe(&self, selector: &str) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = writeln!(text, "Nodes of `{}` to sign: {}", visible(selector), self.requests.len());
        for request in &self.requests {
            let name = visible(request.name.as_deref().unwrap_or_default());
            let rotation = match request.rotation_key {
                Some(key) => format!("rotates by {key}"),
                None => "not rotatable, sign again with the node's `tlpub:` key".to_owned(),
            };
            let _ = writeln!(text, "  {name}  {}  {rotation}", request.node_key);
        }
        if !self.skipped.is_empty() {
            let _ = writeln!(text, "Left out: {}", self.skipped.len());
            for skipped in &self.skipped {
                let _ = writeln!(text, "  {}: {}", visible(&skipped.node), skipped.reason);
            }
        }
        text
    }
}
