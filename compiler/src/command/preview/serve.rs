//! A server for one page and one person: it reads requests with `httparse`, answers `GET`, closes the
//! connection, and keeps one open to say when a file changes.
//!
//! Who may ask: only whoever knows the token, and only under the name of this machine, so that a page
//! from elsewhere whose name was made to mean 127.0.0.1 learns nothing.

use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::files::Files;
use super::page::Page;
use crate::command::Exit;
use crate::command::failure::Failure;

/// Everything that is served.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) page: Page,
    pub(super) files: Files,
    pub(super) port: u16,
    pub(super) token: String,
}

/// More than a browser sends, and no more than a request may take of memory.
const MAX_HEAD: usize = 16 * 1024;

/// A page has a handful of connections; a program that opens more than this waits.
const MAX_CONNECTIONS: usize = 64;

/// Whoever is silent for so long in a request is gone.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often the files are looked at, and after how many looks something is said in any case, which
/// finds out whether anybody listens.
const BEAT: Duration = Duration::from_millis(250);
const BEATS_OF_SILENCE: u32 = 40;

/// What is answered.
struct Answer {
    status: &'static str,
    kind: &'static str,
    body: Vec<u8>,
}

impl Answer {
    fn refused(status: &'static str) -> Self {
        Self { status, kind: "text/plain; charset=utf-8", body: format!("{status}\n").into_bytes() }
    }
}

impl Server {
    /// Answers until the process is ended.
    pub(super) fn run(&self, listener: &TcpListener) -> Result<Exit, Failure> {
        let open = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for stream in listener.incoming() {
                // A connection that is gone before it is looked at is no concern of ours.
                let Ok(stream) = stream else { continue };
                if open.fetch_add(1, Ordering::Relaxed) >= MAX_CONNECTIONS {
                    open.fetch_sub(1, Ordering::Relaxed);
                    continue;
                }
                scope.spawn(|| {
                    // Whoever closes early has what they wanted.
                    let _ = self.converse(stream);
                    open.fetch_sub(1, Ordering::Relaxed);
                });
            }
        });
        Ok(Exit::Clean)
    }

    fn converse(&self, mut stream: TcpStream) -> io::Result<()> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let head = read_head(&mut stream)?;
        let answer = match self.wanted(&head) {
            Ok("events") => return self.tell_changes(&mut stream),
            Ok("files.json") => self.contents(),
            Ok(name) => self.file(name),
            Err(refused) => refused,
        };
        write_head(&mut stream, answer.status, answer.kind, Some(answer.body.len()))?;
        stream.write_all(&answer.body)
    }

    /// The name behind the token that a request asks for.
    fn wanted<'h>(&self, head: &'h [u8]) -> Result<&'h str, Answer> {
        let mut headers = [httparse::EMPTY_HEADER; 96];
        let mut request = httparse::Request::new(&mut headers);
        let whole = request.parse(head).is_ok_and(|it| it.is_complete());
        let (true, Some(method), Some(path)) = (whole, request.method, request.path) else {
            return Err(Answer::refused("400 Bad Request"));
        };
        let host = |it: &&httparse::Header<'_>| it.name.eq_ignore_ascii_case("host");
        let mut hosts = request.headers.iter().filter(host);
        let known = [format!("127.0.0.1:{}", self.port), format!("localhost:{}", self.port)];
        let here =
            |it: &httparse::Header<'_>| known.iter().any(|known| known.as_bytes() == it.value);
        if !hosts.next().is_some_and(here) || hosts.next().is_some() {
            return Err(Answer::refused("403 Forbidden"));
        }
        let path = path.split(['?', '#']).next().unwrap_or_default();
        let name = path.strip_prefix('/').and_then(|it| it.split_once('/'));
        let Some((_, name)) = name.filter(|it| same(it.0, &self.token)) else {
            return Err(Answer::refused("403 Forbidden"));
        };
        if method != "GET" {
            return Err(Answer::refused("405 Method Not Allowed"));
        }
        Ok(name)
    }

    fn file(&self, name: &str) -> Answer {
        match self.page.file(name) {
            Some(Ok((kind, body))) => Answer { status: "200 OK", kind, body },
            Some(Err(_)) => Answer::refused("500 Internal Server Error"),
            None => Answer::refused("404 Not Found"),
        }
    }

    /// What is in the files; a file that cannot be read now may be in a moment, and the page says so.
    fn contents(&self) -> Answer {
        let body = match self.files.read() {
            Ok(document) => serde_json::to_vec(&document),
            Err(failure) => {
                serde_json::to_vec(&serde_json::json!({ "error": failure.to_string() }))
            }
        };
        match body {
            Ok(body) => Answer { status: "200 OK", kind: "application/json", body },
            Err(_) => Answer::refused("500 Internal Server Error"),
        }
    }

    /// Server-sent events: one at once, and one after each change.
    fn tell_changes(&self, stream: &mut TcpStream) -> io::Result<()> {
        write_head(stream, "200 OK", "text/event-stream", None)?;
        loop {
            let stamps = self.files.stamps();
            stream.write_all(b"event: change\ndata:\n\n")?;
            let mut silent = 0;
            while stamps == self.files.stamps() {
                std::thread::sleep(BEAT);
                silent += 1;
                if silent % BEATS_OF_SILENCE == 0 {
                    stream.write_all(b":\n\n")?;
                }
            }
        }
    }
}

/// Compares without telling by the time it takes how much of a guess was right.
fn same(one: &str, other: &str) -> bool {
    let differs = one.bytes().zip(other.bytes()).fold(0, |all, (a, b)| all | (a ^ b));
    one.len() == other.len() && differs == 0
}

/// Reads up to the empty line that ends the head of a request.
fn read_head(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    let mut piece = [0; 2048];
    while !head.windows(4).any(|it| it == b"\r\n\r\n") && head.len() < MAX_HEAD {
        let count = stream.read(&mut piece)?;
        if count == 0 {
            break;
        }
        head.extend(piece.iter().take(count));
    }
    Ok(head)
}

/// Nothing is kept: what is served belongs to one run.
fn write_head(
    stream: &mut TcpStream,
    status: &str,
    kind: &str,
    length: Option<usize>,
) -> io::Result<()> {
    let length = length.map_or_else(String::new, |it| format!("content-length: {it}\r\n"));
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\n{length}cache-control: no-store\r\n\
         x-content-type-options: nosniff\r\nreferrer-policy: no-referrer\r\n\
         cross-origin-resource-policy: same-origin\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes())
}
