//! Addresses of pages in comments.

use compiler::span::Span;

use super::analysis::Analysis;

/// A text that leads to a page.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Link {
    /// Where it stands.
    pub span: Span,
    /// The address.
    pub target: String,
}

/// The links of a file, in the order of the text.
pub fn links(analysis: &Analysis) -> Vec<Link> {
    let mut links = Vec::new();
    if !analysis.text().contains("://") {
        return links;
    }
    for comment in analysis.tree().comments() {
        let (text, start) = (comment.text(), comment.span().start);
        let mut from = 0;
        while let Some(at) = text.get(from..).and_then(|it| it.find("http")).map(|it| it + from) {
            let rest = text.get(at..).unwrap_or_default();
            let end = rest.find(|it: char| it.is_whitespace() || "\"'`<>".contains(it));
            let address = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
            // What ends a sentence is no part of the address.
            let address =
                address.trim_end_matches(['.', ',', ';', ':', ')', '!', '?', '*', '/'].as_slice());
            let begun = ["https://", "http://"].into_iter().find(|it| address.starts_with(it));
            if begun.is_some_and(|it| address.len() > it.len()) {
                let span = Span::new(start + at as u32, start + (at + address.len()) as u32);
                links.push(Link { span, target: address.to_owned() });
            }
            from = at + address.len().max("http".len());
        }
    }
    links
}
