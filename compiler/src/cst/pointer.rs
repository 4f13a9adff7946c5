//! A place in a text → the JSON Pointer of the innermost value there, as RFC 6901 has it.

use std::fmt;

use super::{SyntaxKind, SyntaxNode, SyntaxTree};
use crate::span::Span;

/// The way from the top of a document to one of its values.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Pointer {
    /// Names of members and positions of elements, from the top.
    pub tokens: Vec<String>,
    /// Whether it leads to the name of a member rather than to its value.
    pub to_name: bool,
}

impl Pointer {
    /// The way to the innermost value or member name that holds `span`.
    pub fn to(tree: &SyntaxTree, span: Span) -> Self {
        let mut pointer = Self::default();
        let mut node = tree.root().values().next();
        while let Some(outer) = node.filter(|it| it.span() != span) {
            node = pointer.step(outer, span);
        }
        pointer
    }

    /// Goes one level down, and gives the value to go on from.
    fn step<'t>(&mut self, outer: SyntaxNode<'t>, span: Span) -> Option<SyntaxNode<'t>> {
        let holds = |it: SyntaxNode<'_>| it.span().start <= span.start && span.end <= it.span().end;
        if outer.kind() == SyntaxKind::Array {
            let (index, inner) = outer.values().enumerate().find(|(_, it)| holds(*it))?;
            self.tokens.push(index.to_string());
            return Some(inner);
        }
        let member = outer.members().find(|it| holds(it.node))?;
        let inner = member.value.filter(|it| holds(*it));
        if inner.is_none() && !holds(member.name) {
            return None;
        }
        self.tokens.push(member.name.string().unwrap_or_default().into_owned());
        self.to_name = inner.is_none();
        inner
    }

    /// The first steps of the way.
    pub fn upto(&self, steps: usize) -> Self {
        let tokens = self.tokens.iter().take(steps).cloned().collect();
        Self { tokens, to_name: self.to_name && steps >= self.tokens.len() }
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let escaped = |it: &String| it.replace('~', "~0").replace('/', "~1");
        self.tokens.iter().try_for_each(|it| write!(f, "/{}", escaped(it)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leads_to_the_innermost_value_or_name() {
        let text = r#"{"acls": [{}, {"src": ["a/b"]}], "tagOwners": {"tag:a/b~c": []}}"#;
        let tree = crate::cst::parse(text).tree;
        let at = |wanted: &str| {
            let start = text.find(wanted).unwrap() as u32;
            Pointer::to(&tree, Span::new(start, start + wanted.len() as u32))
        };
        assert_eq!(at("a/b").to_string(), "/acls/1/src/0");
        assert_eq!(at("tag:a/b~c").to_string(), "/tagOwners/tag:a~1b~0c");
        assert!(at("tag:a/b~c").to_name);
        assert_eq!(at("{}").to_string(), "/acls/0");
        assert_eq!(at("a/b").upto(2).to_string(), "/acls/1");
    }
}
