//! Compact JSON → JSON for people: members keep their order, what fits a line stays on it.

use serde_json::Value;

/// The longest line that is not broken.
const WIDTH: usize = 100;

/// Lays out a JSON text; a sentence about what is wrong where it is none.
pub fn pretty(json: &str) -> Result<String, String> {
    // Read as a whole first, so that the walk below may trust brackets and quotes.
    serde_json::from_str::<Value>(json)
        .map_err(|error| format!("what was written is no JSON: {error}"))?;
    let tokens = tokens(json);
    let mut text = String::new();
    write(&tokens, 0, &mut text);
    text.push('\n');
    Ok(text)
}

/// Brackets, commas, colons, strings and scalars, without the blanks between them.
fn tokens(json: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = json.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '{' | '}' | '[' | ']' | ',' | ':' => 1,
            '"' => string_length(rest),
            _ => rest
                .find(|it: char| ",:]}".contains(it) || it.is_whitespace())
                .unwrap_or(rest.len()),
        };
        let (token, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        tokens.push(token);
        rest = after.trim_start();
    }
    tokens
}

/// How many bytes the string at the start of `text` takes, its quotes included.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    let inner = text.bytes().skip(1).position(|byte| {
        let end = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        end
    });
    inner.map_or(text.len(), |it| it + 2)
}

/// Writes one value, on one line where it fits; broken lines are indented by two blanks a level.
fn write(value: &[&str], indent: usize, text: &mut String) {
    let flat = flat(value);
    let used = text.len() - text.rfind('\n').map_or(0, |it| it + 1);
    // One column is for the comma that may follow.
    if used + flat.chars().count() < WIDTH || value.len() <= 2 {
        text.push_str(&flat);
        return;
    }
    let (Some(open), Some(close)) = (value.first(), value.last()) else { return };
    text.push_str(open);
    let inner = value.get(1..value.len() - 1).unwrap_or_default();
    let mut parts = parts(inner).into_iter().peekable();
    while let Some(part) = parts.next() {
        text.push('\n');
        text.extend(std::iter::repeat_n("  ", indent + 1));
        let named = part.get(1) == Some(&":");
        if let (true, Some(name)) = (named, part.first()) {
            text.extend([*name, ": "]);
        }
        write(part.get(if named { 2 } else { 0 }..).unwrap_or_default(), indent + 1, text);
        if parts.peek().is_some() {
            text.push(',');
        }
    }
    text.push('\n');
    text.extend(std::iter::repeat_n("  ", indent));
    text.push_str(close);
}

/// A value on one line.
fn flat(value: &[&str]) -> String {
    let mut text = String::new();
    for token in value {
        text.push_str(token);
        if matches!(*token, "," | ":") {
            text.push(' ');
        }
    }
    text
}

/// Members or elements: what stands between the commas of this level.
fn parts<'a, 't>(inner: &'a [&'t str]) -> Vec<&'a [&'t str]> {
    let mut depth = 0usize;
    inner
        .split(|token| {
            match *token {
                "{" | "[" => depth += 1,
                "}" | "]" => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0 && *token == ","
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::pretty;

    #[test]
    fn short_values_stay_on_their_line() {
        let json = r#"{"b":[1,2,{}],"a":"x\"],{"}"#;
        assert_eq!(pretty(json).unwrap(), "{\"b\": [1, 2, {}], \"a\": \"x\\\"],{\"}\n");
    }

    #[test]
    fn long_values_are_broken_at_their_own_level_only() {
        let long = "x".repeat(90);
        let json = format!(r#"{{"long":["{long}",[1,2]],"empty":[]}}"#);
        let expected =
            format!("{{\n  \"long\": [\n    \"{long}\",\n    [1, 2]\n  ],\n  \"empty\": []\n}}\n");
        assert_eq!(pretty(&json).unwrap(), expected);
    }

    #[test]
    fn what_is_no_json_is_said() {
        assert!(pretty(r#"{"a":1,}"#).is_err());
    }
}
