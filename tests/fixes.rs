//! The fixes of findings on every policy there is and on the same damaged: none brings an error, and
//! where no finding offers one any more, nothing is changed.

#![expect(clippy::print_stderr, reason = "a test over many texts says how many")]

use compiler::Options;
use compiler::fix::{Reach, fix};
use tests::texts;

#[test]
fn no_fix_brings_an_error_to_what_people_wrote() {
    let harmful = harmful(&texts::seeds().unwrap());
    assert!(harmful.is_empty(), "{}", harmful.join("\n"));
}

#[test]
fn nearly_none_does_in_a_damaged_text() {
    let texts = texts::mutated(&texts::seeds().unwrap(), 4_000);
    let harmful = harmful(&texts);
    // In half a name or half a rule each guess may be wrong; it is left out, and told.
    let some: Vec<String> = harmful.iter().take(8).cloned().collect();
    assert!(harmful.len() * 250 < texts.len(), "{}:\n{}", harmful.len(), some.join("\n"));
}

/// The texts in which a fix would bring an error. In all of them, what is fixed stays so.
fn harmful(texts: &[Vec<u8>]) -> Vec<String> {
    let options = Options { assertions: true, lints: true, ..Options::default() };
    let (mut changed, mut applied) = (0, 0);
    let mut harmful = Vec::new();
    for text in texts.iter().filter_map(|it| std::str::from_utf8(it).ok()) {
        for reach in [Reach::Safe, Reach::All] {
            let fixed = fix(text, &options, reach);
            applied += fixed.applied.len();
            if !fixed.harmful.is_empty() {
                harmful.push(format!("{:?}\n  in {text:?}", fixed.harmful));
            } else if fixed.text() != text {
                changed += 1;
                let again = fix(fixed.text(), &options, reach);
                assert_eq!(again.text(), fixed.text(), "{:?} in {text:?}", again.applied);
            }
        }
    }
    eprintln!("{applied} fixes in {changed} changed texts");
    harmful.sort_by_key(String::len);
    harmful
}
