//! Texts to read: all policies there are, and the same damaged.

use std::path::Path;

use compiler::cst::{self, Fault};

use crate::packets::Random;
use crate::{entries, name, read, root, shared};

/// Whole files: those of our cases and examples, and where they are those of the corpus and of the
/// conformance cases. Not all of them are valid.
pub fn seeds() -> Result<Vec<Vec<u8>>, String> {
    let mut seeds = Vec::new();
    collect(&root().join("examples"), &mut seeds)?;
    collect(&root().join("tests"), &mut seeds)?;
    for folder in ["corpus", "conformance"] {
        if let Some(folder) = shared(folder)? {
            collect(&folder, &mut seeds)?;
        }
    }
    Ok(seeds)
}

fn collect(folder: &Path, seeds: &mut Vec<Vec<u8>>) -> Result<(), String> {
    for path in entries(folder)? {
        if path.is_dir() {
            // What is built is no part of the repository.
            if name(&path) != "target" {
                collect(&path, seeds)?;
            }
        } else if path.extension().is_some_and(|it| it == "hujson") {
            seeds.push(read(&path)?);
        } else if path.extension().is_some_and(|it| it == "json") {
            // A conformance case has its policy inside; any other file has none.
            let case: serde_json::Value = serde_json::from_slice(&read(&path)?).unwrap_or_default();
            let policy = case.get("policy").and_then(|it| it.as_str());
            seeds.extend(policy.map(|it| it.as_bytes().to_vec()));
        }
    }
    Ok(())
}

/// Whether a text is within the bound of nesting, which Tailscale's library does not have.
pub fn is_within_bounds(text: &[u8]) -> bool {
    cst::parse_bytes(text).problems.iter().all(|it| it.fault != Fault::TooDeep)
}

/// So many texts, each a seed with one to four things done to it: what typing errors do, and worse.
pub fn mutated(seeds: &[Vec<u8>], count: usize) -> Vec<Vec<u8>> {
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
    let mut random = Random::new(1);
    let small: Vec<&Vec<u8>> =
        seeds.iter().filter(|it| !it.is_empty() && it.len() < 1500).collect();
    let mut texts = Vec::with_capacity(count);
    for round in 0..count {
        let all = if round % 50 == 0 {
            seeds.get(random.below(seeds.len()))
        } else {
            small.get(random.below(small.len())).copied()
        };
        let Some(mut text) = all.cloned() else { break };
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
    texts
}
