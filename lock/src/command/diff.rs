//! What differs between two states of an authority, for the eyes of whoever signs the change.

use lock::key::Key;
use lock::state::State;
use lock::text::hex;

use super::describe::{count, key_line, key_text, meta_text};
use super::terminal::{Paint, Tone};
use super::words;

/// One difference.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Change {
    /// A key that only the second state trusts.
    Added(Key),
    /// A key that only the first state trusts.
    Removed(Key),
    /// A key whose votes or metadata differ.
    Altered(Key, Key),
    /// The same keys in another order, which no rule looks at.
    Reordered,
    /// A disablement value that only the second state has.
    ValueAdded(Vec<u8>),
    /// A disablement value that only the first state has.
    ValueRemoved(Vec<u8>),
    /// The number of the authority: such a change is refused by every node.
    Renumbered,
}

/// All differences, removals first: they matter most.
pub(crate) fn between(before: &State, after: &State) -> Vec<Change> {
    let mut changes = Vec::new();
    if (before.id1, before.id2) != (after.id1, after.id2) {
        changes.push(Change::Renumbered);
    }
    let find =
        |keys: &[Key], id: &Option<Vec<u8>>| keys.iter().find(|it| it.public == *id).cloned();
    for key in before.keys() {
        match find(after.keys(), &key.public) {
            None => changes.push(Change::Removed(key.clone())),
            Some(other) if other != *key => changes.push(Change::Altered(key.clone(), other)),
            Some(_) => {}
        }
    }
    let added = after.keys().iter().filter(|it| find(before.keys(), &it.public).is_none());
    changes.extend(added.cloned().map(Change::Added));
    let values = |state: &State| state.disablement_values().map(<[u8]>::to_vec).collect::<Vec<_>>();
    let (old, new) = (values(before), values(after));
    let only = |one: &[Vec<u8>], other: &[Vec<u8>]| {
        one.iter().filter(|it| !other.contains(it)).cloned().collect::<Vec<_>>()
    };
    changes.extend(only(&old, &new).into_iter().map(Change::ValueRemoved));
    changes.extend(only(&new, &old).into_iter().map(Change::ValueAdded));
    let order = |state: &State| state.keys().iter().map(|it| it.public.clone()).collect::<Vec<_>>();
    if changes.is_empty() && order(before) != order(after) {
        changes.push(Change::Reordered);
    }
    changes
}

impl Change {
    /// The words of a key that is added, on a line: whoever signs compares them with its owner.
    fn words(&self) -> String {
        match self {
            Self::Added(Key { public: Some(public), .. }) => {
                format!("    words: {}\n", words::of(&key_text(public)))
            }
            _ => String::new(),
        }
    }

    /// The difference on one line, with a mark in front: `-`, `+`, `~`.
    pub(crate) fn line(&self, paint: Paint) -> String {
        match self {
            Self::Added(key) => paint.tone(Tone::Good, &format!("+ key {}", key_line(key))),
            Self::Removed(key) => paint.tone(Tone::Bad, &format!("- key {}", key_line(key))),
            Self::Altered(before, after) => {
                let id = key_text(after.public.as_deref().unwrap_or_default());
                let mut parts = Vec::new();
                if before.votes != after.votes {
                    parts.push(format!("{} → {}", count(before.votes, "vote"), after.votes));
                }
                if before.meta != after.meta {
                    let text = |key: &Key| key.meta.as_ref().and_then(meta_text);
                    let text = |key: &Key| text(key).unwrap_or_else(|| "nothing".to_owned());
                    parts.push(format!("metadata {} → {}", text(before), text(after)));
                }
                paint.tone(Tone::Doubtful, &format!("~ key {id}: {}", parts.join("; ")))
            }
            Self::Reordered => "~ the order of the keys".to_owned(),
            Self::ValueAdded(value) => {
                paint.tone(Tone::Good, &format!("+ disablement value {}", hex(value)))
            }
            Self::ValueRemoved(value) => {
                paint.tone(Tone::Bad, &format!("- disablement value {}", hex(value)))
            }
            Self::Renumbered => {
                paint.tone(Tone::Bad, "~ the number of the authority, which no node accepts")
            }
        }
    }
}

/// The lines of all differences, indented, with the words of each key that is added; `no change`
/// where there is none.
pub(crate) fn lines(before: &State, after: &State, paint: Paint) -> String {
    let changes = between(before, after);
    if changes.is_empty() {
        return "  no change\n".to_owned();
    }
    let lines = changes.iter().map(|it| format!("  {}\n{}", it.line(paint), it.words()));
    lines.collect()
}

#[cfg(test)]
mod tests {
    use lock::text::LockPublicKey;

    use super::*;

    fn state(keys: &[(u8, u64)], values: &[u8]) -> State {
        let key = |&(byte, votes): &(u8, u64)| Key::new(LockPublicKey::new([byte; 32]), votes);
        State {
            keys: Some(keys.iter().map(key).collect()),
            disablement_values: Some(values.iter().map(|it| Some(vec![*it; 32])).collect()),
            ..State::default()
        }
    }

    #[test]
    fn removals_come_first_and_order_is_said_only_alone() {
        let changes = between(&state(&[(1, 1), (2, 1)], &[7]), &state(&[(3, 1), (1, 2)], &[8]));
        let kinds: Vec<char> =
            changes.iter().filter_map(|it| format!("{it:?}").chars().next()).collect();
        assert_eq!(kinds, ['A', 'R', 'A', 'V', 'V']);
        let turned = between(&state(&[(1, 1), (2, 1)], &[7]), &state(&[(2, 1), (1, 1)], &[7]));
        assert_eq!(turned, [Change::Reordered]);
        assert!(between(&state(&[(1, 1)], &[7]), &state(&[(1, 1)], &[7])).is_empty());
    }
}
