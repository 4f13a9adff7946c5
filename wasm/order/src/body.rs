//! The body of a function → the same with other numbers of functions.
//!
//! SOURCE: the WebAssembly specification 2.0, "Binary Format", Instructions. An instruction that is
//! not listed here ends the reading: what it names could be a function.

use crate::binary::{Reader, put_number};

/// Writes a body, with the number of each function as `renumbered` has it.
pub(crate) fn rewrite(body: &[u8], renumbered: &dyn Fn(u32) -> Option<u32>) -> Option<Vec<u8>> {
    let mut from = Reader(body);
    let mut out = Vec::with_capacity(body.len());
    let start = from;
    for _ in 0..from.number()? {
        from.number()?;
        from.byte()?;
    }
    out.extend_from_slice(start.0.get(..from.since(start))?);
    while !from.is_empty() {
        let start = from;
        let code = from.byte()?;
        if matches!(code, CALL | REF_FUNC) {
            out.push(code);
            put_number(renumbered(from.number()?)?, &mut out);
        } else {
            pass_operands(code, &mut from)?;
            out.extend_from_slice(start.0.get(..from.since(start))?);
        }
    }
    Some(out)
}

const CALL: u8 = 0x10;
const REF_FUNC: u8 = 0xd2;

/// Steps over what stands behind the code of an instruction that names no function.
fn pass_operands(code: u8, from: &mut Reader<'_>) -> Option<()> {
    let numbers = match code {
        // Nothing at all.
        0x00 | 0x01 | 0x05 | 0x0b | 0x0f | 0x1a | 0x1b | 0x45..=0xc4 | 0xd1 => 0,
        // A type, a label, a local, a global, a table, a memory, a whole number.
        0x02..=0x04 | 0x0c | 0x0d | 0x20..=0x26 | 0x3f..=0x42 | 0xd0 => 1,
        // A type and a table; an alignment and an offset.
        0x11 | 0x28..=0x3e => 2,
        // Labels, and one more.
        0x0e => from.number()?.checked_add(1)?,
        // Types of a selection.
        0x1c => from.number()?,
        0x43 => return from.bytes(4).map(drop),
        0x44 => return from.bytes(8).map(drop),
        // Conversions that saturate; memories, tables and their segments.
        0xfc => match from.number()? {
            0..=7 => 0,
            9 | 11 | 13 | 15..=17 => 1,
            8 | 10 | 12 | 14 => 2,
            _ => return None,
        },
        _ => return None,
    };
    (0..numbers).try_for_each(|_| from.pass_number())
}
