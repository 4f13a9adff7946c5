//! Standard input → messages, answers → standard output.
//!
//! Three threads: one reads, one writes, one answers, so that neither a slow client nor a long message
//! holds up the others. What is no message is answered by the protocol's error, and the next one is
//! read: a client may make a mistake and go on.

use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::process::ExitCode;
use std::time::Duration;

use futures_util::stream::FuturesUnordered;
use futures_util::{SinkExt, StreamExt};
use serde::Serialize;
use serde_json::Value;
use tokio::sync::mpsc;
use tower_lsp::jsonrpc::{Error, Id, Request, Response};
use tower_lsp::{LanguageServer, Loopback, LspService};
use tower_service::Service;

use super::backend::Backend;

/// The longest message: a policy may have 32 MiB, and its text is longer within JSON.
const MAX_MESSAGE: u64 = 1 << 28;

/// So many messages wait on either side; then whoever sends them does.
const WAITING: usize = 256;

/// Where a message goes that is bytes already: findings of a long text, of which nobody wants copies. Weak,
/// so that work under way does not keep the writer waiting at the end.
pub(super) type Outgoing = mpsc::WeakSender<Vec<u8>>;

/// What comes from the client.
enum Incoming {
    Request(Request),
    Response(Response),
    /// What is no message, and what to answer.
    Malformed(Response),
}

/// Serves one client on standard input and output, until it says `exit` or is gone.
///
/// The exit code is that of the protocol: 0 where `shutdown` came before the end, else 1.
pub fn serve() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let Ok(runtime) = runtime else { return ExitCode::FAILURE };
    let (incoming_in, incoming) = mpsc::channel(WAITING);
    let (outgoing, outgoing_out) = mpsc::channel(WAITING);
    let (written, all_written) = std::sync::mpsc::channel::<()>();
    std::thread::spawn(move || read(BufReader::new(io::stdin().lock()), &incoming_in));
    std::thread::spawn(move || {
        write(BufWriter::new(io::stdout().lock()), outgoing_out);
        drop(written);
    });
    let findings = outgoing.downgrade();
    let (service, socket) = LspService::new(|client| Backend::new(client, findings));
    let orderly = runtime.block_on(answer(service, socket, incoming, outgoing));
    // A client that is gone reads no more; whatever it can still take has a moment.
    let _ = all_written.recv_timeout(Duration::from_secs(1));
    // Work that is under way has nobody left to tell.
    runtime.shutdown_background();
    if orderly { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Answers until the end; says whether the client shut the server down before.
async fn answer<S: LanguageServer>(
    mut service: LspService<S>,
    socket: impl Loopback,
    mut incoming: mpsc::Receiver<Incoming>,
    outgoing: mpsc::Sender<Vec<u8>>,
) -> bool {
    let (mut requests, mut responses) = socket.split();
    let mut running = FuturesUnordered::new();
    let mut shut_down = false;
    loop {
        tokio::select! {
            // What has begun goes first: so each message changes the state before the next is looked at.
            // And what was told before an answer was known is sent before it.
            biased;
            Some(request) = requests.next() => {
                if !send(&outgoing, &request).await {
                    break;
                }
            }
            Some(answered) = running.next() => {
                if let Ok(Some(response)) = answered
                    && !send(&outgoing, &response).await
                {
                    break;
                }
            }
            message = incoming.recv() => match message {
                None => break,
                Some(Incoming::Request(request)) => {
                    shut_down |= request.method() == "shutdown" && request.id().is_some();
                    let ends = request.method() == "exit";
                    running.push(service.call(request));
                    if ends {
                        break;
                    }
                }
                Some(Incoming::Response(response)) => {
                    let _ = responses.send(response).await;
                }
                Some(Incoming::Malformed(response)) => {
                    if !send(&outgoing, &response).await {
                        break;
                    }
                }
            },
            // The client is gone, and nobody reads the answers.
            () = outgoing.closed() => break,
        }
    }
    shut_down
}

/// Whether there is still somebody to send to.
async fn send(outgoing: &mpsc::Sender<Vec<u8>>, message: &impl Serialize) -> bool {
    match serde_json::to_vec(message) {
        Ok(bytes) => outgoing.send(bytes).await.is_ok(),
        Err(_) => true,
    }
}

fn write(mut output: impl Write, mut messages: mpsc::Receiver<Vec<u8>>) {
    while let Some(message) = messages.blocking_recv() {
        let header = write!(output, "Content-Length: {}\r\n\r\n", message.len());
        let sent = header.and_then(|()| output.write_all(&message));
        // Several that wait go out together.
        if sent.and_then(|()| if messages.is_empty() { output.flush() } else { Ok(()) }).is_err() {
            return;
        }
    }
    let _ = output.flush();
}

fn read(mut input: impl BufRead, messages: &mpsc::Sender<Incoming>) {
    while let Ok(Some(read)) = read_message(&mut input) {
        let message = match read {
            Ok(body) => message(&body),
            Err(error) => Incoming::Malformed(Response::from_error(Id::Null, error)),
        };
        if messages.blocking_send(message).is_err() {
            return;
        }
    }
}

/// The body of the next message, or what is wrong with its header; `None` at the end of the input.
fn read_message(input: &mut impl BufRead) -> io::Result<Option<Result<Vec<u8>, Error>>> {
    let Some(length) = read_header(input)? else { return Ok(None) };
    let Some(length) = length else { return Ok(Some(Err(Error::parse_error()))) };
    if length > MAX_MESSAGE {
        io::copy(&mut input.take(length), &mut io::sink())?;
        let mut error = Error::invalid_request();
        error.message = format!("a message of {length} bytes is too long").into();
        return Ok(Some(Err(error)));
    }
    let mut body = Vec::new();
    input.take(length).read_to_end(&mut body)?;
    Ok((body.len() as u64 == length).then_some(Ok(body)))
}

/// The length that a header gives, `None` in it where there is no right one; `None` at the end.
fn read_header(input: &mut impl BufRead) -> io::Result<Option<Option<u64>>> {
    /// No line of a header is longer.
    const MAX_LINE: u64 = 4096;
    let mut length = None;
    let mut lines = 0;
    loop {
        let mut line = Vec::new();
        if input.take(MAX_LINE).read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        lines += 1;
        let line = String::from_utf8_lossy(&line);
        match line.trim_end_matches(['\r', '\n']).split_once(':') {
            Some((name, value)) if name.trim().eq_ignore_ascii_case("content-length") => {
                length = value.trim().parse().ok();
                if length.is_none() {
                    return Ok(Some(None));
                }
            }
            Some(_) => {}
            // An empty line ends a header; between messages it is nothing.
            None if line.trim().is_empty() && lines == 1 => lines = 0,
            None if line.trim().is_empty() => return Ok(Some(length)),
            None => return Ok(Some(None)),
        }
    }
}

/// The message that a body is.
fn message(body: &[u8]) -> Incoming {
    let malformed = |id, error| Incoming::Malformed(Response::from_error(id, error));
    let Ok(value) = serde_json::from_slice::<Value>(body) else {
        return malformed(Id::Null, Error::parse_error());
    };
    let id = value.get("id").and_then(|it| serde_json::from_value::<Id>(it.clone()).ok());
    let id = id.unwrap_or(Id::Null);
    if value.get("method").is_some() {
        return match serde_json::from_value(value) {
            Ok(request) => Incoming::Request(request),
            Err(_) => malformed(id, Error::invalid_request()),
        };
    }
    match serde_json::from_value(value) {
        Ok(response) => Incoming::Response(response),
        Err(_) => malformed(id, Error::invalid_request()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bodies(input: &str) -> Vec<Option<String>> {
        let mut input = input.as_bytes();
        let mut found = Vec::new();
        while let Some(read) = read_message(&mut input).unwrap() {
            found.push(read.ok().map(|it| String::from_utf8(it).unwrap()));
        }
        found
    }

    #[test]
    fn headers_are_taken_in_any_case_and_order() {
        let input = "content-length: 2\r\nContent-Type: x; charset=utf-8\r\n\r\n{}Content-Type: y\nContent-Length:3\n\n[1]";
        assert_eq!(bodies(input), [Some("{}".to_owned()), Some("[1]".to_owned())]);
    }

    #[test]
    fn what_is_no_header_is_told_and_passed() {
        let input = "nonsense\r\nContent-Length: many\r\n\r\nContent-Length: 2\r\n\r\n{}";
        assert_eq!(bodies(input), [None, None, Some("{}".to_owned())]);
    }

    #[test]
    fn half_a_message_is_the_end() {
        assert_eq!(bodies("Content-Length: 5\r\n\r\n{}"), []);
        assert_eq!(bodies("Content-Le"), [None]);
    }
}
