//! Our reading of a text against that of Tailscale's own library: the same texts are refused, with
//! the same sentence. Without Go it says so and compares nothing.

#![expect(clippy::unwrap_used, reason = "a test may stop at anything")]
#![expect(clippy::print_stderr, reason = "a test that is left out says so")]

use compiler::cst::{self, Upstream};
use tests::texts;

/// What one text gave: the library's sentence, empty where it takes the text.
struct Answer {
    text: Vec<u8>,
    theirs: String,
}

#[test]
fn refuses_what_the_library_refuses_in_its_words() {
    let mut texts = by_hand();
    let seeds = texts::seeds().unwrap();
    texts.extend(seeds.iter().cloned());
    texts.extend(texts::mutated(&seeds, 24_000));
    texts.retain(|it| texts::is_within_bounds(it));
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
