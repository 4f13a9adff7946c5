//! A name and another → the edits that rename it everywhere; every byte they need not touch stays.

use compiler::ast::{Selector, selector};
use compiler::cst::SyntaxNode;
use compiler::diagnostic::Edit;
use compiler::span::Span;

use super::analysis::Analysis;
use super::names::Occurrence;
use super::shape::Named;

/// What would be renamed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Renamed {
    /// The name at the place that was asked about.
    pub span: Span,
    /// The name as it is.
    pub name: String,
}

/// The name at `offset`, if it can be renamed.
pub fn prepare(analysis: &Analysis, offset: u32) -> Option<Renamed> {
    let names = analysis.names();
    let here = names.at(offset)?;
    let name = names.name(here.name)?;
    let written = here.span.of(analysis.text());
    // In a string with escapes the name does not stand as such.
    let plain = written.eq_ignore_ascii_case(&name.text);
    plain.then(|| Renamed { span: here.span, name: written.to_owned() })
}

/// The edits that give the name at `offset` another, in the order of the text. What all names of its
/// sort begin with may be left out of `new`.
///
/// Errors: a sentence that says why it cannot be called so.
pub fn rename(analysis: &Analysis, offset: u32, new: &str) -> Result<Vec<Edit>, String> {
    let names = analysis.names();
    let nothing = || "there is no name here".to_owned();
    let here = names.at(offset).ok_or_else(nothing)?;
    let name = names.name(here.name).ok_or_else(nothing)?;
    let new = complete(name.named, new.trim())?;
    let text = match name.named {
        Named::Tag => new.to_ascii_lowercase(),
        _ => new.clone(),
    };
    if *text != *name.text && names.find(name.named, &text).is_some() {
        return Err(format!("there is a {} `{new}` already", name.named.word()));
    }
    // A group of an identity provider has its domain in its name, and needs no definition for that.
    let synced = name.named == Named::Group && name.text.contains('@');
    if synced && !names.is_defined(here.name) && !new.contains('@') {
        return Err(format!(
            "`{}` is synced by an identity provider, `{new}` would not be",
            name.text
        ));
    }
    let edits = names.places(here.name).map(|it| edit(analysis, it, &name.text, &new));
    Ok(edits.collect())
}

/// A new name with what all names of its sort begin with, if it is one.
fn complete(named: Named, new: &str) -> Result<String, String> {
    let prefix = named.prefix();
    let whole = if new.starts_with(prefix) { new.to_owned() } else { format!("{prefix}{new}") };
    let word = named.word();
    if new.is_empty() || whole == prefix {
        return Err(format!("a {word} needs a name"));
    }
    if whole.contains(|it: char| it.is_control() || it == '"' || it == '\\') {
        return Err(format!("`{whole}` has characters that no name may have"));
    }
    if named == Named::Posture {
        return Ok(whole);
    }
    let read = selector::read(&whole).map(|it| it.selector);
    let fits = match (named, &read) {
        (Named::Group, Ok(Selector::Group(_)))
        | (Named::Tag, Ok(Selector::Tag(_)))
        | (Named::Ipset, Ok(Selector::Ipset(_)))
        | (Named::Service, Ok(Selector::Service(_)))
        | (Named::User, Ok(Selector::User(_))) => !whole.contains([' ', ',']),
        (Named::Host, Ok(Selector::Host(_))) => !whole.contains(['@', ':', ' ', ',', '[', ']']),
        _ => false,
    };
    if fits {
        return Ok(whole);
    }
    Err(match (named, read) {
        (Named::Tag, Err(selector::Malformed::Tag(why))) => why.to_owned(),
        (Named::User, _) => format!("`{whole}` is no login: it has no `@`, or something before it"),
        (Named::Host, Ok(_)) => format!("`{whole}` would be something else than a host"),
        _ => format!("`{whole}` cannot be the name of a {word}"),
    })
}

/// Replaces one place. Where escapes hide the name, the whole string is written anew.
fn edit(analysis: &Analysis, place: &Occurrence, old: &str, new: &str) -> Edit {
    let written = place.span.of(analysis.text());
    if written.eq_ignore_ascii_case(old) {
        return Edit { span: place.span, text: new.to_owned() };
    }
    let node: SyntaxNode<'_> = analysis.tree().node_at(place.string.start);
    let text = node.string().unwrap_or_default();
    let renamed = text.replacen(old, new, 1);
    Edit { span: place.string, text: escaped(&renamed) }
}

/// A text as it stands between the quotes of a string.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '"' | '\\' => out.extend(['\\', char]),
            it if it.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(it))),
            it => out.push(it),
        }
    }
    out
}
