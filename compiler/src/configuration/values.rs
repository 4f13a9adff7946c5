//! TOML or JSON5 → named values with their places; the two forms are one from here on.

use serde::Deserialize;
use serde_json::Value as Json;
use toml::de::{DeTable, DeValue};

use super::problem::Problem;
use crate::span::{Span, Spanned};
use crate::tailnet::json5_offset;
use crate::tailnet::locate::{At, Part, Places, too_deep};

/// A named value.
pub(crate) struct Member {
    pub(crate) name: Spanned<String>,
    pub(crate) value: Spanned<Value>,
}

/// A value, as far as settings have use for it.
pub(crate) enum Value {
    Text(String),
    Table(Vec<Member>),
    List(Vec<Spanned<Value>>),
    Other,
}

/// The members of a TOML document, as far as it could be read, and what is wrong with it.
pub(crate) fn from_toml(text: &str) -> (Vec<Member>, Vec<Problem>) {
    let (table, errors) = DeTable::parse_recoverable(text);
    let problems = errors.iter().map(|it| {
        let span = it.span().map_or(Span::at(0), span);
        // The reader takes a bare word for half a number.
        let word = span.of(text).starts_with(char::is_alphabetic);
        let before = Span::new(0, span.start).of(text).trim_end();
        let what = if word && before.ends_with('=') {
            "a text stands between quotes".to_owned()
        } else {
            one_line(it.message())
        };
        Problem::Syntax { span, what }
    });
    (toml_members(table.into_inner()), problems.collect())
}

fn toml_members(table: DeTable<'_>) -> Vec<Member> {
    let member = |(name, value): (toml::Spanned<std::borrow::Cow<'_, str>>, _)| {
        let name_span = span(name.span());
        Member {
            name: Spanned::new(name.into_inner().into_owned(), name_span),
            value: toml_value(value),
        }
    };
    table.into_iter().map(member).collect()
}

fn toml_value(value: toml::Spanned<DeValue<'_>>) -> Spanned<Value> {
    let value_span = span(value.span());
    match value.into_inner() {
        // The characters between the quotes, as everywhere.
        DeValue::String(it) => {
            let quotes = (value_span.len() as usize).saturating_sub(it.len());
            let inner = if quotes == 2 {
                Span::new(value_span.start + 1, value_span.end - 1)
            } else {
                value_span
            };
            Spanned::new(Value::Text(it.into_owned()), inner)
        }
        DeValue::Table(it) => Spanned::new(Value::Table(toml_members(it)), value_span),
        DeValue::Array(it) => {
            Spanned::new(Value::List(it.into_iter().map(toml_value).collect()), value_span)
        }
        _ => Spanned::new(Value::Other, value_span),
    }
}

fn span(range: std::ops::Range<usize>) -> Span {
    Span::new(range.start as u32, range.end as u32)
}

/// The members of a JSON5 object, or why it is none. Of two members of one name the last counts.
pub(crate) fn from_json5(text: &str) -> Result<Vec<Member>, Problem> {
    let syntax = |span, what: &str| Problem::Syntax { span, what: one_line(what) };
    if let Some(span) = too_deep(text, MAX_DEPTH) {
        return Err(syntax(span, "nested too deep for a configuration"));
    }
    let json = json5::from_str::<Object>(text).map_err(|it| {
        let offset = |it: json5::Position| json5_offset(text, it.line, it.column);
        let place = Span::at(it.position().map_or(text.len(), offset) as u32);
        syntax(place, &it.code().map_or_else(|| it.to_string(), |it| it.to_string()))
    })?;
    Ok(json_members(text, json.0, &At::TOP))
}

/// No setting has more levels than three.
const MAX_DEPTH: usize = 16;

/// A document that is an object.
#[derive(Deserialize)]
#[serde(transparent)]
struct Object(serde_json::Map<String, Json>);

fn json_members(text: &str, object: serde_json::Map<String, Json>, at: &At<'_>) -> Vec<Member> {
    let member = |(name, value): (String, Json)| {
        let inside = at.key(&name);
        let mut places = Places::default();
        let (key, whole) = (places.want(&inside, Part::Name), places.want(&inside, Part::Value));
        places.locate(text, 0);
        let (key, whole) = (places.span(key), places.span(whole));
        let value = match value {
            Json::String(it) => Value::Text(it),
            Json::Object(it) => Value::Table(json_members(text, it, &inside)),
            _ => Value::Other,
        };
        Member { name: Spanned::new(name, key), value: Spanned::new(value, whole) }
    };
    object.into_iter().map(member).collect()
}

/// What a reader says, as one lower-case sentence without a final stop.
fn one_line(what: &str) -> String {
    let line = what.split_whitespace().collect::<Vec<_>>().join(" ");
    line.trim_end_matches('.').to_owned()
}
