//! An auth key → a pre-signed one, made without any daemon.
//!
//! The credential is signed by a key that is trusted already: nothing is added to the authority, so
//! its keys do not fill up with one for each auth key. The price: one such key alone cannot be
//! revoked, only all that the signing key made.

use lock::auth_key::{AuthKeyError, SignedAuthKey, stable_id};
use lock::secret::{Signer as _, SigningKey};
use serde_json::json;

use super::{Arguments, remember};
use crate::command::failure::Failure;
use crate::command::hidden::{self, SecretOutput};
use crate::command::visible::visible;
use crate::command::{Exit, change, output, random};

/// Pre-signs the auth key in `what`.
pub(super) fn run(arguments: &Arguments, what: &str) -> Result<Exit, Failure> {
    let place =
        SecretOutput { output: arguments.output.clone(), print_secret: arguments.print_secret };
    place.check()?;
    if arguments.rotation_key.is_some() || arguments.raw {
        return Err(Failure::plain(
            "an auth key is signed for nodes that are not known yet, so neither `--rotation-key` nor `--raw` means anything",
        ));
    }
    let secret = hidden::argument(Some(what), "an auth key")?;
    let text = std::str::from_utf8(&secret).unwrap_or_default().trim();
    if text.is_empty() || text.contains(char::is_whitespace) {
        return Err(Failure::usage(
            "this is no auth key",
            "one begins with `tskey-auth-`, on one line",
        ));
    }
    let chain = arguments.chain.open()?;
    let key = arguments.key.open()?;
    change::trusted(&key, chain.state(), "at the head of this chain")?;
    let name = stable_id(text).map(|it| visible(it).into_owned());
    output::say(&format!(
        "This pre-signs the auth key {}: whoever has the result can bring nodes into the tailnet and sign\n\
         their node keys, until {} is removed. It does not end by itself.",
        name.as_deref().map_or_else(|| "of an unknown form".to_owned(), |it| format!("`{it}`")),
        key.public()
    ));
    arguments.consent.ask("Sign this auth key?")?;
    let delegate = SigningKey::from_seed(&*random::bytes()?);
    let signed = SignedAuthKey::new(text, &key, delegate).map_err(|it| refused(&it))?;
    remember(&key, std::slice::from_ref(signed.credential()));
    let mut line = signed.expose_text();
    line.push('\n');
    place.put(line.as_bytes())?;
    if arguments.json && !arguments.print_secret {
        output::json(&json!({
            "version": 1,
            "authKeyID": name,
            "keyID": key.public().to_string(),
        }))?;
    }
    Ok(Exit::Clean)
}

fn refused(error: &AuthKeyError) -> Failure {
    match error {
        AuthKeyError::Signed => {
            Failure::usage(error.to_string(), "give the auth key as the console shows it")
        }
        _ => Failure::plain(error.to_string()),
    }
}
