//! Text from a chain, a link or a daemon → text that a terminal shows and does not obey.

use std::borrow::Cow;

/// Longer than any name or purpose; what is cut is marked.
const MAX_CHARS: usize = 2000;

/// The text with every control and direction mark spelled out, line ends too, and cut where it is very long.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    let long = text.char_indices().nth(MAX_CHARS);
    if long.is_none() && !text.chars().any(is_unprintable) {
        return Cow::Borrowed(text);
    }
    let shown = long.and_then(|(end, _)| text.get(..end)).unwrap_or(text);
    let mut clean = String::with_capacity(shown.len());
    for char in shown.chars() {
        if is_unprintable(char) {
            clean.extend(char.escape_unicode());
        } else {
            clean.push(char);
        }
    }
    if long.is_some() {
        clean.push('…');
    }
    Cow::Owned(clean)
}

/// Whether a terminal would obey the character, or show nothing at all for it.
fn is_unprintable(char: char) -> bool {
    char.is_control()
        || matches!(char,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::visible;

    #[test]
    fn marks_that_a_terminal_obeys_are_spelled_out() {
        assert_eq!(visible("laptop"), "laptop");
        assert_eq!(visible("a\u{1b}[2Jb"), "a\\u{1b}[2Jb");
        assert_eq!(visible("a\nb\u{202e}c\u{200b}"), "a\\u{a}b\\u{202e}c\\u{200b}");
        assert!(visible(&"x".repeat(5000)).ends_with('…'));
    }
}
