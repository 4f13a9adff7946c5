//! The daemon on this machine, over its local socket.
//!
//! SOURCE: the daemon's local API below `/localapi/v0/`. It answers errors as plain text; 404 means
//! that it was built without Tailnet Lock, 403 that this user may not.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::failure::Failure;
use super::http::{self, Answer};
use super::visible::visible;

/// Where daemons listen, by system and packaging; the first that is there is taken.
const SOCKETS: [&str; 6] = [
    "/var/run/tailscale/tailscaled.sock",
    "/var/run/tailscaled.socket",
    "/var/packages/Tailscale/var/tailscaled.sock",
    "/var/packages/Tailscale/etc/tailscaled.sock",
    "/tmp/tailscale/tailscaled.sock",
    "/perm/tailscaled/tailscaled.sock",
];

/// Signing and changing go through the control server.
const PATIENCE: Duration = Duration::from_secs(90);

/// A daemon.
#[derive(Clone, Debug)]
pub(crate) struct Daemon {
    socket: PathBuf,
}

impl Daemon {
    /// The daemon that listens at a socket, or at the usual one.
    pub(crate) fn at(socket: Option<&Path>) -> Result<Self, Failure> {
        if let Some(socket) = socket {
            return Ok(Self { socket: socket.to_owned() });
        }
        let found = SOCKETS.iter().map(PathBuf::from).find(|it| it.exists());
        let socket = found.ok_or_else(|| {
            Failure::usage(
                "no daemon is found on this machine",
                "start tailscaled, or name its socket with `--socket FILE`",
            )
        })?;
        Ok(Self { socket })
    }

    /// Asks with GET; the content of a good answer.
    pub(crate) fn get(&self, path: &str) -> Result<Vec<u8>, Failure> {
        self.ask("GET", path, None)
    }

    /// Asks with POST; the content of a good answer.
    pub(crate) fn post(&self, path: &str, body: &[u8]) -> Result<Vec<u8>, Failure> {
        self.ask("POST", path, Some(body))
    }

    fn ask(&self, method: &str, path: &str, body: Option<&[u8]>) -> Result<Vec<u8>, Failure> {
        let failed = |it: std::io::Error| {
            let socket = super::failure::shown(&self.socket);
            Failure::usage(
                format!(
                    "the daemon at `{socket}` does not answer: {}",
                    super::failure::reason(&it)
                ),
                "see whether tailscaled runs, and whether this user may open its socket",
            )
        };
        let Answer { status, body } = self.exchange(method, path, body).map_err(failed)?;
        if (200..300).contains(&status) {
            return Ok(body);
        }
        let text = String::from_utf8_lossy(&body);
        let said = visible(text.trim()).into_owned();
        Err(match status {
            // Some 403 speak of the tailnet and not of the user: it may not be locked at all.
            403 if said.contains("denied") => Failure::usage(
                format!("the daemon refuses: {said}"),
                "run it as root, or as the operator (`tailscale set --operator=$USER`)",
            ),
            404 => Failure::plain("the daemon was built without Tailnet Lock, or is older than it"),
            _ => Failure::plain(format!("the daemon refuses ({status}): {said}")),
        })
    }

    #[cfg(unix)]
    fn exchange(&self, method: &str, path: &str, body: Option<&[u8]>) -> std::io::Result<Answer> {
        let mut stream = std::os::unix::net::UnixStream::connect(&self.socket)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let headers = ["Host: local-tailscaled.sock", "Content-Type: application/json"];
        http::ask(&mut stream, method, &format!("/localapi/v0/{path}"), &headers, body)
    }

    #[cfg(not(unix))]
    fn exchange(&self, _: &str, _: &str, _: Option<&[u8]>) -> std::io::Result<Answer> {
        Err(std::io::ErrorKind::Unsupported.into())
    }
}

/// Whether some daemon listens at a socket: who does must not be written under.
pub(crate) fn listens(socket: &Path) -> bool {
    #[cfg(unix)]
    return std::os::unix::net::UnixStream::connect(socket).is_ok();
    #[cfg(not(unix))]
    {
        let _ = socket;
        false
    }
}

/// The sockets of the daemon whose state lies in a folder: beside it, and where packages put it.
pub(crate) fn sockets_of(folder: &Path) -> Vec<PathBuf> {
    let beside = ["tailscaled.sock", "s"].iter().map(|it| folder.join(it));
    beside.chain(SOCKETS.iter().map(PathBuf::from)).collect()
}
