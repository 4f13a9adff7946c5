//! One door for all formats: recognises the shape of an inventory by its content.
//!
//! serde_json reads first, three times as fast as json5; only text that it refuses as JSON goes
//! to json5, which a person's own inventory may need. Whatever is wrong gets a place.

use serde::de::{DeserializeSeed, IgnoredAny};

use super::draft::Draft;
use super::json::{Driver, List, Loose, Object, Plain, Sink, Stopped, Text};
use super::locate::{self, At, Part};
use super::problem::{Found, Problem, Problems};
use super::shape::{Guess, Shape, Sniff};
use super::{Tailnet, devices, headscale, native, status};
use crate::diagnostic::Diagnostic;
use crate::span::Span;

/// The longest inventory: places in it are 32 bits wide.
pub const MAX_BYTES: usize = u32::MAX as usize;

/// The deepest nesting of brackets that json5 is given, which has no bound of its own; as
/// serde_json's. The deepest real inventory has eight.
const MAX_DEPTH: usize = 128;

/// What reading an inventory gives.
#[derive(Clone, Debug)]
pub struct Inventory {
    /// The tailnet; `None` when there is an error among the diagnostics.
    pub tailnet: Option<Tailnet>,
    /// What was wrong or worth a word, by place in the inventory's text.
    pub diagnostics: Vec<Diagnostic>,
}

/// Why a text cannot be read at all, and where.
struct Refused(Box<Problem>, Span);

impl Refused {
    fn new(problem: Problem, span: Span) -> Self {
        Self(Box::new(problem), span)
    }
}

/// Reads an inventory in any of the known shapes.
///
/// Ends with a tailnet or with at least one error, each with a place in `text`.
pub fn read(text: &str) -> Inventory {
    match understood(text) {
        Ok(inventory) => inventory,
        Err(Refused(problem, span)) => {
            Inventory { tailnet: None, diagnostics: vec![problem.report(span, None)] }
        }
    }
}

fn understood(text: &str) -> Result<Inventory, Refused> {
    if text.len() > MAX_BYTES {
        return Err(Refused::new(Problem::TooLarge, Span::at(0)));
    }
    // Windows' shells put a byte-order mark before what a command prints.
    let start = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let Some(blank) = text.get(start..).and_then(|it| it.find(|char: char| !char.is_whitespace()))
    else {
        return Err(Refused::new(Problem::NotAnInventory { found: Found::Nothing }, Span::at(0)));
    };
    let shape = match shape_of(text, start)? {
        Guess::Is(shape) => shape,
        Guess::Not(found) => {
            return Err(Refused::new(
                Problem::NotAnInventory { found },
                char_at(text, start + blank),
            ));
        }
        Guess::Unknown => {
            return Err(Refused::new(
                Problem::NotAnInventory { found: Found::Nothing },
                char_at(text, start + blank),
            ));
        }
    };
    let (tailnet, problems) = document(text, start, shape)?.finish();
    Ok(Inventory { tailnet, diagnostics: problems.report(text, start) })
}

/// The span of the character at an offset; empty at the end.
fn char_at(text: &str, offset: usize) -> Span {
    let len = text.get(offset..).and_then(|it| it.chars().next()).map_or(0, char::len_utf8);
    Span::new(offset as u32, (offset + len) as u32)
}

/// The shape, as soon as it is certain.
fn shape_of(text: &str, start: usize) -> Result<Guess, Refused> {
    let body = text.get(start..).unwrap_or_default();
    let mut guess = Guess::Unknown;
    // An error of the kind "data" is our own, by which the shape was told.
    let json = match Driver(&mut Sniff(&mut guess))
        .deserialize(&mut serde_json::Deserializer::from_str(body))
    {
        Err(error) if !error.is_data() => error,
        _ => return Ok(guess),
    };
    bound_depth(text)?;
    let mut guess = Guess::Unknown;
    match Driver(&mut Sniff(&mut guess)).deserialize(&mut json5::Deserializer::from_str(body)) {
        Err(json5) if matches!(guess, Guess::Unknown) || json5.code().is_some() => {
            Err(neither(text, start, &json, &json5))
        }
        _ => Ok(guess),
    }
}

/// The whole document.
fn document<'t>(text: &'t str, start: usize, shape: Shape) -> Result<Draft<'t>, Refused> {
    let body = text.get(start..).unwrap_or_default();
    let mut draft = empty(shape);
    let mut json = serde_json::Deserializer::from_str(body);
    let outcome = Driver(&mut Document { draft: &mut draft, shape })
        .deserialize(&mut json)
        .and_then(|()| json.end());
    let Err(error) = outcome else { return Ok(draft) };
    bound_depth(text)?;
    draft = empty(shape);
    // The first pass makes sure that nothing stands behind the document; json5 checks that only so.
    let whole = json5::from_str::<IgnoredAny>(body);
    whole
        .and_then(|_| {
            Driver(&mut Document { draft: &mut draft, shape })
                .deserialize(&mut json5::Deserializer::from_str(body))
        })
        .map_err(|json5| neither(text, start, &error, &json5))?;
    Ok(draft)
}

/// A draft for nodes of this shape.
fn empty<'t>(shape: Shape) -> Draft<'t> {
    Draft::new(match shape {
        Shape::Native => native::LAYOUT,
        Shape::Status => status::LAYOUT,
        Shape::Devices => devices::LAYOUT,
        Shape::Headscale => headscale::WRAPPED,
    })
}

/// Refuses text that would exhaust the stack of a parser without a bound.
fn bound_depth(text: &str) -> Result<(), Refused> {
    match locate::too_deep(text, MAX_DEPTH) {
        Some(span) => Err(Refused::new(Problem::TooDeep { bound: MAX_DEPTH }, span)),
        None => Ok(()),
    }
}

/// The report for text that neither parser takes, at the place where the one that came further
/// stopped: a comment is no news in a text whose last bracket is missing.
fn neither(text: &str, start: usize, json: &serde_json::Error, json5: &json5::Error) -> Refused {
    let body = text.get(start..).unwrap_or_default();
    let json_place = json_offset(body, json.line(), json.column());
    let json5_place =
        json5.position().map_or(body.len(), |it| json5_offset(body, it.line, it.column));
    let (place, reason) = if json5_place > json_place {
        (json5_place, json5.code().map_or_else(|| json5.to_string(), |it| it.to_string()))
    } else {
        let message = json.to_string();
        let bare = message.rfind(" at line ").and_then(|it| message.get(..it)).unwrap_or(&message);
        (json_place, bare.to_owned())
    };
    // Both parsers call the end of the text EOF.
    let reason = match reason.strip_prefix("EOF ") {
        Some(within) => format!(
            "the text ends {}",
            within.replace("while parsing", "within").replace("parsing", "within")
        ),
        None => reason,
    };
    Refused::new(Problem::NotJson { reason: reason.into() }, char_at(text, start + place))
}

/// serde_json counts lines and bytes from 1, and names the byte before a bad one at times.
fn json_offset(text: &str, line: usize, column: usize) -> usize {
    let start =
        text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum::<usize>();
    let mut offset = (start + column.saturating_sub(1)).min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

/// json5 counts lines and characters from 0, and ends lines as JavaScript does.
pub(crate) fn json5_offset(text: &str, line: usize, column: usize) -> usize {
    let (mut lines, mut offset) = (0, 0);
    while lines < line {
        let rest = text.get(offset..).unwrap_or_default();
        let Some(end) = rest.find(['\n', '\r', '\u{2028}', '\u{2029}']) else { break };
        let after = rest.get(end..).unwrap_or_default();
        let len = if after.starts_with("\r\n") {
            2
        } else {
            after.chars().next().map_or(0, char::len_utf8)
        };
        offset += end + len;
        lines += 1;
    }
    let rest = text.get(offset..).unwrap_or_default();
    offset + rest.char_indices().nth(column).map_or(rest.len(), |(it, _)| it)
}

/// Reads a document of a known shape into a draft.
struct Document<'d, 't> {
    draft: &'d mut Draft<'t>,
    shape: Shape,
}

impl<'t> Sink<'t> for Document<'_, 't> {
    // The shape was told from an object or a list.
    fn plain(&mut self, _: Plain<'t>) {}

    fn object(&mut self, object: &mut dyn Object<'t>) -> Result<(), Stopped> {
        let Self { draft, shape } = self;
        let mut seen: Vec<Text<'t>> = Vec::new();
        while let Some(key) = object.key()? {
            if seen.contains(&key) {
                repeated(&mut draft.problems, &key);
            } else if seen.len() < 64 {
                seen.push(key.clone());
            }
            match shape {
                Shape::Native => native::member(draft, key, object)?,
                Shape::Status => status::member(draft, key, object)?,
                Shape::Devices => devices::member(draft, key, object)?,
                Shape::Headscale => headscale::member(draft, key, object)?,
            }
        }
        Ok(())
    }

    fn list(&mut self, list: &mut dyn List<'t>) -> Result<(), Stopped> {
        self.draft.layout = headscale::BARE;
        for index in 0.. {
            let mut node = Loose::Absent;
            if !list.item(&mut node)? {
                break;
            }
            headscale::node(self.draft, index, node);
        }
        Ok(())
    }
}

/// Two lists of nodes in one document are both read, which is most likely not what is meant.
fn repeated(problems: &mut Problems, key: &str) {
    problems.add(Problem::Repeated { name: key.into() }, (&At::TOP.key(key), Part::Name), None);
}
