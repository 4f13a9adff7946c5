//! The vectors of Tailnet Lock, where a checkout has them (`ACLC_SHARED`): the bytes, verdicts and
//! error texts of Tailscale's own library. A trial for each vector, by the name of its section.

#![expect(
    clippy::indexing_slicing,
    reason = "indexing a JSON value gives null where there is nothing"
)]

#[path = "lock_vectors/chains.rs"]
mod chains;
#[path = "lock_vectors/messages.rs"]
mod messages;
#[path = "lock_vectors/signatures.rs"]
mod signatures;
#[path = "lock_vectors/texts.rs"]
mod texts;

use std::fmt::{Debug, Display};
use std::str::FromStr;
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};
use lock::aum::{Aum, Update};
use lock::authority::Authority;
use lock::secret::SigningKey;
use lock::store::Memory;
use serde_json::Value;
use tests::{read_text, shared};

/// The sections of the file, and what runs each of their vectors.
const SECTIONS: &[(&str, Section)] = &[
    ("lock_keys", Section::Items(texts::lock_key)),
    ("node_keys", Section::Items(texts::node_key)),
    ("lock_key_text", Section::Items(texts::lock_key_text)),
    ("aum_hash_text", Section::Items(texts::aum_hash_text)),
    ("disablement_kdf", Section::Items(texts::disablement_kdf)),
    ("wrapped_authkey", Section::Whole(texts::wrapped_authkey)),
    ("deeplink", Section::Whole(texts::deep_link)),
    ("aum_serialization", Section::Items(messages::aum)),
    ("aum_hash_apply", Section::Items(messages::aum)),
    ("aum_decode", Section::Items(messages::decode)),
    ("fs", Section::Whole(messages::records)),
    ("real_genesis", Section::Whole(chains::real_genesis)),
    ("authority_chain", Section::Whole(chains::chain)),
    ("fork_resolution", Section::Whole(chains::forks)),
    ("recovery", Section::Whole(chains::recovery)),
    ("inform_one_aum", Section::Items(chains::inform)),
    ("sync_scenario", Section::Whole(chains::sync)),
    ("compaction_scenario", Section::Whole(chains::compaction)),
    ("compaction_active_chain", Section::Whole(chains::compaction_active)),
    ("nks", Section::Items(signatures::signature)),
    ("nks_authorize", Section::Items(signatures::authorize)),
    ("resign_long_chain", Section::Whole(signatures::resign)),
    ("rotation_tracker", Section::Whole(signatures::tracker)),
    ("ed25519_verify", Section::Whole(signatures::equations)),
    // What the command prints and reads; `tests/lock` has cases of them.
    ("cli_lock_log", Section::Command),
    ("cli_lock_status_json_v1", Section::Command),
    ("json_shapes", Section::Command),
    ("state_file_sample", Section::Command),
];

/// How a section is run.
#[derive(Clone, Copy)]
enum Section {
    /// A vector for each member of `items`.
    Items(fn(&Vectors, &Value) -> Result<(), String>),
    /// One vector.
    Whole(fn(&Vectors, &Value) -> Result<(), String>),
    /// Nothing of the library.
    Command,
}

fn main() -> Result<std::process::ExitCode, String> {
    let arguments = Arguments::from_args();
    let trials = match shared("spec") {
        Ok(Some(folder)) => trials(&read_text(&folder.join("tailnet-lock-vectors.json"))?)?,
        Ok(None) => {
            say("golden cases: not here");
            Vec::new()
        }
        Err(error) => vec![Trial::test("golden cases", || Err(error.into()))],
    };
    Ok(libtest_mimic::run(&arguments, trials).exit_code())
}

#[expect(clippy::print_stdout, reason = "what was left out is for the reader of the test's output")]
fn say(text: &str) {
    println!("{text}");
}

fn trials(text: &str) -> Result<Vec<Trial>, String> {
    let json: Value = serde_json::from_str(text).map_err(|it| it.to_string())?;
    let vectors = Arc::new(Vectors(json));
    let sections = vectors.0.as_object().into_iter().flatten();
    let unknown: Vec<String> = sections
        .map(|it| it.0.clone())
        .filter(|it| !it.starts_with('_') && !SECTIONS.iter().any(|known| known.0 == it))
        .collect();
    let mut trials = vec![Trial::test("every section is known", move || {
        same("unknown sections", &unknown, &Vec::new()).map_err(Failed::from)
    })];
    for (name, section) in SECTIONS {
        let subject = &vectors.0[*name];
        match *section {
            Section::Command => {}
            Section::Whole(run) => {
                let (vectors, subject) = (vectors.clone(), subject.clone());
                trials.push(Trial::test(*name, move || Ok(run(&vectors, &subject)?)));
            }
            Section::Items(run) => {
                let items = subject["items"].as_array().ok_or(format!("{name} has no items"))?;
                for (index, item) in items.iter().enumerate() {
                    let words = ["name", "desc", "text"].map(|it| item[it].as_str());
                    let words = words.into_iter().flatten().next().unwrap_or_default();
                    let (vectors, item) = (vectors.clone(), item.clone());
                    let name = format!("{name} {index}: {}", words.escape_debug());
                    trials.push(Trial::test(name, move || Ok(run(&vectors, &item)?)));
                }
            }
        }
    }
    Ok(trials)
}

/// The whole file.
struct Vectors(Value);

impl Vectors {
    /// The private half of a named lock key.
    fn key(&self, name: &str) -> Result<SigningKey, String> {
        let items = self.0["lock_keys"]["items"].as_array().ok_or("no lock keys")?;
        let item = items.iter().find(|it| it["name"] == name).ok_or(format!("no key {name}"))?;
        Ok(SigningKey::from_seed(&array(item, "seed_hex")?))
    }

    /// The updates of the authority that other sections start from, oldest first.
    fn chain(&self) -> Result<Vec<Update>, String> {
        let items = self.0["authority_chain"]["items"].as_array().ok_or("no chain")?;
        items.iter().map(|it| update(it, "cbor_hex")).collect()
    }

    /// That authority right after its first update.
    fn bootstrapped(&self) -> Result<(Memory, Authority), String> {
        let mut store = Memory::new();
        let genesis = self.chain()?.into_iter().next().ok_or("no genesis")?;
        let authority =
            Authority::bootstrap(&mut store, &genesis, 0).map_err(|it| it.to_string())?;
        Ok((store, authority))
    }
}

/// The bytes of a member that is hex.
fn bytes(item: &Value, member: &str) -> Result<Vec<u8>, String> {
    lock::text::from_hex(text(item, member)?).ok_or(format!("{member} is no hex"))
}

/// The same, as an array.
fn array<const N: usize>(item: &Value, member: &str) -> Result<[u8; N], String> {
    bytes(item, member)?.try_into().map_err(|_| format!("{member} is not {N} bytes long"))
}

/// A member that is text.
fn text<'a>(item: &'a Value, member: &str) -> Result<&'a str, String> {
    item[member].as_str().ok_or(format!("{member} is no text: {item}"))
}

/// A member that is text in one of our forms.
fn parsed<T: FromStr<Err: Display>>(item: &Value, member: &str) -> Result<T, String> {
    text(item, member)?.parse().map_err(|it: T::Err| it.to_string())
}

/// The update whose bytes a member holds.
fn update(item: &Value, member: &str) -> Result<Update, String> {
    let decoded = Aum::decode(&bytes(item, member)?).map_err(|it| it.to_string())?;
    Ok(Update::new(decoded.value))
}

/// Passes where both are the same, and says what both are where not.
fn same<T: PartialEq + Debug + ?Sized>(what: &str, ours: &T, theirs: &T) -> Result<(), String> {
    if ours == theirs {
        return Ok(());
    }
    Err(format!("{what}:\n  ours   {ours:?}\n  theirs {theirs:?}"))
}
