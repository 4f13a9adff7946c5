//! `--key K` → something that signs: a file of ours, a daemon's state file, one `nlpriv:` line, or a
//! key that an ssh-agent holds. Files are told apart by their content.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use lock::secret::{SecretError, SignError, Signer, SigningKey};
use lock::text::LockPublicKey;
use lock::verify::SigHash;
use zeroize::Zeroizing;

use super::failure::{Failure, shown};
use super::key_file::{self, KeyFile};
use super::{hidden, state_file};

/// Which key signs.
#[derive(Args, Clone, Debug)]
pub(crate) struct KeyOptions {
    /// The key that signs: a key file, a daemon's tailscaled.state, a file with one `nlpriv:` line,
    /// or `agent:SHA256:…` for a key of the ssh-agent
    #[arg(long, value_name = "KEY", value_hint = ValueHint::FilePath)]
    pub(crate) key: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) reading: KeyReading,
}

/// How a key is read.
#[derive(Args, Clone, Debug)]
pub(crate) struct KeyReading {
    /// The profile whose key is taken from tailscaled.state; the one in use otherwise
    #[arg(long, value_name = "ID")]
    pub(crate) profile: Option<String>,

    /// Read the passphrase of a key file from FILE, `-` for standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) passphrase_file: Option<PathBuf>,

    /// Read a key even if others on this machine can read it
    #[arg(long)]
    pub(crate) force: bool,
}

/// Where a key came from, so that people recognise it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Origin {
    /// An encrypted file of ours.
    KeyFile,
    /// The state of a daemon.
    StateFile,
    /// A file with the bare key.
    PlainText,
    /// An ssh-agent.
    Agent,
}

impl Origin {
    /// As JSON names it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::KeyFile => "key-file",
            Self::StateFile => "tailscaled-state",
            Self::PlainText => "nlpriv",
            Self::Agent => "ssh-agent",
        }
    }

    /// As people read it.
    pub(crate) const fn sentence(self) -> &'static str {
        match self {
            Self::KeyFile => "an encrypted key file",
            Self::StateFile => "a daemon's state file",
            Self::PlainText => "a file with the bare key; `tlock key import` encrypts it",
            Self::Agent => "the ssh-agent",
        }
    }
}

/// A key that signs.
pub(crate) struct Key {
    held: Held,
    /// Where it came from.
    pub(crate) origin: Origin,
}

enum Held {
    Here(SigningKey),
    #[cfg(unix)]
    Agent(RefCell<super::agent::Agent<std::os::unix::net::UnixStream>>, super::agent::Identity),
}

impl Key {
    /// The private half, where it is here and not in an agent.
    pub(crate) fn here(&self) -> Option<&SigningKey> {
        match &self.held {
            Held::Here(key) => Some(key),
            #[cfg(unix)]
            Held::Agent(..) => None,
        }
    }
}

impl From<SigningKey> for Key {
    fn from(key: SigningKey) -> Self {
        Self { held: Held::Here(key), origin: Origin::PlainText }
    }
}

impl Signer for Key {
    fn public(&self) -> LockPublicKey {
        match &self.held {
            Held::Here(key) => key.public(),
            #[cfg(unix)]
            Held::Agent(_, identity) => LockPublicKey::new(identity.public),
        }
    }

    fn sign(&self, hash: &SigHash) -> Result<[u8; 64], SignError> {
        match &self.held {
            Held::Here(key) => Ok(key.sign(hash)),
            #[cfg(unix)]
            Held::Agent(agent, identity) => agent
                .borrow_mut()
                .sign(identity, hash.as_bytes())
                .map_err(|it| SignError(it.to_string().into())),
        }
    }
}

impl KeyOptions {
    /// The key that was named; an error where none was.
    pub(crate) fn open(&self) -> Result<Key, Failure> {
        let path = self.key.as_deref().ok_or_else(|| {
            Failure::usage(
                "no key is named to sign with",
                "`--key FILE` or `--key agent:SHA256:…`; `tlock key new -o FILE` makes one",
            )
        })?;
        self.reading.open(path)
    }
}

impl KeyReading {
    /// The key in a file or an agent.
    pub(crate) fn open(&self, path: &Path) -> Result<Key, Failure> {
        let written = path.to_string_lossy();
        if let Some(fingerprint) = written.strip_prefix("agent:") {
            return in_agent(fingerprint);
        }
        refuse_argument(&written)?;
        let text = self.text(path)?;
        let name = shown(path);
        if text.starts_with(key_file::HEADER) {
            let file = KeyFile::parse(&text).map_err(|it| unopened(&name, &it))?;
            let what = format!("the passphrase of `{name}`");
            let passphrase = hidden::passphrase(self.passphrase_file.as_deref(), &what)?;
            let seed = file.open(&passphrase).map_err(|it| unopened(&name, &it))?;
            let key = SigningKey::from_seed(&seed);
            if key.public().to_string() != file.public {
                return Err(Failure::plain(format!("`{name}`: {}", SecretError::Mismatch)));
            }
            return Ok(Key { held: Held::Here(key), origin: Origin::KeyFile });
        }
        if text.trim_start().starts_with("nlpriv:") {
            let key = SigningKey::parse(text.trim()).map_err(|it| no_key(&name, &it))?;
            return Ok(Key { held: Held::Here(key), origin: Origin::PlainText });
        }
        if state_file::is_state(&text) {
            let profile = self.profile.as_deref();
            let text = state_file::lock_key(&text, profile)
                .map_err(|it| Failure::plain(format!("`{name}`: {it}")))?;
            let key = SigningKey::parse(&text).map_err(|it| no_key(&name, &it))?;
            return Ok(Key { held: Held::Here(key), origin: Origin::StateFile });
        }
        let help = if text.contains("OPENSSH PRIVATE KEY") {
            "add it to the ssh-agent (`ssh-add`) and give `--key agent:SHA256:…`, as `ssh-add -l` shows it"
        } else {
            "a key is a file of `tlock key new`, a daemon's tailscaled.state, or one line `nlpriv:…`"
        };
        Err(Failure::usage(format!("`{name}` is no key that we know"), help))
    }

    /// The public key that a file claims, without opening it, where it says so.
    pub(crate) fn claimed(&self, path: &Path) -> Result<Option<KeyFile>, Failure> {
        if path.to_string_lossy().starts_with("agent:") {
            return Ok(None);
        }
        let text = self.text(path)?;
        if !text.starts_with(key_file::HEADER) {
            return Ok(None);
        }
        KeyFile::parse(&text).map(Some).map_err(|it| unopened(&shown(path), &it))
    }

    /// What a key's file holds, unless others can read it too.
    fn text(&self, path: &Path) -> Result<Zeroizing<String>, Failure> {
        let failed = |it: io::Error| Failure::Read(path.to_owned(), it);
        let mut file = File::open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        if metadata.is_dir() {
            return Err(failed(io::ErrorKind::IsADirectory.into()));
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = metadata.permissions().mode();
            if metadata.is_file() && mode & 0o007 != 0 && !self.force {
                return Err(Failure::usage(
                    format!(
                        "everybody on this machine can read or write the key `{}`",
                        shown(path)
                    ),
                    "take that away (`chmod 600`) and consider whether it is still secret; `--force` reads it all the same",
                ));
            }
        }
        let limit = state_file::MAX_BYTES.max(key_file::MAX_BYTES) as u64;
        // Reserved at once: a vector that grows leaves copies behind.
        let known = metadata.len().min(limit) as usize;
        let mut bytes = Zeroizing::new(Vec::with_capacity(known + 1));
        file.by_ref().take(limit).read_to_end(&mut bytes).map_err(failed)?;
        let text = String::from_utf8(std::mem::take(&mut *bytes));
        text.map(Zeroizing::new).map_err(|it| {
            drop(Zeroizing::new(it.into_bytes()));
            Failure::plain(format!("`{}` is no text, and so no key", shown(path)))
        })
    }
}

/// A private key on the command line is in the history already; it must not stay unnoticed.
fn refuse_argument(written: &str) -> Result<(), Failure> {
    if written.starts_with("nlpriv:") {
        return Err(Failure::usage(
            "a private key is not taken as an argument: process lists and histories keep those, so this one is no longer secret",
            "keys are read from files; `tlock key new -o FILE` makes a fresh one",
        ));
    }
    let elsewhere = ["arn:", "kube:", "mem:", "tpmseal:"];
    if let Some(store) = elsewhere.iter().find(|it| written.starts_with(**it)) {
        return Err(Failure::usage(
            format!("a daemon that keeps its state in `{store}` has no file to read its key from"),
            "let the daemon itself sign (`--tailscaled`), or trust a key of `tlock key new`",
        ));
    }
    Ok(())
}

fn unopened(name: &str, why: &key_file::Unopened) -> Failure {
    Failure::plain(format!("`{name}`: {why}"))
}

fn no_key(name: &str, why: &SecretError) -> Failure {
    Failure::plain(format!("`{name}`: {why}"))
}

#[cfg(unix)]
fn in_agent(fingerprint: &str) -> Result<Key, Failure> {
    let mut agent = super::agent::Agent::connect()?;
    let identities = agent.identities()?;
    let identity =
        identities.iter().find(|it| it.fingerprint() == fingerprint).ok_or_else(|| {
            let names: Vec<String> = identities.iter().map(|it| it.fingerprint()).collect();
            let help = match names.as_slice() {
                [] => {
                    "it holds no plain `ssh-ed25519` key; `ssh-keygen -t ed25519`, then `ssh-add`"
                        .to_owned()
                }
                names => format!("it holds {}", names.join(", ")),
            };
            Failure::usage(
                format!("the ssh-agent has no key `{}`", super::visible::visible(fingerprint)),
                help,
            )
        })?;
    let held = Held::Agent(RefCell::new(agent), identity.clone());
    Ok(Key { held, origin: Origin::Agent })
}

#[cfg(not(unix))]
fn in_agent(_: &str) -> Result<Key, Failure> {
    Err(Failure::plain("keys of an ssh-agent can be used on Unix only"))
}
