//! Paths into an inventory → spans of its text.
//!
//! Reading an inventory keeps no places: of a million good values none needs one. Where something
//! is wrong, its path is looked up afterwards, all paths in one walk over the text. The walk
//! steps over what no path leads into; it understands JSON5, of which JSON is a part.
//! INVARIANT: the text was accepted as JSON or JSON5. On any other it ends without a place.

use std::net::IpAddr;

use rustc_hash::FxHashMap;

use crate::span::Span;

/// One step from a value to a value inside it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step<'a> {
    /// The member of an object that has the first of these names which is there.
    Field(&'static [&'static str]),
    /// The member of this name.
    Key(&'a str),
    /// The item of a list, from 0.
    Item(u32),
    /// The item of a list that reads as this address.
    Address(IpAddr),
}

/// Where in a document a value stands; built on the stack and followed back from its end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct At<'a> {
    parent: Option<&'a At<'a>>,
    step: Option<Step<'a>>,
}

impl<'a> At<'a> {
    /// The whole document.
    pub(crate) const TOP: At<'static> = At { parent: None, step: None };

    pub(crate) fn step(&'a self, step: Step<'a>) -> At<'a> {
        At { parent: Some(self), step: Some(step) }
    }

    pub(crate) fn field(&'a self, names: &'static [&'static str]) -> At<'a> {
        self.step(Step::Field(names))
    }

    pub(crate) fn key(&'a self, name: &'a str) -> At<'a> {
        self.step(Step::Key(name))
    }

    pub(crate) fn item(&'a self, index: u32) -> At<'a> {
        self.step(Step::Item(index))
    }

    /// The steps from the top.
    fn steps(&self) -> Vec<Step<'a>> {
        let mut steps: Vec<Step<'a>> =
            std::iter::successors(Some(self), |at| at.parent).filter_map(|at| at.step).collect();
        steps.reverse();
        steps
    }
}

/// Which part of the value at a path is meant.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Part {
    /// The value; of a text the characters between the quotes.
    Value,
    /// The name of the member; of an item its value.
    Name,
    /// The bracket that opens it.
    Open,
}

/// A place that was asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct PlaceId(usize);

/// The paths that are asked for, as a tree.
#[derive(Debug, Default)]
pub(crate) struct Places {
    root: Wanted,
    /// For each place the span found, and how far down the lists of alternative names it was.
    found: Vec<Option<(u32, Span)>>,
}

/// What is asked for at one value, and inside it.
#[derive(Debug, Default)]
struct Wanted {
    members: FxHashMap<Box<str>, Wanted>,
    items: FxHashMap<u32, Wanted>,
    addresses: Vec<(IpAddr, Wanted)>,
    places: Vec<(PlaceId, Part, u32)>,
}

impl Places {
    /// Asks for a place.
    pub(crate) fn want(&mut self, at: &At<'_>, part: Part) -> PlaceId {
        let id = PlaceId(self.found.len());
        self.found.push(None);
        self.root.insert(&at.steps(), id, part, 0);
        id
    }

    /// Whether nothing was asked for.
    pub(crate) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Looks up all places in the text, of which the first `start` bytes are left out.
    pub(crate) fn locate(&mut self, text: &str, start: usize) {
        let mut walk = Walk { text, position: start, found: &mut self.found };
        walk.value(&self.root, None);
    }

    /// The span of a place, once located; the start of the text where there is none.
    pub(crate) fn span(&self, place: PlaceId) -> Span {
        self.found.get(place.0).copied().flatten().map_or(Span::at(0), |(_, span)| span)
    }
}

impl Wanted {
    fn insert(&mut self, steps: &[Step<'_>], id: PlaceId, part: Part, rank: u32) {
        let Some((step, rest)) = steps.split_first() else {
            self.places.push((id, part, rank));
            return;
        };
        match *step {
            Step::Field(names) => {
                for (name, further) in names.iter().zip(0..) {
                    let rank = rank * 8 + further;
                    self.members.entry((*name).into()).or_default().insert(rest, id, part, rank);
                }
            }
            Step::Key(name) => {
                self.members.entry(name.into()).or_default().insert(rest, id, part, rank)
            }
            Step::Item(index) => self.items.entry(index).or_default().insert(rest, id, part, rank),
            Step::Address(address) => {
                let mut wanted = Wanted::default();
                wanted.insert(rest, id, part, rank);
                self.addresses.push((address, wanted));
            }
        }
    }
}

/// The walk over the text.
struct Walk<'a> {
    text: &'a str,
    position: usize,
    found: &'a mut [Option<(u32, Span)>],
}

impl<'a> Walk<'a> {
    /// Steps over one value and enters what it finds. As deep as a path, however deep the text.
    fn value(&mut self, wanted: &Wanted, name: Option<Span>) -> Span {
        self.blanks();
        let start = self.position;
        match self.peek() {
            Some(b'{') if !wanted.members.is_empty() => self.object(wanted),
            Some(b'[') if !(wanted.items.is_empty() && wanted.addresses.is_empty()) => {
                self.list(wanted)
            }
            _ => self.skip(),
        }
        let whole = Span::new(start as u32, self.position as u32);
        self.enter(wanted, name, whole);
        whole
    }

    fn enter(&mut self, wanted: &Wanted, name: Option<Span>, whole: Span) {
        for &(PlaceId(id), part, rank) in &wanted.places {
            let span = match (part, name) {
                (Part::Open, _) => Span::new(whole.start, (whole.start + 1).min(whole.end)),
                (Part::Name, Some(name)) => name,
                _ => inner(self.text, whole),
            };
            if let Some(slot) = self.found.get_mut(id)
                && slot.is_none_or(|(known, _)| rank <= known)
            {
                // Of two members with one name the last counts, here as in the readers.
                *slot = Some((rank, span));
            }
        }
    }

    fn object(&mut self, wanted: &Wanted) {
        self.position += 1;
        loop {
            self.blanks();
            match self.peek() {
                Some(b',') => self.position += 1,
                Some(b'}') => return self.position += 1,
                None => return,
                Some(_) => {
                    let start = self.position;
                    self.word();
                    let name = inner(self.text, Span::new(start as u32, self.position as u32));
                    self.blanks();
                    if self.peek() == Some(b':') {
                        self.position += 1;
                    }
                    match wanted.members.get(name.of(self.text)) {
                        Some(inside) => drop(self.value(inside, Some(name))),
                        None => {
                            self.blanks();
                            self.skip();
                        }
                    }
                    if self.position == start {
                        return;
                    }
                }
            }
        }
    }

    fn list(&mut self, wanted: &Wanted) {
        self.position += 1;
        let mut index = 0;
        loop {
            self.blanks();
            let start = self.position;
            match self.peek() {
                Some(b',') => self.position += 1,
                Some(b']') => return self.position += 1,
                None => return,
                Some(_) => {
                    let whole = match wanted.items.get(&index) {
                        Some(inside) => self.value(inside, None),
                        None => {
                            self.skip();
                            Span::new(start as u32, self.position as u32)
                        }
                    };
                    if !wanted.addresses.is_empty()
                        && let Ok(address) = inner(self.text, whole).of(self.text).parse::<IpAddr>()
                    {
                        for (_, inside) in wanted.addresses.iter().filter(|(it, _)| *it == address)
                        {
                            self.enter(inside, None, whole);
                        }
                    }
                    index += 1;
                    if self.position == start {
                        return;
                    }
                }
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.position).copied()
    }

    /// White space and comments.
    fn blanks(&mut self) {
        self.position = after_blanks(self.text, self.position);
    }

    /// A string, or a word or number without quotes.
    fn word(&mut self) {
        self.position = match self.peek() {
            Some(quote @ (b'"' | b'\'')) => after_string(self.text, self.position, quote),
            _ => after_word(self.text, self.position),
        };
    }

    /// One value, whatever is in it.
    fn skip(&mut self) {
        let mut depth = 0_usize;
        loop {
            match self.peek() {
                None => return,
                Some(b'{' | b'[') => {
                    depth += 1;
                    self.position += 1;
                }
                Some(b'}' | b']') => {
                    depth = depth.saturating_sub(1);
                    self.position += 1;
                }
                Some(b',' | b':') if depth > 0 => self.position += 1,
                Some(_) => {
                    let before = self.position;
                    self.word();
                    if self.position == before {
                        return;
                    }
                }
            }
            if depth == 0 {
                return;
            }
            self.blanks();
        }
    }
}

/// The deepest nesting of brackets in a text; stops counting beyond `bound`, and says where.
pub(crate) fn too_deep(text: &str, bound: usize) -> Option<Span> {
    let mut depth = 0_usize;
    let mut position = 0;
    loop {
        position = after_blanks(text, position);
        match text.as_bytes().get(position)? {
            b'{' | b'[' => {
                depth += 1;
                if depth > bound {
                    return Some(Span::new(position as u32, position as u32 + 1));
                }
                position += 1;
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                position += 1;
            }
            quote @ (b'"' | b'\'') => position = after_string(text, position, *quote),
            _ => position = after_word(text, position).max(position + 1),
        }
    }
}

/// The characters between the quotes of a string; of any other value all of it.
fn inner(text: &str, whole: Span) -> Span {
    let quoted = whole.of(text);
    match quoted.as_bytes() {
        [open @ (b'"' | b'\''), .., close] if open == close => {
            Span::new(whole.start + 1, whole.end - 1)
        }
        _ => whole,
    }
}

fn after_blanks(text: &str, mut position: usize) -> usize {
    let bytes = text.as_bytes();
    loop {
        match bytes.get(position) {
            Some(b' ' | b'\t' | b'\r' | b'\n' | 0x0b | 0x0c) => position += 1,
            Some(b'/') => position = after_comment(text, position),
            Some(byte) if !byte.is_ascii() => {
                // JSON5 allows every white space of Unicode, and a byte-order mark.
                match text.get(position..).and_then(|it| it.chars().next()) {
                    Some(char) if char.is_whitespace() || char == '\u{feff}' => {
                        position += char.len_utf8()
                    }
                    _ => return position,
                }
            }
            _ => return position,
        }
    }
}

/// The end of the comment at `position`; a lone slash counts as one, so that the walk moves on.
fn after_comment(text: &str, position: usize) -> usize {
    let rest = text.get(position..).unwrap_or_default();
    let len = if rest.starts_with("//") {
        rest.find(['\n', '\r', '\u{2028}', '\u{2029}']).unwrap_or(rest.len())
    } else if let Some(body) = rest.strip_prefix("/*") {
        body.find("*/").map_or(rest.len(), |it| it + 4)
    } else {
        1
    };
    position + len
}

fn after_string(text: &str, position: usize, quote: u8) -> usize {
    let bytes = text.as_bytes();
    let mut position = position + 1;
    loop {
        match bytes.get(position) {
            None => return bytes.len(),
            Some(b'\\') => position = (position + 2).min(bytes.len()),
            Some(byte) if *byte == quote => return position + 1,
            Some(_) => position += 1,
        }
    }
}

/// The end of a word or a number: everything up to white space, a comment or a mark of JSON.
fn after_word(text: &str, position: usize) -> usize {
    let rest = text.get(position..).unwrap_or_default();
    let mark = |char: char| {
        char.is_whitespace() || matches!(char, ',' | ':' | '{' | '}' | '[' | ']' | '/' | '"' | '\'')
    };
    position + rest.find(mark).unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find<'t>(text: &'t str, at: &At<'_>, part: Part) -> &'t str {
        let mut places = Places::default();
        let place = places.want(at, part);
        places.locate(text, 0);
        places.span(place).of(text)
    }

    #[test]
    fn follows_names_and_items() {
        let text =
            r#"{"x": [1, {"y]": "}"}], "nodes": [{}, {"name": "db", "tags": ["a", "tag:b"]}]}"#;
        let nodes = At::TOP.field(&["nodes"]);
        let node = nodes.item(1);
        let tags = node.field(&["tags"]);
        assert_eq!(find(text, &tags.item(1), Part::Value), "tag:b");
        assert_eq!(find(text, &node.field(&["label", "name"]), Part::Value), "db");
        assert_eq!(find(text, &tags, Part::Name), "tags");
        assert_eq!(find(text, &tags, Part::Value), r#"["a", "tag:b"]"#);
        assert_eq!(find(text, &node, Part::Open), "{");
    }

    #[test]
    fn reads_json5_and_takes_the_last_of_two() {
        let text = "{ // nodes: 1\n nodes: [ /*]*/ {'name': 'a', name: 'it\\'s',}, ], }";
        let nodes = At::TOP.field(&["nodes"]);
        assert_eq!(find(text, &nodes.item(0).field(&["name"]), Part::Value), "it\\'s");
    }

    #[test]
    fn finds_an_address_however_it_is_written() {
        let text = r#"{"ips": ["100.64.0.1", "FD7A:115C:A1E0:0::1"]}"#;
        let ips = At::TOP.field(&["ips"]);
        let address = "fd7a:115c:a1e0::1".parse().unwrap();
        assert_eq!(
            find(text, &ips.step(Step::Address(address)), Part::Value),
            "FD7A:115C:A1E0:0::1"
        );
    }

    #[test]
    fn counts_brackets_outside_of_strings() {
        assert_eq!(too_deep(r#"[["[[[", '[[']]"#, 2), None);
        assert_eq!(too_deep("[[[]]]", 2), Some(Span::new(2, 3)));
    }
}
