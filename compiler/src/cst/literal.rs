//! What a string, a number or a word says, judged by JSON's rules alone.
//!
//! SOURCE: RFC 8259, 6 and 7. Shared by the check of the tree and the imitation of Tailscale's
//! parser, so that both agree on what a literal is.

use std::ops::Range;

/// Whether `word` is a number, `true`, `false` or `null`.
pub(super) fn is_literal(word: &[u8]) -> bool {
    matches!(word, b"true" | b"false" | b"null") || is_number(word)
}

/// `-? (0 | [1-9][0-9]*) (\.[0-9]+)? ([eE][+-]?[0-9]+)?`
fn is_number(word: &[u8]) -> bool {
    let rest = word.strip_prefix(b"-").unwrap_or(word);
    let (whole, rest) = digits(rest);
    if whole == 0 || whole > 1 && word.strip_prefix(b"-").unwrap_or(word).first() == Some(&b'0') {
        return false;
    }
    let rest = match rest.strip_prefix(b".").map(digits) {
        Some((0, _)) => return false,
        Some((_, rest)) => rest,
        None => rest,
    };
    let Some(rest) = rest.strip_prefix(b"e").or_else(|| rest.strip_prefix(b"E")) else {
        return rest.is_empty();
    };
    let rest = rest.strip_prefix(b"+").or_else(|| rest.strip_prefix(b"-")).unwrap_or(rest);
    matches!(digits(rest), (1.., []))
}

fn digits(bytes: &[u8]) -> (usize, &[u8]) {
    let count = bytes.iter().take_while(|it| it.is_ascii_digit()).count();
    (count, bytes.get(count..).unwrap_or_default())
}

/// Something in a string that JSON does not allow there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Flaw {
    /// A raw character below U+0020.
    Control,
    /// A backslash and what it does not stand before.
    Escape,
}

/// The flaws of a string, given what stands between its quotes, and where in it they stand.
pub(super) struct Flaws<'t> {
    inner: &'t [u8],
    at: usize,
}

impl<'t> Flaws<'t> {
    pub(super) fn new(inner: &'t [u8]) -> Self {
        // Nearly every string has nothing to look at; this loop reads many bytes at a time.
        let plain = inner.iter().fold(true, |plain, it| plain & (*it >= b' ') & (*it != b'\\'));
        Self { inner, at: if plain { inner.len() } else { 0 } }
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.inner.get(at).copied()
    }

    /// The length of the escape at `at`, and whether JSON has it.
    fn escape(&self, at: usize) -> (usize, bool) {
        let hex = |from: usize, most: usize| {
            let digits = self.inner.get(from..).unwrap_or_default().iter();
            digits.take(most).take_while(|it| it.is_ascii_hexdigit()).count()
        };
        match self.byte(at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => (2, true),
            Some(b'u') => {
                let digits = hex(at + 2, 4);
                (2 + digits, digits == 4)
            }
            Some(b'x') => (2 + hex(at + 2, 2), false),
            Some(b'\r') if self.byte(at + 2) == Some(b'\n') => (3, false),
            Some(first) => {
                let char = match first {
                    0xf0.. => 4,
                    0xe0.. => 3,
                    0xc0.. => 2,
                    _ => 1,
                };
                (1 + char, false)
            }
            None => (1, false),
        }
    }
}

impl Iterator for Flaws<'_> {
    type Item = (Flaw, Range<usize>);

    fn next(&mut self) -> Option<Self::Item> {
        while let Some(byte) = self.byte(self.at) {
            let at = self.at;
            if byte == b'\\' {
                let (length, known) = self.escape(at);
                self.at += length;
                if !known {
                    return Some((Flaw::Escape, at..self.at.min(self.inner.len())));
                }
            } else {
                self.at += 1;
                if byte < b' ' {
                    return Some((Flaw::Control, at..self.at));
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_json() {
        for good in ["0", "-0", "10", "1.5", "1e9", "-1.25E-3", "0e+1", "true", "null"] {
            assert!(is_literal(good.as_bytes()), "{good}");
        }
        for bad in [
            "", "-", "01", "-01", "+1", ".5", "5.", "1e", "0x1f", "1e+", "NaN", "True", "1.2.3",
            "--1",
        ] {
            assert!(!is_literal(bad.as_bytes()), "{bad}");
        }
    }

    #[test]
    fn flaws_are_found_with_their_places() {
        let found = |inner: &str| Flaws::new(inner.as_bytes()).collect::<Vec<_>>();
        assert_eq!(found(r#"a\"b\u00e4\\"#), []);
        assert_eq!(found("a\tb"), [(Flaw::Control, 1..2)]);
        assert_eq!(
            found(r"a\d\x41\u12"),
            [(Flaw::Escape, 1..3), (Flaw::Escape, 3..7), (Flaw::Escape, 7..11)]
        );
        assert_eq!(found("\\ü!"), [(Flaw::Escape, 0..3)]);
    }
}
