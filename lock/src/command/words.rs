//! A key → twelve words, which two people can compare aloud or a person on two screens.
//!
//! The words are the first twelve bytes of the BLAKE2s-256 digest of the key's text (`tlpub:…` or
//! `nodekey:…`, lower case), each a line of `docs/words.txt`, counted from 0. Ninety-six bits: too
//! many to look for a second key with the same words. No two words of the list differ in one letter.

use blake2::{Blake2s256, Digest as _};

/// The 256 words, a line each.
const LIST: &str = include_str!("../../../docs/words.txt");

/// How many words a key has.
const COUNT: usize = 12;

/// The words of a key's text, joined by `-` in groups of four.
pub(crate) fn of(text: &str) -> String {
    let list: Vec<&str> = LIST.lines().collect();
    let digest = Blake2s256::digest(text.as_bytes());
    let words = digest.iter().take(COUNT).filter_map(|it| list.get(usize::from(*it)).copied());
    let words: Vec<&str> = words.collect();
    words.chunks(4).map(|it| it.join("-")).collect::<Vec<_>>().join("  ")
}

#[cfg(test)]
mod tests {
    use super::{LIST, of};

    #[test]
    fn words_are_sorted_and_far_apart() {
        let list: Vec<&str> = LIST.lines().collect();
        assert_eq!(list.len(), 256);
        assert!(list.is_sorted());
        for (index, one) in list.iter().enumerate() {
            let mut others = list.iter().skip(index + 1);
            assert!(others.all(|other| strsim::levenshtein(one, other) > 1), "{one}");
        }
    }

    #[test]
    fn keys_that_differ_in_a_digit_have_other_words() {
        let key = |last: char| of(&format!("tlpub:{}{last}", "0".repeat(63)));
        assert_ne!(key('0'), key('1'));
        assert_eq!(key('0').split(['-', ' ']).filter(|it| !it.is_empty()).count(), 12);
    }
}
