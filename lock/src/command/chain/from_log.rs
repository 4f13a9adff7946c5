//! A log in JSON → a store in memory: what `tailscale lock log --json` prints, and what the daemon's
//! local socket answers. Hashes are checked against the bytes beside them.

use data_encoding::{BASE64, BASE64URL};
use lock::aum::{Aum, AumHash, AumKind, Update};
use lock::store::{Memory, Store as _};
use serde::Deserialize;

use crate::command::failure::Failure;

/// One of the two shapes.
#[derive(Deserialize)]
#[serde(untagged)]
enum Log {
    Command {
        #[serde(rename = "SchemaVersion")]
        version: String,
        #[serde(rename = "Messages")]
        messages: Vec<Message>,
    },
    Daemon(Option<Vec<Entry>>),
}

#[derive(Deserialize)]
struct Message {
    #[serde(rename = "Hash")]
    hash: String,
    #[serde(rename = "Raw")]
    raw: String,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "Hash")]
    hash: [u8; 32],
    #[serde(rename = "Raw")]
    raw: String,
}

/// The updates of a log. It is one chain, newest first.
pub(super) fn read(text: &[u8], name: &str) -> Result<Memory, Failure> {
    let log: Log = serde_json::from_slice(text).map_err(|_| {
        Failure::usage(
            format!("`{name}` is no log of updates"),
            "a log is what `tailscale lock log --json` prints, or `tlock log --json`",
        )
    })?;
    let entries: Vec<(AumHash, Vec<u8>)> = match log {
        Log::Command { version, .. } if version != "1" => {
            return Err(Failure::plain(format!("`{name}` is a log of an unknown version")));
        }
        Log::Command { messages, .. } => {
            let read = |it: Message| Some((it.hash.parse().ok()?, raw(&it.raw)?));
            messages.into_iter().map(read).collect::<Option<_>>()
        }
        Log::Daemon(entries) => {
            let read = |it: Entry| Some((AumHash::new(it.hash), raw(&it.raw)?));
            entries.unwrap_or_default().into_iter().map(read).collect::<Option<_>>()
        }
    }
    .ok_or_else(|| Failure::plain(format!("`{name}` has an entry that cannot be read")))?;
    let mut updates = Vec::with_capacity(entries.len());
    for (hash, bytes) in entries {
        let aum = Aum::decode(&bytes)
            .map_err(|it| Failure::plain(format!("`{name}`, update {hash}: {it}")))?
            .value;
        let update = Update::new(aum);
        if update.hash() != hash {
            return Err(Failure::plain(format!(
                "`{name}` gives an update the hash {hash}, and it is {}",
                update.hash()
            )));
        }
        updates.push(update);
    }
    keep(updates, name)
}

fn raw(text: &str) -> Option<Vec<u8>> {
    BASE64URL.decode(text.as_bytes()).or_else(|_| BASE64.decode(text.as_bytes())).ok()
}

fn keep(mut updates: Vec<Update>, name: &str) -> Result<Memory, Failure> {
    // What is older than the oldest checkpoint cannot be judged: a log may be cut anywhere.
    let whole = updates.last().is_some_and(|it| it.parent().is_none());
    if !whole && let Some(at) = updates.iter().rposition(|it| it.kind == AumKind::Checkpoint) {
        updates.truncate(at + 1);
    }
    let mut store = Memory::new();
    let failed = |it| Failure::plain(format!("`{name}`: {it}"));
    store.commit(&updates, 0).map_err(failed)?;
    if let Some(oldest) = updates.last() {
        store.set_last_active_ancestor(oldest.hash()).map_err(failed)?;
    }
    Ok(store)
}
