//! Bytes of a module ↔ numbers, as LEB128, and counted parts.

/// What is left to be read.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'b>(pub(crate) &'b [u8]);

impl<'b> Reader<'b> {
    pub(crate) fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    pub(crate) fn bytes(&mut self, count: usize) -> Option<&'b [u8]> {
        let (bytes, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(bytes)
    }

    pub(crate) fn number(&mut self) -> Option<u32> {
        let mut value = 0_u64;
        for shift in (0..35).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return u32::try_from(value).ok();
            }
        }
        None
    }

    /// Steps over a number of any width, signed or not.
    pub(crate) fn pass_number(&mut self) -> Option<()> {
        while self.byte()? >= 0x80 {}
        Some(())
    }

    /// Bytes behind their count.
    pub(crate) fn counted(&mut self) -> Option<&'b [u8]> {
        let count = self.number()?;
        self.bytes(count as usize)
    }

    /// How many bytes were read since `start`.
    pub(crate) fn since(self, start: Self) -> usize {
        start.0.len() - self.0.len()
    }
}

pub(crate) fn put_number(mut value: u32, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Bytes behind their count.
pub(crate) fn put_counted(bytes: &[u8], out: &mut Vec<u8>) {
    put_number(bytes.len() as u32, out);
    out.extend_from_slice(bytes);
}
