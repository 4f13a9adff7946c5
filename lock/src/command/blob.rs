//! A message given on the command line → its bytes: hex, base64 of either alphabet, `@FILE`, or `-`.

use std::io::{self, Read as _};
use std::path::Path;
use std::sync::LazyLock;

use data_encoding::{Encoding, HEXLOWER_PERMISSIVE, Specification};
use lock::limits::MAX_MESSAGE;

use super::failure::Failure;

/// The most text that holds a message: base64 of it, in lines.
const MAX_TEXT: u64 = MAX_MESSAGE as u64 * 2;

const STANDARD: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL_SAFE: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Both alphabets, the padding taken off before.
static BASE64: LazyLock<Vec<Encoding>> = LazyLock::new(|| {
    let lenient = |symbols: &str| {
        let mut specification = Specification::new();
        specification.symbols.push_str(symbols);
        // Go's decoder does not look at spare bits either.
        specification.check_trailing_bits = false;
        specification.encoding().ok()
    };
    [STANDARD, URL_SAFE].into_iter().filter_map(lenient).collect()
});

/// The bytes of a message.
pub(crate) fn read(argument: &str) -> Result<Vec<u8>, Failure> {
    let Some(content) = content(argument)? else {
        return decode(argument).ok_or_else(|| unreadable(argument));
    };
    // A file holds the bytes themselves, or text as an argument would be.
    let text = std::str::from_utf8(&content).ok().map(str::trim).filter(|it| !it.is_empty());
    Ok(text.and_then(decode).unwrap_or(content))
}

/// What `@FILE` or `-` holds; `None` where the argument is the message itself.
pub(crate) fn content(argument: &str) -> Result<Option<Vec<u8>>, Failure> {
    if argument == "-" {
        let failed = |it: io::Error| Failure::Read("-".into(), it);
        return bounded(io::stdin().lock()).map_err(failed).map(Some);
    }
    let Some(path) = argument.strip_prefix('@').map(Path::new) else { return Ok(None) };
    file(path).map(Some)
}

/// What a file holds.
pub(crate) fn file(path: &Path) -> Result<Vec<u8>, Failure> {
    let failed = |it: io::Error| Failure::Read(path.to_owned(), it);
    if path.as_os_str() == "-" {
        return bounded(io::stdin().lock()).map_err(failed);
    }
    bounded(std::fs::File::open(path).map_err(failed)?).map_err(failed)
}

fn bounded(from: impl io::Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(MAX_TEXT + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_TEXT {
        return Err(io::Error::other("it is too long for a message"));
    }
    Ok(bytes)
}

/// The bytes that hex or base64 stands for, blanks and line ends left out.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let text: Vec<u8> = text.bytes().filter(|it| !it.is_ascii_whitespace()).collect();
    if let Ok(bytes) = HEXLOWER_PERMISSIVE.decode(&text) {
        return Some(bytes);
    }
    let padded = text.len();
    let mut end = padded;
    while end > 0 && padded - end < 2 && text.get(end - 1) == Some(&b'=') {
        end -= 1;
    }
    if end < padded && !padded.is_multiple_of(4) {
        return None;
    }
    let text = text.get(..end)?;
    BASE64.iter().find_map(|it| it.decode(text).ok())
}

fn unreadable(argument: &str) -> Failure {
    let help = if Path::new(argument).exists() {
        format!("a file is named with `@` in front: `@{}`", super::visible::visible(argument))
    } else {
        "a message is given as hex, as base64, as `@FILE`, or as `-` for standard input".to_owned()
    };
    Failure::usage("this is neither hex nor base64", help)
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn every_spelling_of_bytes_is_read() {
        for text in ["a1b2fb", "A1B2FB", "obL7", "ob\nL7"] {
            assert_eq!(decode(text), Some(vec![0xa1, 0xb2, 0xfb]), "{text}");
        }
        for text in ["obL7-w==", "obL7+w", "obL7+x==", "obL7-w"] {
            assert_eq!(decode(text), Some(vec![0xa1, 0xb2, 0xfb, 0xfb]), "{text}");
        }
        assert_eq!(decode(""), Some(vec![]));
        for text in ["x", "obL7+w=", "a=b", "====", "!", "obL7+w==="] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
