//! A module → the same with its functions in another order.
//!
//! SOURCE: the WebAssembly specification 2.0, "Binary Format", Modules. Functions are named by number
//! in bodies, exports, segments of tables, and as the function to start with.

use crate::binary::{Reader, put_counted, put_number};
use crate::{body, likeness};

const HEADER: &[u8] = b"\0asm\x01\0\0\0";

/// Sections of other programs' making that name no function.
const HARMLESS: [&[u8]; 2] = [b"producers", b"target_features"];

const CUSTOM: u8 = 0;
const IMPORTS: u8 = 2;
const FUNCTIONS: u8 = 3;
const GLOBALS: u8 = 6;
const EXPORTS: u8 = 7;
const START: u8 = 8;
const SEGMENTS: u8 = 9;
const CODE: u8 = 10;

/// `None` for bytes that are no module, and for one that uses more of WebAssembly than is known here.
pub(crate) fn reorder(bytes: &[u8]) -> Option<Vec<u8>> {
    let sections = sections(bytes)?;
    let of = |id: u8| sections.iter().find(|it| it.0 == id).map(|it| it.1);
    let imported = of(IMPORTS).map_or(Some(0), imported_functions)?;
    let types = items(of(FUNCTIONS)?, |it| it.number())?;
    let bodies = items(of(CODE)?, Reader::counted)?;
    if types.len() != bodies.len() {
        return None;
    }
    let order = likeness::order(&bodies);
    let mut places = vec![0; bodies.len()];
    for (place, body) in order.iter().enumerate() {
        *places.get_mut(*body)? = imported + place as u32;
    }
    let renumbered = |it: u32| match it.checked_sub(imported) {
        None => Some(it),
        Some(own) => places.get(own as usize).copied(),
    };
    let mut out = HEADER.to_vec();
    for (id, content) in sections {
        let content = match id {
            // Others name functions or places in code by their old numbers.
            CUSTOM if !HARMLESS.contains(&Reader(content).counted()?) => return None,
            FUNCTIONS => {
                let mut list = counted(order.len());
                for body in &order {
                    put_number(*types.get(*body)?, &mut list);
                }
                list
            }
            CODE => {
                let mut list = counted(order.len());
                for body in &order {
                    let body = body::rewrite(bodies.get(*body)?, &renumbered)?;
                    put_counted(&body, &mut list);
                }
                list
            }
            EXPORTS => exports(content, &renumbered)?,
            SEGMENTS => segments(content, &renumbered)?,
            START => return None,
            GLOBALS if content.contains(&0xd2) => return None,
            _ => content.to_vec(),
        };
        out.push(id);
        put_counted(&content, &mut out);
    }
    Some(out)
}

fn counted(count: usize) -> Vec<u8> {
    let mut list = Vec::new();
    put_number(count as u32, &mut list);
    list
}

/// The numbers and contents of all sections.
fn sections(bytes: &[u8]) -> Option<Vec<(u8, &[u8])>> {
    let mut from = Reader(bytes.strip_prefix(HEADER)?);
    let mut sections = Vec::new();
    while !from.is_empty() {
        sections.push((from.byte()?, from.counted()?));
    }
    Some(sections)
}

/// The items of a list, and nothing behind it.
fn items<'b, T>(list: &'b [u8], item: impl Fn(&mut Reader<'b>) -> Option<T>) -> Option<Vec<T>> {
    let mut from = Reader(list);
    let items = (0..from.number()?).map(|_| item(&mut from)).collect::<Option<_>>()?;
    from.is_empty().then_some(items)
}

/// How many functions come from outside; they have the first numbers.
fn imported_functions(list: &[u8]) -> Option<u32> {
    let kinds = items(list, |from| {
        from.counted()?;
        from.counted()?;
        let kind = from.byte()?;
        match kind {
            0 => from.pass_number()?,
            1 => {
                from.byte()?;
                pass_limits(from)?;
            }
            2 => pass_limits(from)?,
            3 => from.bytes(2).map(drop)?,
            _ => return None,
        }
        Some(kind)
    })?;
    Some(kinds.into_iter().filter(|it| *it == 0).count() as u32)
}

fn pass_limits(from: &mut Reader<'_>) -> Option<()> {
    let bounded = from.byte()? & 1 == 1;
    (0..1 + u8::from(bounded)).try_for_each(|_| from.pass_number())
}

fn exports(list: &[u8], renumbered: &dyn Fn(u32) -> Option<u32>) -> Option<Vec<u8>> {
    let exports = items(list, |it| Some((it.counted()?, it.byte()?, it.number()?)))?;
    let mut list = counted(exports.len());
    for (name, kind, number) in exports {
        put_counted(name, &mut list);
        list.push(kind);
        put_number(if kind == 0 { renumbered(number)? } else { number }, &mut list);
    }
    Some(list)
}

/// Segments of the first table at a constant place: the only ones that compilers write for functions
/// that are called through pointers.
fn segments(list: &[u8], renumbered: &dyn Fn(u32) -> Option<u32>) -> Option<Vec<u8>> {
    let mut from = Reader(list);
    let count = from.number()?;
    let mut out = counted(count as usize);
    for _ in 0..count {
        let start = from;
        let (kind, code) = (from.byte()?, from.byte()?);
        from.pass_number()?;
        let end = from.byte()?;
        if (kind, code, end) != (0, 0x41, 0x0b) {
            return None;
        }
        out.extend_from_slice(start.0.get(..from.since(start))?);
        let functions = from.number()?;
        put_number(functions, &mut out);
        for _ in 0..functions {
            put_number(renumbered(from.number()?)?, &mut out);
        }
    }
    from.is_empty().then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three functions: the first calls the second, that the third, which is exported as well.
    fn module(more: &[u8]) -> Vec<u8> {
        let sections: [&[u8]; 4] = [
            &[1, 4, 1, 0x60, 0, 0],
            &[3, 4, 3, 0, 0, 0],
            &[7, 9, 2, 1, b'a', 0, 0, 1, b'c', 0, 2],
            &[10, 15, 3, 4, 0, 0x10, 1, 0x0b, 4, 0, 0x10, 2, 0x0b, 3, 0, 1, 0x0b],
        ];
        [HEADER, &sections.concat(), more].concat()
    }

    #[test]
    fn calls_and_exports_follow_the_functions() {
        let reordered = reorder(&module(&[])).unwrap();
        let sections = sections(&reordered).unwrap();
        let of = |id: u8| sections.iter().find(|it| it.0 == id).unwrap().1;
        let bodies = items(of(CODE), Reader::counted).unwrap();
        let exported = |name: &[u8]| {
            let all = items(of(EXPORTS), |it| Some((it.counted()?, it.byte()?, it.number()?)));
            all.unwrap().into_iter().find(|it| it.0 == name).unwrap().2
        };
        let called = |number: u32| match bodies.get(number as usize).unwrap() {
            [0, 0x10, called, 0x0b] => u32::from(*called),
            other => panic!("{other:?} calls nothing"),
        };
        let last = called(called(exported(b"a")));
        assert_eq!(last, exported(b"c"));
        assert_eq!(*bodies.get(last as usize).unwrap(), [0, 1, 0x0b]);
    }

    #[test]
    fn what_may_name_functions_is_refused() {
        let custom = |name: &str| {
            let head = [CUSTOM, name.len() as u8 + 1, name.len() as u8];
            [&head, name.as_bytes()].concat()
        };
        assert!(reorder(&module(&custom("target_features"))).is_some());
        for name in ["name", "linking", "reloc.CODE", ".debug_line", "metadata.code.branch_hint"] {
            assert_eq!(reorder(&module(&custom(name))), None, "{name}");
        }
        assert_eq!(reorder(&module(&[START, 1, 0])), None);
        assert_eq!(reorder(b"no module"), None);
    }
}
