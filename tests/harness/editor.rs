//! An editor of a few lines: starts the built language server, keeps a document, sends messages and
//! waits for answers.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// So long a server may take for an answer, on the slowest machine that runs the tests.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server and what it has said.
pub struct Editor {
    server: Child,
    input: Option<ChildStdin>,
    messages: Receiver<Value>,
    /// The newest findings of each document: the message's parameters.
    pub findings: BTreeMap<String, Value>,
    /// What was shown to the person.
    pub shown: Vec<String>,
    /// What the server asked of the editor, by method.
    pub asked: Vec<String>,
    /// What `workspace/configuration` is answered with.
    pub settings: Value,
    answers: BTreeMap<i64, Value>,
    /// Answers to what has no number: malformed messages.
    pub complaints: Vec<Value>,
    next: i64,
}

impl Editor {
    /// Starts a server.
    pub fn start(program: &Path, arguments: &[&str], folder: &Path) -> Result<Self, String> {
        let mut server = Command::new(program)
            .args(arguments)
            .current_dir(folder)
            // What it writes for an editor goes where the test can see it.
            .env("XDG_CACHE_HOME", folder.join("cache"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{}: {error}", program.display()))?;
        let input = server.stdin.take();
        let output = server.stdout.take().ok_or("the server has no output")?;
        let (sender, messages) = channel();
        std::thread::spawn(move || {
            let mut output = BufReader::new(output);
            while let Some(message) = receive(&mut output) {
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        Ok(Self {
            server,
            input,
            messages,
            findings: BTreeMap::new(),
            shown: Vec::new(),
            asked: Vec::new(),
            settings: Value::Null,
            answers: BTreeMap::new(),
            complaints: Vec::new(),
            next: 0,
        })
    }

    /// Sends bytes as they are.
    pub fn send_raw(&mut self, bytes: &[u8]) -> Result<(), String> {
        let input = self.input.as_mut().ok_or("the input is closed")?;
        input.write_all(bytes).and_then(|()| input.flush()).map_err(|error| error.to_string())
    }

    fn send(&mut self, message: &Value) -> Result<(), String> {
        self.send_raw(&framed(message))
    }

    /// Sends a notification.
    pub fn notify(&mut self, method: &str, params: Value) -> Result<(), String> {
        self.send(&json!({"jsonrpc": "2.0", "method": method, "params": params}))
    }

    /// The bytes of a request, and its number.
    pub fn request_bytes(&mut self, method: &str, params: Value) -> (Vec<u8>, i64) {
        self.next += 1;
        let mut message = json!({"jsonrpc": "2.0", "id": self.next, "method": method});
        if !params.is_null()
            && let Some(message) = message.as_object_mut()
        {
            message.insert("params".to_owned(), params);
        }
        (framed(&message), self.next)
    }

    /// Asks, and waits for the answer: a result or an error.
    pub fn request(&mut self, method: &str, params: Value) -> Result<Result<Value, Value>, String> {
        let (bytes, id) = self.request_bytes(method, params);
        self.send_raw(&bytes)?;
        self.answer(id)
    }

    /// Waits for the answer to a request.
    pub fn answer(&mut self, id: i64) -> Result<Result<Value, Value>, String> {
        self.wait(&format!("the answer to request {id}"), |it| it.answers.contains_key(&id))?;
        let answer = self.answers.remove(&id).unwrap_or_default();
        Ok(match answer.get("error") {
            Some(error) => Err(error.clone()),
            None => Ok(answer.get("result").cloned().unwrap_or_default()),
        })
    }

    /// Waits for the findings of a version of a document.
    pub fn findings_of(&mut self, uri: &str, version: i64) -> Result<Vec<Value>, String> {
        let is_there = |it: &Self| {
            let told =
                it.findings.get(uri).and_then(|it| it.get("version")).and_then(Value::as_i64);
            told.is_some_and(|it| it >= version)
        };
        self.wait("findings", is_there)?;
        let all = self.findings.get(uri).and_then(|it| it.get("diagnostics")).cloned();
        Ok(all.and_then(|it| it.as_array().cloned()).unwrap_or_default())
    }

    /// Takes messages until something has come about.
    pub fn wait(&mut self, what: &str, done: impl Fn(&Self) -> bool) -> Result<(), String> {
        let end = Instant::now() + PATIENCE;
        while !done(self) {
            let left = end.saturating_duration_since(Instant::now());
            match self.messages.recv_timeout(left) {
                Ok(message) => self.take(message)?,
                Err(RecvTimeoutError::Timeout) => return Err(format!("{what}: waited in vain")),
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(format!("{what}: the server ended"));
                }
            }
        }
        Ok(())
    }

    fn take(&mut self, message: Value) -> Result<(), String> {
        let params = message.get("params").cloned().unwrap_or_default();
        let text =
            |name: &str| params.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        match (message.get("method").and_then(Value::as_str), message.get("id")) {
            (Some("textDocument/publishDiagnostics"), None) => {
                self.findings.insert(text("uri"), params);
            }
            (Some("window/showMessage"), None) => self.shown.push(text("message")),
            (Some(_), None) => {}
            (Some(method), Some(id)) => {
                self.asked.push(method.to_owned());
                let items = params.get("items").and_then(Value::as_array).map_or(0, Vec::len);
                let result = match method {
                    "workspace/configuration" => json!(vec![self.settings.clone(); items]),
                    _ => Value::Null,
                };
                self.send(&json!({"jsonrpc": "2.0", "id": id, "result": result}))?;
            }
            (None, Some(Value::Number(id))) => {
                self.answers.insert(id.as_i64().unwrap_or_default(), message);
            }
            (None, _) => self.complaints.push(message),
        }
        Ok(())
    }

    /// Closes the server's input, as an editor does that is killed.
    pub fn vanish(&mut self) {
        self.input = None;
    }

    /// Waits for the end of the server.
    pub fn ended(&mut self) -> Result<ExitStatus, String> {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.server.try_wait().map_err(|it| it.to_string())? {
                return Ok(status);
            }
            if Instant::now() > end {
                return Err("the server does not end".to_owned());
            }
            // Nothing tells of the end but asking; it is a moment away.
            let _ = self.messages.recv_timeout(Duration::from_millis(5));
            std::thread::yield_now();
        }
    }

    /// What the server holds in memory, in kilobytes, where the system says.
    pub fn kilobytes(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.server.id())).ok()?;
        let line = status.lines().find(|it| it.starts_with("VmRSS"))?;
        line.split_whitespace().nth(1)?.parse().ok()
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// A message with its header.
pub fn framed(message: &Value) -> Vec<u8> {
    let body = message.to_string();
    format!("Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

fn receive(output: &mut impl BufRead) -> Option<Value> {
    let mut length = None;
    loop {
        let mut line = String::new();
        if output.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end().split_once(": ") {
            Some(("Content-Length", number)) => length = number.parse().ok(),
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length?];
    output.read_exact(&mut body).ok()?;
    serde_json::from_slice(&body).ok()
}

/// The address of a file.
pub fn uri(path: &Path) -> String {
    format!("file://{}", path.display())
}

/// The language server, built.
pub fn server() -> Result<PathBuf, String> {
    crate::aclc::program("lsp", "aclc-lsp")
}
