//! The outline of a policy: sections, what they define, and their rules; and its names, to be found
//! from anywhere.

use compiler::cst::{Member, SyntaxKind, SyntaxNode};
use compiler::span::Span;

use super::analysis::Analysis;
use super::shape::{Form, Named, Shape, Slot};

/// A piece of the outline.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Symbol {
    /// What is shown.
    pub name: String,
    /// A few words beside it.
    pub detail: Option<String>,
    /// What it is.
    pub kind: SymbolKind,
    /// The whole of it.
    pub span: Span,
    /// The part that is its name.
    pub name_span: Span,
    /// What lies within.
    pub children: Vec<Symbol>,
}

/// What a symbol is.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum SymbolKind {
    /// A section of the file.
    Section,
    /// A definition.
    Name(Named),
    /// A rule, an assertion, another entry of a list.
    Entry,
    /// A setting with a value of its own.
    Setting,
}

/// The outline of the file, in the order of the text.
pub fn outline(analysis: &Analysis) -> Vec<Symbol> {
    let Some(top) = analysis.tree().root().values().next() else { return Vec::new() };
    top.members().filter_map(section).collect()
}

/// The names that the file defines and whose letters hold those of `query` in their order.
pub fn definitions(analysis: &Analysis, query: &str) -> Vec<Symbol> {
    let names = analysis.names();
    let wanted = query.to_lowercase();
    let mut found = Vec::new();
    for occurrence in names.occurrences().iter().filter(|it| it.definition) {
        let Some(name) = names.name(occurrence.name) else { continue };
        let mut rest = name.text.chars().flat_map(char::to_lowercase);
        if wanted.chars().all(|letter| rest.any(|it| it == letter)) {
            found.push(Symbol {
                name: name.text.to_string(),
                detail: Some(name.named.word().to_owned()),
                kind: SymbolKind::Name(name.named),
                span: occurrence.span,
                name_span: occurrence.span,
                children: Vec::new(),
            });
        }
    }
    found
}

fn section(member: Member<'_>) -> Option<Symbol> {
    let written = member.name.string()?;
    let field = Form::File.field(&written)?;
    let mut symbol = Symbol {
        name: field.to_owned(),
        detail: None,
        kind: SymbolKind::Section,
        span: member.node.span(),
        name_span: member.name.inner_span(),
        children: Vec::new(),
    };
    let Some(value) = member.value else { return Some(symbol) };
    match Form::File.shape_of(field) {
        Shape::Map(Slot::Definition(named), _) => {
            symbol.children = value.members().filter_map(|it| definition(it, named)).collect();
        }
        Shape::List(Shape::Object(form)) => {
            symbol.children = value.values().filter_map(|it| entry(it, *form)).collect();
        }
        Shape::Object(form) => {
            let fields = value.members().filter_map(|it| {
                let name = form.field(&it.name.string()?)?;
                Some(part(
                    name.to_owned(),
                    None,
                    SymbolKind::Setting,
                    it.node,
                    it.name.inner_span(),
                ))
            });
            symbol.children = fields.collect();
        }
        _ => {
            symbol.kind = SymbolKind::Setting;
            symbol.detail = short(value);
        }
    }
    Some(symbol)
}

fn part(
    name: String,
    detail: Option<String>,
    kind: SymbolKind,
    node: SyntaxNode<'_>,
    name_span: Span,
) -> Symbol {
    Symbol { name, detail, kind, span: node.span(), name_span, children: Vec::new() }
}

fn definition(member: Member<'_>, named: Named) -> Option<Symbol> {
    let name = member.name.string()?.into_owned();
    // Editors refuse a symbol without a name.
    let name = if name.is_empty() { "(no name)".to_owned() } else { name };
    let detail = member.value.and_then(short);
    Some(part(name, detail, SymbolKind::Name(named), member.node, member.name.inner_span()))
}

/// `group:eng → tag:web`
fn entry(object: SyntaxNode<'_>, form: Form) -> Option<Symbol> {
    if object.kind() != SyntaxKind::Object {
        return None;
    }
    let field = |wanted: &[&str]| {
        let mut members = object.members();
        let found = members.find(|it| {
            let name = it.name.string().and_then(|it| form.field(&it));
            name.is_some_and(|it| wanted.contains(&it))
        });
        found.and_then(|it| it.value).and_then(short).unwrap_or_else(|| "…".to_owned())
    };
    let name = match form {
        Form::Acl => format!("{} → {}", field(&["src", "users"]), field(&["dst", "ports"])),
        Form::Grant => {
            let what = field(&["ip", "app"]);
            format!("{} → {}: {what}", field(&["src"]), field(&["dst"]))
        }
        Form::Ssh => {
            format!("{} → {} as {}", field(&["src"]), field(&["dst"]), field(&["users"]))
        }
        Form::NodeAttr => format!("{}: {}", field(&["target"]), field(&["attr", "app", "ipPool"])),
        Form::Test => {
            format!("{} → {}", field(&["src", "user"]), field(&["accept", "allow", "deny"]))
        }
        Form::SshTest => format!("{} → {}", field(&["src"]), field(&["dst"])),
        _ => return None,
    };
    let opening = object.span().opening();
    Some(part(name, None, SymbolKind::Entry, object, opening))
}

/// A value in a few words: `group:eng, tag:web and 3 more`.
fn short(value: SyntaxNode<'_>) -> Option<String> {
    const FEW: usize = 3;
    let text = |it: SyntaxNode<'_>| match it.string() {
        Some(text) => text.into_owned(),
        None => it.text().to_owned(),
    };
    match value.kind() {
        SyntaxKind::Array => {
            let values: Vec<_> =
                value.values().filter(|it| it.kind() != SyntaxKind::Object).collect();
            let mut shown =
                values.iter().take(FEW).map(|it| text(*it)).collect::<Vec<_>>().join(", ");
            if values.len() > FEW {
                shown.push_str(&format!(" and {} more", values.len() - FEW));
            }
            (!shown.is_empty()).then_some(shown)
        }
        SyntaxKind::Object => {
            let mut names = value.members().filter_map(|it| it.name.string());
            let first = names.next()?;
            Some(if names.next().is_some() { format!("{first}, …") } else { first.into_owned() })
        }
        _ => Some(text(value)),
    }
}
