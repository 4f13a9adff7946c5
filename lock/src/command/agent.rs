//! Keys that an ssh-agent holds: their list, and signatures by one of them.
//!
//! A lock signature is plain Ed25519 over 32 bytes, which an agent gives for a plain `ssh-ed25519`
//! key. Keys on security tokens (`sk-ssh-ed25519@openssh.com`) sign another structure and are left
//! out. SOURCE: the SSH agent protocol (RFC 9987); messages are a length, a number and their parts.

use std::env;
use std::io::{Read, Write};
use std::time::Duration;

use data_encoding::BASE64_NOPAD;
use sha2::{Digest as _, Sha256};

use super::failure::Failure;
use super::visible::visible;

const REQUEST_IDENTITIES: u8 = 11;
const IDENTITIES_ANSWER: u8 = 12;
const SIGN_REQUEST: u8 = 13;
const SIGN_RESPONSE: u8 = 14;

/// The name of the one type of key that serves.
const ED25519: &[u8] = b"ssh-ed25519";

/// The longest answer that OpenSSH's own programs take.
const MAX_ANSWER: usize = 256 * 1024;

/// A person may have to confirm at the agent.
const PATIENCE: Duration = Duration::from_secs(120);

/// A key that an agent can sign with.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Identity {
    /// The public key, which is the lock's key ID.
    pub(crate) public: [u8; 32],
    /// What its owner calls it.
    pub(crate) comment: String,
}

impl Identity {
    /// `SHA256:…`, as `ssh-add -l` prints it.
    pub(crate) fn fingerprint(&self) -> String {
        format!("SHA256:{}", BASE64_NOPAD.encode(&Sha256::digest(self.blob())))
    }

    /// The key as SSH writes it.
    fn blob(&self) -> Vec<u8> {
        let mut blob = Vec::new();
        put(&mut blob, ED25519);
        put(&mut blob, &self.public);
        blob
    }
}

/// A connection to an agent.
pub(crate) struct Agent<S> {
    stream: S,
}

#[cfg(unix)]
impl Agent<std::os::unix::net::UnixStream> {
    /// Connects to the agent that `SSH_AUTH_SOCK` names.
    pub(crate) fn connect() -> Result<Self, Failure> {
        let help = "start one with `eval $(ssh-agent)` and add a key with `ssh-add`";
        let path = env::var_os("SSH_AUTH_SOCK").filter(|it| !it.is_empty());
        let path = path.ok_or_else(|| {
            Failure::usage("no ssh-agent is known: SSH_AUTH_SOCK is not set", help)
        })?;
        let failed = |it: std::io::Error| {
            Failure::usage(format!("the ssh-agent does not answer: {it}"), help)
        };
        let stream = std::os::unix::net::UnixStream::connect(path).map_err(failed)?;
        stream.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
        stream.set_write_timeout(Some(PATIENCE)).map_err(failed)?;
        Ok(Self { stream })
    }
}

impl<S: Read + Write> Agent<S> {
    /// The plain Ed25519 keys that the agent holds, in its order.
    pub(crate) fn identities(&mut self) -> Result<Vec<Identity>, Failure> {
        let answer = self.ask(&[REQUEST_IDENTITIES])?;
        let mut rest = expect(&answer, IDENTITIES_ANSWER, "it does not list its keys")?;
        let count = take_u32(&mut rest).ok_or_else(garbled)?;
        let mut identities = Vec::new();
        for _ in 0..count {
            let blob = take(&mut rest).ok_or_else(garbled)?;
            let comment = take(&mut rest).ok_or_else(garbled)?;
            if let Some(public) = ed25519(blob) {
                let comment = visible(&String::from_utf8_lossy(comment)).into_owned();
                identities.push(Identity { public, comment });
            }
        }
        Ok(identities)
    }

    /// A signature over a digest.
    pub(crate) fn sign(&mut self, key: &Identity, digest: &[u8; 32]) -> Result<[u8; 64], Failure> {
        let mut request = vec![SIGN_REQUEST];
        put(&mut request, &key.blob());
        put(&mut request, digest);
        request.extend_from_slice(&0u32.to_be_bytes());
        let answer = self.ask(&request)?;
        let refused = "it refused to sign; it may be locked, or the request was not confirmed";
        let mut rest = expect(&answer, SIGN_RESPONSE, refused)?;
        let mut blob = take(&mut rest).ok_or_else(garbled)?;
        let kind = take(&mut blob).ok_or_else(garbled)?;
        let signature = take(&mut blob).ok_or_else(garbled)?;
        if kind != ED25519 {
            return Err(garbled());
        }
        signature.try_into().map_err(|_| garbled())
    }

    fn ask(&mut self, request: &[u8]) -> Result<Vec<u8>, Failure> {
        let failed =
            |it: std::io::Error| Failure::plain(format!("the ssh-agent does not answer: {it}"));
        let mut message = Vec::new();
        put(&mut message, request);
        self.stream.write_all(&message).map_err(failed)?;
        let mut length = [0; 4];
        self.stream.read_exact(&mut length).map_err(failed)?;
        let length = u32::from_be_bytes(length) as usize;
        if length > MAX_ANSWER {
            return Err(garbled());
        }
        let mut answer = vec![0; length];
        self.stream.read_exact(&mut answer).map_err(failed)?;
        Ok(answer)
    }
}

fn garbled() -> Failure {
    Failure::plain("the ssh-agent gave an answer that is not understood")
}

/// The parts of an answer whose number is the one expected.
fn expect<'a>(answer: &'a [u8], number: u8, otherwise: &str) -> Result<&'a [u8], Failure> {
    match answer.split_first() {
        Some((first, rest)) if *first == number => Ok(rest),
        _ => Err(Failure::plain(format!("the ssh-agent does not serve: {otherwise}"))),
    }
}

/// The public key in a blob, where it is of the plain type.
fn ed25519(mut blob: &[u8]) -> Option<[u8; 32]> {
    let kind = take(&mut blob)?;
    let public = take(&mut blob)?;
    if kind != ED25519 || !blob.is_empty() { None } else { public.try_into().ok() }
}

/// Appends bytes with their length before them.
fn put(message: &mut Vec<u8>, bytes: &[u8]) {
    // A length here is that of a key, a digest or a request of theirs.
    message.extend_from_slice(&(bytes.len() as u32).to_be_bytes());
    message.extend_from_slice(bytes);
}

fn take_u32(rest: &mut &[u8]) -> Option<u32> {
    let (number, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(u32::from_be_bytes(*number))
}

/// Bytes with their length before them.
fn take<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = take_u32(rest)? as usize;
    let (bytes, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives prepared answers and keeps what was asked.
    struct Wire {
        answers: std::io::Cursor<Vec<u8>>,
        asked: Vec<u8>,
    }

    impl Read for Wire {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            self.answers.read(buffer)
        }
    }

    impl Write for Wire {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.asked.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn agent(answer: &[u8]) -> Agent<Wire> {
        let mut framed = Vec::new();
        put(&mut framed, answer);
        Agent { stream: Wire { answers: std::io::Cursor::new(framed), asked: Vec::new() } }
    }

    #[test]
    fn tokens_and_other_types_are_left_out() {
        let mut answer = vec![IDENTITIES_ANSWER];
        answer.extend_from_slice(&2u32.to_be_bytes());
        let mut token = Vec::new();
        put(&mut token, b"sk-ssh-ed25519@openssh.com");
        put(&mut token, &[9; 32]);
        put(&mut answer, &token);
        put(&mut answer, b"token");
        let plain = Identity { public: [7; 32], comment: "lock".to_owned() };
        put(&mut answer, &plain.blob());
        put(&mut answer, b"lock");
        assert_eq!(agent(&answer).identities().unwrap(), [plain]);
    }

    #[test]
    fn answers_cut_short_or_endless_are_refused() {
        let mut answer = vec![IDENTITIES_ANSWER];
        answer.extend_from_slice(&u32::MAX.to_be_bytes());
        assert!(agent(&answer).identities().is_err());
        assert!(agent(&[5]).identities().is_err());
        let mut endless = agent(&[]);
        endless.stream.answers = std::io::Cursor::new(u32::MAX.to_be_bytes().to_vec());
        assert!(endless.identities().is_err());
    }
}
