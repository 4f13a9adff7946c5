//! `tlock init`: the beginning of a lock; by the daemon for its tailnet, or offline in a store.

use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use data_encoding::BASE64;
use lock::authority::Authority;
use lock::key::Key as TrustedKey;
use lock::secret::{DisablementSecret, DisablementValue, Signer as _};
use lock::state::State;
use lock::store::Folder;
use lock::verify::weakness;
use serde_json::json;
use zeroize::Zeroizing;

use super::checkpoint::value;
use super::confirm::Consent;
use super::daemon::Daemon;
use super::describe::{count, key_line, key_text};
use super::failure::{Failure, shown};
use super::hidden::SecretOutput;
use super::key_source::KeyOptions;
use super::local_api::{self, Status};
use super::store::writable;
use super::{Exit, change, memory, node_key, output, random, words};

/// Lock a tailnet: let the daemon begin it, or make the first update offline
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Keys to trust besides the one that begins: `tlpub:…` or `tlpub:…?2`
    #[arg(value_name = "TLPUB[?VOTES]")]
    keys: Vec<String>,

    /// Ask the daemon of this machine, whose own key is always among the trusted
    #[arg(long, conflicts_with_all = ["key", "store"])]
    tailscaled: bool,

    /// The socket of the daemon, where it is not at its usual place
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    socket: Option<PathBuf>,

    /// Make the first update in this folder, which must be missing or empty
    #[arg(long, value_name = "DIR", requires = "key", value_hint = ValueHint::DirPath)]
    store: Option<PathBuf>,

    #[command(flatten)]
    key: KeyOptions,

    /// Votes of the key that begins
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=lock::limits::MAX_VOTES))]
    votes: u64,

    /// A value whose secret can switch the lock off; repeatable
    #[arg(long, value_name = "disablement:HEX")]
    disablement: Vec<String>,

    /// Make so many secrets that can switch the lock off; one where no value is given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=32))]
    gen_disablements: Option<u8>,

    #[command(flatten)]
    secrets: SecretOutput,

    #[command(flatten)]
    consent: Consent,

    /// Print what was made as JSON
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  tlock disablement new -o secret.txt > value.txt
  tlock init --tailscaled tlpub:…?2 --disablement $(cat value.txt)
  tlock init --tailscaled tlpub:… --gen-disablements 3 -o secrets.txt
  tlock init --key K --store DIR --disablement disablement:…     for a control server of your own

With the daemon: it will sign EVERY node that the control server lists, with the rotation keys that
the server supplies. Look at the list of machines first. Only values go to the network; secrets stay
in the file.";

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    if arguments.store.is_none() && !arguments.tailscaled {
        return Err(Failure::usage(
            "nothing says which lock is to begin",
            "`--tailscaled` locks the tailnet of this machine; `--key K --store DIR` begins one offline",
        ));
    }
    let keys: Vec<TrustedKey> =
        arguments.keys.iter().map(|it| trusted(it)).collect::<Result<_, _>>()?;
    let mut values: Vec<DisablementValue> =
        arguments.disablement.iter().map(|it| value(it)).collect::<Result<_, _>>()?;
    let count = arguments.gen_disablements.unwrap_or(u8::from(values.is_empty()));
    if count > 0 {
        arguments.secrets.check()?;
    }
    let mut secrets = Zeroizing::new(String::with_capacity(4096));
    for _ in 0..count {
        let secret = DisablementSecret::new(random::bytes::<32>()?.to_vec());
        secrets.push_str(&secret.expose_text());
        secrets.push('\n');
        values.extend(secret.value());
    }
    if values.is_empty() {
        return Err(Failure::usage(
            "nothing could switch this lock off again",
            "`--disablement VALUE` (see `tlock disablement new`), or let it make a secret: `-o FILE`",
        ));
    }
    match &arguments.store {
        Some(store) => offline(arguments, store, keys, &values, &secrets),
        None => by_daemon(arguments, keys, &values, &secrets),
    }
}

/// A key to trust that can sign.
fn trusted(text: &str) -> Result<TrustedKey, Failure> {
    let key = node_key::voter(text)?;
    if weakness(key.public.as_deref().unwrap_or_default()).is_some() {
        let sentence =
            format!("{} is not the public half of any lock key", super::visible::visible(text));
        return Err(Failure::plain(sentence));
    }
    Ok(key)
}

fn offline(
    arguments: &Arguments,
    store: &Path,
    mut keys: Vec<TrustedKey>,
    values: &[DisablementValue],
    secrets: &str,
) -> Result<Exit, Failure> {
    writable(store, false, None)?;
    if std::fs::read_dir(store).is_ok_and(|mut it| it.next().is_some()) {
        return Err(Failure::usage(
            format!("`{}` is not empty", shown(store)),
            "a genesis begins a store of its own",
        ));
    }
    let key = arguments.key.open()?;
    let own = TrustedKey::new(key.public(), arguments.votes);
    keys.retain(|it| it.public != own.public);
    keys.insert(0, own);
    let id = |bytes: &Zeroizing<[u8; 8]>| u64::from_le_bytes(**bytes);
    let state = State {
        last: None,
        disablement_values: Some(values.iter().map(|it| Some(it.as_bytes().to_vec())).collect()),
        keys: Some(keys),
        id1: id(&random::bytes()?),
        id2: id(&random::bytes()?),
    };
    output::say(&review("This begins a new lock, offline.", state.keys(), values));
    arguments.consent.ask("Sign this genesis?")?;
    save_secrets(arguments, secrets)?;
    let failed = |it: &dyn std::fmt::Display| {
        Failure::plain(format!("cannot begin a store in `{}`: {it}", shown(store)))
    };
    let mut folder = Folder::create(store).map_err(|it| failed(&it))?;
    let time = memory::seconds_now();
    let (authority, genesis) =
        Authority::create(&mut folder, state, &key, time).map_err(|it| failed(&it))?;
    let tailnet = format!("{}:{}", authority.state().id1, authority.state().id2);
    change::record(&key, &tailnet, std::slice::from_ref(&genesis));
    if arguments.json {
        output::json(&json!({
            "version": 1,
            "genesis": genesis.hash().to_string(),
            "raw": BASE64.encode(&genesis.encode()),
        }))?;
    } else {
        output::print(&format!("{}\n", genesis.hash()))?;
    }
    Ok(Exit::Clean)
}

fn by_daemon(
    arguments: &Arguments,
    mut keys: Vec<TrustedKey>,
    values: &[DisablementValue],
    secrets: &str,
) -> Result<Exit, Failure> {
    let daemon = Daemon::at(arguments.socket.as_deref())?;
    let status = Status::ask(&daemon)?;
    if status.enabled {
        return Err(Failure::usage(
            "the tailnet is locked already",
            "`tlock status --tailscaled` shows whom it trusts; `tlock add` proposes another key",
        ));
    }
    let own = status.lock_key().ok_or_else(|| {
        Failure::usage("the daemon has no lock key yet", "log in first: `tailscale up`")
    })?;
    if !keys.iter().any(|it| it.lock_key() == Some(own)) {
        keys.insert(0, TrustedKey::new(own, arguments.votes));
    }
    let text = "This lets the daemon lock its tailnet. It makes the first update with its own key, and then signs\n\
        EVERY node that the control server lists, with the rotation keys that the server supplies.";
    output::say(&review(text, &keys, values));
    arguments.consent.ask("Lock the tailnet?")?;
    // Before the lock is on: nobody must be left with a lock whose secrets were lost.
    save_secrets(arguments, secrets)?;
    let body = json!({
        "Keys": keys.iter().map(local_api::key).collect::<Vec<_>>(),
        "DisablementValues": values.iter().map(|it| BASE64.encode(it.as_bytes())).collect::<Vec<_>>(),
        "SupportDisablement": null,
    });
    daemon.post("tka/init", body.to_string().as_bytes())?;
    if arguments.json {
        let keys: Vec<String> =
            keys.iter().filter_map(TrustedKey::lock_key).map(|it| it.to_string()).collect();
        output::json(&json!({ "version": 1, "trusted": keys }))?;
    } else {
        output::print(
            "the tailnet is being locked; `tlock status --tailscaled` shows when it is\n",
        )?;
    }
    Ok(Exit::Clean)
}

fn review(what: &str, keys: &[TrustedKey], values: &[DisablementValue]) -> String {
    let mut text = format!("{what}\nTrusted keys:\n");
    for key in keys {
        let public = key_text(key.public.as_deref().unwrap_or_default());
        text += &format!("  {}\n    words: {}\n", key_line(key), words::of(&public));
    }
    text + &format!("To switch it off: {}.", count(values.len() as u64, "disablement secret"))
}

fn save_secrets(arguments: &Arguments, secrets: &str) -> Result<(), Failure> {
    if secrets.is_empty() { Ok(()) } else { arguments.secrets.put(secrets.as_bytes()) }
}
