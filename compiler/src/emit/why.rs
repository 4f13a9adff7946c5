//! An answer to "can this reach that?" as JSON: `docs/json.md`, "Access".

use serde::Serialize;

use crate::analysis::why::{Answer, Verdict};
use crate::policy::Policy;
use crate::span::{LineIndex, Span};

/// The answer, and where the rules stand that it speaks of.
#[derive(Clone, Debug, Serialize)]
pub struct Why {
    version: u32,
    verdict: &'static str,
    /// The rules that let it through.
    pub rules: Vec<RuleText>,
    depends: Vec<String>,
    /// The rules that came near, where nothing does.
    pub nearest: Vec<NearRule>,
    beyond: Vec<Beyond>,
    pairs: usize,
    allowed: usize,
}

/// A rule and where it stands.
#[derive(Clone, Debug, Serialize)]
pub struct RuleText {
    /// The policy, as it is called.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The rule on one line, shortened where it is long.
    pub text: String,
}

/// A rule that came near, and what fails.
#[derive(Clone, Debug, Serialize)]
pub struct NearRule {
    file: String,
    line: u32,
    fails: Vec<&'static str>,
    /// What fails, for people.
    pub sentence: String,
}

#[derive(Clone, Debug, Serialize)]
struct Beyond {
    kind: &'static str,
    sentence: String,
}

impl Why {
    /// Puts an answer in words; `file` is what the policy is called, `text` what it says.
    pub fn of(answer: &Answer, policy: &Policy, file: &str, text: &str) -> Self {
        let lines = LineIndex::new(text);
        let line = |span: Span| lines.line(span.start).0 + 1;
        let all = policy.rules.as_deref().unwrap_or_default();
        let rules = answer.rules.iter().filter_map(|it| all.get(*it as usize));
        let beyond = answer.beyond.iter();
        Self {
            version: 1,
            verdict: match answer.verdict {
                Verdict::Allowed => "allowed",
                Verdict::Denied => "denied",
                Verdict::Depends => "depends",
            },
            rules: rules.map(|it| RuleText::at(it.span, file, text, &lines)).collect(),
            depends: answer.depends.clone(),
            nearest: answer
                .nearest
                .iter()
                .map(|it| NearRule {
                    file: file.to_owned(),
                    line: line(it.span),
                    fails: it.fails.clone(),
                    sentence: format!("the rule at {file}:{} {}", line(it.span), it.why),
                })
                .collect(),
            beyond: beyond
                .map(|it| Beyond { kind: it.kind, sentence: it.sentence.clone() })
                .collect(),
            pairs: answer.pairs.0,
            allowed: answer.pairs.1,
        }
    }
}

impl RuleText {
    fn at(span: Span, file: &str, text: &str, lines: &LineIndex) -> Self {
        let line = lines.line(span.start).0 + 1;
        Self { file: file.to_owned(), line, text: one_line(span.of(text)) }
    }
}

/// A rule on one line, shortened where it is long.
fn one_line(text: &str) -> String {
    const LONGEST: usize = 160;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}
