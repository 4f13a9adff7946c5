//! `tailscaled.state` → the lock key of a profile.
//!
//! SOURCE: the daemon's state store: one JSON object, every value base64; `_current-profile` names
//! the member that holds the profile's preferences, and `Config.NetworkLockKey` in them is the key.
//! A store sealed by the machine's TPM, or kept elsewhere, holds nothing readable and is named so.

use data_encoding::BASE64;
use serde_json::{Map, Value};
use zeroize::{Zeroize as _, Zeroizing};

use super::visible::visible;

/// The longest state file that is read.
pub(crate) const MAX_BYTES: usize = 16 << 20;

/// Where the daemon keeps which profile is in use.
const CURRENT: &str = "_current-profile";

/// Why a state file gives no key.
#[derive(Debug, thiserror::Error, Eq, PartialEq)]
pub(crate) enum NoKey {
    /// The TPM of its machine sealed it.
    #[error(
        "the state file is sealed by the TPM of its machine: the lock key in it can be used through the daemon only (`--tailscaled`)"
    )]
    Sealed,

    /// It is something else.
    #[error("the state file is damaged: {0}")]
    Damaged(String),

    /// The profile is not in it.
    #[error("the state file has no profile `{}`; it has {}", visible(.0), .1)]
    NoProfile(String, String),

    /// No profile is in use and none was named.
    #[error("the state file does not say which profile is in use; it has {0}")]
    NoCurrent(String),

    /// The profile has no lock key.
    #[error("the profile has no lock key: its node was never registered")]
    NoLockKey,
}

/// Whether a text looks like a state file, sealed or not.
pub(crate) fn is_state(text: &str) -> bool {
    text.trim_start().starts_with('{')
}

/// The lock key of a profile, as its `nlpriv:` text; of the one in use where none is named.
pub(crate) fn lock_key(text: &str, profile: Option<&str>) -> Result<Zeroizing<String>, NoKey> {
    let mut state = Wiped(object(text)?);
    let found = state.lock_key(profile);
    state.0.values_mut().for_each(wipe);
    found
}

/// The id of the profile in use, as in `…/tka-profiles/<id>`.
pub(crate) fn current_profile(text: &str) -> Result<String, NoKey> {
    let state = Wiped(object(text)?);
    let name = state.value(CURRENT)?.ok_or_else(|| NoKey::NoCurrent(state.profiles()))?;
    let id = name.strip_prefix("profile-").map(str::to_owned);
    id.ok_or_else(|| NoKey::Damaged(format!("the profile in use is called `{}`", visible(&name))))
}

/// The store's members; their texts hold secrets and are wiped when it goes.
struct Wiped(Map<String, Value>);

impl Drop for Wiped {
    fn drop(&mut self) {
        self.0.values_mut().for_each(wipe);
    }
}

impl Wiped {
    fn lock_key(&self, profile: Option<&str>) -> Result<Zeroizing<String>, NoKey> {
        let member = match profile {
            Some(id) => format!("profile-{}", id.strip_prefix("profile-").unwrap_or(id)),
            None => match self.value(CURRENT)? {
                Some(name) => name.to_string(),
                // Daemons of before profiles kept the one there was here.
                None if self.0.contains_key("_daemon") => "_daemon".to_owned(),
                None => return Err(NoKey::NoCurrent(self.profiles())),
            },
        };
        let Some(preferences) = self.value(&member)? else {
            return Err(NoKey::NoProfile(member, self.profiles()));
        };
        let damaged = |it: serde_json::Error| {
            // The message of the reader tells the place only, never the text.
            NoKey::Damaged(format!("the profile is no JSON (line {})", it.line()))
        };
        let mut value: Value = serde_json::from_str(&preferences).map_err(damaged)?;
        let key = value.pointer("/Config/NetworkLockKey").and_then(Value::as_str);
        let key = key.map(|it| Zeroizing::new(it.to_owned()));
        wipe(&mut value);
        let key = key.ok_or(NoKey::NoLockKey)?;
        let zero = key.strip_prefix("nlpriv:").is_some_and(|it| it.bytes().all(|it| it == b'0'));
        if zero { Err(NoKey::NoLockKey) } else { Ok(key) }
    }

    /// A member, decoded.
    fn value(&self, name: &str) -> Result<Option<Zeroizing<String>>, NoKey> {
        let Some(value) = self.0.get(name) else { return Ok(None) };
        let damaged =
            || NoKey::Damaged(format!("the member `{}` is no text in base64", visible(name)));
        let text = value.as_str().ok_or_else(damaged)?;
        let bytes = BASE64.decode(text.as_bytes()).map_err(|_| damaged())?;
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Some(Zeroizing::new(text))),
            Err(error) => {
                error.into_bytes().zeroize();
                Err(damaged())
            }
        }
    }

    /// `` `1ab3`, `2cd4` ``: what could be named instead.
    fn profiles(&self) -> String {
        let mut ids: Vec<String> = self
            .0
            .keys()
            .filter_map(|it| it.strip_prefix("profile-"))
            .map(|it| format!("`{}`", visible(it)))
            .collect();
        ids.sort();
        if ids.is_empty() { "none".to_owned() } else { ids.join(", ") }
    }
}

fn object(text: &str) -> Result<Map<String, Value>, NoKey> {
    let damaged = |it: serde_json::Error| {
        NoKey::Damaged(format!("it is no JSON object (line {})", it.line()))
    };
    let object: Map<String, Value> = serde_json::from_str(text).map_err(damaged)?;
    let sealed = ["key", "nonce", "data"];
    if object.len() == sealed.len() && sealed.iter().all(|it| object.contains_key(*it)) {
        return Err(NoKey::Sealed);
    }
    Ok(object)
}

/// Overwrites every text of a JSON value.
fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(values) => values.iter_mut().for_each(wipe),
        Value::Object(members) => members.values_mut().for_each(wipe),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(members: &[(&str, &str)]) -> String {
        let members = members
            .iter()
            .map(|(name, text)| format!("{name:?}: {:?}", BASE64.encode(text.as_bytes())));
        format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
    }

    const PROFILE: &str = r#"{"Config": {"NetworkLockKey": "nlpriv:0101"}}"#;

    #[test]
    fn the_profile_in_use_is_taken_unless_another_is_named() {
        let text = state(&[
            ("_current-profile", "profile-1ab3"),
            ("profile-1ab3", PROFILE),
            ("profile-2cd4", &PROFILE.replace("0101", "0202")),
        ]);
        assert_eq!(*lock_key(&text, None).unwrap(), "nlpriv:0101");
        assert_eq!(*lock_key(&text, Some("2cd4")).unwrap(), "nlpriv:0202");
        assert_eq!(current_profile(&text).unwrap(), "1ab3");
        let missing = lock_key(&text, Some("ffff")).unwrap_err().to_string();
        assert!(missing.ends_with("it has `1ab3`, `2cd4`"), "{missing}");
    }

    #[test]
    fn what_holds_no_key_says_why() {
        let sealed = r#"{"key": "", "nonce": "", "data": ""}"#;
        assert_eq!(lock_key(sealed, None).unwrap_err(), NoKey::Sealed);
        let fresh = PROFILE.replace("0101", "0000");
        let text = state(&[("_daemon", &fresh)]);
        assert_eq!(lock_key(&text, None).unwrap_err(), NoKey::NoLockKey);
        assert!(matches!(lock_key("{\"a\": 1", None), Err(NoKey::Damaged(_))));
    }
}
