//! Text as it may stand in XML and HTML, for every form of ours that is one of the two.

/// Text for an element or an attribute in quotes. Control characters cannot be written there at all:
/// a replacement character stands for each.
pub fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&apos;"),
            '\t' | '\n' => safe.push(char),
            '\r' => safe.push_str("&#13;"),
            '\u{fffe}' | '\u{ffff}' => safe.push(char::REPLACEMENT_CHARACTER),
            _ if char.is_control() => safe.push(char::REPLACEMENT_CHARACTER),
            _ => safe.push(char),
        }
    }
    safe
}
