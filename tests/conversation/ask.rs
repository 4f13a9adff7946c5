//! Questions of the editor: from a word and a place to a request, and the edits of an answer applied.

use serde_json::{Value, json};
use tests::compare::diff;
use tests::editor::framed;

use crate::talk::{Talk, merge};

impl Talk {
    /// Asks for something about a place of the document: `hover tag:|web`.
    pub(crate) fn feature(&mut self, word: &str, place: &str) -> Result<String, String> {
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

    pub(crate) fn ask(&mut self, method: &str, params: Value) -> Result<String, String> {
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
    pub(crate) fn cancelled(&mut self, place: &str) -> Result<String, String> {
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
    pub(crate) fn apply(&mut self, title: &str) -> Result<String, String> {
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
}
