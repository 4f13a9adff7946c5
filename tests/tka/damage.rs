//! Bytes and folders with something done to them.

use std::fs;

use lock::aum::AumHash;
use lock::store::Record;

use super::{Generator, bytes};
use crate::steps::Step;

/// What Tailscale's CBOR reader treats in its own way, to be put into messages.
const TOKENS: &[&[u8]] = &[
    b"\xf6",
    b"\xf7",
    b"\x40",
    b"\x60",
    b"\x80",
    b"\xa0",
    b"\x00",
    b"\x17",
    b"\x18\x03",
    b"\x18\x18",
    b"\x19\x01\x00",
    b"\x1b\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\x20",
    b"\x41\x01",
    b"\x42\x01\x02",
    b"\x58\x01\x05",
    b"\x5f\x41\x01\xff",
    b"\x61\x61",
    b"\x61\x31",
    b"\x61\xff",
    b"\x7f\xff",
    b"\x81\x01",
    b"\x82\x01\x02",
    b"\x9f\xff",
    b"\xa1\x01\x03",
    b"\xa1\x61\x61\x61\x62",
    b"\xbf\xff",
    b"\xc0\x01",
    b"\xd9\xd9\xf7",
    b"\xe3",
    b"\xf4",
    b"\xf5",
    b"\xf8\x20",
    b"\xf8\x10",
    b"\xf9\x7e\x00",
    b"\xfa\x00\x00\x00\x00",
    b"\xfb\x00\x00\x00\x00\x00\x00\x00\x00",
    b"\xff",
    b"\x1c",
    b"\x08\xf6",
    b"\x18\x19\x01",
    b"\x06\x00",
    b"\x07\xa0",
    b"\x07\xa1\x61\x61\x61\x62",
];

impl Generator {
    /// One to three things done to bytes.
    pub(super) fn mutated(&mut self, original: &[u8]) -> Vec<u8> {
        let mut bytes = original.to_vec();
        for _ in 0..1 + self.random.below(3) {
            let at = self.random.below(bytes.len() + 1);
            let end = (at + 1 + self.random.below(4)).min(bytes.len());
            let token = self.random.of(TOKENS).unwrap_or_default();
            match self.random.below(7) {
                0 | 1 => {
                    let bit = 1 << self.random.below(8);
                    bytes.get_mut(at).iter_mut().for_each(|it| **it ^= bit);
                }
                2 => drop(bytes.drain(at..end)),
                3 => drop(bytes.splice(at..at, token.iter().copied())),
                4 | 5 => drop(bytes.splice(at..end, token.iter().copied())),
                _ => {
                    // Near the head of a map, where one byte means most.
                    let byte = self.random.below(256) as u8;
                    let near = self.random.below(bytes.len().min(12));
                    bytes.get_mut(near).iter_mut().for_each(|it| **it = byte);
                }
            }
        }
        bytes
    }

    pub(super) fn mutate_aum(&mut self) {
        let at = self.place();
        for _ in 0..4 {
            let aum = self.some_aum();
            let aum = self.mutated(&aum);
            let (ok, _) = self.step(Step::Show { aum: aum.clone() });
            if ok {
                self.step(Step::Inform { at, aums: vec![aum] });
            }
        }
    }

    pub(super) fn mutate_signature(&mut self) {
        for _ in 0..3 {
            let number = self.random.below(self.signed.len());
            let Some(signed) = self.signed.get(number) else { return };
            let (node, original) = (signed.node, signed.bytes.clone());
            let signature = self.mutated(&original);
            self.step(Step::Look { signature: signature.clone() });
            let at = self.place();
            self.step(Step::Judge { at, node, signature });
        }
    }

    /// A folder is damaged, opened, and repaired where it could not be.
    pub(super) fn litter(&mut self) {
        let at = self.place();
        let Some(folder) = self.engine.folder_of(at) else { return };
        let stored = self.engine.stored(at);
        let Some(some) = self.random.of(&stored).map(AumHash::new) else { return };
        let name = Record::path(&some);
        let Ok(record) = fs::read(folder.join(&name)) else { return };
        let Ok(read) = Record::decode(&record) else { return };
        let base32 = some.to_string();
        let shelf: String = base32.chars().take(2).collect();
        let stray = |name: &str| (name.to_owned(), Some(b"not a record".to_vec()));
        let (name, content) = match self.random.below(16) {
            0 => stray("stray"),
            1 => stray("last_active_ancestor.tmp123"),
            2 => stray(&format!("{name}.tmp123")),
            3 => stray("AA/stray"),
            4 => {
                let none = AumHash::new(bytes(&mut self.random));
                (Record::path(&none), Some(b"not a record".to_vec()))
            }
            5 | 6 => (name, Some(self.mutated(&record))),
            7 => (name, Some([record.as_slice(), b"more"].concat())),
            8 => (name, Some(Record { purged: 7, ..read.value }.encode())),
            9 => (name, Some(Record { aum: None, ..read.value }.encode())),
            10 => (name, None),
            11 => ("last_active_ancestor".to_owned(), None),
            12 => {
                let length = self.random.of(&[0, 31, 32, 33]).unwrap();
                let other = [some.as_bytes().as_slice(), &[0]].concat();
                ("last_active_ancestor".to_owned(), other.get(..length).map(<[u8]>::to_vec))
            }
            // Another spelling of its name, in its place or in another folder.
            13 => (format!("ZZ/{base32}"), Some(record)),
            14 => {
                let mut other = base32.clone();
                let last = other.pop();
                other.push(if last == Some('A') { 'B' } else { 'R' });
                (format!("{shelf}/{other}"), Some(record))
            }
            _ => (format!("{shelf}/{}", base32.to_lowercase()), Some(record)),
        };
        let before = fs::read(folder.join(&name)).ok();
        self.step(Step::Litter { at, name: name.clone(), content });
        let (ok, _) = self.step(Step::Reopen { at });
        if !ok {
            self.step(Step::Litter { at, name, content: before });
            self.step(Step::Reopen { at });
        }
    }
}
