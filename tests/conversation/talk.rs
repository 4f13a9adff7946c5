//! A conversation under way: what the editor is able to, its document, and what each line makes it do.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tests::editor::{Editor, uri};
use tests::{entries, name, read_text};

/// A conversation under way.
pub(crate) struct Talk {
    pub(crate) folder: PathBuf,
    server: PathBuf,
    aclc: PathBuf,
    editor: Option<Editor>,
    /// Whether columns are counted in bytes.
    pub(crate) bytes: bool,
    capabilities: Value,
    options: Value,
    /// The open document: its file, version and text.
    file: String,
    pub(crate) version: i64,
    pub(crate) text: String,
    /// Whether the server's findings in it, as everything is now, were waited for.
    told: bool,
    /// What was answered last, for `apply`.
    pub(crate) last: Value,
    ended: bool,
}

impl Talk {
    pub(crate) fn new(folder: PathBuf, server: &Path, aclc: &Path) -> Self {
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

    pub(crate) fn editor(&mut self) -> Result<&mut Editor, String> {
        self.editor.as_mut().ok_or_else(|| "the conversation has not begun".to_owned())
    }

    pub(crate) fn uri(&self) -> String {
        uri(&self.folder.join(&self.file))
    }

    /// Does what a line says, and gives what there is to show of it.
    pub(crate) fn say(&mut self, line: &str) -> Result<String, String> {
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
            "cache" => self.cache(),
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
                "codes" => {
                    json!({"textDocument": {"publishDiagnostics": {"codeDescriptionSupport": true}}})
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

    pub(crate) fn change(&mut self, start: usize, end: usize, new: &str) -> Result<String, String> {
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
    pub(crate) fn changed(&mut self) {
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

    /// The files in the user's cache folder, with their first lines.
    fn cache(&self) -> Result<String, String> {
        let place = self.folder.join("cache/aclc");
        let mut lines = Vec::new();
        for folder in if place.is_dir() { entries(&place)? } else { Vec::new() } {
            for file in entries(&folder)? {
                let text = read_text(&file)?;
                lines.push(format!("{}: {}", name(&file), text.lines().next().unwrap_or_default()));
            }
        }
        Ok(if lines.is_empty() { "nothing".to_owned() } else { lines.join("\n") })
    }

    fn ended(&mut self) -> Result<String, String> {
        self.ended = true;
        let status = self.editor()?.ended()?;
        Ok(format!("exit code {}", status.code().map_or("none".to_owned(), |it| it.to_string())))
    }

    /// A conversation without an end of its own ends in order.
    pub(crate) fn end(mut self) -> Result<(), String> {
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
}

/// A text in quotes, as JSON has it.
pub(crate) fn quoted(text: &str) -> Result<String, String> {
    serde_json::from_str(text).map_err(|error| format!("{text} is no quoted text: {error}"))
}

/// Puts the members of one object into another.
pub(crate) fn merge(into: &mut Value, more: Value) {
    match (into, more) {
        (Value::Object(into), Value::Object(more)) => {
            for (name, value) in more {
                merge(into.entry(name).or_insert(Value::Null), value);
            }
        }
        (into, more) => *into = more,
    }
}
