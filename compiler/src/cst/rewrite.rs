//! What was written → what JSON has for it: the texts that fixes offer.

use std::fmt::Write as _;

/// A control character as an escape.
pub(super) fn escaped(char: char) -> String {
    match char {
        '\n' => "\\n".to_owned(),
        '\r' => "\\r".to_owned(),
        '\t' => "\\t".to_owned(),
        _ => format!("\\u{:04x}", char as u32),
    }
}

/// `inner` as it would stand between double quotes: JSON's escapes kept, those of JSON5 replaced.
pub(super) fn inner(inner: &str) -> String {
    let mut text = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(char) = chars.next() {
        match char {
            '\\' => escape(&mut chars, &mut text),
            '"' => text.push_str("\\\""),
            '\0'..='\u{1f}' => text.push_str(&escaped(char)),
            _ => text.push(char),
        }
    }
    text
}

/// The escape whose backslash has been read.
fn escape(chars: &mut std::str::Chars<'_>, text: &mut String) {
    match chars.next() {
        Some(it @ ('"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't' | 'u')) => {
            text.extend(['\\', it])
        }
        // A line that goes on in the next one.
        Some('\n' | '\u{2028}' | '\u{2029}') => {}
        Some('\r') => {
            let rest = chars.as_str();
            *chars = rest.strip_prefix('\n').unwrap_or(rest).chars();
        }
        Some('v') => text.push_str("\\u000b"),
        Some('0') => text.push_str("\\u0000"),
        Some('x') => {
            let digits = chars.as_str().get(..2).and_then(|it| u8::from_str_radix(it, 16).ok());
            if let Some(code) = digits {
                chars.nth(1);
                // Writing to a string cannot fail.
                let _ = write!(text, "\\u{code:04x}");
            } else {
                text.push('x');
            }
        }
        Some(it) => text.push(it),
        None => {}
    }
}

/// `text` as a string.
pub(super) fn string(text: &str) -> String {
    format!("\"{}\"", inner(text))
}

/// What somebody meant who wrote `word` as a value, and whether that is certain.
pub(super) fn word(word: &str) -> Option<(String, bool)> {
    let sure = match word.to_ascii_lowercase().as_str() {
        "true" => Some("true"),
        "false" => Some("false"),
        "null" | "none" | "nil" | "undefined" => Some("null"),
        _ => None,
    };
    if let Some(literal) = sure {
        return Some((literal.to_owned(), true));
    }
    if let Some(number) = number(word) {
        return Some((number, true));
    }
    if matches!(word.trim_start_matches(['+', '-']), "Infinity" | "NaN") {
        return None;
    }
    if word.len() < 8
        && let Some(similar) = crate::diagnostic::similar(word, ["true", "false", "null"])
    {
        return Some((similar.to_owned(), false));
    }
    // Whoever writes a word where a value belongs has forgotten its quotes, or not yet written on.
    Some((string(word), false))
}

/// A number of another language as JSON has it.
fn number(word: &str) -> Option<String> {
    let (sign, digits) = match word.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", word.strip_prefix('+').unwrap_or(word)),
    };
    if digits.is_empty() {
        return None;
    }
    let lower = digits.to_ascii_lowercase();
    let digits = match lower.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok()?.to_string(),
        None => {
            let (whole, rest) = digits.split_at_checked(
                digits.find(|it: char| !it.is_ascii_digit()).unwrap_or(digits.len()),
            )?;
            let zeros = whole.len() > 1 && whole.starts_with('0');
            // `007` is seven to some and octal to others.
            if zeros {
                return None;
            }
            let rest = match rest.strip_prefix('.') {
                Some(after) if after.starts_with(|it: char| it.is_ascii_digit()) => rest.to_owned(),
                Some(after) => format!(".0{after}"),
                None => rest.to_owned(),
            };
            if whole.is_empty() && rest.starts_with(".0") && rest.len() < 3 {
                return None;
            }
            format!("{}{rest}", if whole.is_empty() { "0" } else { whole })
        }
    };
    let number = format!("{sign}{digits}");
    super::literal::is_literal(number.as_bytes()).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_other_languages() {
        for (written, meant) in [
            ("+1", "1"),
            (".5", "0.5"),
            ("5.", "5.0"),
            ("-.5e3", "-0.5e3"),
            ("0x1F", "31"),
            ("-0x10", "-16"),
        ] {
            assert_eq!(number(written).as_deref(), Some(meant), "{written}");
        }
        for no_number in ["", "+", "007", "1.2.3", "10.0.0.0/8", "0xzz"] {
            assert_eq!(number(no_number), None, "{no_number}");
        }
    }

    #[test]
    fn words() {
        assert_eq!(word("True"), Some(("true".to_owned(), true)));
        assert_eq!(word("None"), Some(("null".to_owned(), true)));
        assert_eq!(word("fasle"), Some(("false".to_owned(), false)));
        assert_eq!(word("tag:web"), Some(("\"tag:web\"".to_owned(), false)));
        assert_eq!(word("-Infinity"), None);
    }

    #[test]
    fn escapes_of_json5() {
        assert_eq!(inner(r#"it\'s "\x41\v\0\a\u00e4\n"#), r#"it's \"\u0041\u000b\u0000a\u00e4\n"#);
        assert_eq!(inner("one \\\r\ntwo"), "one two");
    }
}
