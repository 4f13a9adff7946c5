//! The proof that a bundle means what its fragments mean together: both are taken apart into what
//! each section holds, in order, and compared; and each comment is looked for.
//!
//! Shares nothing with the joining but the table of kinds.

use std::collections::BTreeMap;

use super::join::{Kind, SECTIONS};
use super::{Fragment, is_field};
use crate::cst::{self, SyntaxKind, SyntaxNode, SyntaxTree};
use crate::dialect::Dialect;

/// What the sections of a policy hold, by their path: entries in their order, as compact texts.
type Contents = BTreeMap<String, Vec<String>>;

/// Whether a text says what the fragments say together, and has their comments.
pub(super) fn is_union(text: &str, fragments: &[Fragment], dialect: Dialect) -> bool {
    let bundle = cst::parse(text);
    let (mut together, mut comments) = (Contents::new(), BTreeMap::new());
    for fragment in fragments {
        collect(fragment.tree(), dialect, &mut together);
        count(fragment.tree(), &mut comments, 1);
    }
    let mut whole = Contents::new();
    collect(&bundle.tree, dialect, &mut whole);
    count(&bundle.tree, &mut comments, -1);
    bundle.problems.is_empty() && together == whole && comments.values().all(|it| *it <= 0)
}

fn collect(tree: &SyntaxTree, dialect: Dialect, contents: &mut Contents) {
    if let Some(top) = tree.root().values().next() {
        members(top, SECTIONS, dialect, "", contents);
    }
}

fn members(
    object: SyntaxNode<'_>,
    known: &'static [(&'static str, Kind)],
    dialect: Dialect,
    path: &str,
    contents: &mut Contents,
) {
    for member in object.members() {
        let Some(value) = member.value else { continue };
        let name = member.name.string().unwrap_or_default();
        let entry = known.iter().find(|it| is_field(dialect, &name, it.0));
        let path = format!("{path}/{}", entry.map_or(&*name, |it| it.0));
        let list = contents.entry(path.clone()).or_default();
        match (entry.map(|it| it.1), value.kind()) {
            (Some(Kind::Names), SyntaxKind::Object) => list.extend(value.members().map(|it| {
                let mut text = String::new();
                compact(it.node, &mut text);
                text
            })),
            (Some(Kind::List), SyntaxKind::Array) => list.extend(value.values().map(|it| {
                let mut text = String::new();
                compact(it, &mut text);
                text
            })),
            (Some(Kind::Members(known)), SyntaxKind::Object) => {
                members(value, known, dialect, &path, contents);
            }
            // It adds nothing to a section.
            (Some(Kind::Names | Kind::List | Kind::Members(_)), SyntaxKind::Scalar) => {}
            _ => {
                let mut text = String::new();
                compact(value, &mut text);
                list.push(text);
            }
        }
    }
}

/// A value without white space and comments, its strings without escapes that need not be.
fn compact(node: SyntaxNode<'_>, text: &mut String) {
    let brackets = match node.kind() {
        SyntaxKind::Object => ('{', '}'),
        SyntaxKind::Array => ('[', ']'),
        SyntaxKind::Member => (':', ','),
        SyntaxKind::String => {
            text.push_str(&format!("{:?};", node.string().unwrap_or_default()));
            return;
        }
        SyntaxKind::Comma | SyntaxKind::Comment => return,
        _ => {
            text.push_str(node.text());
            text.push(';');
            return;
        }
    };
    text.push(brackets.0);
    node.children().for_each(|it| compact(it, text));
    text.push(brackets.1);
}

/// Counts comments by their words: their white space is the formatter's.
fn count(tree: &SyntaxTree, comments: &mut BTreeMap<String, i64>, by: i64) {
    for comment in tree.comments() {
        let words: Vec<&str> = comment.text().split_whitespace().collect();
        *comments.entry(words.join(" ")).or_default() += by;
    }
}
