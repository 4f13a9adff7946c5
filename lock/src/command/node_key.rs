//! Keys on the command line → typed keys, with a word on the mistakes that are made most.

use lock::key::Key;
use lock::limits::MAX_VOTES;
use lock::text::{LockPublicKey, NodeKey};

use super::failure::Failure;

/// A node key.
pub(crate) fn parse(text: &str) -> Result<NodeKey, Failure> {
    refuse_secret(text)?;
    text.parse().map_err(|it| {
        let help = match text.split(':').next() {
            Some("tlpub" | "nlpub") => {
                "this is the lock key of a node; its node key begins with `nodekey:`"
            }
            _ => "a node key is `nodekey:` and 64 hexadecimal digits, as `tailscale lock` prints it on that node",
        };
        Failure::usage(format!("this is no node key: {it}"), help)
    })
}

/// The public half of a lock key.
pub(crate) fn lock_key(text: &str) -> Result<LockPublicKey, Failure> {
    refuse_secret(text)?;
    text.parse().map_err(|it| {
        let help = match text.split(':').next() {
            Some("nodekey") => "this is a node key; the lock key of that node begins with `tlpub:`",
            _ => "a lock key is `tlpub:` and 64 hexadecimal digits",
        };
        Failure::usage(format!("this is no lock key: {it}"), help)
    })
}

/// A key to trust: `TLPUB` or `TLPUB?VOTES`.
pub(crate) fn voter(text: &str) -> Result<Key, Failure> {
    let (key, votes) = match text.split_once('?') {
        None => (text, 1),
        Some((key, votes)) => {
            let number = votes.parse().ok().filter(|it| (1..=MAX_VOTES).contains(it));
            let votes = number.ok_or_else(|| {
                Failure::usage(
                    "a key has 1 to 4096 votes",
                    "they stand behind the key: `tlpub:…?2`",
                )
            })?;
            (key, votes)
        }
    };
    Ok(Key::new(lock_key(key)?, votes))
}

/// What must not stand on a command line; the text is not repeated.
fn refuse_secret(text: &str) -> Result<(), Failure> {
    let secret = ["nlpriv:", "privkey:", "disablement-secret:", "tskey-"];
    if !secret.iter().any(|it| text.starts_with(it)) {
        return Ok(());
    }
    Err(Failure::usage(
        "a secret is not taken as an argument: process lists and histories keep those, so this one is no longer secret",
        "secrets are read from files: `@FILE`, or `-` for standard input",
    ))
}
