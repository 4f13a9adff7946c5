//! Places: a text with `|` at the cursor, bytes, and the lines and columns of the protocol.

use serde_json::{Value, json};

use crate::talk::Talk;

impl Talk {
    /// The byte that a place means: a text with `|` at the cursor; `2:` before it means the second.
    pub(crate) fn offset(&self, place: &str) -> Result<usize, String> {
        let (number, text) = match place.split_once(": ") {
            Some((number, text)) if number.parse::<usize>().is_ok() => {
                (number.parse().unwrap_or(1), text)
            }
            _ => (1, place),
        };
        let (before, behind) = text.split_once('|').ok_or("a place has a `|`")?;
        let needle = format!("{before}{behind}");
        let found = self.text.match_indices(&needle).nth(number.max(1) - 1);
        found.map(|it| it.0 + before.len()).ok_or_else(|| format!("there is no `{needle}`"))
    }

    pub(crate) fn position(&self, offset: usize) -> Value {
        let before = self.text.get(..offset).unwrap_or_default();
        let start = before.rfind('\n').map_or(0, |it| it + 1);
        let line = before.matches('\n').count();
        let column = before.get(start..).unwrap_or_default();
        let character = if self.bytes { column.len() } else { column.encode_utf16().count() };
        json!({"line": line, "character": character})
    }

    pub(crate) fn offset_of(&self, position: &Value) -> usize {
        let number =
            |name: &str| position.get(name).and_then(Value::as_u64).unwrap_or_default() as usize;
        let mut starts = std::iter::once(0).chain(self.text.match_indices('\n').map(|it| it.0 + 1));
        let start = starts.nth(number("line")).unwrap_or(self.text.len());
        let mut units = number("character");
        let mut at = start;
        for char in self.text.get(start..).unwrap_or_default().chars() {
            if units == 0 {
                break;
            }
            units =
                units.saturating_sub(if self.bytes { char.len_utf8() } else { char.len_utf16() });
            at += char.len_utf8();
        }
        at
    }
}
