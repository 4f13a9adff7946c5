//! Conversations with the built language server, a folder of `tests/lsp` for each.
//!
//! `conversation.txt` has what the editor does, a line each; below each stands what the server
//! answered, indented, which BLESS=1 writes. All other files are given: the policy, an inventory,
//! settings. `tests/README.md` lists what an editor can do.

use std::fs;
use std::path::{Path, PathBuf};

use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::{Map, Value, json};
use tests::compare::diff;
use tests::editor::{self, Editor, framed, uri};
use tests::expected::blessing;
use tests::{entries, name, read_text};

const SCRIPT: &str = "conversation.txt";

fn main() -> Result<(), String> {
    let arguments = Arguments::from_args();
    let server = editor::server()?;
    let aclc = tests::aclc::build()?;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("lsp");
    let mut trials = Vec::new();
    for case in entries(&folder)? {
        let (server, aclc) = (server.clone(), aclc.clone());
        let title = name(&case).to_owned();
        trials.push(Trial::test(title, move || judge(&case, &server, &aclc).map_err(Failed::from)));
    }
    libtest_mimic::run(&arguments, trials).exit()
}

fn judge(case: &Path, server: &Path, aclc: &Path) -> Result<(), String> {
    let script = case.join(SCRIPT);
    let expected = read_text(&script)?;
    let place = tempfile::tempdir().map_err(|it| it.to_string())?;
    for file in entries(case)? {
        if name(&file) != SCRIPT {
            fs::copy(&file, place.path().join(name(&file))).map_err(|it| it.to_string())?;
        }
    }
    // A folder behind links would have another name in the server's answers.
    let folder = place.path().canonicalize().map_err(|it| it.to_string())?;
    let mut talk = Talk::new(folder, server, aclc);
    let mut actual = String::new();
    for line in expected.lines().filter(|it| !it.starts_with("  ")) {
        actual.push_str(line);
        actual.push('\n');
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let said = talk.say(line).map_err(|error| format!("{line}: {error}"))?;
        // An empty line would end the answer.
        for line in said.lines().filter(|it| !it.trim().is_empty()) {
            actual.push_str(format!("  {line}").trim_end());
            actual.push('\n');
        }
    }
    talk.end()?;
    if actual == expected {
        return Ok(());
    }
    if blessing() {
        return fs::write(&script, actual).map_err(|it| it.to_string());
    }
    Err(format!("{SCRIPT} differs (BLESS=1 writes it):\n{}", diff(&expected, &actual)))
}

/// A conversation under way.
struct Talk {
    folder: PathBuf,
    server: PathBuf,
    aclc: PathBuf,
    editor: Option<Editor>,
    /// Whether columns are counted in bytes.
    bytes: bool,
    capabilities: Value,
    options: Value,
    /// The open document: its file, version and text.
    file: String,
    version: i64,
    text: String,
    /// Whether the server's findings in it, as everything is now, were waited for.
    told: bool,
    /// What was answered last, for `apply`.
    last: Value,
    ended: bool,
}

impl Talk {
    fn new(folder: PathBuf, server: &Path, aclc: &Path) -> Self {
        Self {
            folder,
            server: server.to_owned(),
            aclc: aclc.to_owned(),
            editor: None,
            bytes: false,
            capabilities: json!({}),
            options: Value::Null,
            file: String::new(),
            version: 0,
            text: String::new(),
            told: false,
            last: Value::Null,
            ended: false,
        }
    }

    fn editor(&mut self) -> Result<&mut Editor, String> {
        self.editor.as_mut().ok_or_else(|| "the conversation has not begun".to_owned())
    }

    fn uri(&self) -> String {
        uri(&self.folder.join(&self.file))
    }

    /// Does what a line says, and gives what there is to show of it.
    fn say(&mut self, line: &str) -> Result<String, String> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "can" => self.can(rest),
            "options" => {
                self.options = serde_json::from_str(rest).map_err(|it| it.to_string())?;
                Ok(String::new())
            }
            "start" => self.start(rest),
            "open" => self.open(rest),
            "generated" => self.generated(rest),
            "type" => {
                let (text, place) = rest.rsplit_once(" at ").ok_or("type TEXT at PLACE")?;
                let offset = self.offset(place)?;
                self.change(offset, offset, &quoted(text)?)
            }
            "replace" => {
                let (old, new) = rest.split_once(" by ").ok_or("replace TEXT by TEXT")?;
                let old = quoted(old)?;
                let at = self.text.find(&old).ok_or("there is no such text")?;
                self.change(at, at + old.len(), &quoted(new)?)
            }
            "everything" => {
                self.text = quoted(rest)?;
                self.changed();
                let params = json!({"textDocument": {"uri": self.uri(), "version": self.version}, "contentChanges": [{"text": self.text}]});
                self.editor()?.notify("textDocument/didChange", params)?;
                Ok(String::new())
            }
            "findings" => self.findings(rest),
            "messages" => Ok(self.editor()?.shown.join("\n")),
            "asked" => {
                let wanted = rest.to_owned();
                self.editor()?.wait("a question", |it| it.asked.contains(&wanted))?;
                Ok(String::new())
            }
            "write" => {
                let (file, text) = rest.split_once(' ').ok_or("write FILE TEXT")?;
                fs::write(self.folder.join(file), quoted(text)?).map_err(|it| it.to_string())?;
                self.settle()?;
                let changes = json!([{"uri": uri(&self.folder.join(file)), "type": 2}]);
                let params = json!({"changes": changes});
                self.editor()?.notify("workspace/didChangeWatchedFiles", params)?;
                Ok(String::new())
            }
            "settings" => {
                let settings: Value = serde_json::from_str(rest).map_err(|it| it.to_string())?;
                let params = json!({"settings": settings});
                self.settle()?;
                self.editor()?.notify("workspace/didChangeConfiguration", params)?;
                Ok(String::new())
            }
            "configuration" => {
                self.editor()?.settings =
                    serde_json::from_str(rest).map_err(|it| it.to_string())?;
                let params = json!({"settings": null});
                self.settle()?;
                self.editor()?.notify("workspace/didChangeConfiguration", params)?;
                Ok(String::new())
            }
            "close" => {
                let params = json!({"textDocument": {"uri": self.uri()}});
                self.editor()?.notify("textDocument/didClose", params)?;
                self.told = true;
                Ok(String::new())
            }
            "apply" => self.apply(rest),
            "text" => Ok(self.text.clone()),
            "raw" => {
                let bytes = quoted(rest)?;
                let before = self.editor()?.complaints.len();
                self.editor()?.send_raw(bytes.as_bytes())?;
                self.editor()?.wait("an error", |it| it.complaints.len() > before)?;
                let answer = self.editor()?.complaints.last().cloned().unwrap_or_default();
                Ok(self.shown(&answer))
            }
            "cancelled" => self.cancelled(rest),
            "vanish" => {
                self.editor()?.vanish();
                self.ended()
            }
            "shutdown" => self.ask("shutdown", Value::Null),
            "exit" => {
                self.editor()?.notify("exit", Value::Null)?;
                self.ended()
            }
            "request" => {
                let (method, params) = rest.split_once(' ').unwrap_or((rest, "null"));
                let params = serde_json::from_str(params).map_err(|it| it.to_string())?;
                self.ask(method, params)
            }
            _ => self.feature(word, rest),
        }
    }

    /// What the editor can do: `utf-8`, `snippets`, …
    fn can(&mut self, words: &str) -> Result<String, String> {
        for word in words.split_whitespace() {
            let more = match word {
                "utf-8" => {
                    self.bytes = true;
                    json!({"general": {"positionEncodings": ["utf-16", "utf-8"]}})
                }
                "snippets" => {
                    json!({"textDocument": {"completion": {"completionItem": {"snippetSupport": true}}}})
                }
                "pull" => {
                    json!({"textDocument": {"diagnostic": {}}, "workspace": {"diagnostics": {"refreshSupport": true}}})
                }
                "nested" => {
                    json!({"textDocument": {"documentSymbol": {"hierarchicalDocumentSymbolSupport": true}}})
                }
                "links" => json!({"textDocument": {"definition": {"linkSupport": true}}}),
                "versions" => json!({"workspace": {"workspaceEdit": {"documentChanges": true}}}),
                "resolve" => {
                    json!({"textDocument": {"codeAction": {"dataSupport": true, "resolveSupport": {"properties": ["edit"]}}}})
                }
                "watch" => {
                    json!({"workspace": {"didChangeWatchedFiles": {"dynamicRegistration": true}}})
                }
                "configuration" => json!({"workspace": {"configuration": true}}),
                other => return Err(format!("no editor can `{other}`")),
            };
            merge(&mut self.capabilities, more);
        }
        Ok(String::new())
    }

    /// Starts the server: `start`, or `start aclc lsp`; `start silent` shows nothing and says nothing.
    fn start(&mut self, how: &str) -> Result<String, String> {
        let (program, arguments): (&Path, &[&str]) = match how {
            "aclc lsp" => (&self.aclc, &["lsp"]),
            _ => (&self.server, &["--stdio"]),
        };
        self.editor = Some(Editor::start(program, arguments, &self.folder)?);
        if how == "silent" {
            return Ok(String::new());
        }
        let params = json!({
            "processId": null,
            "rootUri": uri(&self.folder),
            "workspaceFolders": [{"uri": uri(&self.folder), "name": "here"}],
            "capabilities": self.capabilities,
            "initializationOptions": self.options,
        });
        let answer = self.ask("initialize", params)?;
        self.editor()?.notify("initialized", json!({}))?;
        Ok(if how == "and show" { answer } else { String::new() })
    }

    fn open(&mut self, file: &str) -> Result<String, String> {
        self.text = read_text(&self.folder.join(file))?;
        self.file = file.to_owned();
        self.opened()
    }

    fn opened(&mut self) -> Result<String, String> {
        self.changed();
        let document = json!({"uri": self.uri(), "languageId": "tailnet-policy", "version": self.version, "text": self.text});
        self.editor()?.notify("textDocument/didOpen", json!({"textDocument": document}))?;
        Ok(String::new())
    }

    /// Opens a policy with so many rules, or so many bytes: `generated 5000 rules`.
    fn generated(&mut self, rest: &str) -> Result<String, String> {
        let (number, what) = rest.split_once(' ').ok_or("generated NUMBER WHAT")?;
        let number: usize = number.parse().map_err(|_| "no number")?;
        self.text = match what {
            "rules" => {
                let rule = |it: usize| {
                    format!(
                        "\t{{\"src\": [\"*\"], \"dst\": [\"*\"], \"ip\": [\"{}\"]}},\n",
                        it % 60000 + 1
                    )
                };
                format!("{{\"grants\": [\n{}]}}\n", (0..number).map(rule).collect::<String>())
            }
            "bytes" => format!("{{}}\n{}", "// ".repeat(number / 3)),
            other => return Err(format!("nothing is called `{other}`")),
        };
        self.file = "generated.hujson".to_owned();
        self.opened()
    }

    fn change(&mut self, start: usize, end: usize, new: &str) -> Result<String, String> {
        let range = json!({"start": self.position(start), "end": self.position(end)});
        self.text.replace_range(start..end, new);
        self.changed();
        let params = json!({
            "textDocument": {"uri": self.uri(), "version": self.version},
            "contentChanges": [{"range": range, "text": new}],
        });
        self.editor()?.notify("textDocument/didChange", params)?;
        Ok(String::new())
    }

    /// The document has another text.
    fn changed(&mut self) {
        self.version += 1;
        self.told = false;
    }

    /// Takes all that the server has to tell before something changes beside the document. Answers may
    /// overtake what it tells, and only what it tells of the document has a version: what it tells of
    /// settings and inventories comes before that.
    fn settle(&mut self) -> Result<(), String> {
        let pulls = self.capabilities.pointer("/textDocument/diagnostic").is_some();
        if !self.file.is_empty() && !self.told && !pulls {
            let (address, version) = (self.uri(), self.version);
            self.editor()?.findings_of(&address, version)?;
        }
        self.told = false;
        self.editor()?.findings.clear();
        Ok(())
    }

    fn findings(&mut self, file: &str) -> Result<String, String> {
        let (mut address, mut version) = (self.uri(), self.version);
        if !file.is_empty() {
            (address, version) = (uri(&self.folder.join(file)), 0);
            let wanted = address.clone();
            self.editor()?.wait("findings", |it| it.findings.contains_key(&wanted))?;
            if let Some(found) =
                self.editor()?.findings.get_mut(&address).and_then(Value::as_object_mut)
            {
                found.insert("version".to_owned(), json!(0));
            }
        }
        let found = self.editor()?.findings_of(&address, version)?;
        self.told |= file.is_empty();
        // What was seen is not seen again.
        self.editor()?.findings.remove(&address);
        Ok(if found.is_empty() { "none".to_owned() } else { self.shown(&json!(found)) })
    }

    /// Asks for something about a place of the document: `hover tag:|web`.
    fn feature(&mut self, word: &str, place: &str) -> Result<String, String> {
        let document = json!({"uri": self.uri()});
        let whole = json!({"start": self.position(0), "end": self.position(self.text.len())});
        let mut params = json!({"textDocument": document});
        let mut add = |more: Value| merge(&mut params, more);
        let method = match word {
            "completion" => "textDocument/completion",
            "hover" => "textDocument/hover",
            "definition" => "textDocument/definition",
            "references" => "textDocument/references",
            "highlight" => "textDocument/documentHighlight",
            "prepare" => "textDocument/prepareRename",
            "rename" => "textDocument/rename",
            "outline" => "textDocument/documentSymbol",
            "names" => "workspace/symbol",
            "folds" => "textDocument/foldingRange",
            "selection" => "textDocument/selectionRange",
            "tokens" => "textDocument/semanticTokens/full",
            "hints" => "textDocument/inlayHint",
            "lenses" => "textDocument/codeLens",
            "links" => "textDocument/documentLink",
            "format" => "textDocument/formatting",
            "actions" => "textDocument/codeAction",
            "pull" => "textDocument/diagnostic",
            "run" => "workspace/executeCommand",
            other => return Err(format!("no editor can `{other}`")),
        };
        match word {
            "names" => add(json!({"query": place})),
            "hints" => add(json!({"range": whole})),
            "format" => add(json!({"options": {"tabSize": 2, "insertSpaces": true}})),
            "references" => add(json!({"context": {"includeDeclaration": true}})),
            _ => {}
        }
        let (place, more) = match word {
            "rename" => place.rsplit_once(" to ").unwrap_or((place, "")),
            "actions" => place.rsplit_once(" only ").unwrap_or((place, "")),
            "run" => place.split_once(' ').map_or(("", place), |(command, place)| (place, command)),
            "names" => ("", ""),
            _ => (place, ""),
        };
        let position = if place.is_empty() || place.starts_with("node ") {
            None
        } else {
            Some(self.position(self.offset(place)?))
        };
        match (word, position) {
            ("selection", Some(position)) => add(json!({"positions": [position]})),
            ("actions", Some(position)) => {
                add(json!({"range": {"start": position, "end": position}}))
            }
            ("actions", None) => add(json!({"range": whole})),
            ("run", position) => {
                let mut argument = json!({"uri": self.uri()});
                if let Some(position) = position {
                    merge(&mut argument, json!({"position": position}));
                }
                if let Some(node) = place.strip_prefix("node ") {
                    merge(&mut argument, json!({"node": node}));
                }
                params = json!({"command": more, "arguments": [argument]});
            }
            (_, Some(position)) => add(json!({"position": position})),
            _ => {}
        }
        match word {
            "rename" => merge(&mut params, json!({"newName": more})),
            "actions" if more.is_empty() => {
                merge(&mut params, json!({"context": {"diagnostics": []}}))
            }
            "actions" => {
                merge(&mut params, json!({"context": {"diagnostics": [], "only": [more]}}))
            }
            _ => {}
        }
        self.ask(method, params)
    }

    fn ask(&mut self, method: &str, params: Value) -> Result<String, String> {
        match self.editor()?.request(method, params)? {
            Ok(result) => {
                self.last = result.clone();
                Ok(if method.ends_with("semanticTokens/full") {
                    self.tokens(&result)
                } else {
                    self.shown(&result)
                })
            }
            Err(error) => Ok(format!("error {}", self.shown(&error))),
        }
    }

    /// Sends a change, a request and its cancellation at once.
    fn cancelled(&mut self, place: &str) -> Result<String, String> {
        let offset = self.offset(place)?;
        let position = self.position(offset);
        self.text.insert(offset, ' ');
        self.changed();
        let mut bytes =
            framed(&json!({"jsonrpc": "2.0", "method": "textDocument/didChange", "params": {
                "textDocument": {"uri": self.uri(), "version": self.version},
                "contentChanges": [{"range": {"start": position, "end": position}, "text": " "}],
            }}));
        let params = json!({"textDocument": {"uri": self.uri()}, "position": position});
        let (request, id) = self.editor()?.request_bytes("textDocument/hover", params);
        bytes.extend(request);
        bytes.extend(framed(
            &json!({"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": id}}),
        ));
        self.editor()?.send_raw(&bytes)?;
        let answer = self.editor()?.answer(id)?;
        Ok(match answer {
            Ok(result) => self.shown(&result),
            Err(error) => format!("error {}", self.shown(&error)),
        })
    }

    /// Applies the edits of the last answer: of its action with this title, where it has several.
    fn apply(&mut self, title: &str) -> Result<String, String> {
        let mut answer = self.last.clone();
        if let Some(actions) =
            answer.as_array().filter(|it| it.iter().any(|it| it.get("title").is_some()))
        {
            let wanted = |it: &&Value| it.get("title").and_then(Value::as_str) == Some(title);
            let action = actions.iter().find(wanted).ok_or("there is no such action")?.clone();
            answer = match action.get("edit") {
                Some(edit) => edit.clone(),
                None => self
                    .editor()?
                    .request("codeAction/resolve", action)?
                    .map_err(|it| it.to_string())?
                    .get("edit")
                    .cloned()
                    .unwrap_or_default(),
            };
        }
        let address = self.uri();
        let edits = match (&answer, answer.get("changes"), answer.get("documentChanges")) {
            (Value::Array(edits), ..) => edits.clone(),
            (_, Some(changes), _) => {
                changes.get(&address).and_then(Value::as_array).cloned().unwrap_or_default()
            }
            (_, _, Some(changes)) => {
                changes.pointer("/0/edits").and_then(Value::as_array).cloned().unwrap_or_default()
            }
            _ => Vec::new(),
        };
        let before = self.text.clone();
        // From the end, so that the places before stay true.
        for edit in edits.iter().rev() {
            let at = |end: &str| {
                let place = edit.pointer(&format!("/range/{end}")).cloned().unwrap_or_default();
                self.offset_of(&place)
            };
            let (start, end) = (at("start"), at("end"));
            let new = edit.get("newText").and_then(Value::as_str).unwrap_or_default().to_owned();
            self.change(start, end, &new)?;
        }
        Ok(diff(&before, &self.text))
    }

    fn ended(&mut self) -> Result<String, String> {
        self.ended = true;
        let status = self.editor()?.ended()?;
        Ok(format!("exit code {}", status.code().map_or("none".to_owned(), |it| it.to_string())))
    }

    /// A conversation without an end of its own ends in order.
    fn end(mut self) -> Result<(), String> {
        if !self.ended && self.editor.is_some() {
            self.ask("shutdown", Value::Null)?;
            self.editor()?.notify("exit", Value::Null)?;
            let code = self.ended()?;
            if code != "exit code 0" {
                return Err(format!("the server ended with {code}"));
            }
        }
        Ok(())
    }

    /// The byte that a place means: a text with `|` at the cursor; `2:` before it means the second.
    fn offset(&self, place: &str) -> Result<usize, String> {
        let (number, text) = match place.split_once(": ") {
            Some((number, text)) if number.parse::<usize>().is_ok() => {
                (number.parse().unwrap_or(1), text)
            }
            _ => (1, place),
        };
        let (before, behind) = text.split_once('|').ok_or("a place has a `|`")?;
        let needle = format!("{before}{behind}");
        let found = self.text.match_indices(&needle).nth(number.max(1) - 1);
        found.map(|it| it.0 + before.len()).ok_or_else(|| format!("there is no `{needle}`"))
    }

    fn position(&self, offset: usize) -> Value {
        let before = self.text.get(..offset).unwrap_or_default();
        let start = before.rfind('\n').map_or(0, |it| it + 1);
        let line = before.matches('\n').count();
        let column = before.get(start..).unwrap_or_default();
        let character = if self.bytes { column.len() } else { column.encode_utf16().count() };
        json!({"line": line, "character": character})
    }

    fn offset_of(&self, position: &Value) -> usize {
        let number =
            |name: &str| position.get(name).and_then(Value::as_u64).unwrap_or_default() as usize;
        let mut starts = std::iter::once(0).chain(self.text.match_indices('\n').map(|it| it.0 + 1));
        let start = starts.nth(number("line")).unwrap_or(self.text.len());
        let mut units = number("character");
        let mut at = start;
        for char in self.text.get(start..).unwrap_or_default().chars() {
            if units == 0 {
                break;
            }
            units =
                units.saturating_sub(if self.bytes { char.len_utf8() } else { char.len_utf16() });
            at += char.len_utf8();
        }
        at
    }

    /// Tokens as words of the text.
    fn tokens(&self, result: &Value) -> String {
        const TYPES: [&str; 12] = [
            "property",
            "class",
            "type",
            "variable",
            "enum",
            "interface",
            "namespace",
            "parameter",
            "enumMember",
            "number",
            "keyword",
            "string",
        ];
        let data: Vec<u64> = result
            .get("data")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_u64)
            .collect();
        let (mut line, mut column) = (0, 0);
        let mut lines = Vec::new();
        for token in data.chunks(5) {
            let [down, right, length, kind, modifiers] = token else { continue };
            column = if *down == 0 { column + right } else { *right };
            line += down;
            let at =
                |character: u64| self.offset_of(&json!({"line": line, "character": character}));
            let text = self.text.get(at(column)..at(column + length)).unwrap_or_default();
            let more = match modifiers {
                1 => ", defined",
                2 => ", of Tailscale",
                _ => "",
            };
            lines.push(format!("{text}: {}{more}", TYPES.get(*kind as usize).unwrap_or(&"?")));
        }
        lines.join("\n")
    }

    /// An answer as text: places as `1:2-1:5`, addresses without the folder.
    fn shown(&self, value: &Value) -> String {
        let short = self.short(value);
        match &short {
            Value::String(text) => text.clone(),
            Value::Array(lines) if !lines.is_empty() && lines.iter().all(Value::is_string) => {
                lines.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("\n")
            }
            other => serde_json::to_string_pretty(other).unwrap_or_default(),
        }
    }

    fn short(&self, value: &Value) -> Value {
        let position = |it: &Value| Some(format!("{}:{}", it.get("line")?, it.get("character")?));
        match value {
            Value::Array(all) => all.iter().map(|it| self.short(it)).collect(),
            Value::String(text) => {
                let folder = uri(&self.folder);
                json!(text.replace(&format!("{folder}/"), "").replace(&folder, "."))
            }
            Value::Object(members) => {
                if let (Some(start), Some(end), 2) = (
                    members.get("start").and_then(position),
                    members.get("end").and_then(position),
                    members.len(),
                ) {
                    return json!(format!("{start}-{end}"));
                }
                if let Some(place) = position(value).filter(|_| members.len() == 2) {
                    return json!(place);
                }
                let short: Map<String, Value> =
                    members.iter().map(|(name, it)| (self.key(name), self.short(it))).collect();
                one_line(&short).map_or(Value::Object(short), Value::String)
            }
            other => other.clone(),
        }
    }

    fn key(&self, name: &str) -> String {
        name.replace(&format!("{}/", uri(&self.folder)), "")
    }
}

/// What people read of an object, where a line says it, or a text of its own.
fn one_line(object: &Map<String, Value>) -> Option<String> {
    let text = |name: &str| object.get(name).and_then(Value::as_str);
    if let (Some(title), Some(language), Some(answer)) =
        (text("title"), text("language"), text("text"))
    {
        return Some(format!("{title} ({language})\n{answer}"));
    }
    if let (Some(contents), Some(range)) = (object.get("contents"), text("range")) {
        return Some(format!("{range}\n{}", contents.get("value")?.as_str()?));
    }
    if let (Some(items), Some(incomplete)) = (object.get("items"), object.get("isIncomplete")) {
        let items = items.as_array().into_iter().flatten().filter_map(Value::as_str);
        let more = if incomplete == &json!(true) { "\n…" } else { "" };
        return Some(format!("{}{more}", items.collect::<Vec<_>>().join("\n")));
    }
    let quoted = |text: &str| serde_json::to_string(text).unwrap_or_default();
    if let (Some(range), Some(new), 2) = (text("range"), text("newText"), object.len()) {
        return Some(format!("{range} {}", quoted(new)));
    }
    if let (Some(label), Some(edit)) = (text("label"), text("textEdit")) {
        let detail = text("detail").map(|it| format!(" ({it})")).unwrap_or_default();
        let snippet =
            if object.get("insertTextFormat") == Some(&json!(2)) { " snippet" } else { "" };
        return Some(format!("{label}{detail}:{snippet} {edit}"));
    }
    if let (Some(range), Some(code), Some(message)) = (text("range"), text("code"), text("message"))
    {
        let severity = object.get("severity").and_then(Value::as_u64).unwrap_or_default();
        let word =
            ["", "error", "warning", "note"].get(severity as usize).copied().unwrap_or_default();
        let related =
            object.get("relatedInformation").and_then(Value::as_array).into_iter().flatten();
        let related: String =
            related.filter_map(Value::as_str).map(|it| format!("; {it}")).collect();
        return Some(format!("{range} {word} {code} {}{related}", message.replace('\n', " | ")));
    }
    if let (Some(message), Some(place), 2) = (text("message"), text("location"), object.len()) {
        return Some(format!("{place} {message}"));
    }
    if let (Some(address), Some(range), 2) = (text("uri"), text("range"), object.len()) {
        return Some(format!("{address} {range}"));
    }
    if let (Some(label), Some(place)) = (text("label"), text("position")) {
        return Some(format!("{place} {label}"));
    }
    None
}

/// A text in quotes, as JSON has it.
fn quoted(text: &str) -> Result<String, String> {
    serde_json::from_str(text).map_err(|error| format!("{text} is no quoted text: {error}"))
}

/// Puts the members of one object into another.
fn merge(into: &mut Value, more: Value) {
    match (into, more) {
        (Value::Object(into), Value::Object(more)) => {
            for (name, value) in more {
                merge(into.entry(name).or_insert(Value::Null), value);
            }
        }
        (into, more) => *into = more,
    }
}
