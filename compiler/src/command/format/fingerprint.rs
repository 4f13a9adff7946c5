//! A finding → a number that stays when lines are added above it, so that services which compare
//! two runs do not take an old finding for a new one.

use compiler::diagnostic::Diagnostic;
use rustc_hash::FxHashMap;

use super::{FileReport, Places};

/// The fingerprint of each finding of a file, in their order, as hexadecimal text.
///
/// Made of file, code, message and the line's text without its indentation; findings that agree
/// in all of these are numbered.
pub(super) fn fingerprints(file: &FileReport) -> Vec<String> {
    fingerprints_as(&file.name, file)
}

/// The same, for those who know the file by another name than it is shown under.
pub(crate) fn fingerprints_as(name: &str, file: &FileReport) -> Vec<String> {
    let places = Places::new(&file.text);
    let mut seen: FxHashMap<u128, u32> = FxHashMap::default();
    let of = |it: &Diagnostic| {
        let hash = fnv(&[name, it.code.name(), &it.message, line(&places, it)]);
        let count = seen.entry(hash).or_default();
        *count += 1;
        format!("{:032x}", hash.wrapping_add(u128::from(*count)))
    };
    file.diagnostics.iter().map(of).collect()
}

/// The text around a finding: its line, unless that is so long that it holds half the policy.
fn line<'t>(places: &Places<'t>, diagnostic: &Diagnostic) -> &'t str {
    // Before the blanks are trimmed, because there may be as many of those for every finding.
    let line = places.line_text(diagnostic.span.start);
    if line.len() <= 1000 { line.trim() } else { "" }
}

/// FNV-1a with 128 bits over the parts, a zero byte behind each. Fingerprints are kept by others
/// for years, so the hash must not change with a library.
pub(crate) fn fnv(parts: &[&str]) -> u128 {
    const BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    let bytes = parts.iter().flat_map(|it| it.bytes().chain([0]));
    bytes.fold(BASIS, |hash, byte| (hash ^ u128::from(byte)).wrapping_mul(PRIME))
}
