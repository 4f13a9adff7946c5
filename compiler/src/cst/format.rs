//! Text → text: the layout of Tailscale's own HuJSON formatter, byte for byte. Comments stay where
//! they are; only white space, trailing commas and the escapes in strings change.
//!
//! Two passes over a text that its parser takes. [`pieces`] reads the values and measures them from
//! the inside out, because an object or array is opened up, one entry a line, where a line break
//! stands before an entry or where it would be too long; the measure is that of the library, down
//! to what it forgets to count. [`mod@print`] then writes them, the values of neighbouring members
//! aligned. [`extra`] is what may stand between any two pieces: white space and comments.
//!
//! It does not take the tree: a valid text needs no grammar, and is laid out in less time than pest
//! takes to read it.
//! SOURCE: found by experiment with github.com/tailscale/hujson, `Format`, which has no other
//! specification; `tests/format.rs` compares the two.

mod extra;
mod pieces;
mod print;

use super::{MAX_BYTES, brackets, strict};

/// The same policy as Tailscale's formatter lays it out, ending in a line break.
///
/// Formatting the result again changes nothing, save where the library itself would change its own
/// result: it measures comments as they were written. `None` where its parser refuses the text, or the
/// text is beyond a bound of ours; [`parse`](super::parse) says what is wrong.
pub fn format(text: &str) -> Option<String> {
    let within = text.len() <= MAX_BYTES && brackets::scan(text).beyond.is_none();
    if !within || strict::stop(text.as_bytes()).is_some() {
        return None;
    }
    Some(print::print(&pieces::read(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_text_is_refused() {
        for text in ["", "{", "{\"a\": 1} }", "[1 2]", "// c", "\u{feff}{}"] {
            assert_eq!(format(text), None, "{text}");
        }
        let deep = "[".repeat(501) + &"]".repeat(501);
        assert_eq!(format(&deep), None);
    }
}
