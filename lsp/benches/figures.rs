//! The figures of an editor, each beside its budget: `cargo bench -p lsp`.
//!
//! The built server is driven over its standard input and output, as an editor does it: a keystroke is a
//! change of one character, and ends when the findings of the new text are there. Each figure is the
//! median of several runs; where a policy is small, most of it is what the system takes to wake threads.

#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::string_slice,
    reason = "a benchmark reads, prints, and may stop at anything"
)]
#![allow(missing_docs, reason = "a program has no readers of its items")]

#[allow(dead_code, reason = "the benchmarks of the compiler use more of it")]
#[path = "../../compiler/benches/figures/report.rs"]
mod report;
#[allow(dead_code, reason = "the benchmarks of the compiler use more of it")]
#[path = "../../compiler/benches/figures/workload.rs"]
mod workload;

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use report::Report;
use serde_json::{Value, json};
use workload::{Size, Workload};

/// So many times each thing is done.
const RUNS: usize = 30;

fn main() {
    let mut report = Report::default();
    if let Ok(load) = std::fs::read_to_string("/proc/loadavg") {
        println!("load before: {}", load.trim());
    }
    // The figure without an inventory is the measure of the one with it.
    for (lines, keystroke) in [(1_000, 16.0), (10_000, 60.0)] {
        let alone = figures(&mut report, lines, 0, keystroke);
        let with = figures(&mut report, lines, 2_000, keystroke);
        report.at_most("the inventory's share of a keystroke", with / alone, 1.5, "times");
    }
    report.end();
}

/// All figures of a policy with so many lines; gives the milliseconds of a keystroke.
fn figures(report: &mut Report, lines: usize, nodes: usize, budget: f64) -> f64 {
    let workload = policy_of(lines, nodes.max(200));
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("policy.hujson");
    std::fs::write(&file, &workload.policy).expect("the policy");
    if nodes > 0 {
        std::fs::write(folder.path().join("nodes.json"), &workload.inventory).expect("nodes");
    }
    let facts = if nodes > 0 { format!(", {nodes} devices") } else { ", no inventory".to_owned() };
    let (count, kilobytes) = (workload.policy.lines().count(), workload.policy.len() / 1000);
    report.head(&format!("policy of {count} lines, {kilobytes} kB{facts}"));

    let uri = format!("file://{}", file.display());
    let mut editor = Editor::start(&uri, &workload.policy);
    let place = place_of(&workload.policy);
    let typed = editor.median(|editor| editor.keystroke(place));
    report.at_most("a keystroke, until its findings are there", typed, budget, "ms");
    for (name, method) in
        [("completion", "textDocument/completion"), ("hover", "textDocument/hover")]
    {
        let taken = editor.median(|editor| editor.ask(method, place));
        report.at_most(name, taken, 10.0, "ms");
    }
    let taken = editor.median(|editor| {
        editor.type_one(place);
        let taken = editor.ask("textDocument/completion", place);
        editor.findings();
        taken
    });
    report.note("completion right after a keystroke", taken, "ms");
    for (name, method) in [
        ("semantic tokens of the file", "textDocument/semanticTokens/full"),
        ("code lenses", "textDocument/codeLens"),
        ("outline", "textDocument/documentSymbol"),
        ("references", "textDocument/references"),
    ] {
        let taken = editor.median(|editor| editor.ask(method, place));
        report.note(name, taken, "ms");
    }
    report.note("memory of the server", editor.megabytes(), "MB");
    typed
}

/// A policy with so many lines, a rule to each of most of them.
fn policy_of(lines: usize, nodes: usize) -> Workload {
    let mut rules = lines;
    loop {
        let workload = Workload::new(Size { nodes, rules, own_devices: false });
        let count = workload.policy.lines().count();
        if count <= lines + lines / 100 {
            return workload;
        }
        rules -= (count - lines).min(rules - 1);
    }
}

/// The line and column behind a selector in the middle of the rules.
fn place_of(policy: &str) -> (usize, usize) {
    let rules = policy.lines().enumerate().filter(|it| it.1.contains("\"src\""));
    let rules: Vec<(usize, &str)> = rules.collect();
    let (line, text) = rules[rules.len() / 2];
    let open = text.find("\"src\"").expect("a source");
    let colon = text[open + 5..].find('"').expect("a text") + open + 5;
    (line, colon + 1)
}

/// An editor with one document open.
struct Editor {
    server: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    uri: String,
    version: usize,
    /// The version whose findings came last.
    told: usize,
    id: usize,
}

impl Editor {
    fn start(uri: &str, text: &str) -> Self {
        let mut server = Command::new(env!("CARGO_BIN_EXE_aclc-lsp"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server");
        let input = server.stdin.take().expect("its input");
        let output = BufReader::new(server.stdout.take().expect("its output"));
        let mut editor =
            Self { server, input, output, uri: uri.to_owned(), version: 1, told: 0, id: 0 };
        editor
            .request("initialize", json!({"processId": null, "rootUri": null, "capabilities": {}}));
        editor.notify("initialized", json!({}));
        let document =
            json!({"uri": uri, "languageId": "tailnet-policy", "version": 1, "text": text});
        editor.notify("textDocument/didOpen", json!({"textDocument": document}));
        editor.findings();
        editor
    }

    fn send(&mut self, message: &Value) {
        let body = message.to_string();
        write!(self.input, "Content-Length: {}\r\n\r\n{body}", body.len()).expect("it reads");
        self.input.flush().expect("it reads");
    }

    fn receive(&mut self) -> Vec<u8> {
        let mut length = 0;
        loop {
            let mut line = String::new();
            self.output.read_line(&mut line).expect("a header");
            match line.trim_end().split_once(": ") {
                Some((_, number)) => length = number.parse().expect("a length"),
                None => break,
            }
        }
        let mut body = vec![0; length];
        self.output.read_exact(&mut body).expect("a body");
        let text = String::from_utf8_lossy(&body);
        if text.contains("publishDiagnostics")
            && let Some((_, version)) = text.rsplit_once("\"version\":")
        {
            self.told = version.trim_end_matches('}').parse().expect("a version");
        }
        body
    }

    fn notify(&mut self, method: &str, params: Value) {
        self.send(&json!({"jsonrpc": "2.0", "method": method, "params": params}));
    }

    /// Asks and waits for the answer, which is not looked at.
    fn request(&mut self, method: &str, params: Value) -> Duration {
        self.id += 1;
        let id = format!("\"id\":{}}}", self.id);
        let start = Instant::now();
        self.send(&json!({"jsonrpc": "2.0", "id": self.id, "method": method, "params": params}));
        loop {
            let answer = self.receive();
            if answer.ends_with(id.as_bytes()) {
                return start.elapsed();
            }
        }
    }

    fn ask(&mut self, method: &str, (line, character): (usize, usize)) -> Duration {
        let params = json!({
            "textDocument": {"uri": self.uri},
            "position": {"line": line, "character": character},
            "context": {"includeDeclaration": true, "triggerKind": 1},
        });
        self.request(method, params)
    }

    /// Writes a character, or takes the one away that was written before.
    fn type_one(&mut self, (line, character): (usize, usize)) {
        self.version += 1;
        let (end, text) =
            if self.version.is_multiple_of(2) { (character, "x") } else { (character + 1, "") };
        let range = json!({
            "start": {"line": line, "character": character},
            "end": {"line": line, "character": end},
        });
        self.notify(
            "textDocument/didChange",
            json!({
                "textDocument": {"uri": self.uri, "version": self.version},
                "contentChanges": [{"range": range, "text": text}],
            }),
        );
    }

    /// Waits for the findings of the newest text.
    fn findings(&mut self) {
        while self.told < self.version {
            self.receive();
        }
    }

    fn keystroke(&mut self, place: (usize, usize)) -> Duration {
        let start = Instant::now();
        self.type_one(place);
        self.findings();
        start.elapsed()
    }

    /// The median of several runs, in milliseconds.
    fn median(&mut self, mut work: impl FnMut(&mut Self) -> Duration) -> f64 {
        let mut taken: Vec<Duration> = (0..RUNS).map(|_| work(self)).collect();
        taken.sort_unstable();
        taken[RUNS / 2].as_secs_f64() * 1e3
    }

    /// What the server holds, where the system says.
    fn megabytes(&self) -> f64 {
        let path = format!("/proc/{}/status", self.server.id());
        let status = std::fs::read_to_string(path).unwrap_or_default();
        let line = status.lines().find(|it| it.starts_with("VmRSS")).unwrap_or_default();
        let number = line.split_whitespace().nth(1).and_then(|it| it.parse::<f64>().ok());
        number.unwrap_or_default() / 1e3
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
