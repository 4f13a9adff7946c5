//! Files that hold secrets → the pieces that must be seen nowhere else.

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL, HEXLOWER, HEXLOWER_PERMISSIVE, HEXUPPER};

/// The pieces of a secret file: each word of it, and the seed in it by every spelling.
///
/// Words that are public are left out: public keys, and the lines that an encrypted key file has
/// beside its seed.
pub fn pieces(content: &str) -> Vec<String> {
    let mut pieces = Vec::new();
    for word in content.split(|it: char| it.is_whitespace() || "\",".contains(it)) {
        let public = ["tlpub:", "nlpub:", "nodekey:", "disablement:"];
        if word.len() < 12 || public.iter().any(|it| word.starts_with(it)) || word == "tlock-key-v1"
        {
            continue;
        }
        pieces.push(word.to_owned());
        pieces.extend(spellings(word));
    }
    pieces
}

/// What a word such as `nlpriv:0101…` stands for, in other spellings.
fn spellings(word: &str) -> Vec<String> {
    let digits = word.rsplit(':').next().unwrap_or(word);
    let Ok(bytes) = HEXLOWER_PERMISSIVE.decode(digits.as_bytes()) else { return Vec::new() };
    // Of a private key the second half is public.
    let seed = bytes.get(..32).unwrap_or(&bytes);
    let mut spellings: Vec<String> =
        [BASE64, BASE64_NOPAD, BASE64URL].iter().map(|it| it.encode(seed)).collect();
    spellings.extend([HEXLOWER.encode(seed), HEXUPPER.encode(seed)]);
    // What a debugger, or a derived `Debug`, would show of the bytes.
    let list: Vec<String> = seed.iter().take(8).map(u8::to_string).collect();
    spellings.push(list.join(", "));
    spellings
}
