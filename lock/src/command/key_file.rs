//! The encrypted key file: a seed under a passphrase, as seven lines of text.
//!
//! ```text
//! tlock-key-v1
//! public: tlpub:8a88…
//! kdf: argon2id m=262144 t=3 p=1
//! salt: <16 bytes, base64>
//! nonce: <24 bytes, base64>
//! sealed: <the 32-byte seed and a 16-byte tag, base64>
//! ```
//! Argon2id makes a key of the passphrase and the salt; XChaCha20-Poly1305 seals the seed with it.
//! Every line above `sealed` is authenticated, so the cost cannot be lowered and the public key not
//! swapped. What a file asks for is bounded before any of it is spent: a file may come from anywhere.

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305};
use data_encoding::BASE64;
use zeroize::Zeroizing;

/// The first line of every such file.
pub(crate) const HEADER: &str = "tlock-key-v1";

/// One GiB: the most memory that a file may ask for.
const MAX_MEMORY_KIB: u32 = 1 << 20;

/// A file may ask for this many passes over its memory; at 1 GiB they take a minute.
const MAX_PASSES: u32 = 64;

/// Lanes beyond this gain nothing on the machines that hold keys.
const MAX_LANES: u32 = 64;

/// The longest file that is read: ours have less than 500 bytes.
pub(crate) const MAX_BYTES: usize = 4096;

/// What opening costs whoever guesses passphrases, and whoever knows it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Cost {
    /// In KiB.
    pub(crate) memory: u32,
    /// Passes over the memory.
    pub(crate) passes: u32,
    /// Lanes.
    pub(crate) lanes: u32,
}

/// A quarter of a GiB and three passes: about half a second on a small machine of today.
pub(crate) const COST: Cost = Cost { memory: 256 * 1024, passes: 3, lanes: 1 };

/// Why a key file does not open.
#[derive(Debug, thiserror::Error, Eq, PartialEq)]
pub(crate) enum Unopened {
    /// It is not of this form.
    #[error("the key file is damaged: {0}")]
    Damaged(&'static str),

    /// It asks for more than we spend on any file.
    #[error(
        "the key file asks for m={memory} t={passes} p={lanes}; at most 1 GiB of memory (m=1048576), t=64 and p=64 are spent"
    )]
    TooCostly {
        /// In KiB.
        memory: u32,
        /// Passes over the memory.
        passes: u32,
        /// Lanes.
        lanes: u32,
    },

    /// The memory it asks for is not there.
    #[error("there is not enough memory to open the key file")]
    NoMemory,

    /// The passphrase is wrong, or the file was changed.
    #[error("the passphrase is wrong, or the key file was changed")]
    WrongPassphrase,
}

/// A key file that is still closed.
#[derive(Debug)]
pub(crate) struct KeyFile {
    /// The public key as the file claims it; true once it opened.
    pub(crate) public: String,
    /// What opening costs.
    pub(crate) cost: Cost,
    salt: [u8; 16],
    nonce: [u8; 24],
    sealed: Vec<u8>,
    /// The lines that are authenticated.
    head: String,
}

impl KeyFile {
    /// Reads the lines; costs nothing yet.
    pub(crate) fn parse(text: &str) -> Result<Self, Unopened> {
        let mut lines = text.lines();
        if lines.next() != Some(HEADER) {
            return Err(Unopened::Damaged("its first line is not `tlock-key-v1`"));
        }
        let mut field = |name: &'static str, missing: &'static str| {
            let line = lines.next().and_then(|it| it.strip_prefix(name));
            line.and_then(|it| it.strip_prefix(": ")).ok_or(Unopened::Damaged(missing))
        };
        let public = field("public", "the line `public` is missing")?.to_owned();
        let kdf = field("kdf", "the line `kdf` is missing")?;
        let salt = field("salt", "the line `salt` is missing")?;
        let nonce = field("nonce", "the line `nonce` is missing")?;
        let sealed = field("sealed", "the line `sealed` is missing")?;
        if lines.next().is_some() {
            return Err(Unopened::Damaged("there is text after the line `sealed`"));
        }
        let cost = cost(kdf).ok_or(Unopened::Damaged("the line `kdf` is not understood"))?;
        let salt_bytes = bytes(salt).ok_or(Unopened::Damaged("the salt has not 16 bytes"))?;
        let nonce_bytes = bytes(nonce).ok_or(Unopened::Damaged("the nonce has not 24 bytes"))?;
        let sealed_bytes =
            bytes::<48>(sealed).ok_or(Unopened::Damaged("the sealed part has not 48 bytes"))?;
        Ok(Self {
            head: head(&public, cost, &salt_bytes, &nonce_bytes),
            public,
            cost,
            salt: salt_bytes,
            nonce: nonce_bytes,
            sealed: sealed_bytes.to_vec(),
        })
    }

    /// The seed, with the right passphrase.
    pub(crate) fn open(&self, passphrase: &[u8]) -> Result<Zeroizing<[u8; 32]>, Unopened> {
        let Cost { memory, passes, lanes } = self.cost;
        if memory > MAX_MEMORY_KIB || passes > MAX_PASSES || lanes > MAX_LANES {
            return Err(Unopened::TooCostly { memory, passes, lanes });
        }
        let key = derive(passphrase, &self.salt, self.cost)?;
        let cipher = XChaCha20Poly1305::new((&*key).into());
        let payload = Payload { msg: &self.sealed, aad: self.head.as_bytes() };
        let seed = cipher.decrypt((&self.nonce).into(), payload);
        let seed = Zeroizing::new(seed.map_err(|_| Unopened::WrongPassphrase)?);
        let mut fixed = Zeroizing::new([0; 32]);
        if seed.len() != fixed.len() {
            return Err(Unopened::Damaged("the seed has not 32 bytes"));
        }
        fixed.copy_from_slice(&seed);
        Ok(fixed)
    }
}

/// Seals a seed; the text of a whole file.
pub(crate) fn seal(
    seed: &[u8; 32],
    public: &str,
    passphrase: &[u8],
    cost: Cost,
    salt: [u8; 16],
    nonce: [u8; 24],
) -> Result<String, Unopened> {
    let key = derive(passphrase, &salt, cost)?;
    let head = head(public, cost, &salt, &nonce);
    let cipher = XChaCha20Poly1305::new((&*key).into());
    let payload = Payload { msg: seed, aad: head.as_bytes() };
    let sealed = cipher
        .encrypt((&nonce).into(), payload)
        .map_err(|_| Unopened::Damaged("the seed could not be sealed"))?;
    Ok(format!("{head}sealed: {}\n", BASE64.encode(&sealed)))
}

fn head(public: &str, cost: Cost, salt: &[u8], nonce: &[u8]) -> String {
    let Cost { memory, passes, lanes } = cost;
    let (salt, nonce) = (BASE64.encode(salt), BASE64.encode(nonce));
    format!(
        "{HEADER}\npublic: {public}\nkdf: argon2id m={memory} t={passes} p={lanes}\nsalt: {salt}\nnonce: {nonce}\n"
    )
}

fn derive(passphrase: &[u8], salt: &[u8], cost: Cost) -> Result<Zeroizing<[u8; 32]>, Unopened> {
    let damaged = |_| Unopened::Damaged("the parameters of its KDF are out of range");
    let params = Params::new(cost.memory, cost.passes, cost.lanes, Some(32)).map_err(damaged)?;
    let mut memory = Vec::new();
    memory.try_reserve_exact(params.block_count()).map_err(|_| Unopened::NoMemory)?;
    memory.resize(params.block_count(), argon2::Block::default());
    let mut memory = Zeroizing::new(memory);
    let mut key = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into_with_memory(passphrase, salt, &mut *key, &mut *memory)
        .map_err(damaged)?;
    Ok(key)
}

/// `argon2id m=262144 t=3 p=1`
fn cost(text: &str) -> Option<Cost> {
    let mut words = text.split(' ');
    if words.next() != Some("argon2id") {
        return None;
    }
    let mut number = |name: &str| -> Option<u32> {
        let digits = words.next()?.strip_prefix(name)?.strip_prefix('=')?;
        let number = digits.parse().ok()?;
        // One spelling only, because the line is authenticated as we would write it.
        (digits == u32::to_string(&number)).then_some(number)
    };
    let cost = Cost { memory: number("m")?, passes: number("t")?, lanes: number("p")? };
    words.next().is_none().then_some(cost)
}

fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    BASE64.decode(text.as_bytes()).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: Cost = Cost { memory: 64, passes: 1, lanes: 1 };

    fn sealed() -> String {
        seal(&[7; 32], "tlpub:aa", b"correct horse", CHEAP, [1; 16], [2; 24]).unwrap()
    }

    #[test]
    fn the_right_passphrase_opens() {
        let file = KeyFile::parse(&sealed()).unwrap();
        assert_eq!(file.public, "tlpub:aa");
        assert_eq!(*file.open(b"correct horse").unwrap(), [7; 32]);
        assert_eq!(file.open(b"correct horsf").unwrap_err(), Unopened::WrongPassphrase);
    }

    #[test]
    fn every_line_is_authenticated() {
        let text = sealed();
        for (from, to) in
            [("tlpub:aa", "tlpub:ab"), ("t=1", "t=2"), ("m=64", "m=63"), ("salt: AQ", "salt: AA")]
        {
            let changed = text.replace(from, to);
            assert_ne!(changed, text);
            let opened = KeyFile::parse(&changed).unwrap().open(b"correct horse");
            assert_eq!(opened.unwrap_err(), Unopened::WrongPassphrase, "{from}");
        }
        assert!(KeyFile::parse(&text.replace("m=64", "m=064")).is_err());
        assert!(KeyFile::parse(&format!("{text}more\n")).is_err());
    }

    #[test]
    fn what_a_file_may_spend_is_bounded() {
        for greedy in ["m=1048577 t=1 p=1", "m=64 t=65 p=1", "m=4294967295 t=1 p=1"] {
            let text = sealed().replace("m=64 t=1 p=1", greedy);
            let opened = KeyFile::parse(&text).unwrap().open(b"correct horse");
            assert!(matches!(opened, Err(Unopened::TooCostly { .. })), "{greedy}");
        }
    }
}
