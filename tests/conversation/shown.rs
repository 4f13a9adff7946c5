//! Answers as people read them: places as `1:2-1:5`, one line for what a line says.

use serde_json::{Map, Value, json};
use tests::editor::uri;

use crate::talk::Talk;

impl Talk {
    /// Tokens as words of the text.
    pub(crate) fn tokens(&self, result: &Value) -> String {
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
    pub(crate) fn shown(&self, value: &Value) -> String {
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
    if let (Some(href), 1) = (text("href"), object.len()) {
        // The folder is called after all pages in it: another when one is edited.
        let (before, behind) = href.split_once("/diagnostics-").unwrap_or((href, ""));
        let file = behind.rsplit_once('/').map(|(_, file)| format!("/…/{file}"));
        return Some(format!("{before}{}", file.unwrap_or_default()));
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
        let page = object.get("codeDescription").and_then(Value::as_str);
        let page = page.map(|it| format!(" <{it}>")).unwrap_or_default();
        let message = message.replace('\n', " | ");
        return Some(format!("{range} {word} {code}{page} {message}{related}"));
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
