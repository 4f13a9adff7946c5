//! Our formatter against that of Tailscale's own library, byte for byte: on every policy there is,
//! on the same damaged, and on generated texts with everything between their pieces that may stand
//! there. Without Go it says so and only checks that formatting twice is formatting once.

#![expect(clippy::unwrap_used, reason = "a test may stop at anything")]
#![expect(clippy::print_stderr, reason = "a test that is left out says so")]

use std::process::Command;

use compiler::cst;
use tests::packets::Random;
use tests::texts;

#[test]
fn every_policy_there_is() {
    let mut texts: Vec<Vec<u8>> = texts::seeds().unwrap();
    texts.extend(workload());
    let crlf = |it: &Vec<u8>| {
        let text = String::from_utf8_lossy(it);
        text.contains('\n').then(|| text.replace('\n', "\r\n").into_bytes())
    };
    let with_crlf: Vec<Vec<u8>> = texts.iter().filter_map(crlf).collect();
    let on_one_line: Vec<Vec<u8>> = texts.iter().filter_map(|it| on_one_line(it)).collect();
    texts.extend(with_crlf);
    texts.extend(on_one_line);
    texts.extend(texts::mutated(&texts, 12_000));
    compare(texts);
}

#[test]
fn generated_texts() {
    let mut random = Random::new(5);
    let texts = (0..60_000).map(|_| Generator::new(&mut random).text().into_bytes());
    compare(texts.collect());
}

/// Formats all texts by both and says where they differ; twice where once was not enough.
///
/// The library measures comments as they are written and not as it writes them, so there are texts
/// that it changes again: strange ones, and few. On those the second result is compared as well.
fn compare(texts: Vec<Vec<u8>>) {
    let texts: Vec<String> =
        texts.into_iter().filter_map(|it| String::from_utf8(it).ok()).collect();
    let formatted: Vec<(String, Option<String>)> = texts
        .into_iter()
        .filter(|it| texts::is_within_bounds(it.as_bytes()))
        .map(|text| {
            let ours = cst::format(&text);
            (text, ours)
        })
        .collect();
    let again = |it: &(String, Option<String>)| {
        let once = it.1.clone()?;
        let twice = cst::format(&once);
        (twice.as_ref() != Some(&once)).then_some((once, twice))
    };
    let unstable: Vec<(String, Option<String>)> = formatted.iter().filter_map(again).collect();
    eprintln!("{} of {} texts change when formatted twice", unstable.len(), formatted.len());
    assert!(unstable.len() * 10_000 < formatted.len(), "{}", unstable.first().unwrap().0);
    agree(&formatted);
    agree(&unstable);
}

/// Compares what we made of texts with what the library makes of them.
fn agree(formatted: &[(String, Option<String>)]) {
    let question = |it: &(String, Option<String>)| {
        serde_json::json!({ "text": it.0.as_bytes(), "format": true }).to_string()
    };
    let questions = formatted.iter().map(question).collect();
    let Some(theirs) = tests::interop::ask("hujson", questions).unwrap() else { return };
    let theirs = theirs.iter().map(|it| serde_json::from_str::<Option<String>>(it).unwrap());
    let mut wrong: Vec<String> = formatted
        .iter()
        .zip(theirs)
        .filter(|((_, ours), theirs)| ours != theirs)
        .map(|((text, ours), theirs)| format!("{text:?}\n  ours:   {ours:?}\n  theirs: {theirs:?}"))
        .collect();
    eprintln!("compared {} texts with the library", formatted.len());
    wrong.sort_by_key(String::len);
    let some: Vec<String> = wrong.iter().take(5).cloned().collect();
    assert!(wrong.is_empty(), "{} texts differ:\n{}", wrong.len(), some.join("\n"));
}

/// A policy as generators write them, where the script of the workloads is there.
fn workload() -> Option<Vec<u8>> {
    let script = tests::shared("workloads").unwrap()?.join("generate.py");
    let folder = tempfile::tempdir().unwrap();
    let sizes = ["--nodes", "200", "--rules", "400"];
    let ended = Command::new("python3").arg(script).arg(folder.path()).args(sizes).status().ok()?;
    assert!(ended.success());
    std::fs::read(folder.path().join("policy.hujson")).ok()
}

/// A valid policy without its line breaks and comments, so that every width is judged anew.
fn on_one_line(text: &[u8]) -> Option<Vec<u8>> {
    let parsed = cst::parse(std::str::from_utf8(text).ok()?);
    if !parsed.problems.is_empty() {
        return None;
    }
    let mut line = parsed.tree.print();
    for comment in parsed.tree.comments().collect::<Vec<_>>().iter().rev() {
        line.replace_range(comment.span().range(), "");
    }
    Some(line.replace(['\n', '\r'], " ").into_bytes())
}

/// Valid texts, laid out as nobody would.
struct Generator<'r> {
    random: &'r mut Random,
    out: String,
    /// How often something stands between two pieces: never for 0.
    density: usize,
}

impl<'r> Generator<'r> {
    fn new(random: &'r mut Random) -> Self {
        let density = random.of(&[0, 0, 1, 2, 4, 8]).unwrap_or_default();
        Generator { random, out: String::new(), density }
    }

    fn text(mut self) -> String {
        self.extra();
        let depth = 1 + self.random.below(5);
        self.value(depth);
        self.extra();
        self.out
    }

    /// What may stand between two pieces.
    fn extra(&mut self) {
        const EXTRAS: [&str; 34] = [
            " ",
            "\n",
            "\n\n",
            "\n\n\n",
            "\t",
            "\r\n",
            "\r",
            " \n \n",
            "/**/",
            "/*x*/",
            "//\n",
            "//x\n",
            "// x \n",
            "//x\r\n",
            "/* x\n y */",
            "/*\n * x\n * y\n */",
            "/*\n\tx\n\t  y\n\n*/",
            "/* x\n\n\ty\n    */",
            "/*x\r\n\r  y\r*/",
            "/* ä\u{a0}\n\u{a0} ö*/",
            "//\u{3000}世界\u{3000}\n",
            "/*a\n*b\n**/",
            "/*c\n/*d*/",
            "/*c\n//d*/",
            "/*\n//*/",
            "/* long long long long long long long long long long long long long long */",
            "// long long long long long long long long long long long\n",
            "/*\r*/",
            "// a\tb\r c\n",
            "/*\n\n\n*/",
            "/* \u{b}\n \u{c} x*/",
            "\n\n/* y */\n\n",
            "/*\n*/",
            "//*\n",
        ];
        if self.random.below(10) >= self.density {
            // Mostly what people write.
            if self.density > 0 {
                let usual = ["", "", " ", "\n", "\n\t"];
                self.out.push_str(self.random.of(&usual).unwrap_or_default());
            }
            return;
        }
        for _ in 0..1 + self.random.below(3) {
            self.out.push_str(self.random.of(&EXTRAS).unwrap_or_default());
        }
    }

    fn value(&mut self, depth: usize) {
        match self.random.below(if depth == 0 { 3 } else { 8 }) {
            0 | 1 => self.string(),
            2 => self.word(),
            3..=5 => self.composite(depth - 1, true),
            _ => self.composite(depth - 1, false),
        }
    }

    fn word(&mut self) {
        let words =
            ["1", "-0", "1.50", "1e5", "1E+05", "true", "false", "null", "100000000000000000000"];
        self.out.push_str(self.random.of(&words).unwrap_or_default());
    }

    fn string(&mut self) {
        const PARTS: [&str; 24] = [
            "a",
            "tag:web",
            "group:eng",
            "100.64.0.0/10",
            "autogroup:member",
            "ä",
            "世界",
            "e\u{301}",
            "😀",
            "\\u0041",
            "\\/",
            "\\\"",
            "\\\\",
            "\\n",
            "\\u0007",
            "\\ud83d\\ude00",
            "\\ud800",
            "\\udc00",
            "\\u00e9",
            "\\u2028",
            "\u{2028}",
            "\u{7f}",
            "// no comment",
            " ",
        ];
        self.out.push('"');
        let longest = self.random.of(&[1, 2, 3, 12]).unwrap_or_default();
        for _ in 0..self.random.below(longest + 1) {
            self.out.push_str(self.random.of(&PARTS).unwrap_or_default());
        }
        // Widths near the bound matter most.
        if self.random.below(6) == 0 {
            let width = self.random.below(80);
            self.out.push_str(&"x".repeat(width));
        }
        self.out.push('"');
    }

    fn composite(&mut self, depth: usize, is_object: bool) {
        self.out.push(if is_object { '{' } else { '[' });
        let longest = self.random.of(&[1, 2, 3, 5, 9]).unwrap_or_default();
        let count = self.random.below(longest + 1);
        for index in 0..count {
            self.extra();
            if is_object {
                self.string();
                self.extra();
                self.out.push(':');
                self.extra();
            }
            self.value(depth);
            self.extra();
            if index + 1 < count || self.random.below(4) == 0 {
                self.out.push(',');
                if index + 1 == count {
                    self.extra();
                }
            }
        }
        if count == 0 {
            self.extra();
        }
        self.out.push(if is_object { '}' } else { ']' });
    }
}
