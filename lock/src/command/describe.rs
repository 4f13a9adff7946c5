//! Updates and keys in words, for people: what an update does, who signed it, what a key is called.

use lock::aum::{Aum, AumKind};
use lock::key::{ED25519, Key, Meta, kind_name};
use lock::state::State;
use lock::text::hex;

use super::visible::visible;

/// What an update does, as one sentence without a stop.
pub(crate) fn action(aum: &Aum) -> String {
    let id = || key_text(aum.key_id.as_deref().unwrap_or_default());
    match aum.kind {
        AumKind::AddKey => match &aum.key {
            Some(key) => format!("adds {}", key_line(key)),
            None => "adds a key that is missing".to_owned(),
        },
        AumKind::RemoveKey => format!("removes {}", id()),
        AumKind::UpdateKey => {
            let votes = aum.votes.map(|it| format!("gives it {}", count(it, "vote")));
            let meta = aum.meta.as_ref().map(|it| match meta_text(it) {
                Some(text) => format!("says of it {text}"),
                None => "takes away what is said of it".to_owned(),
            });
            let parts: Vec<String> = votes.into_iter().chain(meta).collect();
            format!("changes {}: {}", id(), parts.join(" and "))
        }
        AumKind::Checkpoint => match &aum.state {
            Some(state) => format!(
                "sets the whole state: {}, {}",
                count(state.keys().len() as u64, "key"),
                count(state.disablement_values().count() as u64, "disablement value")
            ),
            None => "sets a state that is missing".to_owned(),
        },
        AumKind::NoOp => "changes nothing".to_owned(),
        _ => "is of a kind that is not known, and changes nothing".to_owned(),
    }
}

/// A trusted key with all that is known of it: `tlpub:… (1 vote; name=laptop)`.
pub(crate) fn key_line(key: &Key) -> String {
    let text = key_text(key.public.as_deref().unwrap_or_default());
    let mut notes = vec![count(key.votes, "vote")];
    if key.kind != ED25519 {
        notes.push(format!("kind {}", kind_name(key.kind)));
    }
    notes.extend(key.meta.as_ref().and_then(meta_text));
    format!("{text} ({})", notes.join("; "))
}

/// The text of a key by its ID, whatever its length.
pub(crate) fn key_text(id: &[u8]) -> String {
    format!("tlpub:{}", hex(id))
}

/// `name=laptop, owner=odin`; `None` where there is nothing.
pub(crate) fn meta_text(meta: &Meta) -> Option<String> {
    let pairs: Vec<String> =
        meta.iter().map(|(name, value)| format!("{}={}", visible(name), visible(value))).collect();
    (!pairs.is_empty()).then(|| pairs.join(", "))
}

/// What people call a key: its metadata's name or purpose; nothing where it has none.
pub(crate) fn key_name(key: &Key) -> Option<String> {
    let meta = key.meta.as_ref()?;
    let name = ["name", "purpose"].iter().find_map(|it| meta.value(it))?;
    Some(visible(name).into_owned())
}

/// Who signed an update, with their votes in the state before it:
/// `tlpub:8a88… (2 votes), tlpub:8139… (not trusted)`.
pub(crate) fn signers(aum: &Aum, before: Option<&State>) -> String {
    let mut names: Vec<String> = Vec::new();
    for signature in &aum.signatures {
        let id = signature.key_id.as_deref().unwrap_or_default();
        let text = key_text(id);
        let known = before.map(|it| it.key(id));
        names.push(match known {
            Some(Ok(key)) => format!("{text} ({})", count(key.votes, "vote")),
            Some(Err(_)) => format!("{text} (not trusted there)"),
            None => text,
        });
    }
    if names.is_empty() { "nobody".to_owned() } else { names.join(", ") }
}

/// `1 vote`, `2 votes`
pub(crate) fn count(number: u64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
