//! Families 01 and 02: bytes, updates and keys, each looked at alone.

use super::{About, Finding, Oddity, OddityKind, Subject, code};
use crate::aum::{AumKind, Update};
use crate::cbor::QuirkKind;
use crate::key::Key;
use crate::limits::MAX_KEYS;
use crate::state::State;
use crate::verify::{Weakness, weakness};

/// What is odd about bytes.
pub(super) fn encodings(oddities: &[Oddity]) -> Vec<Finding> {
    let finding = |oddity: &Oddity| {
        let place = About::Place(oddity.place.clone());
        match &oddity.kind {
            OddityKind::Unreadable(why) => {
                let message = format!("this record cannot be read: {why}");
                let help = "the daemon opens no store with it; `tlock store repair` moves it away";
                Finding::new(code::E0101, place, message).help(help)
            }
            OddityKind::Quirk(quirk) => {
                let message = format!("{} at byte {}", quirk.kind, quirk.at);
                let help = match quirk.kind {
                    QuirkKind::UnknownField => {
                        "a later version may know it; its hash will differ there"
                    }
                    _ => {
                        "the hash covers the canonical form, so this spelling is not protected by it"
                    }
                };
                Finding::new(code::W0102, place, message).help(help)
            }
            OddityKind::Stray => {
                Finding::new(code::W0103, place, "this is no record, and is passed over")
            }
        }
    };
    oddities.iter().map(finding).collect()
}

/// What is odd about updates, whatever they are applied to.
pub(super) fn updates(updates: &[Update]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for update in updates {
        let about = About::Update(update.hash());
        if let Err(error) = update.check() {
            let message = format!("this update is malformed: {error}");
            findings.push(Finding::new(code::E0201, about.clone(), message));
        }
        if matches!(update.kind, AumKind::Invalid | AumKind::Unknown(_)) {
            let message = format!("`{}` is no kind of update that is known", update.kind);
            let help = "it moves the head and nothing else; a later version may do more with it";
            findings.push(Finding::new(code::W0202, about, message).help(help));
        }
    }
    findings
}

/// What is odd about the trusted keys and the disablement values.
pub(super) fn keys(state: &State, subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = state.keys().iter().flat_map(|it| key(it, subject)).collect();
    let count = state.keys().len();
    if count > MAX_KEYS {
        let message = format!("{count} keys are trusted, and a checkpoint takes {MAX_KEYS}");
        let help = format!(
            "remove {} or more in one batch: a batch that ends with a checkpoint fails above that",
            count - MAX_KEYS
        );
        findings.push(Finding::new(code::W0205, About::Authority, message).help(help));
    }
    if state.disablement_values().count() == 1 {
        let message = "one secret alone can switch the lock off";
        let help = "if it is lost, nobody can; add another with a checkpoint";
        findings.push(Finding::new(code::W0206, About::Authority, message).help(help));
    }
    findings
}

fn key(key: &Key, subject: &Subject<'_>) -> Option<Finding> {
    let public = key.public.as_deref().unwrap_or_default();
    let about = About::Key(public.to_vec());
    let remove = "remove it; whoever signed with it must sign again with another";
    match weakness(public) {
        Some(Weakness::SmallOrder | Weakness::MixedOrder) => {
            let message = "this key is not the public half of any lock key";
            return Some(Finding::new(code::E0203, about, message).help(remove));
        }
        Some(_) => {
            let message = "this key can sign nothing: it is no point of the curve";
            return Some(Finding::new(code::W0204, about, message).help(remove));
        }
        None => {}
    }
    let meta = key.meta.as_ref()?;
    let made: i64 = meta.value("wrapper_createtime")?.parse().ok()?;
    let days = subject.now.saturating_sub(made) / super::DAY;
    if meta.value("purpose") != Some("pre-auth key")
        || days * super::DAY < subject.thresholds.auth_key_age
    {
        return None;
    }
    let name = meta.value("authkey_stableid").map_or_else(String::new, |it| format!(" `{it}`"));
    let message = format!("this key was made for the auth key{name} {days} days ago");
    let help =
        "whoever holds that auth key can still sign nodes; remove the key if it is not needed";
    Some(Finding::new(code::W0207, about, message).help(help))
}
