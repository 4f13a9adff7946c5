//! Node names → file names that every system takes and that never meet.
//!
//! Lower-case letters, digits, `-`, `_` and `.` inside a name stand for themselves; every other
//! byte is `%` and two upper-case digits. So are upper-case letters, because `Web` and `web` are
//! one file on many systems, and what a system reserves.

/// The longest escaped name; with `.json` it stays below the 255 bytes that file systems take.
const MAX_LENGTH: usize = 200;

/// Names that Windows keeps for devices, whatever follows a dot.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];

/// The file name for a node, without `.json`.
pub(crate) fn escape(name: &str) -> String {
    let stem = name.split('.').next().unwrap_or_default();
    let reserved = DEVICES.contains(&stem) || is_port(stem);
    let last = name.len().saturating_sub(1);
    let mut escaped = String::with_capacity(name.len());
    for (index, byte) in name.bytes().enumerate() {
        let plain = match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' => !(reserved && index == 0),
            b'.' => index != 0 && index != last,
            _ => false,
        };
        if plain {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    if escaped.is_empty() {
        // `%` alone is the escape of nothing else.
        escaped.push('%');
    }
    if escaped.len() > MAX_LENGTH {
        // `%~` neither, and what is cut off is told apart by its hash. All escapes are ASCII.
        escaped.truncate(MAX_LENGTH / 2);
        escaped.push_str(&format!("%~{:032x}", super::format::fingerprint::fnv(&[name])));
    }
    escaped
}

/// Whether Windows reads it as a serial or parallel port.
fn is_port(stem: &str) -> bool {
    let number = stem.strip_prefix("com").or_else(|| stem.strip_prefix("lpt"));
    number.is_some_and(|it| it.len() == 1 && it.bytes().all(|it| it.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn harmless_names_stay() {
        assert_eq!(escape("web-1.prod_eu"), "web-1.prod_eu");
    }

    #[test]
    fn what_a_system_would_misread_is_escaped() {
        assert_eq!(escape(".."), "%2E%2E");
        assert_eq!(escape("a/b\\c\0"), "a%2Fb%5Cc%00");
        assert_eq!(escape("Web"), "%57eb");
        assert_eq!(escape("100%"), "100%25");
        assert_eq!(escape("nul.txt"), "%6Eul.txt");
        assert_eq!(escape("com1"), "%63om1");
        assert_eq!(escape("comet"), "comet");
        assert_eq!(escape(""), "%");
    }

    #[test]
    fn long_names_differ_by_their_ends() {
        let (one, two) = (format!("{}1", "a".repeat(300)), format!("{}2", "a".repeat(300)));
        assert_ne!(escape(&one), escape(&two));
        assert!(escape(&one).len() <= 200 && escape(&"ü".repeat(300)).len() <= 200);
    }
}
