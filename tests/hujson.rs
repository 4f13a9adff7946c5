//! Our reading of a text against that of Tailscale's own library: the same texts are refused, with
//! the same sentence. Without Go it says so and compares nothing.

#![expect(clippy::unwrap_used, reason = "a test may stop at anything")]
#![expect(clippy::print_stderr, reason = "a test that is left out says so")]

use std::path::{Path, PathBuf};

use compiler::cst::{self, Upstream};

/// What one text gave: the library's sentence, empty where it takes the text.
struct Answer {
    text: Vec<u8>,
    theirs: String,
}

#[test]
fn refuses_what_the_library_refuses_in_its_words() {
    let mut texts = by_hand();
    let seeds = seeds();
    texts.extend(seeds.iter().cloned());
    mutate(&seeds, &mut texts);
    let Some(answers) = ask(texts) else { return };
    let mut wrong = Vec::new();
    let mut refused = 0;
    for Answer { text, theirs } in &answers {
        let problems = cst::parse_bytes(text).problems;
        let said = problems.iter().find_map(|it| match &it.upstream {
            Upstream::Says(message) => Some(message.as_str()),
            _ => None,
        });
        let ours = match said {
            None if problems.iter().any(|it| it.is_refused()) => "(refused without a sentence)",
            said => said.unwrap_or_default(),
        };
        let theirs = theirs.strip_prefix("hujson: ").unwrap_or(theirs);
        refused += usize::from(!theirs.is_empty());
        if ours != theirs {
            wrong.push(format!("{}\n  ours:   {ours}\n  theirs: {theirs}", shown(text)));
        }
    }
    eprintln!("compared {} texts, {refused} of them refused", answers.len());
    let some: Vec<String> = wrong.iter().take(10).cloned().collect();
    assert!(wrong.is_empty(), "{} texts differ:\n{}", wrong.len(), some.join("\n"));
}

fn shown(text: &[u8]) -> String {
    text.escape_ascii().to_string()
}

/// The library's answers; nothing where it cannot be asked.
fn ask(texts: Vec<Vec<u8>>) -> Option<Vec<Answer>> {
    let lines = texts.iter().map(|text| serde_json::json!({ "text": text }).to_string()).collect();
    let answers = tests::interop::ask("hujson", lines).unwrap()?;
    let theirs = answers.iter().map(|it| serde_json::from_str(it).unwrap());
    Some(texts.into_iter().zip(theirs).map(|(text, theirs)| Answer { text, theirs }).collect())
}

/// Texts that stand at one edge of the grammar each.
fn by_hand() -> Vec<Vec<u8>> {
    let texts: &[&[u8]] = &[
        b"",
        b" ",
        b"//",
        b"// x\n",
        b"/*",
        b"/*/",
        b"/**/",
        b"/* */ {}",
        b"{}",
        b"{} // x",
        b"{} // x\n",
        b"{} /",
        b"{}{}",
        b"[,]",
        b"{,}",
        b"[1,]",
        b"[1,,]",
        b"[,1]",
        b"{\"a\":1,}",
        b"{\"a\":1,,}",
        b"{\"a\"}",
        b"{\"a\" 1}",
        b"{\"a\":}",
        b"{\"a\":,}",
        b"{a:1}",
        b"{1:1}",
        b"{true:1}",
        b"{{}:1}",
        b"{[]:1}",
        b"{{}}",
        b"{\"a\":1 \"b\":2}",
        b"[1 2]",
        b"[1}",
        b"{\"a\":1]",
        b"{]",
        b"[}",
        b"[",
        b"{",
        b"[[",
        b"{\"a\"",
        b"{\"a\":",
        b"{\"a\":1",
        b"{\"a\":1,",
        b"[1",
        b"[1,",
        b"]",
        b"}",
        b"\"",
        b"\"a",
        b"\"a\n",
        b"\"a\nb\"",
        b"\"\\\"",
        b"\"\\\n\"",
        b"\"\t\"",
        b"\"\\x41\"",
        b"\"\\ud800\"",
        b"\"\\u12\"",
        b"\"\\u12g4\"",
        b"\"\x7f\"",
        b"\"\xff\"",
        b"\xff",
        b"{\xff}",
        b"{}\xff",
        b"// \xff\n{}",
        b"// \xff",
        b"/* \xff */{}",
        b"/* \xff",
        b"[\"\xff\", \xff]",
        b"\xef\xbb\xbf{}",
        b"{}\xef\xbb\xbf",
        b"\xc2\xa0{}",
        b"{}\xc2\xa0",
        b"\x00",
        b"{\x0c}",
        b"'a'",
        b"['a']",
        b"{'a':1}",
        b"[+1]",
        b"[.5]",
        b"[5.]",
        b"[0x1f]",
        b"[NaN]",
        b"[Infinity]",
        b"[01]",
        b"[-]",
        b"[-0]",
        b"[1e5]",
        b"[1e]",
        b"[True]",
        b"[tru]",
        b"[a_b]",
        b"[_a]",
        b"[a-b]",
        b"[*]",
        b"[1/2]",
        b"[1//\n]",
        b"[1/**/2]",
        b"[1,/**/]",
        b"[#]",
        b"# x\n{}",
        b"{\"a\"=1}",
        b"{\"a\"=>1}",
        b"[\"a\":1]",
        b"{\"a\":\"b\":1}",
        b"{\"a\":\n\"b\":1}",
        b"{\"a\" \"b\":1}",
        b"\"a\":1",
        b"{}}",
        b"{}]",
        b"[1]]",
        b"{\"a\":[1}}",
        b"{\"a\":[1},\"b\":2}",
        b"{\"a\":1]]",
        b"[1]}]",
        b"{\"a\":1,\"a\":2}",
        b"// \xe2\x80\xa8\n{}",
        b"// \xe2\x80\xa9",
        b"/* \xe2\x80\xa8 */{}",
        b"{} // \xe2\x80\xa8\n",
        b"{\xe2\x80\xa8}",
        b"\xe2\x80\x9ca\xe2\x80\x9d",
        b"\xf0\x9f\x98\x80",
        b"[\xc3\xa4]",
        b"[\xe2\x81\xa3]",
        b"[\xf3\xa0\x80\x81]",
        b"[\xcc\x81]",
        b"[\\]",
        b"[`]",
        b"[\"a\xe2\x80\x9d]",
        b"\r\n{}\r\n",
        b"[\"a,\n\"b\"]",
        b"[\"a, \"b\"]",
        b"\"\\\\\"",
        b"\"a\\\"",
        b"\"abc\\\\\\\"",
    ];
    texts.iter().map(|it| it.to_vec()).collect()
}

/// Whole files: our syntax cases, and where they are the corpus and the conformance policies.
fn seeds() -> Vec<Vec<u8>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shared =
        std::env::var_os("ACLC_SHARED").map_or_else(|| here.join("../../shared"), PathBuf::from);
    let mut seeds = Vec::new();
    for folder in [here.join("syntax"), shared.join("corpus"), shared.join("conformance")] {
        collect(&folder, &mut seeds);
    }
    seeds
}

fn collect(folder: &Path, seeds: &mut Vec<Vec<u8>>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut paths: Vec<PathBuf> = entries.map(|it| it.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            collect(&path, seeds);
        } else if path.extension().is_some_and(|it| it == "hujson") {
            seeds.push(std::fs::read(path).unwrap());
        } else if path.extension().is_some_and(|it| it == "json") {
            let case: serde_json::Value =
                serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
            seeds.extend(
                case.get("policy").and_then(|it| it.as_str()).map(|it| it.as_bytes().to_vec()),
            );
        }
    }
}

/// Adds the seeds with one to four things done to each of them: what typing errors do, and worse.
fn mutate(seeds: &[Vec<u8>], texts: &mut Vec<Vec<u8>>) {
    const COUNT: usize = 24_000;
    const TOKENS: &[&[u8]] = &[
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b"\"",
        b"\\",
        b"//",
        b"/*",
        b"*/",
        b"\n",
        b"\t",
        b"'",
        b"#",
        b"=",
        b"1",
        b"-",
        b"+",
        b"tru",
        b"null",
        b"\xff",
        b"\xef\xbb\xbf",
        b"\xc2\xa0",
        b"\xe2\x80\xa8",
        b"\xe2\x80\x9c",
        b"\xe2\x80\x9d",
        b"\x00",
        b"\"a\":",
        b"\"a\"",
        b",,",
        b"\xf0\x9f",
        b"\xc3\xa4",
        b"*",
        b";",
        b"\\u00",
        b" ",
        b"/",
        b"_",
    ];
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let small: Vec<&Vec<u8>> =
        seeds.iter().filter(|it| !it.is_empty() && it.len() < 1500).collect();
    for round in 0..COUNT {
        let all = if round % 50 == 0 {
            seeds.get(random.below(seeds.len()))
        } else {
            small.get(random.below(small.len())).copied()
        };
        let Some(mut text) = all.cloned() else { return };
        for _ in 0..1 + random.below(4) {
            let at = random.below(text.len() + 1);
            let end = (at + 1 + random.below(6)).min(text.len());
            let token = TOKENS.get(random.below(TOKENS.len())).copied().unwrap_or_default();
            match random.below(8) {
                0 | 1 => drop(text.drain(at..end)),
                2 | 3 => drop(text.splice(at..at, token.iter().copied())),
                4 => drop(text.splice(at..end, token.iter().copied())),
                5 => text.truncate(at),
                6 => text = text.get(at..).unwrap_or_default().to_vec(),
                _ => {
                    let copied = text.get(at..end).unwrap_or_default().to_vec();
                    let to = random.below(text.len() + 1);
                    drop(text.splice(to..to, copied));
                }
            }
        }
        texts.push(text);
    }
}

/// Numbers that look random and are the same in each run (xorshift).
struct Random(u64);

impl Random {
    /// A number below `bound`; 0 where there is none.
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % bound.max(1)
    }
}
