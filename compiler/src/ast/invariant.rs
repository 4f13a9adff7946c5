//! `never tag:guest -> tag:prod:*` → [`Invariant`]: what must hold of a policy. `invariant.pest` is
//! the grammar, and what `aclc explain invariants` prints.
//!
//! Invariants stand in a file of their own, a line each, or in comments of the policy,
//! `// aclc: never …`. Whether they hold is not known here.

use pest::Parser;
use pest::iterators::Pair;

use super::ports::{read_ports, read_protocol};
use super::{PortRange, Protocol, Selector, selector};
use crate::cst::SyntaxTree;
use crate::span::{Span, Spanned};

/// The third grammar.
#[allow(missing_docs, unreachable_pub, reason = "pest generates an undocumented enum of rules")]
mod grammar {
    #[derive(pest_derive::Parser)]
    #[grammar = "ast/invariant.pest"]
    pub(super) struct Grammar;
}

use grammar::{Grammar, Rule};

/// The grammar as text, for people.
pub const GRAMMAR: &str = include_str!("invariant.pest");

/// What kind of claim it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Claim {
    /// No source reaches any destination.
    Never,
    /// Nobody but the sources reaches any destination.
    Only,
    /// Every source reaches every destination.
    Always,
}

/// One claim about a policy.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Invariant {
    /// The whole of it.
    pub span: Span,
    /// What is claimed.
    pub claim: Claim,
    /// Who; the second list is taken away from the first.
    pub src: [Vec<Spanned<Selector>>; 2],
    /// Whom, with ports.
    pub dst: Vec<Destination>,
    /// What is taken away from the destinations.
    pub dst_except: Vec<Spanned<Selector>>,
}

/// A destination of a claim.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Destination {
    /// Without ports.
    pub selector: Spanned<Selector>,
    /// `None` where none is named.
    pub protocol: Option<Protocol>,
    /// In the order written.
    pub ports: Vec<PortRange>,
}

/// Why a text is no invariant.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Malformed {
    /// It does not have the form of one.
    #[error("this is no invariant")]
    Form(Span),
    /// A destination has no ports behind its last colon.
    #[error("`{}` has no ports", .0.value)]
    NoPorts(Spanned<String>),
    /// What stands there are no ports.
    #[error("{}", .0.value)]
    Ports(Spanned<String>),
    /// A piece that is no selector.
    #[error("`{}` is no selector", .0.value)]
    Selector(Spanned<String>),
}

impl Malformed {
    /// Where.
    pub const fn span(&self) -> Span {
        match self {
            Malformed::Form(span) => *span,
            Malformed::NoPorts(it) | Malformed::Ports(it) | Malformed::Selector(it) => it.span,
        }
    }

    /// What to write instead.
    pub fn help(&self) -> String {
        match self {
            Malformed::NoPorts(it) => format!("write `{0}:443`, or `{0}:*` for every port", it.value),
            Malformed::Ports(_) => "ports are `443`, `80-90`, `22,80`, or `*`".to_owned(),
            _ => "an invariant reads `never tag:guest -> tag:prod:*`; `aclc explain invariants` has the \
                  grammar"
                .to_owned(),
        }
    }
}

/// Reads a file of invariants: one to a line, empty lines and comments (`#` or `//`) between them.
pub fn read_file(text: &str) -> Vec<Result<Invariant, Malformed>> {
    let mut start = 0;
    let mut found = Vec::new();
    for line in text.split_inclusive('\n') {
        let body = line.trim_end();
        let begun = body.trim_start();
        if !begun.is_empty() && !begun.starts_with('#') && !begun.starts_with("//") {
            let offset = start + body.len() - begun.len();
            found.push(read(begun, offset as u32));
        }
        start += line.len();
    }
    found
}

/// Reads the invariants in the comments of a policy: `// aclc: never …`.
pub fn read_comments(tree: &SyntaxTree) -> Vec<Result<Invariant, Malformed>> {
    let text = tree.text();
    if !text.contains("aclc:") {
        return Vec::new();
    }
    let mut found = Vec::new();
    for comment in tree.comments().map(|it| it.span()) {
        let body = comment.of(text);
        let inner = body.trim_start_matches(['/', '*', ' ', '\t']);
        let Some(order) = inner.strip_prefix("aclc:").map(str::trim_start) else { continue };
        let word = order.split([' ', '\t']).next().unwrap_or_default();
        if matches!(word, "never" | "only" | "always") {
            // `order` is the end of `body`, so its length says where it starts.
            let start = comment.end - order.len() as u32;
            found.push(read(order.trim_end().trim_end_matches("*/").trim_end(), start));
        }
    }
    found
}

/// Reads one invariant that begins at `start` of some text.
fn read(text: &str, start: u32) -> Result<Invariant, Malformed> {
    let whole = Span::new(start, start + text.len() as u32);
    let span = |pair: &Pair<'_, Rule>| {
        let span = pair.as_span();
        Span::new(start + span.start() as u32, start + span.end() as u32)
    };
    let parsed = Grammar::parse(Rule::invariant, text).map_err(|_| Malformed::Form(whole))?;
    let mut invariant = Invariant {
        span: whole,
        claim: Claim::Never,
        src: [Vec::new(), Vec::new()],
        dst: Vec::new(),
        dst_except: Vec::new(),
    };
    for part in parsed.flat_map(Pair::into_inner) {
        match part.as_rule() {
            Rule::kind => {
                invariant.claim = match part.as_str() {
                    "never" => Claim::Never,
                    "only" => Claim::Only,
                    _ => Claim::Always,
                }
            }
            Rule::sources => {
                let (own, except) = split(part);
                let [src, without] = &mut invariant.src;
                for (pair, list) in
                    own.iter().map(|it| (it, 0)).chain(except.iter().map(|it| (it, 1)))
                {
                    let selector = read_selector(pair.as_str(), span(pair))?;
                    if list == 0 { src.push(selector) } else { without.push(selector) }
                }
            }
            Rule::targets => {
                let (own, except) = split(part);
                for pair in &own {
                    invariant.dst.push(read_destination(pair.as_str(), span(pair))?);
                }
                for pair in &except {
                    invariant.dst_except.push(read_selector(pair.as_str(), span(pair))?);
                }
            }
            _ => {}
        }
    }
    Ok(invariant)
}

/// The terms of one side, and those behind its `except`.
fn split(side: Pair<'_, Rule>) -> (Vec<Pair<'_, Rule>>, Vec<Pair<'_, Rule>>) {
    let (mut own, mut without) = (Vec::new(), Vec::new());
    for part in side.into_inner() {
        match part.as_rule() {
            Rule::except => without.extend(part.into_inner()),
            _ => own.push(part),
        }
    }
    (own, without)
}

fn read_selector(text: &str, span: Span) -> Result<Spanned<Selector>, Malformed> {
    match selector::read(text) {
        Ok(read) => Ok(Spanned::new(read.selector, span)),
        Err(_) => Err(Malformed::Selector(Spanned::new(text.to_owned(), span))),
    }
}

/// `tag:db:5432`, `tag:db:udp:53`, `[fd00::1]:443`.
fn read_destination(text: &str, span: Span) -> Result<Destination, Malformed> {
    let none = || Malformed::NoPorts(Spanned::new(text.to_owned(), span));
    let (rest, ports) = text.rsplit_once(':').ok_or_else(none)?;
    // `tag:db` is a selector without ports and not the tag-like host `tag` with the port `db`.
    if matches!(rest, "tag" | "group" | "autogroup" | "ipset" | "svc") {
        return Err(none());
    }
    let ports_span = Span::new(span.end - ports.len() as u32, span.end);
    let list = read_ports(ports)
        .map_err(|it| Malformed::Ports(Spanned::new(it.to_string(), ports_span)))?;
    // A number before the ports is rather the end of an address than a protocol.
    let named = rest.rsplit_once(':').and_then(|(rest, word)| {
        let word = Some(word).filter(|it| it.starts_with(|it: char| it.is_ascii_alphabetic()))?;
        Some((rest, read_protocol(word).ok().flatten()?))
    });
    let (name, protocol) = match named {
        Some((name, protocol)) if !matches!(name, "tag" | "group" | "ipset" | "svc") => {
            (name, Some(protocol))
        }
        _ => (rest, None),
    };
    let bare = name.strip_prefix('[').and_then(|it| it.strip_suffix(']')).unwrap_or(name);
    let selector = read_selector(bare, Span::new(span.start, span.start + name.len() as u32))?;
    Ok(Destination { selector, protocol, ports: list })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Invariant {
        read_file(text).pop().unwrap().unwrap()
    }

    #[test]
    fn reads_sides_with_and_and_except() {
        let it =
            one("  only group:sre and tag:ci except ada@example.com -> tag:db:5432 and db:udp:53");
        assert_eq!(it.claim, Claim::Only);
        assert_eq!(it.src.each_ref().map(Vec::len), [2, 1]);
        let shown: Vec<String> = it
            .dst
            .iter()
            .map(|it| format!("{} {:?} {}", it.selector.value, it.protocol, it.ports.len()))
            .collect();
        assert_eq!(shown, ["tag:db None 1", "db Some(17) 1"]);
        assert_eq!(one("never *->[fd00::1]:80,443").dst[0].ports.len(), 2);
    }

    #[test]
    fn says_where_a_line_is_wrong() {
        let text =
            "# comment\nnever tag:a > tag:b:*\nnever tag:a -> tag:b\nalways tag:a -> tag:b:x\n";
        let wrong: Vec<_> = read_file(text).into_iter().map(|it| it.unwrap_err()).collect();
        let shown: Vec<&str> = wrong.iter().map(|it| it.span().of(text)).collect();
        assert_eq!(shown, ["never tag:a > tag:b:*", "tag:b", "x"]);
    }
}
