//! Text → tree: bounds first, then brackets, then one walk along pest's tokens.
//!
//! Nothing of ours recurses over the user's nesting. pest does, on the call stack and, as it is
//! built here, without a check; hence the bound before it runs.

use std::sync::Arc;

use pest::Token;

use super::brackets;
use super::collect::Problems;
use super::decode::decode;
use super::grammar::{self, Rule};
use super::problem::{Fault, Problem, Upstream};
use super::{MAX_BYTES, NodeData, Parsed, SyntaxKind, SyntaxTree, check, strict};
use crate::span::Span;

/// Parses one HuJSON document into a lossless tree and what was wrong with it.
///
/// Never fails: the grammar accepts every text, and what fits nowhere is a node of its own. A text
/// beyond a bound is one [`SyntaxKind::Junk`] and one problem.
pub fn parse(text: &str) -> Parsed {
    let shared: Arc<str> = text.into();
    if text.len() > MAX_BYTES {
        let fault = Fault::TooLarge;
        return refuse(shared, Problem::new(fault, Span::at(0)));
    }
    let brackets = brackets::scan(text);
    if let Some(problem) = brackets.beyond.clone() {
        return refuse(shared, problem);
    }
    // Wrong closing brackets are mended byte by byte, so every place stays true.
    let nodes = nodes(brackets.mended.as_deref().unwrap_or(text));
    let tree = SyntaxTree { text: shared, nodes };
    let mut problems = Problems::default();
    for problem in brackets.problems {
        problems.push(problem);
    }
    check::check(&tree, &brackets.suspects, &mut problems);
    let problems = problems.finish(text);
    Parsed { tree, problems }
}

/// Parses bytes: what is not UTF-8 is reported with everything else, by place.
///
/// The same as [`decode`] and [`parse`], save that the message of Tailscale's API, which knows one
/// problem only, stands at one problem only.
pub fn parse_bytes(bytes: &[u8]) -> Parsed {
    let (text, mut problems) = decode(bytes);
    let mut parsed = parse(&text);
    // What was read in place of wrong bytes must not appear in the sentence.
    let stop = Some(&problems).filter(|it| !it.is_empty()).and_then(|_| strict::stop(bytes));
    let mut said = problems.iter().any(|it| matches!(it.upstream, Upstream::Says(_)));
    for problem in &mut parsed.problems {
        if let (Upstream::Says(_), Some(stop)) = (&problem.upstream, &stop) {
            let message = Some(stop.message(bytes)).filter(|_| !std::mem::replace(&mut said, true));
            problem.upstream = message.map_or(Upstream::Refuses, Upstream::Says);
        }
    }
    problems.append(&mut parsed.problems);
    problems.sort_by_key(|it| (it.span.start, it.fault.code(), it.span.end));
    Parsed { tree: parsed.tree, problems }
}

/// A tree that holds the text and understands nothing of it.
fn refuse(text: Arc<str>, problem: Problem) -> Parsed {
    let span = Span::new(0, text.len() as u32);
    let nodes = vec![
        NodeData { kind: SyntaxKind::File, span, end: 2 },
        NodeData { kind: SyntaxKind::Junk, span, end: 2 },
    ];
    Parsed { tree: SyntaxTree { text, nodes }, problems: vec![problem] }
}

/// The nodes of a text in preorder.
fn nodes(text: &str) -> Vec<NodeData> {
    let Some(pairs) = grammar::pairs(text) else { return Vec::new() };
    let tokens = pairs.tokens();
    let mut nodes = Vec::with_capacity(tokens.len() / 2);
    // The indices of the nodes whose end has not come yet.
    let mut open: Vec<usize> = Vec::new();
    for token in tokens {
        match token {
            Token::Start { rule, pos } => {
                let Some(kind) = kind(rule) else { continue };
                open.push(nodes.len());
                nodes.push(NodeData { kind, span: Span::at(pos.pos() as u32), end: 0 });
            }
            Token::End { rule, pos } => {
                let end = nodes.len() as u32;
                if kind(rule).is_some()
                    && let Some(node) = open.pop().and_then(|it| nodes.get_mut(it))
                {
                    node.span.end = pos.pos() as u32;
                    node.end = end;
                }
            }
        }
    }
    nodes
}

const fn kind(rule: Rule) -> Option<SyntaxKind> {
    Some(match rule {
        Rule::file => SyntaxKind::File,
        Rule::object => SyntaxKind::Object,
        Rule::member => SyntaxKind::Member,
        Rule::array => SyntaxKind::Array,
        Rule::string | Rule::quoted | Rule::unclosed => SyntaxKind::String,
        Rule::word | Rule::label => SyntaxKind::Scalar,
        Rule::comma => SyntaxKind::Comma,
        Rule::comment => SyntaxKind::Comment,
        Rule::missing => SyntaxKind::Missing,
        Rule::junk | Rule::bom | Rule::closer | Rule::after | Rule::equals | Rule::gap => {
            SyntaxKind::Junk
        }
        _ => return None,
    })
}
